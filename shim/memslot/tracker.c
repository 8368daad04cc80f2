// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/internal.h"
#include "shim/memslot/levels.h"

/*
 * Who is registered. The list is part of the published set, so writers read it as they read slots.
 */

static unsigned count(struct tracker *const *list)
{
	unsigned n = 0;

	while (list && list[n])
		n++;
	return n;
}

static bool is_in(struct tracker *const *list, const struct tracker *t)
{
	for (; list && *list; list++)
		if (*list == t)
			return true;
	return false;
}

/* Publish the current slots with another list, which they own from then on. 0 or -ENOMEM. */
static int publish_list(struct memslots *slots, struct tracker *const *list)
{
	struct memslot_set *set = memslots_copy_set(slots), *old;

	if (!set)
		return -ENOMEM;
	set->trackers = list;
	set->watched = memslots_watched(slots, list);
	old = memslots_publish(slots, set);
	rcu_synchronize();
	free((void *)(uintptr_t)old->trackers);
	free(old);
	return 0;
}

/*
 * Counts for each page of each slot: made for all of them, or for none.
 */

static bool make_counts(struct memslot *s, void *opaque)
{
	(void)opaque;
	s->write_track = calloc(s->npages, sizeof(s->write_track[0]));
	return !s->write_track;
}

static bool free_counts(struct memslot *s, void *opaque)
{
	(void)opaque;
	free(s->write_track);
	s->write_track = NULL;
	return false;
}

static int start_tracking(struct memslots *slots)
{
	if (slots->tracking)
		return 0;
	/* Nobody looks at them before a tracker is published. */
	if (memslots_each(slots, make_counts, NULL)) {
		memslots_each(slots, free_counts, NULL);
		return -ENOMEM;
	}
	return 0;
}

static int add(struct memslots *slots, struct tracker *t)
{
	struct tracker *const *old = memslots_own_set(slots)->trackers;
	unsigned n = count(old);
	struct tracker **list;
	int rc;

	if (is_in(old, t))
		return -EEXIST;
	list = calloc(n + 2, sizeof(struct tracker *));
	if (!list)
		return -ENOMEM;
	if (n)
		memcpy(list, old, n * sizeof(struct tracker *));
	list[n] = t;
	rc = start_tracking(slots);
	if (!rc)
		rc = publish_list(slots, list);
	if (rc) {
		if (!slots->tracking)
			memslots_each(slots, free_counts, NULL);
		free(list);
		return rc;
	}
	slots->tracking = true;
	return 0;
}

static int drop(struct memslots *slots, const struct tracker *t)
{
	struct tracker *const *old = memslots_own_set(slots)->trackers;
	unsigned n = count(old), kept = 0;
	struct tracker **list = NULL;
	int rc;

	if (!is_in(old, t))
		return -ENOENT;
	if (n > 1) {
		list = calloc(n, sizeof(struct tracker *));
		if (!list)
			return -ENOMEM;
		for (unsigned i = 0; i < n; i++)
			if (old[i] != t)
				list[kept++] = old[i];
	}
	rc = publish_list(slots, list);
	if (rc)
		free(list);
	return rc;
}

int tracker_register(struct memslots *slots, struct tracker *t)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = add(slots, t);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

int tracker_unregister(struct memslots *slots, struct tracker *t)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = drop(slots, t);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

/*
 * Watched pages.
 */

/* The slot of address space 0 that holds the page, and the page's count in it; NULL: none. */
static uint16_t *count_of(const struct memslot_set *set, struct gfn page,
			  const struct memslot **slot)
{
	struct memslot_hint hint = {0};

	if (page.v > UINT64_MAX >> GUEST_PAGE_SHIFT || !memslots_find(set, &hint, gfn_to_gpa(page)))
		return NULL;
	*slot = hint.slot;
	if (!hint.slot->write_track)
		return NULL;
	return &hint.slot->write_track[page.v - gpa_to_gfn(hint.slot->start).v];
}

