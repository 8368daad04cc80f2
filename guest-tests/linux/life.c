// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a Linux guest with several CPUs, in two roles.
 *
 *	linux-life CPUS        in the guest, as root: are all CPUs online, what is the clocksource,
 *	                       does the steal time move under load, does each CPU come back from
 *	                       being offline? Then it says what time it is, and says it again after
 *	                       a minute. A line for each, "life: ok ..." or "life: FAILURE ...".
 *	linux-life --witness   on the host: the guest's output comes through here, each "life:
 *clock" line is compared with the host's clock as it comes, and the end is "life: SUCCESS" or
 *"life: FAILURE".
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ll
#define S  1000000000ll

/*
 * In this much time the guest's clock and the host's move apart by no more than that. (How far they
 * are apart is Linux's: until it has its clocksource it counts ticks, and loses some if it is
 * slow.)
 */
#define CLOCK_AFTER (60 * S)
#define CLOCK_DRIFT (10 * MS)
/*
 * A line takes its time from the guest to the host, more where other tests run beside: the fastest
 * of so many counts.
 */
#define CLOCK_LINES 100

static bool failed;

static void say(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("life: %s ", ok ? "ok" : "FAILURE");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	failed |= !ok;
}

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * S + ts.tv_nsec;
}

static void sleep_for(int64_t ns)
{
	const struct timespec ts = {ns / S, ns % S};

	nanosleep(&ts, NULL);
}

/* The first line of a file, "" if there is none. */
static const char *line_of(const char *path)
{
	static char line[256];
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
	return line;
}

static long online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static void clocksource(void)
{
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"
	char current[64];

	snprintf(current, sizeof(current), "%s", line_of(CLOCKSOURCE "current_clocksource"));
	say(!strcmp(current, "xen") ||
		    (!strcmp(current, "tsc") &&
		     strstr(line_of(CLOCKSOURCE "available_clocksource"), "xen")),
	    "the clocksource is %s", current);
}

/* On all CPUs, in USER_HZ: the eighth number of the first line. */
static long stolen(void)
{
	const char *at = line_of("/proc/stat");
	long value = -1;

	sscanf(at, "cpu %*d %*d %*d %*d %*d %*d %*d %ld", &value);
	return value;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void load(long cpus, int64_t ns)
{
	for (long cpu = 0; cpu < cpus; cpu++) {
		if (fork())
			continue;
		pin(cpu);
		for (int64_t end = now(CLOCK_MONOTONIC) + ns; now(CLOCK_MONOTONIC) < end;)
			;
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

/* The host has something else to do meanwhile: linux.sh sees to that when it reads the first line.
 */
static void steal(long cpus)
{
	long before = stolen(), grown = 0;

	printf("life: load\n");
	for (int i = 0; i < 8 && grown < 2; i++) {
		load(cpus, S / 2);
		grown = stolen() - before;
	}
	printf("life: load is over\n");
	say(before >= 0 && grown >= 2, "steal has grown by %ld0 ms under load", grown);
}

static bool switch_cpu(long cpu, bool on)
{
	char path[64];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld/online", cpu);
	fd = open(path, O_WRONLY);
	ok = fd >= 0 && write(fd, on ? "1" : "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Does something run there, and do its timers? */
static bool works(long cpu)
{
	int status = -1;

	if (!fork()) {
		int64_t before, took;

		pin(cpu);
		before = now(CLOCK_MONOTONIC);
		sleep_for(20 * MS);
		took = now(CLOCK_MONOTONIC) - before;
		_exit(sched_getcpu() == cpu && took >= 20 * MS && took < S ? 0 : 1);
	}
	wait(&status);
	return status == 0;
}

static void hotplug(long cpus)
{
	for (long cpu = 1; cpu < cpus; cpu++) {
		bool down = switch_cpu(cpu, false) && online() == cpus - 1;
		bool up = switch_cpu(cpu, true) && online() == cpus;

		say(down && up && works(cpu), "CPU %ld offline and online again", cpu);
	}
}

static void tell_time(const char *when)
{
	for (int i = 0; i < CLOCK_LINES; i++) {
		sleep_for(20 * MS);
		printf("life: clock %s %lld\n", when, (long long)now(CLOCK_REALTIME));
	}
}

static int guest(long cpus)
{
	int64_t begin = now(CLOCK_MONOTONIC);

	say(online() == cpus, "%ld of %ld CPUs online", online(), cpus);
	clocksource();
	steal(cpus);
	hotplug(cpus);
	tell_time("early");
	printf("life: waits\n");
	sleep_for(begin + CLOCK_AFTER - now(CLOCK_MONOTONIC));
	tell_time("late");
	printf("life: %s\n", failed ? "ends badly" : "ends well");
	return failed;
}

/* How far the guest is behind the host, at least, by the lines of one kind. */
struct distance {
	const char *when;
	int64_t least;
	int lines;
};

static bool take(struct distance *d, const char *line, int64_t at)
{
	long long clock;
	char when[8];

	if (sscanf(line, "life: clock %7s %lld", when, &clock) != 2 || strcmp(when, d->when))
		return false;
	if (!d->lines++ || at - clock < d->least)
		d->least = at - clock;
	return true;
}

static int witness(void)
{
	struct distance early = {.when = "early"}, late = {.when = "late"};
	bool well = false;
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		int64_t at = now(CLOCK_REALTIME);

		if (!take(&early, line, at) && !take(&late, line, at))
			fputs(line, stdout);
		well |= !strncmp(line, "life: ends well", 15);
	}
	say(well, "the guest says so itself");
	say(early.lines >= CLOCK_LINES && late.lines >= CLOCK_LINES,
	    "%d and %d lines with the time", early.lines, late.lines);
	say(llabs(late.least - early.least) <= CLOCK_DRIFT,
	    "in a minute the guest's clock falls back by %lld us (from %lld us)",
	    (long long)(late.least - early.least) / 1000, (long long)early.least / 1000);
	printf("life: %s\n", failed ? "FAILURE" : "SUCCESS");
	return failed;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--witness"))
		return witness();
	if (argc == 2 && isdigit((unsigned char)argv[1][0]))
		return guest(strtol(argv[1], NULL, 10));
	fprintf(stderr, "usage: linux-life CPUS | linux-life --witness\n");
	return 2;
}
