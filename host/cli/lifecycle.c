// SPDX-License-Identifier: BSD-2-Clause
/* pause, unpause and destroy: at once, whatever the guest says to it. */
#include "host/cli/program.h"

static int order_one(int argc, char **argv, const struct command *c, const char *what)
{
	only_arguments(argc, argv, c, 1, 1);
	return order(argv[optind], json_pack("{s:s}", "command", what));
}

static int pause_main(int argc, char **argv)
{
	return order_one(argc, argv, &pause_command, "pause");
}

static int unpause_main(int argc, char **argv)
{
	return order_one(argc, argv, &unpause_command, "unpause");
}

static int destroy_main(int argc, char **argv)
{
	/* xl's -f is about domain 0. */
	while (next_option(argc, argv, &destroy_command, "f", NULL, 1, 1) != -1)
		;
	return order(argv[optind], json_pack("{s:s}", "command", "destroy"));
}

const struct command pause_command = {
	.name = "pause",
	.arguments = "DOMAIN",
	.summary = "let a guest stand still",
	.main = pause_main,
	.help = "DOMAIN is its name or number, as 'list' shows them.\n\n"
		"Try: xenolith pause guest\n",
};

const struct command unpause_command = {
	.name = "unpause",
	.arguments = "DOMAIN",
	.summary = "let a guest that stands still go on",
	.main = unpause_main,
	.help = "Try: xenolith create -p guest.cfg && xenolith unpause guest\n",
};

const struct command destroy_command = {
	.name = "destroy",
	.arguments = "DOMAIN",
	.summary = "end a guest at once, as if its power failed",
	.main = destroy_main,
	.help = "What the guest has not written to its disks is lost; 'shutdown' asks it to end.\n\n"
		"Try: xenolith destroy guest\n",
};
