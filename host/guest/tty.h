/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's console goes when its process has left the terminal: a pty that clients open
 * (`xenolith console`, xenconsole), and a log.
 */
#ifndef HOST_GUEST_TTY_H
#define HOST_GUEST_TTY_H

#include "host/guest/log.h"
#include "host/problem.h"

struct guest_tty {
	int master, out; /* the same, for input and for output */
	int slave; /* kept open, so that output waits for who comes, and a client's end is none */
	char path[64];
	struct guest_log log;
};

/* One that is not open, and may be closed. */
#define GUEST_TTY_CLOSED                                                 \
	{                                                                \
		.master = -1, .out = -1, .slave = -1, .log = {.fd = -1 } \
	}

/* `name`: whose log it has, too; NULL: none. 0, or -1 with the reason. A log that cannot be opened
 * is none. */
int guest_tty_open(struct guest_tty *t, const char *name, struct problem *p);
void guest_tty_close(struct guest_tty *t);

#endif
