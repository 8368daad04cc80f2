// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: wakeups CPUS SECONDS
 *
 * Pairs of processes on all pairs of CPUs that wake each other by pipes, one after the other for
 * half of the time, so that CPUs go idle in between, and then all at once; each also sleeps by a
 * timer and computes with floating point. It is compiled in the guest, by whatever compiler there
 * is. "wakeups: ROUNDS rounds, the longest wait MS ms" is the end; a wake-up that does not come, or
 * a wrong sum, is exit status 1 and a line with FAILURE.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who has been woken by nobody for so long never will be: whole ticks of other guests go by on a
 * busy machine. */
#define LOST_S    30
#define TIMER_US  300
#define MAX_PAIRS 64

struct report {
	long rounds;
	double longest; /* s */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void fail(const char *why)
{
	printf("wakeups: FAILURE: %s\n", why);
	fflush(stdout);
	_exit(1);
}

static void lost(int sig)
{
	(void)sig;
	fail("a wake-up was lost");
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("no such CPU");
}

enum word { GO_ON = 1, END };

/* Wait for a word; how long that took is added to the report. */
static int await(int fd, struct report *r)
{
	double waited, begin = now();
	char word;

	alarm(LOST_S);
	if (read(fd, &word, 1) != 1)
		fail("the other side is gone");
	alarm(0);
	waited = now() - begin;
	if (waited > r->longest)
		r->longest = waited;
	return word;
}

static void wake(int fd, char word)
{
	if (write(fd, &word, 1) != 1)
		fail("the other side is gone");
}

static double harmonic(long n)
{
	double sum = 0;

	for (long i = 1; i <= n; i++)
		sum += 1.0 / i;
	return sum;
}

/* What a side does each round: it adds to its sum, and now and then sleeps. */
static void work(struct report *r, double *sum)
{
	r->rounds++;
	*sum += 1.0 / r->rounds;
	if (r->rounds % 16 == 0)
		usleep(TIMER_US);
}

/* The leader says when it is over. */
static void side(int cpu, int in, int out, bool leads, double until, int report_fd)
{
	struct report r = {0, 0};
	double sum = 0;

	signal(SIGALRM, lost);
	pin(cpu);
	if (leads) {
		while (now() < until) {
			wake(out, GO_ON);
			await(in, &r);
			work(&r, &sum);
		}
		wake(out, END);
	} else {
		while (await(in, &r) == GO_ON) {
			work(&r, &sum);
			wake(out, GO_ON);
		}
	}
	if (sum != harmonic(r.rounds))
		fail("the sum is wrong");
	if (write(report_fd, &r, sizeof(r)) != sizeof(r))
		fail("nobody wants the report");
	_exit(0);
}

static void start_pair(int a, int b, double until, int report_fd)
{
	int there[2], back[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(there) || pipe(back))
		fail("no pipes");
	if (!fork())
		side(a, back[0], there[1], true, until, report_fd);
	if (!fork())
		side(b, there[0], back[1], false, until, report_fd);
}

/* All children have ended well. */
static void wait_for_all(void)
{
	int status;

	alarm(2 * LOST_S);
	while (wait(&status) > 0)
		if (status)
			exit(1);
	alarm(0);
}

static void add_reports(int fd, int sides, struct report *total)
{
	struct report r;

	for (int i = 0; i < sides; i++) {
		if (read(fd, &r, sizeof(r)) != sizeof(r))
			fail("no report");
		total->rounds += r.rounds;
		if (r.longest > total->longest)
			total->longest = r.longest;
	}
}

int main(int argc, char **argv)
{
	int cpus = argc == 3 ? atoi(argv[1]) : 0, pairs = 0, reports[2];
	double seconds = argc == 3 ? atof(argv[2]) : 0;
	struct report total = {0, 0};

	if (cpus < 1 || cpus * cpus > MAX_PAIRS || seconds <= 0) {
		fprintf(stderr, "usage: wakeups CPUS SECONDS\n");
		return 2;
	}
	if (pipe(reports))
		fail("no pipes");
	signal(SIGALRM, lost);
	for (int a = 0; a < cpus; a++) {
		for (int b = 0; b < cpus; b++) {
			start_pair(a, b, now() + seconds / 2 / cpus / cpus, reports[1]);
			wait_for_all();
			add_reports(reports[0], 2, &total);
		}
	}
	for (int a = 0; a < cpus; a++)
		for (int b = 0; b < cpus; b++, pairs++)
			start_pair(a, b, now() + seconds / 2, reports[1]);
	wait_for_all();
	add_reports(reports[0], 2 * pairs, &total);
	printf("wakeups: %ld rounds, the longest wait %.0f ms\n", total.rounds,
	       total.longest * 1e3);
	return 0;
}
