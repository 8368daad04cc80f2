/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gfn-to-pfn cache: a fixed area of guest memory that we come back to.
 *
 * The guest names an area once (vcpu_info, runstate, a time area); we use it many times. A cache
 * remembers where the area is in our process and looks it up again only when the memslots have
 * changed. The length is given at activation. An area that has no memory behind it (yet) is
 * legal: it may be activated, and gpc_lock says NULL until memory appears.
 */
#ifndef SHIM_GPC_H
#define SHIM_GPC_H

#include "shim/memslot/memslot.h"

struct gpc {
	struct memslots *slots;
	bool active;
	struct gpa gpa;
	uint32_t len; /* bytes */
	uint64_t generation;
	void *hva; /* NULL: no memory there in `generation` */
};

void gpc_init(struct gpc *gpc, struct memslots *slots);

/* Point the cache at [addr, addr+len), or move it there. The caller serialises calls on one cache.
 */
void gpc_activate(struct gpc *gpc, struct gpa addr, uint32_t len);

/* Forget the area. Idempotent. */
void gpc_deactivate(struct gpc *gpc);

/*
 * The area, in our process, until gpc_unlock; NULL (and nothing to unlock) when the cache is
 * inactive or there is no memory. Takes the memslots' read lock; never waits for anything else.
 */
void *gpc_lock(struct gpc *gpc);
void gpc_unlock(struct gpc *gpc);

/* As gpc_lock(), for a caller that holds the memslots' read lock already. */
void *gpc_hva(struct gpc *gpc);

#endif
