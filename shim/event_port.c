// SPDX-License-Identifier: BSD-2-Clause
#include "shim/event_port.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/event_2level.h"
#include "shim/event_fifo.h"

/* Xen allocates its port structures, 64 bytes each, by the page; a guest can tell by which ports
 * are -EINVAL. */
#define PORTS_STEP 64

/* PORTS_STEP more ports. 0 or -ENOMEM. */
static int grow(struct event_channels *e)
{
	struct port **chunk = &e->chunks[e->valid / EVENT_CHUNK_PORTS];

	if (!*chunk) {
		struct port *new = calloc(EVENT_CHUNK_PORTS, sizeof(*new));

		if (!new)
			return -ENOMEM;
		__atomic_store_n(chunk, new, __ATOMIC_RELAXED);
	}
	/* Who sees the number sees the chunk. */
	__atomic_store_n(&e->valid, e->valid + PORTS_STEP, __ATOMIC_RELEASE);
	return 0;
}

int event_channels_init(struct event_channels *e)
{
	int rc = grow(e);

	if (rc)
		return rc;
	port_bind(port_lookup(e, 0), (struct port_binding){.state = PORT_RESERVED});
	e->lowest_free = 1;
	e->abi = &event_2level;
	pthread_mutex_init(&e->lock, NULL);
	return 0;
}

void event_channels_destroy(struct event_channels *e)
{
	event_fifo_destroy(e);
	for (unsigned i = 0; i < EVENT_CHUNKS; i++)
		free(e->chunks[i]);
	pthread_mutex_destroy(&e->lock);
}

static bool is_busy(struct domain *d, evtchn_port_t port)
{
	return d->events.abi->is_busy && d->events.abi->is_busy(d, port);
}

int port_allocate(struct domain *d)
{
	struct event_channels *e = &d->events;
	evtchn_port_t max = e->abi->ports(d);
	bool found = false;

	for (evtchn_port_t port = e->lowest_free; port < max; port++) {
		if (port == e->valid && grow(e))
			return -XEN_ENOMEM;
		if (port_binding(port_lookup(e, port)).state != PORT_FREE)
			continue;
		if (!found)
			e->lowest_free = port;
		found = true;
		if (!is_busy(d, port))
			return port;
	}
	return -XEN_ENOSPC;
}

void port_bind_new(struct domain *d, evtchn_port_t port, struct port_binding b)
{
	struct port *p = port_lookup(&d->events, port);

	if (d->events.abi->bound)
		d->events.abi->bound(d, p);
	port_bind(p, b);
}

void port_free(struct domain *d, evtchn_port_t port)
{
	struct port *p = port_lookup(&d->events, port);

	d->events.abi->clear_pending(d, port, p);
	port_bind(p, (struct port_binding){.state = PORT_FREE});
	if (port < d->events.lowest_free)
		d->events.lowest_free = port;
}
