// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: pv-bench calls|faults|forks COUNT
 *
 * COUNT null system calls (getppid); first touches of a page of anonymous memory; children that
 * are forked, execute `end` (end.S) and so end. Prints one line, the time of each in ns, to three
 * places:
 *
 *	pv: calls NS
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE       4096
#define TOUCH_ONCE 256 /* pages of one mapping */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void calls(long count)
{
	while (count--)
		syscall(SYS_getppid);
}

static void faults(long count)
{
	for (; count > 0; count -= TOUCH_ONCE) {
		char *p = mmap(NULL, TOUCH_ONCE * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			err(1, "mmap");
		for (long i = 0; i < TOUCH_ONCE && i < count; i++)
			p[i * PAGE] = 1;
		munmap(p, TOUCH_ONCE * PAGE);
	}
}

static void forks(long count)
{
	while (count--) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			execl("/usr/bin/end", "end", NULL);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			errx(1, "a child failed");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long count);
	} all[] = {{"calls", calls}, {"faults", faults}, {"forks", forks}};
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : -1;
	double begin;

	for (unsigned i = 0; count >= 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(argv[1], all[i].name))
			continue;
		begin = now();
		all[i].run(count);
		if (count)
			printf("pv: %s %.3f\n", argv[1], (now() - begin) / count);
		return 0;
	}
	fprintf(stderr, "usage: pv-bench calls|faults|forks COUNT\n");
	return 2;
}
