// SPDX-License-Identifier: BSD-2-Clause
/* sysrq and trigger: what reaches the guest's kernel from outside. */
#include <string.h>

#include "host/cli/program.h"
#include "host/cli/size.h"
#include "shim/types.h"

static int sysrq_main(int argc, char **argv)
{
	const char *key;

	only_arguments(argc, argv, &sysrq_command, 2, 2);
	key = argv[optind + 1];
	if (strlen(key) != 1) {
		usage_fault(&sysrq_command, "'%s' is not one letter", key);
		return program.is_xl ? EXIT_FAILED : EXIT_USAGE;
	}
	return order(argv[optind], json_pack("{s:s, s:s}", "command", "sysrq", "key", key));
}

static int trigger_main(int argc, char **argv)
{
	static const char *const triggers[] = {"nmi",   "reset", "init",
					       "power", "sleep", "s3resume"};
	bool known = false;
	unsigned vcpu = 0;
	const char *name;

	only_arguments(argc, argv, &trigger_command, 2, 3);
	name = argv[optind + 1];
	for (unsigned i = 0; i < ARRAY_SIZE(triggers); i++)
		known |= !strcmp(name, triggers[i]);
	if (!known)
		return failf("'%s' is not a trigger: want nmi, reset, init, power, sleep or "
			     "s3resume",
			     name);
	if (argc > optind + 2 && strcmp(argv[optind + 2], "0") != 0 &&
	    parse_count(argv[optind + 2], UINT16_MAX, &vcpu))
		return usage_fault(&trigger_command, "'%s' is not the number of a vCPU",
				   argv[optind + 2]);
	return order(argv[optind], json_pack("{s:s, s:s, s:i}", "command", "trigger", "trigger",
					     name, "vcpu", (int)vcpu));
}

const struct command sysrq_command = {
	.name = "sysrq",
	.arguments = "DOMAIN LETTER",
	.summary = "send a guest's Linux a magic SysRq key",
	.main = sysrq_main,
	.help = "The guest's kernel must allow it (sysctl kernel.sysrq).\n\n"
		"Try: xenolith sysrq guest t\n",
};

const struct command trigger_command = {
	.name = "trigger",
	.arguments = "DOMAIN TRIGGER [VCPU]",
	.summary = "send a guest an NMI, or press its buttons",
	.main = trigger_main,
	.help = "TRIGGER is nmi, reset, init, power, sleep or s3resume; not every guest hears all.\n\n"
		"Try: xenolith trigger guest nmi 0\n",
};
