// SPDX-License-Identifier: BSD-2-Clause
/* vcpu-list and vcpu-set. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/program.h"
#include "host/cli/size.h"

#define VCPUS_MAX INT16_MAX

static void print_header(void)
{
	printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
	       "Affinity (Hard / Soft)");
}

/* xl's columns; on this host, each vCPU may run on all CPUs. */
static void print_vcpu(const struct control_guest *guest, const json_t *v)
{
	const char state = *string_of(v, "state");
	long long cpu = number_of(v, "cpu", -1);

	printf("%-32s %5u %5lld", guest->name, guest->domid, number_of(v, "vcpu", 0));
	if (!json_is_true(json_object_get(v, "online")))
		printf("%5c %3c%cp ", '-', '-', '-');
	else if (cpu < 0)
		printf("%5c %3c%c- ", '-', state == 'r' ? 'r' : '-', state == 'b' ? 'b' : '-');
	else
		printf("%5lld %3c%c- ", cpu, state == 'r' ? 'r' : '-', state == 'b' ? 'b' : '-');
	printf("%9.1f  all / all\n", (double)number_of(v, "time_ns", 0) / 1e9);
}

static int vcpu_list_main(int argc, char **argv)
{
	only_arguments(argc, argv, &vcpu_list_command, 0, argc);
	return print_lists(argv + optind, argc - optind, "vcpus", print_header, print_vcpu);
}

/* More than now, and more than the host has. */
static bool overcommits(const char *domain, unsigned online, long host)
{
	struct control_guest guest = find_guest(domain);
	json_t *info = ask(&guest, json_pack("{s:s}", "command", "info"));
	bool more = online > number_of(info, "vcpus_online", 0);

	json_decref(info);
	return online > host && more;
}

static int vcpu_set_main(int argc, char **argv)
{
	static const struct option words[] = {
		{"ignore-host", no_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'}, {0}};
	long host = sysconf(_SC_NPROCESSORS_ONLN);
	bool ignore_host = false;
	unsigned online;

	while (next_option(argc, argv, &vcpu_set_command, "i", words, 2, 2) != -1)
		ignore_host = true;
	if (parse_count(argv[optind + 1], VCPUS_MAX, &online))
		return failf("'%s' is not a number of vCPUs", argv[optind + 1]);
	if (!ignore_host && overcommits(argv[optind], online, host))
		return failf("%u vCPUs are more than this host's %ld CPUs; --ignore-host sets them "
			     "all the same",
			     online, host);
	return order(argv[optind],
		     json_pack("{s:s, s:i}", "command", "vcpu-set", "online", (int)online));
}

const struct command vcpu_list_command = {
	.name = "vcpu-list",
	.arguments = "[DOMAIN...]",
	.summary = "list the vCPUs of all guests, or of some",
	.main = vcpu_list_main,
	.help = "State has r for running and b for blocked; p stands for one that is offline.\n\n"
		"Try: xenolith vcpu-list guest\n",
};

const struct command vcpu_set_command = {
	.name = "vcpu-set",
	.arguments = "[-i] DOMAIN NUMBER",
	.summary = "set how many of a guest's vCPUs are online",
	.main = vcpu_set_main,
	.help = "  -i, --ignore-host   also more than this host has CPUs\n\n"
		"At most its maxvcpus. The guest is asked, and does it by itself.\n\n"
		"Try: xenolith vcpu-set guest 2\n",
};
