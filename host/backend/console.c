// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/console.h"
#include "host/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* How long a reader of the guest's last words may do nothing. */
#define FLUSH_PATIENCE_MS 5000

/* One write is not larger than this, so that a terminal that is stopped blocks us late if at all.
 */
#define WRITE_PIECE 512

static void notify_guest(struct console *c)
{
	event_channel_notify_guest(c->domain, c->port, &c->backend);
}

static void kick(struct console *c)
{
	event_raise(c->kick.fd);
}

/* The guest has sent: on a vCPU's thread. */
static void guest_notified(void *opaque)
{
	kick(opaque);
}

static bool output_waits(struct console *c)
{
	const struct xencons_interface *ring = gpc_lock(&c->ring);
	bool waits;

	if (!ring)
		return false;
	waits = __atomic_load_n(&ring->out_prod, __ATOMIC_RELAXED) !=
		__atomic_load_n(&ring->out_cons, __ATOMIC_RELAXED);
	gpc_unlock(&c->ring);
	return waits;
}

/* With nobody to read it, the oldest goes when there is no more room. */
static void keep_byte(struct console *c, char byte)
{
	if (c->pending_len == c->room) {
		c->pending_start = (c->pending_start + 1) % c->room;
		c->pending_len--;
	}
	c->pending[(c->pending_start + c->pending_len++) % c->room] = byte;
}

