// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "shim/types.h"

/* One terminal per process: the handler of a deadly signal has no other way to find it. */
static struct termios saved;
static volatile sig_atomic_t raw_fd = -1;

void terminal_restore(void)
{
	int fd = raw_fd;

	raw_fd = -1;
	if (fd >= 0)
		tcsetattr(fd, TCSANOW, &saved);
}

/* The default action follows when the handler returns and the fault or the pending signal repeats.
 */
static void on_death(int sig)
{
	terminal_restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_deadly_signals(void)
{
	const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	struct sigaction sa = {.sa_handler = on_death};

	sigemptyset(&sa.sa_mask);
	for (unsigned i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &sa, NULL);
}

bool terminal_raw(int fd)
{
	struct termios raw;

	if (!isatty(fd) || tcgetattr(fd, &saved))
		return false;
	raw_fd = fd;
	atexit(terminal_restore);
	catch_deadly_signals();
	raw = saved;
	cfmakeraw(&raw);
	/* Output of our own messages still wants its line feeds completed. */
	raw.c_oflag |= OPOST | ONLCR;
	return tcsetattr(fd, TCSANOW, &raw) == 0;
}
