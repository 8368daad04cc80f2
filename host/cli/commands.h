/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subcommands of `xenolith`, one file each. Each gets its own name as argv[0] and returns the
 * program's exit status.
 */
#ifndef HOST_CLI_COMMANDS_H
#define HOST_CLI_COMMANDS_H

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

int run_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int extract_kernel_main(int argc, char **argv);

#endif
