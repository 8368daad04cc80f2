// SPDX-License-Identifier: BSD-2-Clause
/*
 * xenolith info: this host, in xl's words. virt_caps and xen_caps say what guests there can be, as
 * test runners ask before they run any.
 */
#include <cpuid.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/cli/domain_0.h"
#include "host/cli/program.h"
#include "shim/types.h"
#include "shim/xen_version.h"
#include "xen-abi/xen.h"

/* One line, unless another is wanted; of that only what follows the colon. */
static void line(const char *wanted, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(const char *wanted, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (wanted && strncmp(name, wanted, strlen(wanted)) != 0)
		return;
	if (!wanted)
		printf("%-23s: ", name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* What the first CPU has in /proc/cpuinfo; false: it is not there. */
static bool cpu_field(const char *field, char *value, size_t size)
{
	char begin[32], rest[PROC_LINE_MAX];
	const char *colon = NULL;

	snprintf(begin, sizeof(begin), "%s\t", field);
	if (proc_line("/proc/cpuinfo", begin, rest, sizeof(rest)))
		colon = strchr(rest, ':');
	if (!colon)
		return false;
	snprintf(value, size, "%s", colon[1] == ' ' ? colon + 2 : colon + 1);
	value[strcspn(value, "\n")] = '\0';
	return true;
}

static long cpu_number(const char *field, long none)
{
	char value[32];

	return cpu_field(field, value, sizeof(value)) ? strtol(value, NULL, 10) : none;
}

static bool cpu_has(const char *flag)
{
	static char flags[4096];
	size_t length = strlen(flag);

	if (!*flags && !cpu_field("flags", flags, sizeof(flags)))
		return false;
	for (const char *at = flags; (at = strstr(at, flag)); at += length)
		if ((at == flags || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

static unsigned count_nodes(void)
{
	DIR *dir = opendir("/sys/devices/system/node");
	struct dirent *e;
	unsigned n = 0;

	while (dir && (e = readdir(dir)))
		n += !strncmp(e->d_name, "node", 4) && strspn(e->d_name + 4, "0123456789");
	if (dir)
		closedir(dir);
	return n ? n : 1;
}

/* The words of CPUID in the order of Xen's feature sets (public header arch-x86/cpufeatureset.h).
 */
static void hw_caps(const char *wanted)
{
	unsigned a, b, c, d, word[8] = {0};

	if (__get_cpuid(1, &a, &b, &c, &d)) {
		word[0] = d;
		word[1] = c;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
		word[2] = d;
		word[3] = c;
	}
	if (__get_cpuid_count(0xd, 1, &a, &b, &c, &d))
		word[4] = a;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		word[5] = b;
		word[6] = c;
	}
	if (__get_cpuid(0x80000007, &a, &b, &c, &d))
		word[7] = d;
	line(wanted, "hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", word[0], word[1],
	     word[2], word[3], word[4], word[5], word[6], word[7]);
}

static void node_lines(const char *wanted)
{
	struct utsname u;

	if (uname(&u))
		return;
	line(wanted, "host", "%s", u.nodename);
	line(wanted, "release", "%s", u.release);
	line(wanted, "version", "%s", u.version);
	line(wanted, "machine", "%s", u.machine);
}

static void cpu_lines(const char *wanted)
{
	long cores = cpu_number("cpu cores", 1), siblings = cpu_number("siblings", cores);
	char mhz[32] = "0.000";

	cpu_field("cpu MHz", mhz, sizeof(mhz));
	line(wanted, "nr_cpus", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	line(wanted, "max_cpu_id", "%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	line(wanted, "nr_nodes", "%u", count_nodes());
	line(wanted, "cores_per_socket", "%ld", cores);
	line(wanted, "threads_per_core", "%ld", cores > 0 ? siblings / cores : 1);
	line(wanted, "cpu_mhz", "%s", mhz);
	hw_caps(wanted);
	/* To Xen, a PVH guest is of the kind "hvm"; PV guests there are none of yet. */
	line(wanted, "virt_caps", "hvm%s gnttab-v1 gnttab-v2",
	     cpu_has("ept") || cpu_has("npt") ? " hap" : "");
}

static void memory_lines(const char *wanted)
{
	line(wanted, "total_memory", "%llu", host_memory_kib("MemTotal") / 1024);
	line(wanted, "free_memory", "%llu", host_memory_kib("MemAvailable") / 1024);
	line(wanted, "sharing_freed_memory", "0");
	line(wanted, "sharing_used_memory", "0");
	line(wanted, "outstanding_claims", "0");
	line(wanted, "free_cpus", "0");
}

static void xen_lines(const char *wanted)
{
	line(wanted, "xen_major", "%d", XEN_SHIM_MAJOR);
	line(wanted, "xen_minor", "%d", XEN_SHIM_MINOR);
	line(wanted, "xen_extra", "%s", XEN_SHIM_EXTRAVERSION);
	line(wanted, "xen_version", "%d.%d%s", XEN_SHIM_MAJOR, XEN_SHIM_MINOR,
	     XEN_SHIM_EXTRAVERSION);
	line(wanted, "xen_caps", "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ");
	line(wanted, "xen_scheduler", "linux");
	line(wanted, "xen_pagesize", "%u", GUEST_PAGE_SIZE);
	line(wanted, "platform_params", "virt_start=0x%lx", HYPERVISOR_VIRT_START);
	line(wanted, "xen_changeset", "unavailable");
	line(wanted, "xen_commandline", "%s", "");
	line(wanted, "cc_compiler", "gcc " __VERSION__);
	line(wanted, "cc_compile_by", "xenolith");
	line(wanted, "cc_compile_domain", "%s", "");
	line(wanted, "cc_compile_date", "%s", "");
	line(wanted, "build_id", "%s", "");
	line(wanted, "xend_config_format", "4");
}

static int info_main(int argc, char **argv)
{
	static const struct option words[] = {
		{"numa", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *wanted;

	while (next_option(argc, argv, &info_command, "n", words, 0, 1) != -1)
		; /* with -n, xl adds the host's topology, for which there is lscpu(1) */
	wanted = argc > optind ? argv[optind] : NULL;
	node_lines(wanted);
	cpu_lines(wanted);
	memory_lines(wanted);
	xen_lines(wanted);
	return EXIT_SUCCESS;
}

const struct command info_command = {
	.name = "info",
	.arguments = "[NAME]",
	.summary = "print what this host is and offers, as Xen's hosts do",
	.main = info_main,
	.help = "With NAME, only its value. 'xenolith doctor' tells what KVM can do here.\n\n"
		"Try: xenolith info virt_caps\n",
};
