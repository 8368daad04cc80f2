/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes: what a machinery must know to carry out EVTCHNOP_send without us
 * (platform_ops.port_changed), as KVM can with KVM_XEN. Only what needs no rule of ours has one: an
 * IPI, or the other end of a loopback, in the 2-level ABI.
 *
 * A machinery that sends sets the pending bit and, unless the port is masked, the selector's bit
 * and the flag, and interrupts the vCPU. It does not wake one that waits in a hypercall of ours:
 * for a masked port, for any port, or with interrupts off. So who begins such a wait takes all
 * routes away. They come back when nobody waits: with the next port that is bound, or after a
 * number of sends that had to be ours, which keeps a guest that waits often from having them
 * changed each time.
 */
#ifndef SHIM_EVENT_ROUTE_H
#define SHIM_EVENT_ROUTE_H

#include <stdbool.h>

#include "shim/domain.h"

/* A send to one port: this port becomes pending for that vCPU. */
struct event_route {
	evtchn_port_t port;
	uint16_t vcpu;
	bool ipi; /* the port is the one that was sent to */
};

/* Under the event lock. False: sends to this port are ours. */
bool event_route(const struct domain *d, evtchn_port_t port, struct event_route *to);

/*
 * Under the event lock, after a port's binding has changed, and while it is no other's yet: tell
 * the machinery of it and of the port at its other end. On return nothing more is sent by an old
 * route.
 */
void event_route_changed(struct domain *d, evtchn_port_t port);

/* The same for a port that somebody has just bound. */
void event_route_bound(struct domain *d, evtchn_port_t port);

/*
 * Under the event lock: no port has a route, so that all can be closed, or their ABI changed; and
 * back, if nobody waits.
 */
void event_routes_withdraw(struct domain *d);
void event_routes_restore(struct domain *d);

/* Somebody sends through us, and could perhaps do without. Takes the event lock at times. */
void event_routes_missed(struct domain *d);

static inline void event_routes_reconsider(struct domain *d)
{
	if (__builtin_expect(__atomic_load_n(&d->events.routes_withdrawn, __ATOMIC_RELAXED), 0))
		event_routes_missed(d);
}

/*
 *  v is marked as one that waits (vcpu_run.h) and has not yet looked whether it still has to: from
 * now on it is woken by us only. True: until now there may have been routes. Takes the event lock.
 */
bool event_routes_waiting(struct vcpu *v);

#endif
