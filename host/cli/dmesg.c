// SPDX-License-Identifier: BSD-2-Clause
/* xenolith dmesg: what guests have said on the hypervisor's console. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/program.h"

/* As Xen shows it, with the number of the guest before each line. */
static void print_lines(const char *text, domid_t domid)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		printf("(d%u) %.*s\n", domid, length, text);
		text += length + (text[length] == '\n');
	}
}

static int print_one(const struct control_guest *guest, bool clear, bool with_number)
{
	json_t *answer =
		ask(guest, json_pack("{s:s, s:b}", "command", "dmesg", "clear", (int)clear));
	const char *text = json_string_value(answer);

	if (text && with_number)
		print_lines(text, guest->domid);
	else if (text)
		fputs(text, stdout);
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILED;
}

static int dmesg_main(int argc, char **argv)
{
	static const struct option words[] = {
		{"clear", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct control_guest *guests;
	int status = EXIT_SUCCESS;
	bool clear = false;
	unsigned count;

	while (next_option(argc, argv, &dmesg_command, "c", words, 0, 1) != -1)
		clear = true;
	count = chosen_guests(argv + optind, argc - optind, &guests);
	for (unsigned i = 0; i < count; i++)
		status |= print_one(&guests[i], clear, optind == argc);
	free(guests);
	return status;
}

const struct command dmesg_command = {
	.name = "dmesg",
	.arguments = "[-c] [DOMAIN]",
	.summary = "print what guests said on the hypervisor's console",
	.main = dmesg_main,
	.help = "  -c, --clear   and forget it\n\n"
		"Without DOMAIN: of all guests, each line with the guest's number, as Xen has it.\n\n"
		"Try: xenolith dmesg guest\n",
};
