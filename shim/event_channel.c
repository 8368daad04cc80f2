// SPDX-License-Identifier: BSD-2-Clause
/*
 * EVTCHNOP_*: the life of a port. How a pending port reaches the guest is in event_2level.c.
 */
#include "shim/event_channel.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/domain.h"
#include "shim/event_2level.h"
#include "shim/guest_access.h"

/* Xen allocates its port structures, 64 bytes each, by the page; a guest can tell by which ports
 * are -EINVAL. */
#define PORTS_STEP 64

int event_channels_init(struct event_channels *e)
{
	e->ports = calloc(EVTCHN_2L_PORTS_64, sizeof(*e->ports));
	if (!e->ports)
		return -ENOMEM;
	e->ports[0].state = PORT_RESERVED;
	e->valid = PORTS_STEP;
	pthread_mutex_init(&e->lock, NULL);
	return 0;
}

void event_channels_destroy(struct event_channels *e)
{
	pthread_mutex_destroy(&e->lock);
	free(e->ports);
}

static struct port *port_lookup(struct event_channels *e, evtchn_port_t port)
{
	return port < e->valid ? &e->ports[port] : NULL;
}

/* A free port, or -XEN_ENOSPC. Under the event lock, as all that follows. */
static int port_allocate(struct domain *d)
{
	struct event_channels *e = &d->events;
	evtchn_port_t max = event_2level_ports(d);

	for (evtchn_port_t p = 1; p < max; p++) {
		if (p == e->valid)
			e->valid += PORTS_STEP;
		if (e->ports[p].state == PORT_FREE) {
			e->ports[p].vcpu = 0;
			return p;
		}
	}
	return -XEN_ENOSPC;
}

static void port_free(struct domain *d, evtchn_port_t port)
{
	struct port *p = &d->events.ports[port];

	event_2level_clear(d, port);
	*p = (struct port){.state = PORT_FREE};
}

static void set_pending(struct domain *d, evtchn_port_t port)
{
	event_2level_set(domain_vcpu(d, d->events.ports[port].vcpu), port);
}

int event_channel_bind_backend(struct domain *d, const struct port_backend *backend)
{
	int port;

	pthread_mutex_lock(&d->events.lock);
	port = port_allocate(d);
	if (port > 0) {
		d->events.ports[port].state = PORT_BACKEND;
		d->events.ports[port].backend = backend;
	}
	pthread_mutex_unlock(&d->events.lock);
	return port;
}

void event_channel_notify_guest(struct domain *d, evtchn_port_t port,
				const struct port_backend *backend)
{
	struct port *p;

	pthread_mutex_lock(&d->events.lock);
	p = port_lookup(&d->events, port);
	if (p && p->state == PORT_BACKEND && p->backend == backend)
		set_pending(d, port);
	pthread_mutex_unlock(&d->events.lock);
}

void event_channel_raise_virq(struct vcpu *v, unsigned virq)
{
	struct domain *d = v->domain;

	pthread_mutex_lock(&d->events.lock);
	if (v->virq_port[virq])
		set_pending(d, v->virq_port[virq]);
	pthread_mutex_unlock(&d->events.lock);
}

int event_channel_poll(struct domain *d, evtchn_port_t port)
{
	const struct port *p;
	int rc = -XEN_EINVAL;

	pthread_mutex_lock(&d->events.lock);
	p = port_lookup(&d->events, port);
	if (p && p->state != PORT_FREE && p->state != PORT_RESERVED)
		rc = event_2level_is_pending(d, port);
	pthread_mutex_unlock(&d->events.lock);
	return rc;
}

/* Xen's split: these belong to a vCPU each, all others to the domain and are bound on vCPU 0. */
static bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

static int alloc_unbound(struct domain *d, struct evtchn_alloc_unbound *op)
{
	int port, rc = domain_check_self(d, op->dom);

	if (rc)
		return rc;
	port = port_allocate(d);
	if (port < 0)
		return port;
	d->events.ports[port].state = PORT_UNBOUND;
	d->events.ports[port].remote_domain = op->remote_dom == DOMID_SELF ? d->id : op->remote_dom;
	op->port = port;
	return 0;
}