static int change_count(struct memslots *slots, struct gfn page, int by, unsigned limit)
{
	const struct memslot_set *set = memslots_own_set(slots);
	const struct memslot *slot;
	uint16_t *n = set->trackers ? count_of(set, page, &slot) : NULL;
	bool turns;

	if (!n)
		return -EINVAL;
	if (*n == limit)
		return -ERANGE;
	/* The first watcher forbids large pages around it, the last one allows them again. */
	turns = *n == (by > 0 ? 0 : 1);
	if (turns)
		memslot_levels_count(slot, page, by);
	__atomic_store_n(n, *n + by, __ATOMIC_RELEASE);
	if (turns && by > 0)
		rcu_synchronize(); /* with writers who have not seen that, and will not tell */
	return 0;
}

int tracker_watch(struct memslots *slots, struct gfn page)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = change_count(slots, page, 1, UINT16_MAX);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

int tracker_unwatch(struct memslots *slots, struct gfn page)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = change_count(slots, page, -1, 0);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

unsigned tracker_watched(struct memslots *slots, struct gfn page)
{
	const struct memslot_set *set = memslots_enter(slots);
	const struct memslot *slot;
	/* Before there is a tracker the counts may just be made. */
	const uint16_t *n = set->trackers ? count_of(set, page, &slot) : NULL;
	unsigned watched = n ? __atomic_load_n(n, __ATOMIC_ACQUIRE) : 0;

	memslots_leave();
	return watched;
}

/*
 * Telling them.
 */

int trackers_veto(const struct memslots *slots, enum memslot_change change,
		  const struct memslot *old, const struct memslot *new)
{
	struct tracker *const *t = memslots_own_set(slots)->trackers;

	for (; t && *t; t++) {
		int rc = (*t)->veto ? (*t)->veto(*t, change, old, new) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

void trackers_flush(const struct memslots *slots, struct gfn base, uint64_t npages)
{
	struct tracker *const *t = memslots_own_set(slots)->trackers;

	for (; t && *t; t++)
		if ((*t)->flush)
			(*t)->flush(*t, base, npages);
}

static void tell_removed(struct tracker *const *t, const struct memslot *old)
{
	for (; t && *t; t++)
		if ((*t)->removed)
			(*t)->removed(*t, gpa_to_gfn(old->start), old->npages);
}

static void tell_moved(struct tracker *const *t, const struct memslot *old,
		       const struct memslot *new)
{
	for (; t && *t; t++)
		if ((*t)->moved)
			(*t)->moved(*t, gpa_to_gfn(old->start), gpa_to_gfn(new->start),
				    old->npages);
}

void trackers_tell(const struct memslots *slots, enum memslot_change change,
		   const struct memslot *old, const struct memslot *new)
{
	struct tracker *const *t = memslots_own_set(slots)->trackers;

	/* Nobody has cached what was not there; other address spaces' frames they do not know. */
	if (!old || memslot_as(old->id))
		return;
	switch (change) {
	case MEMSLOT_CREATE:
		break;
	case MEMSLOT_DELETE:
		tell_removed(t, old);
		break;
	case MEMSLOT_MOVE:
		tell_moved(t, old, new);
		break;
	case MEMSLOT_FLAGS_ONLY:
		/* What is cached writable would be written without a log. */
		if (new->dirty && !old->dirty)
			trackers_flush(slots, gpa_to_gfn(new->start), new->npages);
		break;
	}
}

void trackers_written(const struct memslot_set *set, const struct memslot *slot, struct gpa addr,
		      uint64_t len)
{
	const uint16_t *counts;

	/* Before there is a tracker the counts may just be made. */
	if (!set->trackers || memslot_as(slot->id))
		return;
	counts = slot->write_track;
	if (!counts)
		return;
	while (len) {
		uint64_t room = GUEST_PAGE_SIZE - gpa_offset(addr), part = len < room ? len : room;
		uint64_t page = (addr.v - slot->start.v) >> GUEST_PAGE_SHIFT;

		if (__atomic_load_n(&counts[page], __ATOMIC_ACQUIRE))
			for (struct tracker *const *t = set->trackers; *t; t++)
				if ((*t)->written)
					(*t)->written(*t, addr, part);
		addr.v += part;
		len -= part;
	}
}
