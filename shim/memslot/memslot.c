// SPDX-License-Identifier: BSD-2-Clause
/*
 * The set of slots as readers see it. How it changes is in memslot_change.c and remap.c.
 */
#include "shim/memslot/memslot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/gmem.h"
#include "shim/memslot/internal.h"
#include "shim/memslot/levels.h"
#include "shim/memslot/pin.h"

/* The first frame that four levels of page tables under the guest's (52 bits) cannot name. */
#define MAX_GFN (1ull << (52 - GUEST_PAGE_SHIFT))

int memslots_init(struct memslots *slots, const struct memslot_ops *ops, void *host,
		  uint32_t features)
{
	struct memslot_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->generation = 1;
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		set->by_gpa[as] = &range_index_empty;
	set->by_hva = &range_index_empty;
	*slots = (struct memslots){
		.set = set,
		.ops = ops,
		.host = host,
		.features = features,
		.max_gfn = MAX_GFN,
		.last_generation = 1,
	};
	pthread_mutex_init(&slots->lock, NULL);
	return 0;
}

void memslot_free(struct memslot *s, const struct memslot *other)
{
	static const struct memslot none;

	if (!s)
		return;
	if (!other)
		other = &none;
	if (s->dirty != other->dirty)
		dirty_log_free(s->dirty);
	if (s->levels != other->levels)
		memslot_levels_free(s->levels);
	if (s->write_track != other->write_track)
		free(s->write_track);
	if (s->pins != other->pins)
		memslot_pins_free(s->pins);
	free(s);
}

static bool free_slot(struct memslot *s, void *opaque)
{
	(void)opaque;
	if (s->gmem)
		gmem_unbind(s);
	memslot_free(s, NULL);
	return false;
}

void memslots_destroy(struct memslots *slots)
{
	struct memslot_set *set = memslots_own_set(slots);

	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		range_index_free(set->by_gpa[as]);
	range_index_free(set->by_hva);
	pthread_mutex_lock(&slots->lock);
	memslots_each(slots, free_slot, NULL);
	pthread_mutex_unlock(&slots->lock);
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		free(slots->ids[as].slot);
	overlays_free(slots->overlays);
	free((void *)(uintptr_t)set->trackers);
	free(set);
	pthread_mutex_destroy(&slots->lock);
}

/*
 * The books, under the lock.
 */

const struct memslot *memslots_by_id(const struct memslots *slots, uint32_t id)
{
	const struct memslot_ids *ids;

	if (memslot_as(id) >= MEMSLOT_ADDRESS_SPACES)
		return NULL;
	ids = &slots->ids[memslot_as(id)];
	return memslot_number(id) < ids->room ? ids->slot[memslot_number(id)] : NULL;
}

int memslots_free_id(const struct memslots *slots)
{
	for (unsigned i = 0; i < MEMSLOTS_MAX; i++)
		if (!memslots_by_id(slots, i))
			return i;
	return -ENOSPC;
}

bool memslots_each(const struct memslots *slots, bool (*visit)(struct memslot *s, void *opaque),
		   void *opaque)
{
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++) {
		const struct memslot_ids *ids = &slots->ids[as];

		for (unsigned i = 0; i < ids->room; i++)
			if (ids->slot[i] && visit(ids->slot[i], opaque))
				return true;
	}
	return false;
}

struct memslot_set *memslots_copy_set(const struct memslots *slots)
{
	struct memslot_set *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *memslots_own_set(slots);
	return copy;
}

bool memslots_watched(const struct memslots *slots, struct tracker *const *trackers)
{
	return slots->logged || trackers;
}

struct memslot_set *memslots_publish(struct memslots *slots, struct memslot_set *set)
{
	struct memslot_set *old = slots->set;

	__atomic_store_n(&slots->set, set, __ATOMIC_RELEASE);
	return old;
}

/*
 * Who misses first looks at `changing` and then at the generation: so it is set before anything is
 * visible, and taken back after the new set is.
 */
void memslots_begin_change(struct memslots *slots)
{
	__atomic_store_n(&slots->changing, true, __ATOMIC_SEQ_CST);
}

void memslots_end_change(struct memslots *slots)
{
	__atomic_store_n(&slots->changing, false, __ATOMIC_SEQ_CST);
}

/*
 * Readers.
 */

uint64_t memslots_generation(const struct memslots *slots)
{
	uint64_t generation = memslots_enter(slots)->generation;

	memslots_leave();
	return generation;
}

bool memslots_retry(struct memslots *slots, uint64_t generation)
{
	if (rcu_inside()) /* the change would wait for us */
		return false;
	if (__atomic_load_n(&slots->changing, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&slots->lock);
		pthread_mutex_unlock(&slots->lock);
		return true;
	}
	return memslots_generation(slots) != generation;
}

const struct memslot_hint *memslots_search(const struct memslot_set *set, struct memslot_hint *hint,
					   struct gpa addr)
{
	struct range r;

	if (!range_index_find(set->by_gpa[0], addr.v, &r))
		return NULL;
	*hint = (struct memslot_hint){
		.generation = set->generation,
		.start = r.start,
		.size = r.end - r.start,
		.hva = (uint8_t *)(uintptr_t)r.to,
		.slot = r.slot,
	};
	return hint;
}

const struct memslot_hint *memslots_search_hva(const struct memslot_set *set,
					       struct memslot_hint *hint, const void *hva)
{
	struct range r;

	if (!range_index_find(set->by_hva, (uintptr_t)hva, &r))
		return NULL;
	*hint = (struct memslot_hint){
		/* memslots_find() may be given the same hint, and knows address space 0 only. */
		.generation = memslot_as(r.slot->id) ? 0 : set->generation,
		.start = r.to,
		.size = r.end - r.start,
		.hva = (uint8_t *)(uintptr_t)r.start,
		.slot = r.slot,
	};
	return hint;
}

/*
 * Telling of writes.
 */

struct written {
	const struct memslot_set *set;
	uint64_t start, end; /* in the index's own addresses */
};

/* Bytes [from, to) of the slot, relative to its start. */
static void tell_slot(const struct memslot_set *set, const struct memslot *slot, uint64_t from,
		      uint64_t to)
{
	if (slot->dirty)
		dirty_log_mark(slot->dirty, from >> GUEST_PAGE_SHIFT, (to - 1) >> GUEST_PAGE_SHIFT);
	trackers_written(set, slot, gpa(slot->start.v + from), to - from);
}

static bool tell_range(const struct range *r, void *opaque)
{
	const struct written *w = opaque;
	uint64_t from = w->start > r->start ? w->start : r->start;
	uint64_t to = w->end < r->end ? w->end : r->end;

	tell_slot(w->set, r->slot, from - r->start, to - r->start);
	return false;
}

void memslots_tell_written(const struct memslot_set *set, struct gpa addr, uint64_t len)
{
	struct written w = {set, addr.v, addr.v + len};

	if (len)
		range_index_visit(set->by_gpa[0], w.start, w.end, tell_range, &w);
}

void memslots_tell_written_hva(const struct memslot_set *set, const void *hva, uint64_t len)
{
	struct written w = {set, (uintptr_t)hva, (uintptr_t)hva + len};

	/* The caller has found this memory before a remapping began that waits for him. */
	if (set->whole)
		set = set->whole;
	if (len)
		range_index_visit(set->by_hva, w.start, w.end, tell_range, &w);
}
