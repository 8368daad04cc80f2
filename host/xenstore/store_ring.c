// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/store_ring.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/event.h"
#include "host/xenstore/conn.h"
#include "shim/gpc/gpc.h"

/* Xen's xenstore-ring.txt has it, these headers have not. */
#ifndef XENSTORE_SERVER_FEATURE_WATCHDEPTH
#define XENSTORE_SERVER_FEATURE_WATCHDEPTH 4
#endif

#define FEATURES                                                                \
	(XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR | \
	 XENSTORE_SERVER_FEATURE_WATCHDEPTH)

struct store_ring {
	struct conn conn; /* first */
	struct loop *loop;
	struct domain *domain;
	struct gpc page; /* in guest memory: nothing in it is to be trusted */
	struct port_backend backend;
	evtchn_port_t port;
	struct watch kick; /* eventfd: it is our turn */
	bool busy;         /* its turn ends with looking for output: it need not be woken */
};

static void kick(struct store_ring *r)
{
	event_raise(r->kick.fd);
}

/* The guest has sent: on a vCPU's thread. */
static void guest_notified(void *opaque)
{
	kick(opaque);
}

/* Something is to be sent to it. */
static void wake(struct conn *c)
{
	struct store_ring *r = (struct store_ring *)c;

	if (!r->busy)
		kick(r);
}

