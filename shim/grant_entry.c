// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_entry.h"

#include "shim/domain.h"

/* flags and domid of an entry in one word, as both versions have them. */
union header {
	uint32_t word;
	struct grant_entry_header h;
};
_Static_assert(sizeof(union header) == 4 && offsetof(struct grant_entry_v1, domid) == 2 &&
		       offsetof(struct grant_entry_header, domid) == 2,
	       "flags and domid are one word in both versions");

#define IN_USE (GTF_reading | GTF_writing)

/* A guest may rightly change an entry that we look at, but not again and again. */
#define TRIES 5

/* Who wants what. */
struct wish {
	const struct grant_table *g;
	grant_ref_t ref;
	domid_t user;
	bool write, map;
	struct grant_use *use;
};

struct grant_use *grant_use_of(const struct grant_table *g, grant_ref_t ref)
{
	return &g->uses[ref / GRANTS_PER_FRAME_V1][ref % GRANTS_PER_FRAME_V1];
}

static bool in_use(const struct grant_use *u)
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

static uint32_t *header_word(const struct wish *w)
{
	return w->g->version == 1 ? (uint32_t *)grant_v1(w->g, w->ref)
				  : (uint32_t *)grant_v2(w->g, w->ref);
}

/* Where GTF_reading and GTF_writing are. */
static uint16_t *status_word(const struct grant_table *g, grant_ref_t ref)
{
	return g->version == 1 ? &grant_v1(g, ref)->flags : &g->statuses[ref];
}

static void clear_status(const struct grant_table *g, grant_ref_t ref, uint16_t flags)
{
	__atomic_fetch_and(status_word(g, ref), (uint16_t)~flags, __ATOMIC_SEQ_CST);
}

/* While it is in use what the guest has written since does not count, but read-only does. */
static bool allows(const struct wish *w, struct grant_entry_header h)
{
	uint16_t mask = GTF_type_mask;

	/* In version 1 too: the bit is the same there. */
	if (w->map)
		mask |= GTF_sub_page;
	if (!in_use(w->use) && ((h.flags & mask) != GTF_permit_access || h.domid != w->user))
		return false;
	return !w->write || !(h.flags & GTF_readonly);
}

static uint16_t flags_of(const struct wish *w)
{
	return w->write ? IN_USE : GTF_reading;
}

static bool mark_v1(const struct wish *w, uint16_t *flags)
{
	uint32_t *word = header_word(w);
	union header now = {.word = __atomic_load_n(word, __ATOMIC_ACQUIRE)}, new;

	for (int i = 0; i < TRIES; i++) {
		if (!allows(w, now.h))
			return false;
		new = now;
		new.h.flags |= flags_of(w);
		*flags = now.h.flags;
		if (__atomic_compare_exchange_n(word, &now.word, new.word, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

static bool mark_v2(const struct wish *w, uint16_t *flags)
{
	uint32_t *word = header_word(w);
	union header now = {.word = __atomic_load_n(word, __ATOMIC_ACQUIRE)};
	uint16_t *status = &w->g->statuses[w->ref];

	if (!allows(w, now.h))
		return false;
	__atomic_fetch_or(status, flags_of(w), __ATOMIC_SEQ_CST);
	now.word = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	*flags = now.h.flags;
	return allows(w, now.h);
}

/* One that writes (or reads) has gone, or has not come: its flags, if no other has them. */
static void unmark(const struct grant_table *g, grant_ref_t ref, const struct grant_use *u,
		   bool write)
{
	uint16_t flags = in_use(u) ? 0 : GTF_reading;

	if (write && !u->writers)
		flags |= GTF_writing;
	if (flags)
		clear_status(g, ref, flags);
}

/* What the entry grants, from its frame on. */
static void read_entry(const struct wish *w, uint16_t flags)
{
	struct grant_use *u = w->use;

	u->user = w->user;
	u->part = false;
	u->start = 0;
	u->length = GUEST_PAGE_SIZE;
	if (w->g->version == 1) {
		u->at = gfn(__atomic_load_n(&grant_v1(w->g, w->ref)->frame, __ATOMIC_RELAXED));
		return;
	}
	u->at = gfn(__atomic_load_n(&grant_v2(w->g, w->ref)->full_page.frame, __ATOMIC_RELAXED));
	if (flags & GTF_sub_page) {
		const union grant_entry_v2 *e = grant_v2(w->g, w->ref);

		u->part = true;
		u->start = __atomic_load_n(&e->sub_page.page_off, __ATOMIC_RELAXED);
		u->length = __atomic_load_n(&e->sub_page.length, __ATOMIC_RELAXED);
	}
}
_Static_assert(offsetof(union grant_entry_v2, full_page.frame) ==
		       offsetof(union grant_entry_v2, sub_page.frame),
	       "the frame is at the same place in both");

/* Set the flags if they are not set yet. */
static bool mark(const struct wish *w)
{
	bool ok;
	uint16_t flags;

	if (in_use(w->use) && (!w->write || w->use->writers))
		return true;
	ok = w->g->version == 1 ? mark_v1(w, &flags) : mark_v2(w, &flags);
	if (!ok && w->g->version == 2)
		unmark(w->g, w->ref, w->use, w->write);
	if (ok && !in_use(w->use))
		read_entry(w, flags);
	return ok;
}

static int acquire(const struct wish *w)
{
	struct grant_use *u = w->use;
	uint8_t *count = w->write ? &u->writers : &u->readers;

	if (in_use(u) && (u->user != w->user || *count == GRANT_USES_MAX || (w->map && u->part)))
		return GNTST_general_error;
	if (!mark(w))
		return GNTST_general_error;
	++*count;
	return GNTST_okay;
}

static void fill_in(const struct wish *w, struct grant_hold *hold)
{
	hold->ref = w->ref;
	hold->write = w->write;
	hold->epoch = w->g->epoch;
	hold->at = w->use->at;
	hold->start = w->use->start;
	hold->length = w->use->length;
}

int grant_acquire_locked(struct grant_table *g, grant_ref_t ref, domid_t user, bool write, bool map,
			 struct grant_hold *hold)
{
	struct wish w = {.g = g, .ref = ref, .user = user, .write = write, .map = map};
	int rc;

	if (ref >= grant_entries(g))
		return GNTST_bad_gntref;
	w.use = grant_use_of(g, ref);
	rc = acquire(&w);
	if (rc == GNTST_okay)
		fill_in(&w, hold);
	return rc;
}

void grant_release_locked(struct grant_table *g, const struct grant_hold *hold)
{
	struct grant_use *u;

	if (hold->epoch != g->epoch)
		return;
	u = grant_use_of(g, hold->ref);
	--*(hold->write ? &u->writers : &u->readers);
	unmark(g, hold->ref, u, hold->write);
}

int grant_acquire(struct domain *d, grant_ref_t ref, domid_t user, bool write, bool map,
		  struct grant_hold *hold)
{
	int rc;

	short_lock(&d->grants.lock);
	rc = grant_acquire_locked(&d->grants, ref, user, write, map, hold);
	short_unlock(&d->grants.lock);
	return rc;
}

void grant_release(struct domain *d, const struct grant_hold *hold)
{
	short_lock(&d->grants.lock);
	grant_release_locked(&d->grants, hold);
	short_unlock(&d->grants.lock);
}