static int bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *op)
{
	struct port *remote;
	int port, rc = domain_check_self(d, op->remote_dom);

	if (rc == -XEN_ESRCH)
		return rc;
	/* It stays free until it is given a state below. */
	port = port_allocate(d);
	if (port < 0)
		return port;
	/* Domain 0 may be named, but holds no port for the guest: what it offers it binds itself.
	 */
	if (rc)
		return -XEN_EINVAL;
	remote = port_lookup(&d->events, op->remote_port);
	if (!remote || remote->state != PORT_UNBOUND || remote->remote_domain != d->id)
		return -XEN_EINVAL;
	d->events.ports[port].state = PORT_INTERDOMAIN;
	d->events.ports[port].remote_port = op->remote_port;
	remote->state = PORT_INTERDOMAIN;
	remote->remote_port = port;
	/* Notifications sent before the bind may have been lost: make one up, as Xen does. */
	set_pending(d, port);
	op->local_port = port;
	return 0;
}

static int bind_virq(struct domain *d, struct evtchn_bind_virq *op)
{
	struct vcpu *v;
	int port;

	if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu))
		return -XEN_EINVAL;
	v = domain_vcpu(d, op->vcpu);
	if (!v)
		return -XEN_ENOENT;
	if (v->virq_port[op->virq])
		return -XEN_EEXIST;
	port = port_allocate(d);
	if (port < 0)
		return port;
	d->events.ports[port] =
		(struct port){.state = PORT_VIRQ, .vcpu = op->vcpu, .virq = op->virq};
	v->virq_port[op->virq] = port;
	op->port = port;
	return 0;
}

static int bind_ipi(struct domain *d, struct evtchn_bind_ipi *op)
{
	int port;

	if (!domain_vcpu(d, op->vcpu))
		return -XEN_ENOENT;
	port = port_allocate(d);
	if (port < 0)
		return port;
	d->events.ports[port] = (struct port){.state = PORT_IPI, .vcpu = op->vcpu};
	op->port = port;
	return 0;
}

static int close_port(struct domain *d, struct evtchn_close *op)
{
	struct port *p = port_lookup(&d->events, op->port);
	struct port *remote;

	if (!p)
		return -XEN_EINVAL;
	switch (p->state) {
	case PORT_FREE:
	case PORT_RESERVED:
		return -XEN_EINVAL;
	case PORT_INTERDOMAIN:
		/* Never the port itself: it was free when it took this one for its far end. */
		remote = &d->events.ports[p->remote_port];
		remote->state = PORT_UNBOUND;
		remote->remote_domain = d->id;
		break;
	case PORT_VIRQ:
		for (unsigned i = 0; i < d->nr_vcpus; i++)
			if (d->vcpus[i]->virq_port[p->virq] == op->port)
				d->vcpus[i]->virq_port[p->virq] = 0;
		break;
	case PORT_UNBOUND:
	case PORT_BACKEND:
	case PORT_IPI:
		break;
	}
	port_free(d, op->port);
	return 0;
}

static int send(struct domain *d, struct evtchn_send *op)
{
	struct port *p = port_lookup(&d->events, op->port);

	if (!p)
		return -XEN_EINVAL;
	switch (p->state) {
	case PORT_INTERDOMAIN:
		set_pending(d, p->remote_port);
		return 0;
	case PORT_BACKEND:
		p->backend->notify(p->backend->opaque);
		return 0;
	case PORT_IPI:
		set_pending(d, op->port);
		return 0;
	case PORT_UNBOUND: /* nobody listens: dropped */
		return 0;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_VIRQ:
		break;
	}
	return -XEN_EINVAL;
}

static int port_status(struct domain *d, struct evtchn_status *op)
{
	struct port *p;
	int rc = domain_check_self(d, op->dom);

	if (rc)
		return rc;
	p = port_lookup(&d->events, op->port);
	if (!p)
		return -XEN_EINVAL;
	op->vcpu = p->vcpu;
	switch (p->state) {
	case PORT_FREE:
	case PORT_RESERVED:
		op->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = p->remote_domain;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = d->id;
		op->u.interdomain.port = p->remote_port;
		break;
	case PORT_BACKEND:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = 0;
		op->u.interdomain.port = op->port;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = p->virq;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	}
	return 0;
}

