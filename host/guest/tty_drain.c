// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/tty_drain.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STEP_MS  5
#define PATIENCE 1000 /* ms without a byte read */
/* The kernel moves bytes to where they are counted by a worker of its own: 0 must be seen again. */
#define EMPTY_FOR 3

/* The master is told that no slave is open; so ours must not be. */
static bool has_readers(int master)
{
	struct pollfd p = {.fd = master};

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

/* Ours again, to look at what others have not read. */
static void wait_for_readers(int slave)
{
	int left, before = 0, idle_ms = 0, empty = 0;

	while (empty < EMPTY_FOR && idle_ms < PATIENCE && !ioctl(slave, FIONREAD, &left)) {
		empty = left ? 0 : empty + 1;
		idle_ms = left == before ? idle_ms + STEP_MS : 0;
		before = left;
		poll(NULL, 0, STEP_MS);
	}
}

void tty_drain(int master, int slave)
{
	close(slave);
	if (!has_readers(master))
		return;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return;
	wait_for_readers(slave);
	close(slave);
}
