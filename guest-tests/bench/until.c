// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: until TEXT COMMAND [ARGUMENT...]
 *
 * Run COMMAND, pass its output on, and when TEXT appears in it print to standard error
 *	COST time NS	from before exec to then (a bed that counts instructions: 1 ns is one)
 *	COST resident KIB	of the command's memory without the guest's RAM
 * The exit status is the command's, or 1 if TEXT never came.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Guest RAM is the command's only mapping of this size. */
#define GUEST_RAM_BYTES (64ul << 20)

/* The command's resident memory but for the guest's RAM: /proc/PID/smaps (proc(5)). */
static long own_kib(pid_t pid)
{
	char path[64], line[512];
	bool guest_ram = false;
	long kib = 0, rss;
	unsigned long start, end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			guest_ram = end - start >= GUEST_RAM_BYTES;
		else if (!guest_ram && sscanf(line, "Rss: %ld", &rss) == 1)
			kib += rss;
	}
	fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	char line[4096];
	bool seen = false;
	long long start;
	int pipe_fd[2], status;
	FILE *out;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: until TEXT COMMAND [ARGUMENT...]");
	if (pipe(pipe_fd))
		err(1, "pipe");
	start = now();
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		dup2(pipe_fd[1], STDOUT_FILENO);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		execv(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}
	close(pipe_fd[1]);
	out = fdopen(pipe_fd[0], "r");
	while (out && fgets(line, sizeof(line), out)) {
		if (!seen && strstr(line, argv[1])) {
			fprintf(stderr, "COST time %lld\n", now() - start);
			fprintf(stderr, "COST resident %ld\n", own_kib(pid));
			seen = true;
		}
		fputs(line, stdout);
	}
	waitpid(pid, &status, 0);
	if (!seen)
		errx(1, "'%s' never came", argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
