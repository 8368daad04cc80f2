/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subcommands of `xenolith`, one file for each or for a family. Each gets its own name as
 * argv[0] and returns the program's exit status. main.c has the table of them.
 */
#ifndef HOST_CLI_COMMANDS_H
#define HOST_CLI_COMMANDS_H

#include <stdbool.h>

/* Exit statuses, as xenolith(1) documents them. */
enum {
	EXIT_POWEROFF = 0,
	EXIT_FAILED = 1, /* xenolith or the host could not do it */
	EXIT_USAGE = 2,
	EXIT_REBOOT = 3,
	EXIT_CRASH = 4,
	EXIT_SUSPEND = 5,
	EXIT_LEFT = 6, /* the user left with ^] or a signal */
};

struct command {
	const char *name, *arguments, *summary;
	const char
		*help; /* options and an example, below usage and summary; NULL: main has it all */
	int (*main)(int argc, char **argv);
	bool dry_run; /* knows the global option -N */
};

int run_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int extract_kernel_main(int argc, char **argv);

extern const struct command block_attach_command, block_detach_command, block_list_command;
extern const struct command block_resize_command;
extern const struct command cd_eject_command, cd_insert_command;
extern const struct command console_command;
extern const struct command create_command;
extern const struct command destroy_command, pause_command, unpause_command;
extern const struct command dmesg_command;
extern const struct command domid_command, domname_command, rename_command;
extern const struct command dump_core_command;
extern const struct command info_command;
extern const struct command list_command, vm_list_command;
extern const struct command mem_max_command, mem_set_command;
extern const struct command network_attach_command, network_detach_command, network_list_command;
extern const struct command reboot_command, shutdown_command;
extern const struct command sysrq_command, trigger_command;
extern const struct command uptime_command;
extern const struct command vcpu_list_command, vcpu_set_command;

#endif
