// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/domain_0.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

unsigned long long host_memory_kib(const char *field)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)) &&
		    sscanf(line + strlen(field), ": %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* All that its CPUs have done, guests' work, too. */
static json_int_t cpu_time_ns(void)
{
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long user = 0, nice = 0, system = 0;
	long ticks = sysconf(_SC_CLK_TCK);

	if (!f)
		return 0;
	if (fscanf(f, "cpu %llu %llu %llu", &user, &nice, &system) != 3)
		user = nice = system = 0;
	fclose(f);
	return (json_int_t)((user + nice + system) * (1000000000ull / ticks));
}

static json_int_t uptime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (json_int_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

json_t *domain_0_info(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:i, s:I, s:I}", "domid", 0, "name", "Domain-0",
			 "uuid", "00000000-0000-0000-0000-000000000000", "state", "r", "memory_kib",
			 (json_int_t)host_memory_kib("MemTotal"), "vcpus_online", cpus,
			 "cpu_time_ns", cpu_time_ns(), "uptime_ns", uptime_ns());
}
