// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_entry.h"

#include "shim/domain.h"
#include "shim/grant_map.h"

/* flags and domid of an entry in one word, as both versions have them. */
_Static_assert(sizeof(struct grant_entry_header) == 4 &&
		       offsetof(struct grant_entry_v1, domid) == 2 &&
		       offsetof(struct grant_entry_header, domid) == 2,
	       "flags and domid are one word in both versions");

static inline struct grant_entry_header header_of(uint32_t word)
{
	return (struct grant_entry_header){.flags = (uint16_t)word, .domid = word >> 16};
}

#define IN_USE (GTF_reading | GTF_writing)

/* A guest may rightly change an entry that we look at, but not again and again. */
#define TRIES 5

/* A disk takes and gives back 256 grants with every request: what they all need is one loop. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Who wants what. */
struct wish {
	const struct grant_table *g;
	unsigned version;
	grant_ref_t ref;
	domid_t user;
	bool write, map;
	struct grant_use *use;
	bool first; /* the entry is not in use yet */
};

static ALWAYS_INLINE bool in_use(const struct grant_use *u)
{
	return u->readers || u->writers;
}

bool grant_in_use(const struct grant_table *g, grant_ref_t ref)
{
	return in_use(grant_use_of(g, ref));
}

bool grants_in_use(const struct grant_table *g, grant_ref_t first)
{
	for (grant_ref_t ref = first; ref < grant_entries(g); ref++)
		if (grant_in_use(g, ref))
			return true;
	return false;
}

static ALWAYS_INLINE uint32_t *header_word(const struct wish *w)
{
	return w->version == 1 ? (uint32_t *)grant_v1(w->g, w->ref)
			       : (uint32_t *)grant_v2(w->g, w->ref);
}

static ALWAYS_INLINE void clear_status(const struct grant_table *g, unsigned version,
				       grant_ref_t ref, uint16_t flags)
{
	uint16_t *status = version == 1 ? &grant_v1(g, ref)->flags : &g->statuses[ref];

	__atomic_fetch_and(status, (uint16_t)~flags, __ATOMIC_SEQ_CST);
}

/* While it is in use what the guest has written since does not count, but read-only does. */
static ALWAYS_INLINE bool allows(const struct wish *w, struct grant_entry_header h)
{
	uint16_t mask = GTF_type_mask;

	/* In version 1 too: the bit is the same there. */
	if (w->map)
		mask |= GTF_sub_page;
	if (w->first && ((h.flags & mask) != GTF_permit_access || h.domid != w->user))
		return false;
	return !w->write || !(h.flags & GTF_readonly);
}

static ALWAYS_INLINE uint16_t flags_of(bool write)
{
	return write ? IN_USE : GTF_reading;
}

