/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's connection to the store: a page that it shares with us and an event channel (public
 * header io/xs_wire.h, docs/misc/xenstore-ring.txt). Serves on the event loop; only the guest's
 * notification comes from a vCPU's thread.
 *
 * We offer all features: the guest may ask for a new connection, is told the error that ended the
 * old one, and may give its watches a depth.
 */
#ifndef HOST_XENSTORE_STORE_RING_H
#define HOST_XENSTORE_STORE_RING_H

#include "host/xenstore/store.h"
#include "shim/domain.h"

struct store_ring;

/*
 * Connect the domain's page to the store by a new event channel port, and clear its indexes. While
 * there is no memory at the page the guest is not served. Tell the guest where it is
 * (HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN) and the store that it is there (store_introduce).
 * NULL with the reason.
 */
struct store_ring *store_ring_open(struct store *s, struct loop *loop, struct domain *d,
				   struct gpa page, struct problem *p);

evtchn_port_t store_ring_port(const struct store_ring *r);

/*
 * The guest has begun anew (soft reset), its port is offered again at its number: a new connection
 * on the same page. No vCPU runs.
 */
void store_ring_reset(struct store_ring *r);

/* Its watches and transactions go. Before the domain and the store are destroyed. */
void store_ring_close(struct store_ring *r);

#endif
