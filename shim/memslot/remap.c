// SPDX-License-Identifier: BSD-2-Clause
/*
 * The owner of host memory changes what is mapped there. For that moment the slots that use it are
 * taken out of the indexes, and readers have left: who looks for them finds nothing, sees that a
 * change is under way, and waits. Afterwards the same slots are there again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/internal.h"
#include "shim/memslot/pin.h"

struct memslot_remap {
	struct memslot_set *before; /* not published meanwhile */
	struct memslot_set
		*after; /* the same of another generation; made now, as end cannot fail */
	struct range_index_edit by_gpa[MEMSLOT_ADDRESS_SPACES], by_hva;
	uint64_t start, end; /* host addresses */
	int rc;
};

static bool take_out(const struct range *r, void *opaque)
{
	struct memslot_remap *m = opaque;

	m->rc = range_index_remove(&m->by_gpa[memslot_as(r->slot->id)], r->to, r->slot);
	if (!m->rc)
		m->rc = range_index_remove(&m->by_hva, r->start, r->slot);
	return m->rc;
}

/* True if one of the pages is pinned: which ends the visit. */
static bool close_pins(const struct range *r, void *opaque)
{
	const struct memslot_remap *m = opaque;
	uint64_t from = m->start > r->start ? m->start - r->start : 0;
	uint64_t to = (m->end < r->end ? m->end : r->end) - r->start;
	uint64_t first = from >> GUEST_PAGE_SHIFT;

	return !memslot_pins_close(r->slot, first, ((to - 1) >> GUEST_PAGE_SHIFT) - first + 1);
}

static bool open_pins(const struct range *r, void *opaque)
{
	(void)opaque;
	memslot_pins_open(r->slot);
	return false;
}

static void open_all_pins(const struct memslot_set *set, uint64_t start, uint64_t end)
{
	range_index_visit(set->by_hva, start, end, open_pins, NULL);
}

static void begin_edits(struct memslot_remap *m)
{
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		range_index_edit_begin(&m->by_gpa[as], m->before->by_gpa[as]);
	range_index_edit_begin(&m->by_hva, m->before->by_hva);
}

/* Free the set without the slots, that is not published (any more). */
static void discard(struct memslot_remap *m, struct memslot_set *without)
{
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		range_index_edit_abort(&m->by_gpa[as]);
	range_index_edit_abort(&m->by_hva);
	free(without);
	free(m);
}

static int prepare(struct memslots *slots, struct memslot_remap *m, struct memslot_set *without,
		   uint64_t start, uint64_t end)
{
	m->after = memslots_copy_set(slots);
	if (!m->after)
		return -ENOMEM;
	range_index_visit(m->before->by_hva, start, end, take_out, m);
	if (m->rc)
		return m->rc;
	without->generation = memslots_generation_after(slots->last_generation);
	m->after->generation = memslots_generation_after(without->generation);
	without->whole = m->before;
	without->gone = start;
	without->gone_end = end;
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		without->by_gpa[as] = range_index_edit_result(&m->by_gpa[as]);
	without->by_hva = range_index_edit_result(&m->by_hva);
	return 0;
}

/* The change is under way when pins are closed: who finds them so waits for it. */
static int begin_without_pins(struct memslots *slots, struct memslot_remap *m)
{
	memslots_begin_change(slots);
	if (!range_index_visit(m->before->by_hva, m->start, m->end, close_pins, m))
		return 0;
	open_all_pins(m->before, m->start, m->end);
	memslots_end_change(slots);
	return -EBUSY;
}

int memslots_remap_begin_locked(struct memslots *slots, const void *hva, uint64_t len)
{
	struct memslot_remap *m = calloc(1, sizeof(*m));
	struct memslot_set *without = memslots_copy_set(slots);
	int rc;

	if (!m || !without) {
		free(m);
		free(without);
		return -ENOMEM;
	}
	m->before = memslots_own_set(slots);
	m->start = (uintptr_t)hva;
	m->end = m->start + len;
	begin_edits(m);
	rc = prepare(slots, m, without, m->start, m->end);
	if (!rc)
		rc = begin_without_pins(slots, m);
	if (rc) {
		free(m->after);
		discard(m, without);
		return rc;
	}
	/* Both, used or not: caches may have seen the first of them. */
	slots->last_generation = m->after->generation;
	slots->remap = m;
	memslots_publish(slots, without);
	rcu_synchronize();
	return 0;
}

void memslots_remap_end_locked(struct memslots *slots, bool changed)
{
	struct memslot_remap *m = slots->remap;
	struct memslot_set *without = memslots_publish(slots, changed ? m->after : m->before);

	slots->remap = NULL;
	memslots_end_change(slots);
	rcu_synchronize();
	open_all_pins(slots->set, m->start, m->end);
	free(changed ? m->before : m->after);
	discard(m, without);
}

int memslots_remap_begin(struct memslots *slots, const void *hva, uint64_t len)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = memslots_remap_begin_locked(slots, hva, len);
	if (rc)
		pthread_mutex_unlock(&slots->lock);
	return rc;
}

void memslots_remap_end(struct memslots *slots, bool changed)
{
	memslots_remap_end_locked(slots, changed);
	pthread_mutex_unlock(&slots->lock);
}
