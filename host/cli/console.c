// SPDX-License-Identifier: BSD-2-Clause
/* xenolith console: this terminal as a guest's console. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/program.h"
#include "host/cli/size.h"
#include "host/control/console_client.h"

static int console_main(int argc, char **argv)
{
	struct control_guest guest;
	struct problem p;
	unsigned number = 0;
	int option;

	while ((option = next_option(argc, argv, &console_command, "n:t:", NULL, 1, 1)) != -1) {
		if (option == 'n' && strcmp(optarg, "0") != 0 &&
		    parse_count(optarg, UINT16_MAX, &number))
			return failf("-n %s: want the number of a console: 0 is the primary one",
				     optarg);
		if (option == 't' && strcmp(optarg, "pv") != 0)
			return failf("-t %s: guests have a pv console and no other", optarg);
	}
	guest = find_guest(argv[optind]);
	if (console_client_run(&guest, number, &p))
		return fail(&p);
	return EXIT_SUCCESS;
}

const struct command console_command = {
	.name = "console",
	.arguments = "[-n NUMBER] [-t pv] DOMAIN",
	.summary = "a guest's console on this terminal; ^] leaves",
	.main = console_main,
	.help = "  -n NUMBER   which console: 0 is the primary one, 1 the first of channel=\n"
		"  -t TYPE     its type; pv\n\n"
		"It ends with the guest, too. Any number of terminals can be attached, but each\n"
		"byte reaches only one of them.\n\n"
		"Try: xenolith console guest\n",
};
