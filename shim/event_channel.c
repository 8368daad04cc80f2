// SPDX-License-Identifier: BSD-2-Clause
/*
 * EVTCHNOP_*, operation by operation: how ports are bound, moved and looked at. How one ends is in
 * event_close.c, how an event travels in event_send.c, how it reaches the guest in event_2level.c
 * and event_fifo.c.
 */
#include "shim/event_channel.h"

#include "shim/event_fifo.h"
#include "shim/event_port.h"
#include "shim/event_route.h"
#include "shim/guest_access.h"

/* Xen's split: these belong to a vCPU each, all others to the domain and are bound on vCPU 0. */
static bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

static int alloc_unbound(struct domain *d, struct evtchn_alloc_unbound *op)
{
	domid_t remote = op->remote_dom == DOMID_SELF ? d->id : op->remote_dom;
	int port, rc = domain_check_self(d, op->dom);

	if (rc)
		return rc;
	port = port_allocate(d);
	if (port < 0)
		return port;
	port_bind_new(d, port, (struct port_binding){PORT_UNBOUND, 0, remote});
	op->port = port;
	return 0;
}

/* The two ends of a loopback. */
static int bind_own(struct domain *d, evtchn_port_t port, evtchn_port_t remote_port)
{
	struct port *remote = port_lookup(&d->events, remote_port);
	struct port_binding b;

	if (!remote)
		return -XEN_EINVAL;
	b = port_binding(remote);
	if (b.state != PORT_UNBOUND || b.value != d->id)
		return -XEN_EINVAL;
	port_bind_new(d, port, (struct port_binding){PORT_INTERDOMAIN, 0, remote_port});
	port_bind(remote, (struct port_binding){PORT_INTERDOMAIN, b.vcpu, port});
	event_route_bound(d, port);
	return 0;
}

/* Domain 0 holds the far ends of our backends: one whose near end the guest has closed waits. */
static int bind_backend(struct domain *d, evtchn_port_t port, evtchn_port_t remote_port)
{
	int far_end = event_far_end_unbound(d, remote_port);

	if (far_end < 0)
		return far_end;
	event_far_end_connect(d, far_end, port);
	return 0;
}

static int bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *op)
{
	int port, rc = domain_check_self(d, op->remote_dom);

	if (rc == -XEN_ESRCH)
		return rc;
	/* First, so that without one nothing else is said. It stays free until it is bound. */
	port = port_allocate(d);
	if (port < 0)
		return port;
	rc = rc ? bind_backend(d, port, op->remote_port) : bind_own(d, port, op->remote_port);
	if (rc)
		return rc;
	/* Notifications sent before the bind may have been lost: make one up, as Xen does. */
	event_raise(d, port);
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
	port_bind_new(d, port, (struct port_binding){PORT_VIRQ, op->vcpu, op->virq});
	__atomic_store_n(&v->virq_port[op->virq], port, __ATOMIC_RELEASE);
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
	port_bind_new(d, port, (struct port_binding){PORT_IPI, op->vcpu, 0});
	event_route_bound(d, port);
	op->port = port;
	return 0;
}

/*
 * Xen lets an HVM guest name any physical interrupt, whether it may use it or not (and whether or
 * not XENFEAT_hvm_pirqs is advertised, which we do not: PHYSDEVOP_* would be next). Nothing is ever
 * connected to one of ours: the port is never pending. A PV guest must have been given it, and none
 * of ours has.
 */
static int bind_pirq(struct domain *d, struct evtchn_bind_pirq *op)
{
	int port;

	if (op->pirq >= EVENT_PIRQS)
		return -XEN_EINVAL;
	if (d->type == DOMAIN_PV)
		return -XEN_EPERM;
	if (d->events.pirq_port[op->pirq])
		return -XEN_EEXIST;
	port = port_allocate(d);
	if (port < 0)
		return port;
	port_bind_new(d, port, (struct port_binding){PORT_PIRQ, 0, op->pirq});
	d->events.pirq_port[op->pirq] = port;
	op->port = port;
	return 0;
}

static int close_port(struct domain *d, struct evtchn_close *op)
{
	return event_close(d, op->port);
}

static int port_status(struct domain *d, struct evtchn_status *op)
{
	const struct port *p;
	struct port_binding b;
	int rc = domain_check_self(d, op->dom);

	if (rc)
		return rc;
	p = port_lookup(&d->events, op->port);
	if (!p)
		return -XEN_EINVAL;
	b = port_binding(p);
	op->vcpu = b.vcpu;
	switch (b.state) {
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_CLOSING:
		op->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = b.value;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = d->id;
		op->u.interdomain.port = b.value;
		break;
	case PORT_BACKEND:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = 0;
		op->u.interdomain.port = b.value + 1;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = b.value;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	case PORT_PIRQ:
		op->status = EVTCHNSTAT_pirq;
		op->u.pirq = b.value;
		break;
	}
	return 0;
}