static int bind_vcpu(struct domain *d, struct evtchn_bind_vcpu *op)
{
	struct port *p;

	if (!domain_vcpu(d, op->vcpu))
		return -XEN_ENOENT;
	p = port_lookup(&d->events, op->port);
	if (!p)
		return -XEN_EINVAL;
	switch (p->state) {
	case PORT_VIRQ:
		if (!virq_is_global(p->virq))
			return -XEN_EINVAL;
		break;
	case PORT_UNBOUND:
	case PORT_INTERDOMAIN:
	case PORT_BACKEND:
		break;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_IPI:
		return -XEN_EINVAL;
	}
	p->vcpu = op->vcpu;
	return 0;
}

static int unmask(struct domain *d, struct evtchn_unmask *op)
{
	struct port *p = port_lookup(&d->events, op->port);

	if (!p)
		return -XEN_EINVAL;
	if (p->state != PORT_FREE && p->state != PORT_RESERVED)
		event_2level_unmask(domain_vcpu(d, p->vcpu), op->port);
	return 0;
}

/*
 * One sub-operation: its argument is copied in, acted on under the event lock, and copied out if it
 * carries a result. What makes a port and could not tell its number does not make it: such an
 * argument is read with guest_read_inout(). All argument structures are the same in both word sizes
 * (xen-abi/layout.c).
 */
#define EVTCHN_HANDLER(name, type, read_argument, carries_result)              \
	static long evtchnop_##name(struct vcpu *v, const struct hypercall *h) \
	{                                                                      \
		struct gva arg = gva(h->args[1]);                              \
		struct type op;                                                \
		long rc = read_argument(v, &op, arg, sizeof(op));              \
                                                                               \
		if (rc)                                                        \
			return rc;                                             \
		pthread_mutex_lock(&v->domain->events.lock);                   \
		rc = name(v->domain, &op);                                     \
		pthread_mutex_unlock(&v->domain->events.lock);                 \
		if (!rc && (carries_result))                                   \
			rc = guest_write(v, arg, &op, sizeof(op));             \
		return rc;                                                     \
	}

EVTCHN_HANDLER(alloc_unbound, evtchn_alloc_unbound, guest_read_inout, true)
EVTCHN_HANDLER(bind_interdomain, evtchn_bind_interdomain, guest_read_inout, true)
EVTCHN_HANDLER(bind_virq, evtchn_bind_virq, guest_read_inout, true)
EVTCHN_HANDLER(bind_ipi, evtchn_bind_ipi, guest_read_inout, true)
EVTCHN_HANDLER(close_port, evtchn_close, guest_read, false)
EVTCHN_HANDLER(send, evtchn_send, guest_read, false)
EVTCHN_HANDLER(port_status, evtchn_status, guest_read, true)
EVTCHN_HANDLER(bind_vcpu, evtchn_bind_vcpu, guest_read, false)
EVTCHN_HANDLER(unmask, evtchn_unmask, guest_read, false)

const struct suboperation event_channel_ops[] = {
	SUBOP(EVTCHNOP_bind_interdomain, evtchnop_bind_interdomain),
	SUBOP(EVTCHNOP_bind_virq, evtchnop_bind_virq),
	SUBOP_ENOSYS(EVTCHNOP_bind_pirq),
	SUBOP(EVTCHNOP_close, evtchnop_close_port),
	SUBOP(EVTCHNOP_send, evtchnop_send),
	SUBOP(EVTCHNOP_status, evtchnop_port_status),
	SUBOP(EVTCHNOP_alloc_unbound, evtchnop_alloc_unbound),
	SUBOP(EVTCHNOP_bind_ipi, evtchnop_bind_ipi),
	SUBOP(EVTCHNOP_bind_vcpu, evtchnop_bind_vcpu),
	SUBOP(EVTCHNOP_unmask, evtchnop_unmask),
	SUBOP_ENOSYS(EVTCHNOP_reset),
	SUBOP_ENOSYS(EVTCHNOP_init_control),
	SUBOP_ENOSYS(EVTCHNOP_expand_array),
	SUBOP_ENOSYS(EVTCHNOP_set_priority),
};
const unsigned event_channel_ops_count = ARRAY_SIZE(event_channel_ops);
