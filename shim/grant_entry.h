/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Use of a grant: may this domain use that entry so, and the flags by which the guest sees that it
 * does. Rules of public header grant_table.h ("accessing and updating grant-table entries in a
 * concurrency-safe manner"). Takes grants.lock only.
 *
 * Version 1: GTF_reading and GTF_writing are in the entry itself, beside what the guest writes;
 * they are set by a compare-and-exchange of flags and domid in one, which fails when the guest has
 * changed either. Version 2: they are in a word of their own, set first; then, after a barrier, the
 * entry is looked at again: guest and we each write one place and read the other.
 */
#ifndef SHIM_GRANT_ENTRY_H
#define SHIM_GRANT_ENTRY_H

#include "shim/grant_table.h"

struct grant_mapping;

/* The bytes of a page that may be used: a sub-page grant's. */
struct grant_bytes {
	uint16_t start, length;
};

/*
 * What is remembered while an entry is in use: then it counts, not what the guest writes there
 * afterwards. Under grants.lock.
 */
struct grant_use {
	struct gfn at;
	domid_t user;
	uint8_t readers, writers; /* uses of each kind; both 0: not in use */
	struct grant_bytes bytes;
	bool part; /* not the whole page: to be copied, not to be mapped */
};

/* Uses of either kind that an entry can have at a time, as on Xen. */
#define GRANT_USES_MAX 128

/* One use. Plain data of the user's. */
struct grant_hold {
	grant_ref_t ref;
	bool write;
	uint32_t epoch; /* of the table */
	struct gfn at;
	struct grant_bytes bytes;
};

/*
 * `user` uses the entry: to map it, or (map = false) to copy. GNTST_okay, GNTST_bad_gntref: there
 * is no such entry; GNTST_general_error: it does not allow this to the user, is used by another
 * domain, has too many uses, or the guest keeps changing it.
 */
int grant_acquire(struct domain *d, grant_ref_t ref, domid_t user, bool write, bool map,
		  struct grant_hold *hold);
void grant_release(struct domain *d, const struct grant_hold *hold);
/*
 * The same of many, to map them, in one go: how many, of the first on, could be; of the one that
 * could not, *why says GNTST_*.
 */
unsigned grant_acquire_all(struct domain *d, const grant_ref_t *refs, unsigned n, domid_t user,
			   bool write, struct grant_mapping *m, int *why);
/* Of those that are mapped: their hva becomes NULL. */
void grant_release_all(struct domain *d, struct grant_mapping *m, unsigned n);

/* Is the entry, which there is, or one from `first` on in use? Under grants.lock. */
bool grant_in_use(const struct grant_table *g, grant_ref_t ref);
bool grants_in_use(const struct grant_table *g, grant_ref_t first);

/* The uses of the entry; there is one. Under grants.lock. */
static inline struct grant_use *grant_use_of(const struct grant_table *g, grant_ref_t ref)
{
	return &g->uses[ref / GRANTS_PER_FRAME_V1][ref % GRANTS_PER_FRAME_V1];
}

/* The entries, by number. Under grants.lock. */
static inline struct grant_entry_v1 *grant_v1(const struct grant_table *g, grant_ref_t ref)
{
	return (struct grant_entry_v1 *)g->frames + ref;
}

static inline union grant_entry_v2 *grant_v2(const struct grant_table *g, grant_ref_t ref)
{
	return (union grant_entry_v2 *)g->frames + ref;
}

#endif