/* What is pending stays with the vCPU that has been told, as in Xen. */
static int bind_vcpu(struct domain *d, struct evtchn_bind_vcpu *op)
{
	struct port *p;
	struct port_binding b;

	if (!domain_vcpu(d, op->vcpu))
		return -XEN_ENOENT;
	p = port_lookup(&d->events, op->port);
	if (!p)
		return -XEN_EINVAL;
	b = port_binding(p);
	switch (b.state) {
	case PORT_VIRQ:
		if (!virq_is_global(b.value))
			return -XEN_EINVAL;
		break;
	case PORT_UNBOUND:
	case PORT_INTERDOMAIN:
	case PORT_BACKEND:
	case PORT_PIRQ:
		break;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_CLOSING:
	case PORT_IPI:
		return -XEN_EINVAL;
	}
	b.vcpu = op->vcpu;
	port_bind(p, b);
	event_route_changed(d, op->port);
	return 0;
}

static int reset(struct domain *d, struct evtchn_reset *op)
{
	int rc = domain_check_self(d, op->dom);

	if (!rc)
		event_reset(d);
	return rc;
}

/* How Xen goes on with a long reset. None is ever under way here, which it says so. */
static int reset_cont(struct domain *d, struct evtchn_reset *op)
{
	return domain_check_self(d, op->dom) ?: -XEN_EBUSY;
}

static long set_priority(struct domain *d, struct evtchn_set_priority *op)
{
	struct port *p = port_lookup(&d->events, op->port);

	if (!p)
		return -XEN_EINVAL;
	if (!d->events.abi->set_priority)
		return -XEN_ENOSYS;
	if (!port_in_use(port_binding(p)))
		return -XEN_EACCES;
	return d->events.abi->set_priority(p, op->priority);
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
EVTCHN_HANDLER(port_status, evtchn_status, guest_read, true)
EVTCHN_HANDLER(bind_vcpu, evtchn_bind_vcpu, guest_read, false)
EVTCHN_HANDLER(bind_pirq, evtchn_bind_pirq, guest_read_inout, true)
EVTCHN_HANDLER(reset, evtchn_reset, guest_read, false)
EVTCHN_HANDLER(reset_cont, evtchn_reset, guest_read, false)
EVTCHN_HANDLER(event_fifo_init_control, evtchn_init_control, guest_read_inout, true)
EVTCHN_HANDLER(event_fifo_expand_array, evtchn_expand_array, guest_read, false)
EVTCHN_HANDLER(set_priority, evtchn_set_priority, guest_read, false)

/* These two take no lock. */
static long evtchnop_send(struct vcpu *v, const struct hypercall *h)
{
	struct evtchn_send op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	event_routes_reconsider(v->domain);
	return event_send(v->domain, op.port);
}

static long evtchnop_unmask(struct vcpu *v, const struct hypercall *h)
{
	struct evtchn_unmask op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	return rc ? rc : event_unmask(v->domain, op.port);
}

/* The public header of this version does not tell its number to guests. */
#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

const struct suboperation event_channel_ops[] = {
	SUBOP(EVTCHNOP_bind_interdomain, evtchnop_bind_interdomain),
	SUBOP(EVTCHNOP_bind_virq, evtchnop_bind_virq),
	SUBOP(EVTCHNOP_bind_pirq, evtchnop_bind_pirq),
	SUBOP(EVTCHNOP_close, evtchnop_close_port),
	SUBOP(EVTCHNOP_send, evtchnop_send),
	SUBOP(EVTCHNOP_status, evtchnop_port_status),
	SUBOP(EVTCHNOP_alloc_unbound, evtchnop_alloc_unbound),
	SUBOP(EVTCHNOP_bind_ipi, evtchnop_bind_ipi),
	SUBOP(EVTCHNOP_bind_vcpu, evtchnop_bind_vcpu),
	SUBOP(EVTCHNOP_unmask, evtchnop_unmask),
	SUBOP(EVTCHNOP_reset, evtchnop_reset),
	SUBOP(EVTCHNOP_init_control, evtchnop_event_fifo_init_control),
	SUBOP(EVTCHNOP_expand_array, evtchnop_event_fifo_expand_array),
	SUBOP(EVTCHNOP_set_priority, evtchnop_set_priority),
	SUBOP(EVTCHNOP_reset_cont, evtchnop_reset_cont),
};
const unsigned event_channel_ops_count = ARRAY_SIZE(event_channel_ops);
