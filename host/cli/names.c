// SPDX-License-Identifier: BSD-2-Clause
/* domid, domname and rename. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/program.h"
#include "host/config/guest_config.h"

static int domid_main(int argc, char **argv)
{
	struct control_guest guest;
	struct problem p;

	only_arguments(argc, argv, &domid_command, 1, 1);
	if (program.is_xl && !strcmp(argv[optind], "Domain-0")) {
		puts("0");
		return EXIT_SUCCESS;
	}
	if (control_find(argv[optind], &guest, &p)) {
		if (!program.is_xl)
			return fail(&p);
		fprintf(stderr,
			"Can't get domid of domain name '%s', maybe this domain does not exist.\n",
			argv[optind]);
		return EXIT_FAILED;
	}
	printf("%u\n", guest.domid);
	return EXIT_SUCCESS;
}

static int domname_main(int argc, char **argv)
{
	struct control_guest guest;
	struct problem p;
	const char *domid;

	only_arguments(argc, argv, &domname_command, 1, 1);
	domid = argv[optind];
	if (!isdigit((unsigned char)*domid))
		return failf("'%s' is not the number of a domain", domid);
	if (program.is_xl && !strcmp(domid, "0")) {
		puts("Domain-0");
		return EXIT_SUCCESS;
	}
	if (control_find(domid, &guest, &p)) {
		if (!program.is_xl)
			return fail(&p);
		fprintf(stderr,
			"Can't get domain name of domain id '%s', maybe this domain does not "
			"exist.\n",
			domid);
		return EXIT_FAILED;
	}
	puts(guest.name);
	return EXIT_SUCCESS;
}

static int rename_main(int argc, char **argv)
{
	struct problem p;

	only_arguments(argc, argv, &rename_command, 2, 2);
	if (guest_name_check(argv[optind + 1], &p))
		return fail(&p);
	return order(argv[optind],
		     json_pack("{s:s, s:s}", "command", "rename", "name", argv[optind + 1]));
}

const struct command domid_command = {
	.name = "domid",
	.arguments = "NAME",
	.summary = "print the number of a guest",
	.main = domid_main,
	.help = "Try: export XENSTORED_PATH=$XDG_RUNTIME_DIR/xenolith/$(xenolith domid "
		"guest)/xenstored\n",
};

const struct command domname_command = {
	.name = "domname",
	.arguments = "NUMBER",
	.summary = "print the name of a guest",
	.main = domname_main,
	.help = "Try: xenolith domname 1\n",
};

const struct command rename_command = {
	.name = "rename",
	.arguments = "DOMAIN NAME",
	.summary = "give a guest another name",
	.main = rename_main,
	.help = "Try: xenolith rename guest old-guest\n",
};
