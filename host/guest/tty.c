// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/guest/tty_drain.h"

static const struct guest_tty closed = GUEST_TTY_CLOSED;

static int open_pty(struct guest_tty *t, struct problem *p)
{
	struct termios raw;

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (t->master < 0 || grantpt(t->master) || unlockpt(t->master) ||
	    ptsname_r(t->master, t->path, sizeof(t->path)))
		return problem(
			p, "cannot make a pty for the guest's console: %s; is /dev/pts mounted?",
			strerror(errno));
	t->out = fcntl(t->master, F_DUPFD_CLOEXEC, 0);
	t->slave = open(t->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->out < 0 || t->slave < 0 || tcgetattr(t->slave, &raw))
		return problem(p, "cannot open %s: %s", t->path, strerror(errno));
	cfmakeraw(&raw);
	tcsetattr(t->slave, TCSANOW, &raw);
	return 0;
}

int guest_tty_open(struct guest_tty *t, const char *name, struct problem *p)
{
	*t = closed;
	if (open_pty(t, p)) {
		guest_tty_close(t);
		return -1;
	}
	if (name)
		guest_log_open(&t->log, GUEST_LOG_CONSOLE, name);
	return 0;
}

void guest_tty_close(struct guest_tty *t)
{
	if (t->master >= 0 && t->slave >= 0) {
		tty_drain(t->master, t->slave);
		t->slave = -1;
	}
	if (t->master >= 0)
		close(t->master);
	if (t->out >= 0)
		close(t->out);
	if (t->slave >= 0)
		close(t->slave);
	guest_log_close(&t->log);
	*t = closed;
}