static uint32_t get(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void set(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/*
 * Both indexes of a direction may have been written by the guest (firmware clears them when it is
 * done), so both are read anew each time.
 */

/* Copy what the guest asks to `bytes`. False: its indexes make no sense. */
static bool peek_requests(const struct xenstore_domain_interface *page,
			  char bytes[XENSTORE_RING_SIZE], unsigned *len)
{
	uint32_t prod = get(&page->req_prod), cons = get(&page->req_cons);

	*len = prod - cons;
	if (*len > XENSTORE_RING_SIZE)
		return false;
	for (unsigned i = 0; i < *len; i++)
		bytes[i] = page->req[MASK_XENSTORE_IDX(cons + i)];
	return true;
}

/* Put as much of the output into the ring as it has room for. False: as above. */
static bool put_output(struct store_ring *r, struct xenstore_domain_interface *page, bool *moved)
{
	uint32_t prod = get(&page->rsp_prod), cons = get(&page->rsp_cons);
	unsigned used = prod - cons;
	const char *bytes;
	size_t len;

	if (used > XENSTORE_RING_SIZE)
		return false;
	while (used < XENSTORE_RING_SIZE && (bytes = conn_output(&r->conn, &len))) {
		if (len > XENSTORE_RING_SIZE - used)
			len = XENSTORE_RING_SIZE - used;
		for (size_t i = 0; i < len; i++)
			page->rsp[MASK_XENSTORE_IDX(prod + i)] = bytes[i];
		conn_sent(&r->conn, len);
		prod += len;
		used += len;
		*moved = true;
	}
	set(&page->rsp_prod, prod);
	return true;
}

static void written(struct store_ring *r, struct xenstore_domain_interface *page)
{
	gpc_written(&r->page, page, sizeof(*page));
}

static void notify_guest(struct store_ring *r)
{
	event_channel_notify_guest(r->domain, r->port, &r->backend);
}

/* A new connection, if it is served at all. */
static void begin_anew(struct store_ring *r, struct xenstore_domain_interface *page)
{
	conn_reset(&r->conn);
	set(&page->req_cons, 0);
	set(&page->req_prod, 0);
	set(&page->rsp_cons, 0);
	set(&page->rsp_prod, 0);
	set(&page->server_features, FEATURES);
	set(&page->error, XENSTORE_ERROR_NONE);
	set(&page->connection, XENSTORE_CONNECTED);
	written(r, page);
}

/* Nothing that the guest sends will be looked at, but its wish to begin anew. */
static void stop(struct store_ring *r, struct xenstore_domain_interface *page, uint32_t error)
{
	conn_stop(&r->conn, error);
	set(&page->error, error);
	written(r, page);
}

static bool wants_reset(const struct store_ring *r, const struct xenstore_domain_interface *page)
{
	return r->conn.reintroduced || get(&page->connection) == XENSTORE_RECONNECT;
}

/* Output, and what there is of input. Returns whether the guest is to be told. */
static bool exchange(struct store_ring *r, struct xenstore_domain_interface *page,
		     char bytes[XENSTORE_RING_SIZE], unsigned *len)
{
	bool moved = false;

	*len = 0;
	if (r->conn.closed)
		return false;
	if (wants_reset(r, page)) {
		begin_anew(r, page);
		return true;
	}
	if (!put_output(r, page, &moved) ||
	    (conn_wants_input(&r->conn) && !peek_requests(page, bytes, len))) {
		stop(r, page, XENSTORE_ERROR_RINGIDX);
		return true;
	}
	if (moved)
		written(r, page);
	return moved;
}

/* So much of the input has been taken, and what there is of answers goes out. */
static void finish(struct store_ring *r, unsigned len)
{
	struct xenstore_domain_interface *page = gpc_lock(&r->page);
	bool moved;

	if (!page)
		return;
	set(&page->req_cons, get(&page->req_cons) + len);
	if (!r->conn.failed && !put_output(r, page, &moved))
		r->conn.failed = XENSTORE_ERROR_RINGIDX;
	if (r->conn.failed)
		stop(r, page, r->conn.failed);
	written(r, page);
	if (conn_wants_input(&r->conn) && get(&page->req_prod) != get(&page->req_cons))
		kick(r);
	gpc_unlock(&r->page);
}

/*
 * One ring's worth at most, then the loop has its turn. The requests are served from a copy, when
 * the page is not locked any more.
 */
static void turn(struct store_ring *r)
{
	char bytes[XENSTORE_RING_SIZE];
	struct xenstore_domain_interface *page = gpc_lock(&r->page);
	unsigned len;
	bool tell;

	if (!page)
		return;
	tell = exchange(r, page, bytes, &len);
	gpc_unlock(&r->page);
	if (len) {
		r->busy = true;
		len = conn_input(&r->conn, bytes, len);
		r->busy = false;
		finish(r, len);
		tell = true;
	}
	if (tell)
		notify_guest(r);
}

static void kicked(void *opaque, uint32_t events)
{
	struct store_ring *r = opaque;

	(void)events;
	if (event_take(r->kick.fd))
		turn(r);
}

void store_ring_reset(struct store_ring *r)
{
	struct xenstore_domain_interface *page = gpc_lock(&r->page);

	conn_reset(&r->conn);
	if (!page)
		return;
	begin_anew(r, page);
	gpc_unlock(&r->page);
}

static int set_up(struct store_ring *r, struct gpa page, struct problem *p)
{
	int rc = loop_event_open(r->loop, &r->kick, kicked, r);

	if (rc)
		return problem(p, "cannot create the xenstore's event: %s", strerror(-rc));
	if (gpc_activate(&r->page, page, sizeof(struct xenstore_domain_interface)))
		return problem(p, "no memory for the xenstore's ring");
	rc = event_channel_bind_backend(r->domain, &r->backend);
	if (rc < 0)
		return problem(p, "no event channel is left for the xenstore");
	r->port = rc;
	store_ring_reset(r);
	return 0;
}

struct store_ring *store_ring_open(struct store *s, struct loop *loop, struct domain *d,
				   struct gpa page, struct problem *p)
{
	struct store_ring *r = calloc(1, sizeof(*r));

	if (!r) {
		problem(p, "no memory for the xenstore's ring");
		return NULL;
	}
	r->loop = loop;
	r->domain = d;
	r->backend = (struct port_backend){guest_notified, r};
	gpc_init(&r->page, &d->memslots);
	conn_open(&r->conn, s, d->id, false, wake);
	if (set_up(r, page, p)) {
		store_ring_close(r);
		return NULL;
	}
	return r;
}

evtchn_port_t store_ring_port(const struct store_ring *r)
{
	return r->port;
}

void store_ring_close(struct store_ring *r)
{
	if (r->port)
		event_channel_unbind_backend(r->domain, &r->backend);
	conn_close(&r->conn);
	if (r->kick.fd >= 0) {
		loop_unwatch(r->loop, &r->kick);
		close(r->kick.fd);
	}
	gpc_destroy(&r->page);
	free(r);
}