static ALWAYS_INLINE bool mark_v1(const struct wish *w, uint16_t *flags)
{
	uint32_t *word = header_word(w), now = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	for (int i = 0; i < TRIES; i++) {
		if (!allows(w, header_of(now)))
			return false;
		*flags = header_of(now).flags;
		if (__atomic_compare_exchange_n(word, &now, now | flags_of(w->write), false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

static ALWAYS_INLINE bool mark_v2(const struct wish *w, uint16_t *flags)
{
	uint32_t *word = header_word(w), now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	uint16_t *status = &w->g->statuses[w->ref];

	if (!allows(w, header_of(now)))
		return false;
	__atomic_fetch_or(status, flags_of(w->write), __ATOMIC_SEQ_CST);
	now = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	*flags = header_of(now).flags;
	return allows(w, header_of(now));
}

/* One that writes (or reads) has gone, or has not come: its flags, if no other has them. */
static ALWAYS_INLINE void unmark(const struct grant_table *g, unsigned version, grant_ref_t ref,
				 const struct grant_use *u, bool write)
{
	if (!in_use(u))
		clear_status(g, version, ref, flags_of(write));
	else if (write && !u->writers)
		clear_status(g, version, ref, GTF_writing);
}

/* What the entry grants, from its frame on. */
static ALWAYS_INLINE void read_entry(const struct wish *w, uint16_t flags)
{
	struct grant_use *u = w->use;

	u->user = w->user;
	u->part = false;
	u->bytes = (struct grant_bytes){.start = 0, .length = GUEST_PAGE_SIZE};
	if (w->version == 1) {
		u->at = gfn(__atomic_load_n(&grant_v1(w->g, w->ref)->frame, __ATOMIC_RELAXED));
		return;
	}
	u->at = gfn(__atomic_load_n(&grant_v2(w->g, w->ref)->full_page.frame, __ATOMIC_RELAXED));
	if (flags & GTF_sub_page) {
		const union grant_entry_v2 *e = grant_v2(w->g, w->ref);

		u->part = true;
		u->bytes.start = __atomic_load_n(&e->sub_page.page_off, __ATOMIC_RELAXED);
		u->bytes.length = __atomic_load_n(&e->sub_page.length, __ATOMIC_RELAXED);
	}
}
_Static_assert(offsetof(union grant_entry_v2, full_page.frame) ==
		       offsetof(union grant_entry_v2, sub_page.frame),
	       "the frame is at the same place in both");

/* Set the flags if they are not set yet. */
static ALWAYS_INLINE bool mark(const struct wish *w)
{
	bool ok;
	uint16_t flags;

	if (!w->first && (!w->write || w->use->writers))
		return true;
	ok = w->version == 1 ? mark_v1(w, &flags) : mark_v2(w, &flags);
	if (!ok && w->version == 2)
		unmark(w->g, w->version, w->ref, w->use, w->write);
	if (ok && w->first)
		read_entry(w, flags);
	return ok;
}

static ALWAYS_INLINE int acquire(const struct wish *w)
{
	struct grant_use *u = w->use;
	uint8_t *count = w->write ? &u->writers : &u->readers;

	if (!w->first && (u->user != w->user || *count == GRANT_USES_MAX || (w->map && u->part)))
		return GNTST_general_error;
	if (!mark(w))
		return GNTST_general_error;
	++*count;
	return GNTST_okay;
}

static ALWAYS_INLINE void fill_in(const struct wish *w, struct grant_hold *hold)
{
	hold->ref = w->ref;
	hold->write = w->write;
	hold->epoch = w->g->epoch;
	hold->at = w->use->at;
	hold->bytes = w->use->bytes;
}

/* Any entry; *w says who wants what. */
static ALWAYS_INLINE int acquire_locked(struct wish *w, unsigned entries, grant_ref_t ref,
					struct grant_hold *hold)
{
	int rc;

	if (ref >= entries)
		return GNTST_bad_gntref;
	w->ref = ref;
	w->use = grant_use_of(w->g, ref);
	w->first = !in_use(w->use);
	rc = acquire(w);
	if (rc == GNTST_okay)
		fill_in(w, hold);
	return rc;
}

static ALWAYS_INLINE void release_locked(const struct grant_table *g, unsigned version,
					 const struct grant_hold *hold)
{
	struct grant_use *u;

	if (hold->epoch != g->epoch)
		return;
	u = grant_use_of(g, hold->ref);
	--*(hold->write ? &u->writers : &u->readers);
	unmark(g, version, hold->ref, u, hold->write);
}

int grant_acquire(struct domain *d, grant_ref_t ref, domid_t user, bool write, bool map,
		  struct grant_hold *hold)
{
	struct grant_table *g = &d->grants;
	struct wish w = {.g = g, .user = user, .write = write, .map = map};
	int rc;

	short_lock(&g->lock);
	w.version = g->version;
	rc = acquire_locked(&w, grant_entries(g), ref, hold);
	short_unlock(&g->lock);
	return rc;
}

void grant_release(struct domain *d, const struct grant_hold *hold)
{
	short_lock(&d->grants.lock);
	release_locked(&d->grants, d->grants.version, hold);
	short_unlock(&d->grants.lock);
}

static ALWAYS_INLINE unsigned acquire_all(struct wish w, const grant_ref_t *refs, unsigned n,
					  struct grant_mapping *m, int *why)
{
	unsigned entries = grant_entries(w.g);

	for (unsigned i = 0; i < n; i++) {
		int rc = acquire_locked(&w, entries, refs[i], &m[i].hold);

		if (rc != GNTST_okay) {
			*why = rc;
			return i;
		}
	}
	return n;
}

/* Each with a loop of its own, in which what does not change is not asked for again. */
static unsigned acquire_all_v1(struct wish w, const grant_ref_t *refs, unsigned n,
			       struct grant_mapping *m, int *why)
{
	w.version = 1;
	return acquire_all(w, refs, n, m, why);
}

static unsigned acquire_all_v2(struct wish w, const grant_ref_t *refs, unsigned n,
			       struct grant_mapping *m, int *why)
{
	w.version = 2;
	return acquire_all(w, refs, n, m, why);
}

unsigned grant_acquire_all(struct domain *d, const grant_ref_t *refs, unsigned n, domid_t user,
			   bool write, struct grant_mapping *m, int *why)
{
	struct grant_table *g = &d->grants;
	const struct wish w = {.g = g, .user = user, .write = write, .map = true};
	unsigned got;

	short_lock(&g->lock);
	got = g->version == 1 ? acquire_all_v1(w, refs, n, m, why)
			      : acquire_all_v2(w, refs, n, m, why);
	short_unlock(&g->lock);
	return got;
}

static ALWAYS_INLINE void release_all(const struct grant_table *g, unsigned version,
				      struct grant_mapping *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (m[i].hva)
			release_locked(g, version, &m[i].hold);
		m[i].hva = NULL;
	}
}

void grant_release_all(struct domain *d, struct grant_mapping *m, unsigned n)
{
	const struct grant_table *g = &d->grants;

	short_lock(&d->grants.lock);
	if (g->version == 1)
		release_all(g, 1, m, n);
	else
		release_all(g, 2, m, n);
	short_unlock(&d->grants.lock);
}
