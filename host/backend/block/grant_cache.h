/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent grants (feature-persistent of public header io/blkif.h): pages that the frontend uses
 * again and again stay mapped, for reading and writing, up to a bound; of more than that the one
 * that has not been used for longest goes. One thread.
 */
#ifndef HOST_BACKEND_BLOCK_GRANT_CACHE_H
#define HOST_BACKEND_BLOCK_GRANT_CACHE_H

#include "shim/domain.h"
#include "shim/grant_map.h"

/* As Linux's blkback: all that a ring of one page can have in use, three times over. */
#define GRANT_CACHE_MAX 1056u

#define GRANT_CACHE_HEADS 2048u /* a power of 2 */

struct kept_grant {
	struct grant_mapping m;
	unsigned uses;           /* now */
	struct kept_grant *next; /* with the same hash, or of the free ones */
	struct kept_grant *newer, *older;
};

struct grant_cache {
	struct domain *domain;
	struct kept_grant *heads[GRANT_CACHE_HEADS];
	struct kept_grant *newest, *oldest, *unused;
	uint64_t mapped; /* how many have ever been */
	struct kept_grant grants[GRANT_CACHE_MAX];
};

void grant_cache_init(struct grant_cache *c, struct domain *d);

/*
 * The page of this grant, from now on in use. GNTST_okay and *kept; *kept NULL: all places are in
 * use, map it by itself. Or GNTST_* as grant_map() says.
 */
int grant_cache_get(struct grant_cache *c, grant_ref_t ref, struct kept_grant **kept);
void grant_cache_put(struct kept_grant *kept);

/* Unmap all; none is in use. */
void grant_cache_empty(struct grant_cache *c);

#endif
