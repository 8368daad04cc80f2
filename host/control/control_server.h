/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's end of the control socket (control.h): connections, lines, descriptors that come
 * along. What the commands do is the caller's. Event loop's thread only.
 */
#ifndef HOST_CONTROL_CONTROL_SERVER_H
#define HOST_CONTROL_CONTROL_SERVER_H

#include <jansson.h>

#include "host/control/control.h"
#include "host/loop.h"
#include "host/problem.h"

struct control_server;

/*
 * A request that waits for its answer. Exactly one of control_answer() and control_fail() ends it,
 * at once or later; a client that has gone meanwhile hears nothing.
 */
struct control_call {
	const char *command; /* borrowed from `request` */
	json_t *request;
	int fds[CONTROL_FDS_MAX]; /* closed with the call, unless taken: then set to -1 */
	unsigned nr_fds;
	struct control_client *client; /* NULL: gone */
	struct control_call *next;     /* the server's */
	struct control_call *kept;     /* for a list of the handler's, while it keeps the call */
};

/* ok: its reference is taken. NULL: true. */
void control_answer(struct control_call *call, json_t *ok);
void control_fail(struct control_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Listen at `path`, which must not exist; other users cannot connect. NULL with the reason.
 * `handle` is given each request that has a "command"; all others are answered here.
 */
struct control_server *control_server_open(struct loop *loop, const char *path,
					   void (*handle)(void *opaque, struct control_call *call),
					   void *opaque, struct problem *p);

/*
 * Close all connections, after a short attempt to send what has been answered; calls that wait are
 * still to be ended, but nobody hears. The socket's name is the caller's to remove.
 */
void control_server_close(struct control_server *s);

#endif
