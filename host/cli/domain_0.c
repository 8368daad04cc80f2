// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/domain_0.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"

bool proc_line(const char *path, const char *begin, char *rest, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char line[PROC_LINE_MAX];

	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, begin, strlen(begin));
		if (found)
			snprintf(rest, size, "%s", line + strlen(begin));
	}
	if (f)
		fclose(f);
	return found;
}

unsigned long long host_memory_kib(const char *field)
{
	char begin[32], rest[64];

	snprintf(begin, sizeof(begin), "%s:", field);
	return proc_line("/proc/meminfo", begin, rest, sizeof(rest)) ? strtoull(rest, NULL, 10) : 0;
}

/* All that its CPUs have done, guests' work, too: user, nice and system, in ticks. */
static json_int_t cpu_time_ns(void)
{
	const long ticks = sysconf(_SC_CLK_TCK);
	unsigned long long sum = 0;
	char rest[128], *at = rest;

	if (!proc_line("/proc/stat", "cpu ", rest, sizeof(rest)))
		return 0;
	for (unsigned i = 0; i < 3; i++)
		sum += strtoull(at, &at, 10);
	return (json_int_t)(sum * (1000000000ull / ticks));
}

static json_int_t uptime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (json_int_t)timespec_ns(&t);
}

json_t *domain_0_info(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:i, s:I, s:I}", "domid", 0, "name", "Domain-0",
			 "uuid", "00000000-0000-0000-0000-000000000000", "state", "r", "memory_kib",
			 (json_int_t)host_memory_kib("MemTotal"), "vcpus_online", cpus,
			 "cpu_time_ns", cpu_time_ns(), "uptime_ns", uptime_ns());
}
