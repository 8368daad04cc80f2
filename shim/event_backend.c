// SPDX-License-Identifier: BSD-2-Clause
/* Backends' ends of ports: the table, and how they are connected and disconnected. */
#include "shim/event_port.h"

/* Under the event lock: a free place, or NULL. */
static struct far_end *new_far_end(struct event_channels *e)
{
	for (unsigned i = 0; i < EVENT_FAR_ENDS; i++) {
		if (e->far_ends[i].backend)
			continue;
		if (i == e->nr_far_ends)
			__atomic_store_n(&e->nr_far_ends, i + 1, __ATOMIC_RELEASE);
		return &e->far_ends[i];
	}
	return NULL;
}

static void set_port(struct far_end *far, evtchn_port_t port)
{
	__atomic_store_n(&far->port, port, __ATOMIC_RELEASE);
}

static struct port_binding binding_to(const struct event_channels *e, const struct far_end *far,
				      uint16_t vcpu)
{
	return (struct port_binding){PORT_BACKEND, vcpu, far - e->far_ends};
}

static struct far_end *add(struct event_channels *e, const struct port_backend *backend,
			   evtchn_port_t port, evtchn_port_t offered)
{
	struct far_end *far = new_far_end(e);

	if (!far)
		return NULL;
	far->offered = offered;
	set_port(far, port);
	/* Last, so that who finds the backend finds its port. */
	__atomic_store_n(&far->backend, backend, __ATOMIC_RELEASE);
	return far;
}

int event_channel_bind_backend(struct domain *d, const struct port_backend *backend)
{
	struct event_channels *e = &d->events;
	const struct far_end *far;
	int port;

	pthread_mutex_lock(&e->lock);
	port = port_allocate(d);
	if (port > 0) {
		far = add(e, backend, port, port);
		if (far)
			port_bind_new(d, port, binding_to(e, far, 0));
		else
			port = -XEN_ENOSPC;
	}
	pthread_mutex_unlock(&e->lock);
	return port;
}

/* Under the event lock. */
static int connect_backend(struct event_channels *e, evtchn_port_t port,
			   const struct port_backend *backend)
{
	struct port *p = port_lookup(e, port);
	const struct far_end *far;
	struct port_binding b;

	if (!p)
		return -XEN_EINVAL;
	b = port_binding(p);
	if (b.state != PORT_UNBOUND || b.value != 0)
		return -XEN_EINVAL;
	far = add(e, backend, port, 0);
	if (!far)
		return -XEN_ENOSPC;
	port_bind(p, binding_to(e, far, b.vcpu));
	return 0;
}

int event_channel_connect_backend(struct domain *d, evtchn_port_t port,
				  const struct port_backend *backend)
{
	int rc;

	pthread_mutex_lock(&d->events.lock);
	rc = connect_backend(&d->events, port, backend);
	pthread_mutex_unlock(&d->events.lock);
	return rc;
}

/* Under the event lock. */
static void remove_far_end(struct event_channels *e, struct far_end *far)
{
	struct port *p = port_lookup(e, far->port);

	if (far->port)
		port_bind(p, (struct port_binding){PORT_UNBOUND, port_binding(p).vcpu, 0});
	set_port(far, 0);
	rcu_synchronize(); /* nobody calls it any more */
	__atomic_store_n(&far->backend, NULL, __ATOMIC_RELEASE);
}

void event_channel_unbind_backend(struct domain *d, const struct port_backend *backend)
{
	struct event_channels *e = &d->events;

	pthread_mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->nr_far_ends; i++)
		if (e->far_ends[i].backend == backend)
			remove_far_end(e, &e->far_ends[i]);
	pthread_mutex_unlock(&e->lock);
}

int event_far_end_unbound(const struct domain *d, evtchn_port_t remote_port)
{
	const struct event_channels *e = &d->events;
	uint32_t i = remote_port - 1;

	if (i >= e->nr_far_ends || !e->far_ends[i].backend || e->far_ends[i].port)
		return -XEN_EINVAL;
	return i;
}

void event_far_end_connect(struct domain *d, unsigned far_end, evtchn_port_t port)
{
	struct far_end *far = &d->events.far_ends[far_end];

	port_bind_new(d, port, binding_to(&d->events, far, 0));
	set_port(far, port);
}

void event_far_ends_offer(struct domain *d)
{
	struct event_channels *e = &d->events;

	for (unsigned i = 0; i < e->nr_far_ends; i++)
		if (e->far_ends[i].backend && e->far_ends[i].offered)
			event_far_end_connect(d, i, e->far_ends[i].offered);
}