/* A disk that is full costs the log, not the guest. */
static void log_output(const struct console *c, const char *bytes, unsigned len)
{
	while (len && c->log_fd >= 0) {
		ssize_t n = write(c->log_fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= n;
	}
}

/*
 * Move what the guest has written into `bytes`, as large as the ring. Indexes run freely and are
 * masked by us; a producer that is further ahead than the ring is long is nonsense, of which we
 * take the ring's length.
 */
static unsigned move_output(struct console *c, struct xencons_interface *ring, char *bytes)
{
	XENCONS_RING_IDX cons = __atomic_load_n(&ring->out_cons, __ATOMIC_RELAXED);
	XENCONS_RING_IDX prod = __atomic_load_n(&ring->out_prod, __ATOMIC_ACQUIRE);
	const unsigned size = sizeof(ring->out);
	unsigned n = prod - cons;

	if (n > size)
		n = size;
	if (!n)
		return 0;
	for (unsigned i = 0; i < n; i++)
		bytes[i] = ring->out[(cons + i) & (size - 1)];
	__atomic_store_n(&ring->out_cons, prod, __ATOMIC_RELEASE);
	gpc_written(&c->ring, &ring->out_cons, sizeof(ring->out_cons));
	return n;
}

static bool take_output(struct console *c)
{
	char bytes[sizeof(((struct xencons_interface *)0)->out)];
	struct xencons_interface *ring;
	unsigned n;

	if (c->pending_len && !c->nobody_reads)
		return false;
	ring = gpc_lock(&c->ring);
	if (!ring)
		return false;
	n = move_output(c, ring, bytes);
	gpc_unlock(&c->ring);
	log_output(c, bytes, n);
	for (unsigned i = 0; i < n; i++)
		keep_byte(c, bytes[i]);
	return n;
}

static bool writable_now(const struct console *c)
{
	struct pollfd pfd = {.fd = c->out.fd, .events = POLLOUT};

	return c->out.fd >= 0 && poll(&pfd, 1, 0) > 0;
}

/* Write pending bytes; false if the descriptor takes no more now. What cannot be written is lost.
 */
static bool flush_pending(struct console *c)
{
	while (c->pending_len) {
		unsigned n = c->room - c->pending_start;
		ssize_t done;

		if (n > c->pending_len)
			n = c->pending_len;
		if (!writable_now(c))
			return false;
		done = write(c->out.fd, c->pending + c->pending_start,
			     n < WRITE_PIECE ? n : WRITE_PIECE);
		if (done < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (done < 0)
			done = c->pending_len;
		c->pending_start = (c->pending_start + done) % c->room;
		c->pending_len -= done;
	}
	return true;
}

static void wait_writable(struct console *c, bool wait)
{
	if (c->out_pollable && wait != c->out_watched)
		loop_rearm(c->loop, &c->out, wait ? EPOLLOUT : 0);
	c->out_watched = wait;
}

/*
 * One ring's worth at most, then the loop has its turn: a guest that never stops sending must not
 * keep the user's ^] and signals waiting.
 */
static void pump_output(struct console *c)
{
	bool flushed = flush_pending(c);
	bool moved = (flushed || c->nobody_reads) && take_output(c);

	if (moved)
		flushed = flush_pending(c);
	wait_writable(c, !flushed);
	if (!moved)
		return;
	notify_guest(c); /* it may be waiting for room */
	if ((flushed || c->nobody_reads) && output_waits(c))
		kick(c);
}

static unsigned input_room(struct console *c)
{
	const struct xencons_interface *ring = gpc_lock(&c->ring);
	const unsigned size = sizeof(ring->in);
	unsigned used;

	if (!ring)
		return 0;
	used = __atomic_load_n(&ring->in_prod, __ATOMIC_RELAXED) -
	       __atomic_load_n(&ring->in_cons, __ATOMIC_ACQUIRE);
	gpc_unlock(&c->ring);
	return used < size ? size - used : 0;
}

static void watch_input(struct console *c)
{
	bool wanted = c->in.fd >= 0 && !c->in_ended && input_room(c);

	if (wanted != c->in_watched)
		loop_rearm(c->loop, &c->in, wanted ? EPOLLIN : 0);
	c->in_watched = wanted;
}

static void kicked(void *opaque, uint32_t events)
{
	struct console *c = opaque;

	(void)events;
	if (!event_take(c->kick.fd))
		return;
	pump_output(c);
	watch_input(c);
}

static void output_ready(void *opaque, uint32_t events)
{
	(void)events;
	pump_output(opaque);
}

static void put_input(struct console *c, const char *bytes, unsigned n)
{
	struct xencons_interface *ring = gpc_lock(&c->ring);
	XENCONS_RING_IDX prod;

	if (!ring)
		return;
	prod = __atomic_load_n(&ring->in_prod, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < n; i++)
		ring->in[(prod + i) & (sizeof(ring->in) - 1)] = bytes[i];
	__atomic_store_n(&ring->in_prod, prod + n, __ATOMIC_RELEASE);
	gpc_written(&c->ring, ring, sizeof(*ring));
	gpc_unlock(&c->ring);
	notify_guest(c);
}

static void end_input(struct console *c)
{
	c->in_ended = true;
	loop_unwatch(c->loop, &c->in);
}

static void input_ready(void *opaque, uint32_t events)
{
	struct console *c = opaque;
	char bytes[sizeof(((struct xencons_interface *)0)->in)];
	unsigned room = input_room(c);
	const char *escape = NULL;
	ssize_t n;

	(void)events;
	/* To read nothing would look like the input's end. */
	if (!room) {
		watch_input(c);
		return;
	}
	n = read(c->in.fd, bytes, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_input(c);
		if (c->hung_up)
			c->hung_up(c->hung_up_opaque);
		return;
	}
	if (c->escape >= 0)
		escape = memchr(bytes, c->escape, n);
	if (escape)
		n = escape - bytes;
	if (n)
		put_input(c, bytes, n);
	if (escape)
		c->left(c->opaque);
	else
		watch_input(c);
}

static int open_ring(struct console *c, const struct console_ring *ring, struct problem *p)
{
	const uint32_t size = sizeof(struct xencons_interface);
	int rc = ring->hva ? gpc_activate_hva(&c->ring, ring->hva, size)
			   : gpc_activate(&c->ring, ring->at, size);

	if (rc)
		return problem(p, "no memory for the console");
	if (ring->port) {
		c->port = ring->port;
		rc = event_channel_connect_backend(c->domain, ring->port, &c->backend);
		if (rc)
			return problem(p,
				       "%u is no event channel that the guest offers to domain 0",
				       ring->port);
		return 0;
	}
	rc = event_channel_bind_backend(c->domain, &c->backend);
	if (rc < 0)
		return problem(p, "no event channel is left for the console");
	c->port = rc;
	return 0;
}

/* A plain file is always ready and cannot be watched: input from it is not for a console. */
static int watch_ends(struct console *c)
{
	int rc = c->in.fd < 0 ? -EPERM : loop_watch(c->loop, &c->in, EPOLLIN);

	c->in_watched = !rc;
	c->in_ended = rc;
	c->out_pollable = c->out.fd >= 0 && loop_watch(c->loop, &c->out, 0) == 0;
	c->out_watched = false;
	return rc == -EPERM ? 0 : rc;
}

static void unwatch_ends(struct console *c)
{
	if (c->in_watched)
		loop_unwatch(c->loop, &c->in);
	if (c->out_pollable)
		loop_unwatch(c->loop, &c->out);
	c->in_watched = c->out_pollable = false;
}

static int open_watches(struct console *c, struct problem *p)
{
	int rc = loop_event_open(c->loop, &c->kick, kicked, c);

	if (rc)
		return problem(p, "cannot create the console's event: %s", strerror(-rc));
	rc = watch_ends(c);
	return rc ? problem(p, "cannot watch the console's input: %s", strerror(-rc)) : 0;
}

void console_attach(struct console *c, int in_fd, int out_fd)
{
	unwatch_ends(c);
	c->in.fd = in_fd;
	c->out.fd = out_fd;
	watch_ends(c);
	kick(c);
}

void console_set_hung_up(struct console *c, void (*hung_up)(void *opaque), void *opaque)
{
	c->hung_up = hung_up;
	c->hung_up_opaque = opaque;
}

int console_open(struct console *c, struct loop *loop, struct domain *d,
		 const struct console_ring *ring, int in_fd, int out_fd, struct problem *p)
{
	*c = (struct console){
		.loop = loop,
		.domain = d,
		.backend = {guest_notified, c},
		.kick = {.fd = -1},
		.in = {in_fd, input_ready, c},
		.out = {out_fd, output_ready, c},
		.escape = -1,
		.log_fd = -1,
		.pending = malloc(sizeof(((struct xencons_interface *)0)->out)),
		.room = sizeof(((struct xencons_interface *)0)->out),
	};
	gpc_init(&c->ring, &d->memslots);
	if (!c->pending)
		problem(p, "no memory for the console");
	else if (!open_ring(c, ring, p) && !open_watches(c, p))
		return 0;
	console_close(c);
	return -1;
}

int console_keep(struct console *c, int log_fd)
{
	char *backlog = realloc(c->pending, CONSOLE_BACKLOG);

	if (!backlog)
		return -ENOMEM;
	c->pending = backlog;
	c->room = CONSOLE_BACKLOG;
	c->nobody_reads = true;
	c->log_fd = log_fd;
	return 0;
}

void console_reset(struct console *c)
{
	struct xencons_interface *ring = gpc_lock(&c->ring);

	if (ring) {
		if (ring->out_prod - ring->out_cons > sizeof(ring->out))
			ring->out_prod = ring->out_cons = 0;
		if (ring->in_prod - ring->in_cons > sizeof(ring->in))
			ring->in_prod = ring->in_cons = 0;
		gpc_written(&c->ring, ring, sizeof(*ring));
		gpc_unlock(&c->ring);
	}
	kick(c);
}

void console_set_escape(struct console *c, int escape, void (*left)(void *opaque), void *opaque)
{
	c->escape = escape;
	c->left = left;
	c->opaque = opaque;
}

void console_flush(struct console *c)
{
	struct pollfd pfd = {.fd = c->out.fd, .events = POLLOUT};

	do {
		pump_output(c);
		if (!output_waits(c) && (c->nobody_reads || !c->pending_len))
			return;
	} while (poll(&pfd, 1, FLUSH_PATIENCE_MS) > 0);
}

void console_close(struct console *c)
{
	unwatch_ends(c);
	event_channel_unbind_backend(c->domain, &c->backend);
	if (c->kick.fd >= 0)
		close(c->kick.fd);
	gpc_destroy(&c->ring);
	free(c->pending);
	c->loop = NULL;
}
