/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels (public header event_channel.h), the 2-level ABI: pending and mask bits in
 * shared_info, a selector and a pending flag in each vcpu_info.
 */
#ifndef SHIM_EVENT_CHANNEL_H
#define SHIM_EVENT_CHANNEL_H

#include <pthread.h>

#include "shim/hypercall.h"
#include "xen-abi/xen.h"

struct domain;
struct vcpu;

/* Ports of the 2-level ABI: one bit for each bit of a word of words. */
#define EVTCHN_2L_PORTS_64 (64u * 64u)
#define EVTCHN_2L_PORTS_32 (32u * 32u)

enum port_state {
	PORT_FREE,
	PORT_RESERVED, /* port 0 */
	PORT_UNBOUND,
	PORT_INTERDOMAIN, /* loopback: both ends in this domain */
	PORT_BACKEND, /* interdomain, the far end is one of our backends (domain 0 to the guest) */
	PORT_VIRQ,
	PORT_IPI,
};

/* A backend's end of a port: called with the event lock held, on the sending vCPU's thread. */
struct port_backend {
	void (*notify)(void *opaque);
	void *opaque;
};

struct port {
	enum port_state state;
	uint32_t vcpu; /* who is notified */
	union {
		domid_t remote_domain;              /* UNBOUND: who may bind */
		evtchn_port_t remote_port;          /* INTERDOMAIN */
		uint32_t virq;                      /* VIRQ */
		const struct port_backend *backend; /* BACKEND; owned by the backend */
	};
};

struct event_channels {
	pthread_mutex_t lock;
	struct port *ports; /* EVTCHN_2L_PORTS_64 of them */
	/* Ports below this have been offered to the guest; it grows in steps, as Xen's does. */
	evtchn_port_t valid;
};

extern const struct suboperation event_channel_ops[];
extern const unsigned event_channel_ops_count;

/* 0 or -ENOMEM. */
int event_channels_init(struct event_channels *e);
void event_channels_destroy(struct event_channels *e);

/*
 * Connect a new port of d to a backend. Returns the port (> 0) or -XEN_ENOSPC. *backend stays the
 * caller's and must outlive the domain.
 */
int event_channel_bind_backend(struct domain *d, const struct port_backend *backend);

/* The backend's event: the guest's port becomes pending, if it still belongs to this backend. */
void event_channel_notify_guest(struct domain *d, evtchn_port_t port,
				const struct port_backend *backend);

/* Raise a virtual interrupt of one vCPU; nothing happens while it is not bound. Any thread. */
void event_channel_raise_virq(struct vcpu *v, unsigned virq);

/* Is the port pending, masked or not (SCHEDOP_poll)? 1, 0, or -XEN_EINVAL: there is no such port.
 */
int event_channel_poll(struct domain *d, evtchn_port_t port);

/* Does vcpu_info say that events are pending? Any thread. */
bool event_channels_pending(struct vcpu *v);

/* Interrupt v if vcpu_info says that events are pending: after the way of delivery has changed. */
void event_channels_recheck_upcall(struct vcpu *v);

/* All events may be pending: what a guest must be told after vcpu_info has moved. */
void event_channels_mark_all(struct vcpu *v);

#endif
