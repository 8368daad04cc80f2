/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A further console of the guest's, beside the one that its parameters tell of: a device of the
 * store (docs/misc/console.txt of Xen), whose ring the frontend grants. hvc1 in Linux, or a channel
 * (docs/misc/channel.txt). Event loop's thread only.
 */
#ifndef HOST_BACKEND_CONSOLE_DEVICE_H
#define HOST_BACKEND_CONSOLE_DEVICE_H

#include "host/backend/console.h"
#include "host/backend/xenbus.h"
#include "shim/grant_map.h"

struct console_device {
	struct xenbus_device bus;
	struct loop *loop;
	const char *name, *connection, *tty; /* the nodes of these names; NULL: none */
	int in_fd, out_fd;                   /* -1: none */
	void (*hung_up)(void *opaque);       /* the input has ended; may be NULL */
	void *opaque;
	struct console console; /* while the bus is connected */
	struct grant_mapping ring;
};

/*
 * Show console `id` (> 0). name, connection ("pty", "socket") and tty (a pty's path) are what the
 * guest and xenconsole read; they and the two descriptors stay the caller's, and must stay until
 * console_device_remove(). Nobody may be reading out_fd: the guest does not wait. 0, or -1 with the
 * reason.
 */
int console_device_add(struct console_device *c, struct loop *loop, struct store *store,
		       struct domain *d, unsigned id, struct problem *p);

/* Other descriptors from now on: console_attach(). */
void console_device_attach(struct console_device *c, int in_fd, int out_fd);

void console_device_remove(struct console_device *c);

#endif
