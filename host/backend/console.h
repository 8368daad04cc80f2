/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The far end of the PV console ring (public header io/console.h): between the guest's hvc0 and a
 * pair of file descriptors. Runs on the event loop; only the guest's notification comes from a vCPU
 * thread.
 */
#ifndef HOST_BACKEND_CONSOLE_H
#define HOST_BACKEND_CONSOLE_H

#include <stdbool.h>

#include "host/loop.h"
#include "host/problem.h"
#include "shim/domain.h"
#include "shim/gpc/gpc.h"

struct console {
	struct loop *loop;
	struct domain *domain;
	struct gpc ring; /* in guest memory: nothing in it is to be trusted */
	struct port_backend backend;
	evtchn_port_t port;

	struct watch kick; /* eventfd: the guest has notified us */
	struct watch in, out;
	bool in_watched, in_ended, out_watched, out_pollable;
	int escape; /* this input byte leaves; -1: none */
	void (*left)(void *opaque);
	void *opaque;
	void (*hung_up)(void *opaque); /* the input has ended; may be NULL */
	void *hung_up_opaque;

	int log_fd;        /* a copy of all output; -1: none */
	bool nobody_reads; /* or perhaps: the guest does not wait for it */
	char *pending;     /* read from the ring, not written yet: a circle of `room` bytes */
	unsigned room, pending_start, pending_len;
};

/* Where a ring is, and the guest's end of its events. */
struct console_ring {
	struct gpa at;      /* a page of the guest's; or, if not NULL: */
	void *hva;          /* one that has been mapped, and stays so */
	evtchn_port_t port; /* one that the guest offers to domain 0; 0: a new one is made */
};

/*
 * Connect the ring and its port (console->port) to in_fd (-1: no input) and out_fd, which stay the
 * caller's and are two descriptors. While there is no memory nothing is sent. 0, or -1 with the
 * reason and nothing held.
 */
int console_open(struct console *c, struct loop *loop, struct domain *d,
		 const struct console_ring *ring, int in_fd, int out_fd, struct problem *p);

/*
 * For an out_fd that perhaps nobody reads (a pty): the guest never waits for a reader, and who
 * comes later reads the last CONSOLE_BACKLOG bytes at first. All output also goes to log_fd (-1:
 * none), which stays the caller's. Before the guest runs. 0 or -ENOMEM.
 */
#define CONSOLE_BACKLOG 262144u
int console_keep(struct console *c, int log_fd);

/*
 * Other descriptors from now on, the caller's as before; -1 and -1: none, until others come. What
 * has not been written yet, the new ones get. Not for a console whose input may be a plain file.
 */
void console_attach(struct console *c, int in_fd, int out_fd);

/* When the input ends, call hung_up(opaque), which may call console_attach(). */
void console_set_hung_up(struct console *c, void (*hung_up)(void *opaque), void *opaque);

/* When `escape` is read from the input, call left(opaque) instead of passing it on. */
void console_set_escape(struct console *c, int escape, void (*left)(void *opaque), void *opaque);

/*
 * The guest has stopped: write out what it has still put into the ring, waiting for a slow reader
 * as long as it takes something every few seconds.
 */
void console_flush(struct console *c);

/*
 * The guest has begun anew, and its kernel finds the ring as a new one: what has been written into
 * it is not lost, but indexes that make no sense are put back. No vCPU runs.
 */
void console_reset(struct console *c);

void console_close(struct console *c);

#endif
