// SPDX-License-Identifier: BSD-2-Clause
#include "shim/event_route.h"

#include "shim/event_2level.h"
#include "shim/event_port.h"
#include "shim/vcpu_run.h"

/* To give all ports to KVM, or take them back, costs a few sends for each. */
#define SENDS_TO_RESTORE 256

bool event_route(const struct domain *d, evtchn_port_t port, struct event_route *to)
{
	const struct event_channels *e = &d->events;
	const struct port *p = port_lookup(e, port);
	struct port_binding b;

	if (!p || e->routes_withdrawn || e->abi != &event_2level)
		return false;
	b = port_binding(p);
	switch (b.state) {
	case PORT_IPI:
		*to = (struct event_route){port, b.vcpu, true};
		return true;
	case PORT_INTERDOMAIN:
		*to = (struct event_route){b.value, port_binding(port_lookup(e, b.value)).vcpu,
					   false};
		return true;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_CLOSING:
	case PORT_UNBOUND:
	case PORT_BACKEND:
	case PORT_VIRQ:
	case PORT_PIRQ:
		break;
	}
	return false;
}

static void tell(struct domain *d, evtchn_port_t port)
{
	if (d->ops->port_changed)
		d->ops->port_changed(d, port);
}

static bool somebody_waits(const struct domain *d)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		if (__atomic_load_n(&d->vcpus[i]->hold, __ATOMIC_SEQ_CST) & HOLD_BLOCKED)
			return true;
	return false;
}

static void set_withdrawn(struct domain *d, bool withdrawn)
{
	__atomic_store_n(&d->events.routes_withdrawn, withdrawn, __ATOMIC_RELAXED);
	__atomic_store_n(&d->events.sends_without_routes, 0, __ATOMIC_RELAXED);
}

void event_routes_withdraw(struct domain *d)
{
	if (!d->ops->port_changed || d->events.routes_withdrawn)
		return;
	set_withdrawn(d, true);
	tell(d, EVENT_ALL_PORTS);
}

void event_routes_restore(struct domain *d)
{
	if (!d->events.routes_withdrawn || somebody_waits(d))
		return;
	set_withdrawn(d, false);
	tell(d, EVENT_ALL_PORTS);
}

void event_routes_missed(struct domain *d)
{
	uint32_t n = __atomic_add_fetch(&d->events.sends_without_routes, 1, __ATOMIC_RELAXED);

	if (n % SENDS_TO_RESTORE)
		return;
	pthread_mutex_lock(&d->events.lock);
	event_routes_restore(d);
	pthread_mutex_unlock(&d->events.lock);
}

void event_route_changed(struct domain *d, evtchn_port_t port)
{
	struct port_binding b = port_binding(port_lookup(&d->events, port));

	tell(d, port);
	if (b.state == PORT_INTERDOMAIN)
		tell(d, b.value);
}

void event_route_bound(struct domain *d, evtchn_port_t port)
{
	event_routes_restore(d);
	event_route_changed(d, port);
}

bool event_routes_waiting(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool news;

	if (!d->ops->port_changed)
		return false;
	pthread_mutex_lock(&d->events.lock);
	news = !d->events.routes_withdrawn;
	event_routes_withdraw(d);
	pthread_mutex_unlock(&d->events.lock);
	return news;
}
