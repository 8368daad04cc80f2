// SPDX-License-Identifier: BSD-2-Clause
/* mem-set and mem-max. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/program.h"

/* A number of MiB, or of what its one letter says: b, k, m, g, t. 0, or -1. */
static int parse_memory(const char *text, uint64_t *bytes)
{
	static const char units[] = "bkmgt";
	unsigned long long n;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) || (*end && end[1]))
		return -1;
	unit = strchr(units, *end ? tolower((unsigned char)*end) : 'm');
	if (!unit || n > (uint64_t)INT64_MAX >> (10 * (unit - units)))
		return -1;
	*bytes = n << (10 * (unit - units));
	return 0;
}

static int set(int argc, char **argv, const struct command *c, const char *key)
{
	uint64_t bytes;

	only_arguments(argc, argv, c, 2, 2);
	if (parse_memory(argv[optind + 1], &bytes))
		return failf(
			"invalid memory size: %s: want a number of MiB, or one with b, k, m, g "
			"or t behind it",
			argv[optind + 1]);
	return order(argv[optind],
		     json_pack("{s:s, s:I}", "command", c->name, key, (json_int_t)bytes));
}

static int mem_set_main(int argc, char **argv)
{
	return set(argc, argv, &mem_set_command, "target");
}

static int mem_max_main(int argc, char **argv)
{
	return set(argc, argv, &mem_max_command, "max");
}

const struct command mem_set_command = {
	.name = "mem-set",
	.arguments = "DOMAIN SIZE",
	.summary = "set how much memory a guest is to use",
	.main = mem_set_main,
	.help = "SIZE is in MiB, or has one of the letters b, k, m, g, t behind it. The guest's "
		"balloon\ndriver gives memory back to the host, or takes it, up to its maxmem.\n\n"
		"Try: xenolith mem-set guest 512\n",
};

const struct command mem_max_command = {
	.name = "mem-max",
	.arguments = "DOMAIN SIZE",
	.summary = "set how much memory a guest may have at most",
	.main = mem_max_main,
	.help = "SIZE is in MiB, or has one of the letters b, k, m, g, t behind it.\n\n"
		"Try: xenolith mem-max guest 2g\n",
};
