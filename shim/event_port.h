/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside event channels: a port's binding, the table of ports, and what an ABI is made of.
 */
#ifndef SHIM_EVENT_PORT_H
#define SHIM_EVENT_PORT_H

#include "shim/domain.h"

struct gpc;

enum port_state {
	PORT_FREE,
	PORT_RESERVED, /* port 0 */
	PORT_CLOSING,  /* being closed: as if free, but not to be had yet */
	PORT_UNBOUND,
	PORT_INTERDOMAIN, /* loopback: both ends in this domain */
	PORT_BACKEND, /* interdomain, the far end is one of our backends (domain 0 to the guest) */
	PORT_VIRQ,
	PORT_IPI,
	PORT_PIRQ,
};

/* What a port is connected to, and who is notified. */
struct port_binding {
	enum port_state state;
	uint16_t vcpu;
	/*
	 * UNBOUND: the domid that may bind; INTERDOMAIN: the other port; BACKEND: the place in
	 * far_ends; VIRQ, PIRQ: which
	 */
	uint32_t value;
};

struct port {
	uint64_t binding; /* packed, so that it is read as one */

	/* Of the FIFO ABI, all atomic. The queue where the event was linked last; survives. */
	uint32_t last_queue;
	uint8_t priority;
	bool saved_pending; /* pending, but there is no page for its word yet */
};

static inline struct port_binding port_binding(const struct port *p)
{
	uint64_t word = __atomic_load_n(&p->binding, __ATOMIC_ACQUIRE);

	return (struct port_binding){word & 0xff, word >> 8, word >> 32};
}

/* Under the event lock. */
static inline void port_bind(struct port *p, struct port_binding b)
{
	__atomic_store_n(&p->binding, b.state | (uint64_t)b.vcpu << 8 | (uint64_t)b.value << 32,
			 __ATOMIC_RELEASE);
}

/* Does somebody have it? */
static inline bool port_in_use(struct port_binding b)
{
	return b.state > PORT_CLOSING;
}

/* The port, whatever its state; NULL if it has not been offered to the guest. */
static inline struct port *port_lookup(const struct event_channels *e, evtchn_port_t port)
{
	if (port >= __atomic_load_n(&e->valid, __ATOMIC_ACQUIRE))
		return NULL;
	return &__atomic_load_n(&e->chunks[port / EVENT_CHUNK_PORTS],
				__ATOMIC_RELAXED)[port % EVENT_CHUNK_PORTS];
}

/*
 * Under the event lock: the lowest free port, which stays free until it is bound, or -XEN_ENOSPC or
 * -XEN_ENOMEM.
 */
int port_allocate(struct domain *d);

/* Under the event lock: give a port that port_allocate() has told its first binding. */
void port_bind_new(struct domain *d, evtchn_port_t port, struct port_binding b);

/* Under the event lock: it belongs to nobody (PORT_CLOSING) and no sender is at it any more. */
void port_free(struct domain *d, evtchn_port_t port);

/*
 * An attempt to change a port's state in a read section, in which nobody waits for guest memory.
 */
struct event_try {
	struct gpc *missing; /* out of date: bring it up to date and try again */
	struct gpc *gone;    /* this has no memory, as of the last attempt */
};

/* What an attempt has done: 0 or these. */
#define EVENT_NEW    1u /* the port was not pending before */
#define EVENT_NOTIFY 2u /* the vCPU must be told: event_abi.notify */
#define EVENT_DETAIL 8u /* from this bit on: what notify needs to know */

/*
 * How a pending port reaches the guest. `p` is port_lookup() of `port`; the port is in use.
 */
struct event_abi {
	/* Ports below this can be bound. */
	evtchn_port_t (*ports)(const struct domain *d);

	/*
	 * In a read section: the port is pending for v; or it is unmasked, and pending for v if it
	 * was. try->missing: nothing was done.
	 */
	unsigned (*set_pending)(struct vcpu *v, evtchn_port_t port, struct port *p,
				struct event_try *try);
	unsigned (*unmask)(struct vcpu *v, evtchn_port_t port, struct port *p,
			   struct event_try *try);
	/* What the attempt above was not allowed to do. Not in a section; `done` is its result. */
	void (*notify)(struct vcpu *v, evtchn_port_t port, unsigned done);

	/* Not in a section. */
	bool (*is_pending)(struct domain *d, evtchn_port_t port);

	/* Under the event lock. NULL: nothing to do; never busy; -XEN_ENOSYS. */
	void (*clear_pending)(struct domain *d, evtchn_port_t port, struct port *p);
	void (*bound)(struct domain *d, struct port *p);
	bool (*is_busy)(struct domain *d, evtchn_port_t port); /* free, but still in a queue */
	long (*set_priority)(struct port *p, uint32_t priority);
};

/*
 * The port becomes pending for its vCPU, if it is in use. Under the event lock, or any thread that
 * does not mind if it is closed meanwhile.
 */
void event_raise(struct domain *d, evtchn_port_t port);

/* EVTCHNOP_send and EVTCHNOP_unmask. 0 or -XEN_EINVAL. */
long event_send(struct domain *d, evtchn_port_t port);
long event_unmask(struct domain *d, evtchn_port_t port);

/*
 * Far ends, under the event lock: the one that a guest means by a port of domain 0, which must be
 * waiting (or -XEN_EINVAL); connect it to a port that port_allocate() has told; connect all that
 * were offered, at their ports, which are free.
 */
int event_far_end_unbound(const struct domain *d, evtchn_port_t remote_port);
void event_far_end_connect(struct domain *d, unsigned far_end, evtchn_port_t port);
void event_far_ends_offer(struct domain *d);

/* EVTCHNOP_close and EVTCHNOP_reset, under the event lock. 0 or -XEN_EINVAL. */
long event_close(struct domain *d, evtchn_port_t port);
void event_reset(struct domain *d);

#endif
