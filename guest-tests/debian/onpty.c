// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: onpty COMMAND [ARGUMENT...]
 *
 * Runs COMMAND on a terminal of its own: what comes on stdin is typed there, what appears there
 * goes to stdout at once. Ends with COMMAND's exit status (128 + N: by the signal N), and ends
 * COMMAND, by hanging up, when it is itself told to end. The end of stdin is nothing special.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int master;

static void fail(const char *what)
{
	fprintf(stderr, "onpty: %s: %s\n", what, strerror(errno));
	exit(127);
}

static void run(const char *terminal, char **command)
{
	const struct winsize size = {.ws_row = 25, .ws_col = 200};
	int fd;

	setsid();
	fd = open(terminal, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) || ioctl(fd, TIOCSWINSZ, &size))
		fail(terminal);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close(fd);
	close(master);
	execvp(command[0], command);
	fail(command[0]);
}

/* Both ways, until nobody has the terminal open any more. */
static bool carry(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof(buffer));

	for (ssize_t done = 0; done < n;) {
		ssize_t m = write(to, buffer + done, (size_t)(n - done));

		if (m < 0 && errno != EINTR)
			return false;
		done += m > 0 ? m : 0;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

static void carry_all(void)
{
	struct pollfd fds[] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			fail("poll");
		if (fds[0].revents && !carry(master, 1))
			return;
		if (fds[1].revents && !carry(0, master))
			fds[1].fd = -1;
	}
}

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	if (argc < 2) {
		fprintf(stderr, "usage: onpty COMMAND [ARGUMENT...]\n");
		return 2;
	}
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		fail("posix_openpt");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child)
		run(ptsname(master), argv + 1);
	carry_all();
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
