// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "host/cli/commands.h"
#include "shim/types.h"
#include "shim/xen_version.h"

#define XENOLITH_VERSION "0.1"

static int version_main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("usage: xenolith version\n\nPrint the version.\n");
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "xenolith: version: '%s' is too much; it takes no arguments\n",
			argv[1]);
		return EXIT_USAGE;
	}
	printf("xenolith %s, offers the interface of Xen %d.%d\n", XENOLITH_VERSION, XEN_SHIM_MAJOR,
	       XEN_SHIM_MINOR);
	return 0;
}

static int help_main(int argc, char **argv);

static const struct command {
	const char *name, *arguments, *summary;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", "--kernel FILE [OPTION...]", "boot a Xen guest with its console on this terminal",
	 run_main},
	{"doctor", "[--json | --features]",
	 "say what this host's KVM can do, and mend what it cannot", doctor_main},
	{"extract-kernel", "FILE OUT", "write the ELF kernel that is packed in a bzImage",
	 extract_kernel_main},
	{"version", "", "print the version", version_main},
	{"help", "[COMMAND]", "this, or more about one command", help_main},
};

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void usage(FILE *out)
{
	fprintf(out, "usage: xenolith COMMAND [ARGUMENT...]\n\n"
		     "Boots unmodified Xen guests on plain Linux KVM.\n\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-15s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n'xenolith COMMAND --help' tells more; the manual page is xenolith(1).\n");
}

static int no_such_command(const char *name)
{
	fprintf(stderr, "xenolith: there is no command '%s'; 'xenolith help' lists them\n", name);
	return EXIT_USAGE;
}

static int help_main(int argc, char **argv)
{
	const struct command *c;
	char *help[] = {argv[0], "--help", NULL};

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	c = find_command(argv[1]);
	if (!c)
		return no_such_command(argv[1]);
	if (c->main == help_main) {
		usage(stdout);
		return 0;
	}
	help[0] = argv[1];
	return c->main(2, help);
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return version_main(argc - 1, argv + 1);
	c = find_command(argv[1]);
	if (!c)
		return no_such_command(argv[1]);
	return c->main(argc - 1, argv + 1);
}
