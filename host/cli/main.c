// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "host/backend/net/slirp_main.h"
#include "host/cli/program.h"
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

static const struct command run_command = {
	.name = "run",
	.arguments = "--kernel FILE [OPTION...]",
	.summary = "boot a Xen guest with its console on this terminal",
	.main = run_main,
};
static const struct command doctor_command = {
	.name = "doctor",
	.arguments = "[--json | --features]",
	.summary = "say what this host's KVM can do, and mend what it cannot",
	.main = doctor_main,
};
static const struct command extract_kernel_command = {
	.name = "extract-kernel",
	.arguments = "FILE OUT",
	.summary = "write the ELF kernel that is packed in a bzImage",
	.main = extract_kernel_main,
};
static const struct command version_command = {
	.name = "version",
	.arguments = "",
	.summary = "print the version",
	.main = version_main,
};
static const struct command help_command = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "this, or more about one command",
	.main = help_main,
};

static const struct command *const commands[] = {
	&create_command,       &list_command,
	&console_command,      &shutdown_command,
	&reboot_command,       &destroy_command,
	&pause_command,        &unpause_command,
	&rename_command,       &domid_command,
	&domname_command,      &uptime_command,
	&dmesg_command,        &info_command,
	&vm_list_command,      &vcpu_list_command,
	&vcpu_set_command,     &mem_set_command,
	&mem_max_command,      &block_attach_command,
	&block_list_command,   &block_detach_command,
	&block_resize_command, &cd_insert_command,
	&cd_eject_command,     &network_attach_command,
	&network_list_command, &network_detach_command,
	&sysrq_command,        &trigger_command,
	&dump_core_command,    &run_command,
	&doctor_command,       &extract_kernel_command,
	&version_command,      &help_command,
};

/* Commands of Xen 4.17's xl that are not offered; they are known, so that a script hears why. */
static const char *const not_offered[] = {
	"button-press",
	"channel-list",
	"claims",
	"config-update",
	"cpupool-cpu-add",
	"cpupool-cpu-remove",
	"cpupool-create",
	"cpupool-destroy",
	"cpupool-list",
	"cpupool-migrate",
	"cpupool-numa-split",
	"cpupool-rename",
	"debug-keys",
	"devd",
	"getenforce",
	"loadpolicy",
	"migrate",
	"migrate-receive",
	"pci-assignable-add",
	"pci-assignable-list",
	"pci-assignable-remove",
	"pci-attach",
	"pci-detach",
	"pci-list",
	"psr-cat-set",
	"psr-cat-show",
	"psr-cmt-attach",
	"psr-cmt-detach",
	"psr-cmt-show",
	"psr-hwinfo",
	"psr-mba-set",
	"psr-mba-show",
	"qemu-monitor-command",
	"remus",
	"restore",
	"resume",
	"save",
	"sched-credit",
	"sched-credit2",
	"sched-rtds",
	"setenforce",
	"set-parameters",
	"sharing",
	"suspend",
	"top",
	"usb-list",
	"usbctrl-attach",
	"usbctrl-detach",
	"usbdev-attach",
	"usbdev-detach",
	"vcpu-pin",
	"vdispl-attach",
	"vdispl-detach",
	"vdispl-list",
	"vkb-attach",
	"vkb-detach",
	"vkb-list",
	"vncviewer",
	"vsnd-attach",
	"vsnd-detach",
	"vsnd-list",
	"vtpm-attach",
	"vtpm-detach",
	"vtpm-list",
};

/* By its name, or by the beginning of it that no other has. */
static const struct command *find_command(const char *name)
{
	const struct command *found = NULL;
	unsigned matches = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(name, commands[i]->name))
			return commands[i];
		if (*name && !strncmp(name, commands[i]->name, strlen(name))) {
			found = commands[i];
			matches++;
		}
	}
	return matches == 1 ? found : NULL;
}

/* xl's own form, which completions of shells read. */
static void xl_usage(FILE *out)
{
	fprintf(out, "Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, " %-19s %s\n", commands[i]->name, commands[i]->summary);
}

static void usage(FILE *out)
{
	if (program.is_xl) {
		xl_usage(out);
		return;
	}
	fprintf(out, "usage: xenolith COMMAND [ARGUMENT...]\n\n"
		     "Boots unmodified Xen guests on plain Linux KVM.\n\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-15s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n'xenolith COMMAND --help' tells more; the manual page is xenolith(1).\n");
}

static int no_such_command(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(not_offered); i++)
		if (!strcmp(name, not_offered[i]))
			return failf("xl's command '%s' is not offered; '%s help' lists those that "
				     "are",
				     name, program.name);
	failf("there is no command '%s'; '%s help' lists them", name, program.name);
	return program.is_xl ? EXIT_FAILED : EXIT_USAGE;
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

/* xl's global options, before the command. 0: *command is its index in argv; else the status. */
static int global_options(int argc, char **argv, int *command)
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+vftTN")) != -1) {
		if (option == '?')
			return failf("'%s' is not a global option: want -v, -f, -t, -T or -N "
				     "before the command",
				     argv[optind - 1]),
			       EXIT_USAGE;
		if (option == 'N')
			program.dry_run = true;
	}
	*command = optind;
	optind = 0; /* glibc: all anew, and options may stand behind arguments again */
	return 0;
}

static void name_program(const char *path)
{
	const char *slash = strrchr(path, '/');

	program.is_xl = !strcmp(slash ? slash + 1 : path, "xl");
	if (program.is_xl)
		program.name = "xl";
}

int main(int argc, char **argv)
{
	const struct command *c;
	int at = 1, status;

	if (argc)
		name_program(argv[0]);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return version_main(argc - 1, argv + 1);
	status = global_options(argc, argv, &at);
	if (status)
		return status;
	if (at >= argc) {
		usage(program.is_xl ? stdout : stderr);
		return program.is_xl ? EXIT_FAILED : EXIT_USAGE;
	}
	/* Not for users: the process behind a user-mode network (net/link_user.c). */
	if (!strcmp(argv[at], NET_SLIRP_COMMAND))
		return net_slirp_main(argc - at, argv + at);
	c = find_command(argv[at]);
	if (!c)
		return no_such_command(argv[at]);
	if (program.dry_run && !c->dry_run)
		return failf("%s: there is no dry run (-N) of it", c->name);
	return c->main(argc - at, argv + at);
}
