/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO ABI (public header event_channel.h; its design is Xen's "Event Channels (FIFO-based)"):
 * a word for each port in pages of the guest's own (the event array), linked into queues; for each
 * vCPU 16 queues, by priority, whose heads are in its control block.
 *
 * All of that memory is the guest's to write: a word is read once, and what is found in it changes
 * nothing but other words of the guest's. Where queues end is known from what we have put there.
 */
#ifndef SHIM_EVENT_FIFO_H
#define SHIM_EVENT_FIFO_H

#include "shim/gpc/gpc.h"
#include "shim/short_lock.h"
#include "xen-abi/xen.h"

struct domain;
struct event_abi;
struct event_channels;

#define FIFO_WORDS_PER_PAGE (GUEST_PAGE_SIZE / sizeof(event_word_t))
#define FIFO_PAGES          (EVTCHN_FIFO_NR_CHANNELS / FIFO_WORDS_PER_PAGE)

extern const struct event_abi event_fifo;

struct fifo_queue {
	struct short_lock lock; /* held in a read section; two in the order of their addresses */
	evtchn_port_t tail;     /* the event that was linked last, 0: none */
};

struct fifo_vcpu {
	struct gpc control; /* struct evtchn_fifo_control_block; inactive: none yet */
	struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

/* Made at the first EVTCHNOP_init_control; stays until the domain goes, also unused. */
struct fifo {
	unsigned nr_pages; /* active ones, from the first; atomic */
	struct gpc pages[FIFO_PAGES];
	unsigned nr_vcpus;
	struct fifo_vcpu vcpus[];
};

/*
 * EVTCHNOP_init_control and EVTCHNOP_expand_array, under the event lock. 0; -XEN_EINVAL,
 * -XEN_ENOENT, -XEN_ENOMEM; -XEN_EINVAL, -XEN_ENOSPC, -XEN_EOPNOTSUPP.
 */
long event_fifo_init_control(struct domain *d, struct evtchn_init_control *op);
long event_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op);

/* Under the event lock, with no port in use: back to the 2-level ABI, if it was not that. */
void event_fifo_stop(struct domain *d);

/* Nobody uses it any more. */
void event_fifo_destroy(struct event_channels *e);

#endif
