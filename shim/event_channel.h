/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels (public header event_channel.h): ports, and how an event becomes an interrupt.
 *
 * A port has a binding: what it is connected to. How a pending port reaches the guest is the ABI's
 * (event_port.h): 2-level, bits in shared_info, until the guest asks for FIFO, words in its own
 * memory.
 *
 * Locks. Bindings are changed under event_channels.lock and read in a read section (shim/rcu.h), so
 * that an event takes no lock; who has unbound a port waits for a grace period before the port is
 * free. So nothing here may be called from within a read section.
 */
#ifndef SHIM_EVENT_CHANNEL_H
#define SHIM_EVENT_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>

#include "shim/hypercall.h"
#include "xen-abi/xen.h"

struct domain;
struct event_abi;
struct fifo;
struct port;
struct vcpu;

/* Ports of the 2-level ABI: one bit for each bit of a word of words. */
#define EVTCHN_2L_PORTS_64 (64u * 64u)
#define EVTCHN_2L_PORTS_32 (32u * 32u)

/* Ports come in chunks, as the guest takes more: 16 KiB each, 2 MiB in all. */
#define EVENT_CHUNK_PORTS 1024u
#define EVENT_CHUNKS      (EVTCHN_FIFO_NR_CHANNELS / EVENT_CHUNK_PORTS)

/* Backends' ends of ports. */
#define EVENT_FAR_ENDS 1024u

/*
 * Physical interrupts that a guest may name: Xen gives a guest the pins of the host's I/O APICs (we
 * take one, of 24) and 32 more (nr_pirqs).
 */
#define EVENT_PIRQS 56u

/*
 * A backend's end of a port: called on the sending vCPU's thread, in a read section: it takes no
 * lock of the shim's, and does not wait.
 */
struct port_backend {
	void (*notify)(void *opaque);
	void *opaque;
};

/*
 * To the guest, a port of domain 0; its number is that of the place in the table and 1. When the
 * guest closes its own end, the far end waits for another bind_interdomain, as in Xen.
 */
struct far_end {
	const struct port_backend *backend; /* NULL: this place is free */
	evtchn_port_t port;                 /* the guest's; 0: not connected now */
	evtchn_port_t offered;              /* made by us; 0: the guest has made it */
};

struct event_channels {
	pthread_mutex_t lock;        /* of all changes below, which are read as atomics */
	const struct event_abi *abi; /* never NULL */
	struct port *chunks[EVENT_CHUNKS];
	/* Ports below this have been offered to the guest; it grows in steps, as Xen's does. */
	evtchn_port_t valid;
	evtchn_port_t lowest_free; /* none below this is free */
	struct fifo *fifo;         /* of the FIFO ABI, made when it is first used and kept */
	evtchn_port_t pirq_port[EVENT_PIRQS];
	unsigned nr_far_ends; /* places that have been used */
	struct far_end far_ends[EVENT_FAR_ENDS];

	/*
	 * For SCHEDOP_poll: while `pollers` (atomic) is not 0, poll_wake is told of each port that
	 * has become pending, masked or not. Who polls counts himself first and looks at the port
	 * then. On any thread, not in a read section; the event lock may be held.
	 */
	unsigned pollers;
	void (*poll_wake)(struct domain *d, evtchn_port_t port);

	/* event_route.h. Atomic; the first is written under the lock. */
	bool routes_withdrawn;
	uint32_t sends_without_routes;
};

extern const struct suboperation event_channel_ops[];
extern const unsigned event_channel_ops_count;

/* 0 or -ENOMEM. */
int event_channels_init(struct event_channels *e);
void event_channels_destroy(struct event_channels *e);

/*
 * Connect a new port of d to a backend. Returns the port (> 0), -XEN_ENOSPC or -XEN_ENOMEM.
 * *backend stays the caller's and must outlive the domain or event_channel_unbind_backend().
 */
int event_channel_bind_backend(struct domain *d, const struct port_backend *backend);

/*
 * Connect a backend to a port that the guest has made for domain 0 (EVTCHNOP_alloc_unbound) and
 * told by way of the store. 0; -XEN_EINVAL: it is no such port; -XEN_ENOSPC: too many backends.
 * What the guest has sent before is lost: look for work at once.
 */
int event_channel_connect_backend(struct domain *d, evtchn_port_t port,
				  const struct port_backend *backend);

/* Disconnect: the guest's port becomes unbound. On return notify() runs no more. */
void event_channel_unbind_backend(struct domain *d, const struct port_backend *backend);

/*
 * The backend's event: the guest's port becomes pending, if it still belongs to this backend.
 * `port` is what it was when they were connected. Any thread.
 */
void event_channel_notify_guest(struct domain *d, evtchn_port_t port,
				const struct port_backend *backend);

/* Raise a virtual interrupt of one vCPU; nothing happens while it is not bound. Any thread. */
void event_channel_raise_virq(struct vcpu *v, unsigned virq);

/* Is the port pending (1 or 0; masked or not)? -XEN_EINVAL: nobody has that port. Any thread. */
int event_channel_poll(struct domain *d, evtchn_port_t port);

/*
 * The toolstack's part of a soft reset (SHUTDOWN_soft_reset): EVTCHNOP_reset, and then the ports of
 * event_channel_bind_backend() are offered again at their numbers. No vCPU runs.
 */
void event_channels_soft_reset(struct domain *d);

/* Does vcpu_info say that events are pending? Any thread. */
bool event_channels_pending(struct vcpu *v);

/*
 * Does it say that none are? Any thread, in a read section too. False also if it cannot be seen at
 * the moment.
 */
bool event_channels_taken(struct vcpu *v);

/* Interrupt v if vcpu_info says that events are pending: after the way of delivery has changed. */
void event_channels_recheck_upcall(struct vcpu *v);

/* All events may be pending: what a guest must be told after vcpu_info has moved. */
void event_channels_mark_all(struct vcpu *v);

#endif
