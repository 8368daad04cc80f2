// SPDX-License-Identifier: BSD-2-Clause
/* xenolith dump-core: a guest's memory into a file. Its process may make none, so that is done
 * here. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/program.h"

static int dump_core_main(int argc, char **argv)
{
	struct control_guest guest;
	const char *path;
	int fd, status;

	only_arguments(argc, argv, &dump_core_command, 2, 2);
	guest = find_guest(argv[optind]);
	path = argv[optind + 1];
	/* Whoever may look at it can see all that the guest knows. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return failf("cannot open %s: %s", path, strerror(errno));
	status = order_with(&guest, json_pack("{s:s}", "command", "dump-core"), &fd, 1);
	close(fd);
	return status;
}

const struct command dump_core_command = {
	.name = "dump-core",
	.arguments = "DOMAIN FILE",
	.summary = "write a guest's memory and registers to an ELF core file",
	.main = dump_core_main,
	.help = "The guest stands still meanwhile. crash(8) and gdb read the file.\n\n"
		"Try: xenolith dump-core guest guest.core\n",
};
