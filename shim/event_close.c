// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a port, in three steps: it is disconnected; senders that have found it before have
 * done what they do; its pending bit is cleared and it is free. So an event that was sent to a port
 * never shows at the one that has its number next.
 */
#include "shim/event_fifo.h"
#include "shim/event_port.h"
#include "shim/event_route.h"

static void disconnect_virq(struct domain *d, uint32_t virq, evtchn_port_t port)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		if (d->vcpus[i]->virq_port[virq] == port)
			__atomic_store_n(&d->vcpus[i]->virq_port[virq], 0, __ATOMIC_RELEASE);
}

/* A port in use: the first step. */
static void disconnect(struct domain *d, evtchn_port_t port)
{
	struct event_channels *e = &d->events;
	struct port *p = port_lookup(e, port), *other;
	struct port_binding b = port_binding(p);

	switch (b.state) {
	case PORT_INTERDOMAIN:
		/* Never the port itself: it was free when it took this one for its far end. */
		other = port_lookup(e, b.value);
		port_bind(other,
			  (struct port_binding){PORT_UNBOUND, port_binding(other).vcpu, d->id});
		event_route_changed(d, b.value);
		break;
	case PORT_BACKEND:
		__atomic_store_n(&e->far_ends[b.value].port, 0, __ATOMIC_RELEASE);
		break;
	case PORT_VIRQ:
		disconnect_virq(d, b.value, port);
		break;
	case PORT_PIRQ:
		e->pirq_port[b.value] = 0;
		break;
	case PORT_UNBOUND:
	case PORT_IPI:
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_CLOSING:
		break;
	}
	port_bind(p, (struct port_binding){.state = PORT_CLOSING});
	event_route_changed(d, port);
}

long event_close(struct domain *d, evtchn_port_t port)
{
	const struct port *p = port_lookup(&d->events, port);

	if (!p || !port_in_use(port_binding(p)))
		return -XEN_EINVAL;
	disconnect(d, port);
	rcu_synchronize();
	port_free(d, port);
	return 0;
}

/*
 * All ports, with one grace period, and back to the 2-level ABI. What Xen keeps are ports of its
 * own that the toolstack has made; there are none here.
 */
void event_reset(struct domain *d)
{
	const struct event_channels *e = &d->events;

	event_routes_withdraw(d);
	for (evtchn_port_t port = 1; port < e->valid; port++)
		if (port_in_use(port_binding(port_lookup(e, port))))
			disconnect(d, port);
	rcu_synchronize();
	for (evtchn_port_t port = 1; port < e->valid; port++)
		if (port_binding(port_lookup(e, port)).state == PORT_CLOSING)
			port_free(d, port);
	event_fifo_stop(d);
	event_routes_restore(d);
}

void event_channels_soft_reset(struct domain *d)
{
	pthread_mutex_lock(&d->events.lock);
	event_reset(d);
	event_far_ends_offer(d);
	pthread_mutex_unlock(&d->events.lock);
}
