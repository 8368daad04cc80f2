// SPDX-License-Identifier: BSD-2-Clause
/*
 * A change of one slot. Everything that can fail comes first, and builds beside what is in use: the
 * new slot, the new indexes, the trackers' consent, at last the kernel's. Then nothing can fail:
 * publish, wait for readers of the old set, tell the trackers, free.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/gmem.h"
#include "shim/memslot/internal.h"
#include "shim/memslot/levels.h"
#include "shim/memslot/overlay.h"
#include "shim/memslot/pin.h"

struct change {
	struct memslots *slots;
	const struct memslot_request *request;
	enum memslot_change kind;
	struct memslot *old; /* NULL for CREATE */
	struct memslot *new; /* NULL for DELETE */
	struct memslot_set *set;
	struct range_index_edit by_gpa, by_hva;
	bool bound; /* `new` to its gmem */
};

static struct memslot_ids *ids_of(const struct change *c)
{
	return &c->slots->ids[memslot_as(c->request->slot)];
}

/* The dirty log is relative to the slot: it goes with it wherever it moves. */
static int take_dirty_log(struct change *c)
{
	bool all_set = c->slots->features & MEMSLOTS_INITIALLY_ALL_SET;

	if (!(c->new->flags &MEMSLOT_LOG_DIRTY))
		c->new->dirty = NULL;
	else if (!c->new->dirty)
		c->new->dirty = dirty_log_create(c->new->npages, all_set);
	else
		return 0;
	return c->new->dirty || !(c->new->flags &MEMSLOT_LOG_DIRTY) ? 0 : -ENOMEM;
}

/* So do the counts of watched pages, */
static int take_write_track(struct change *c)
{
	if (c->kind != MEMSLOT_CREATE || !c->slots->tracking)
		return 0;
	c->new->write_track = calloc(c->new->npages, sizeof(c->new->write_track[0]));
	return c->new->write_track ? 0 : -ENOMEM;
}

/* but not what depends on the alignment of the slot's base. */
static int take_levels(struct change *c)
{
	if (c->kind == MEMSLOT_FLAGS_ONLY)
		return 0;
	c->new->levels = NULL;
	return memslot_levels_create(c->new) ? 0 : -ENOMEM;
}

/* Pins are of memory, which stays what it is. */
static int take_pins(struct change *c)
{
	if (c->kind == MEMSLOT_CREATE)
		c->new->pins = memslot_pins_create();
	return c->new->pins ? 0 : -ENOMEM;
}

static int make_slot(struct change *c)
{
	const struct memslot_request *r = c->request;
	int rc;

	if (c->kind == MEMSLOT_DELETE)
		return 0;
	c->new = calloc(1, sizeof(*c->new));
	if (!c->new)
		return -ENOMEM;
	if (c->old)
		*c->new = *c->old;
	c->new->id = r->slot;
	c->new->flags = r->flags;
	c->new->start = gpa(r->gpa);
	c->new->npages = r->size >> GUEST_PAGE_SHIFT;
	c->new->hva = (uint8_t *)(uintptr_t)r->hva;
	if (r->flags & MEMSLOT_PRIVATE) {
		c->new->gmem = r->gmem;
		c->new->gmem_offset = r->gmem_offset;
	}
	rc = take_dirty_log(c);
	if (!rc)
		rc = take_write_track(c);
	if (!rc)
		rc = take_pins(c);
	return rc ? rc : take_levels(c);
}

static int replace_in(struct range_index_edit *e, const struct memslot *old, uint64_t old_start,
		      const struct memslot *new, uint64_t start, uint64_t to)
{
	int rc = old ? range_index_remove(e, old_start, old) : 0;
	struct range r;

	if (rc || !new)
		return rc;
	r = (struct range){start, start + (new->npages << GUEST_PAGE_SHIFT), to, new};
	return range_index_add(e, &r);
}

static int make_indexes(struct change *c)
{
	const struct memslot *old = c->old, *new = c->new;
	uint64_t old_gpa = old ? old->start.v : 0, old_hva = old ? (uintptr_t)old->hva : 0;
	uint64_t new_gpa = new ? new->start.v : 0, new_hva = new ? (uintptr_t) new->hva : 0;
	int rc = replace_in(&c->by_gpa, old, old_gpa, new, new_gpa, new_hva);

	return rc ? rc : replace_in(&c->by_hva, old, old_hva, new, new_hva, new_gpa);
}

/* Room in the books for the number. That it stays when the change is given up, nobody can see. */
static int make_room(struct change *c)
{
	struct memslot_ids *ids = ids_of(c);
	unsigned number = memslot_number(c->request->slot), room = ids->room ? ids->room * 2 : 16;
	struct memslot **grown;

	if (number < ids->room)
		return 0;
	if (room <= number)
		room = number + 1;
	grown = realloc(ids->slot, room * sizeof(struct memslot *));
	if (!grown)
		return -ENOMEM;
	memset(grown + ids->room, 0, (room - ids->room) * sizeof(struct memslot *));
	ids->slot = grown;
	ids->room = room;
	return 0;
}

static int make_set(struct change *c)
{
	unsigned as = memslot_as(c->request->slot);

	c->set = memslots_copy_set(c->slots);
	if (!c->set)
		return -ENOMEM;
	c->set->generation = memslots_generation_after(c->slots->last_generation);
	c->set->by_gpa[as] = range_index_edit_result(&c->by_gpa);
	c->set->by_hva = range_index_edit_result(&c->by_hva);
	return 0;
}

static int bind_private(struct change *c)
{
	int rc;

	if (c->kind != MEMSLOT_CREATE || !(c->new->flags &MEMSLOT_PRIVATE))
		return 0;
	rc = gmem_bind(c->slots, c->new);
	c->bound = !rc;
	return rc;
}

static int check_max_gfn(const struct change *c)
{
	return c->new &&gpa_to_gfn(c->new->start).v + c->new->npages > c->slots->max_gfn ? -EINVAL
											 : 0;
}

static int prepare(struct change *c)
{
	int rc = make_slot(c);

	if (!rc)
		rc = make_indexes(c);
	if (!rc)
		rc = make_room(c);
	if (!rc)
		rc = make_set(c);
	if (!rc)
		rc = bind_private(c);
	if (!rc)
		rc = check_max_gfn(c);
	return rc ? rc : trackers_veto(c->slots, c->kind, c->old, c->new);
}

static void give_up(struct change *c)
{
	if (c->bound)
		gmem_unbind(c->new);
	range_index_edit_abort(&c->by_gpa);
	range_index_edit_abort(&c->by_hva);
	memslot_free(c->new, c->old);
	free(c->set);
}

static void keep_books(struct change *c)
{
	struct memslot_ids *ids = ids_of(c);

	ids->slot[memslot_number(c->request->slot)] = c->new;
	if (c->old) {
		ids->npages -= c->old->npages;
		c->slots->logged -= c->old->dirty != NULL;
	}
	if (c->new) {
		ids->npages += c->new->npages;
		c->slots->logged += c->new->dirty != NULL;
	}
	c->slots->last_generation = c->set->generation;
	c->set->watched = memslots_watched(c->slots, c->set->trackers);
}

static void commit(struct change *c)
{
	struct memslot_set *old_set;

	keep_books(c);
	old_set = memslots_publish(c->slots, c->set);
	memslots_end_change(c->slots);
	rcu_synchronize();
	if (c->kind == MEMSLOT_MOVE)
		memslot_pins_open(c->new);
	trackers_tell(c->slots, c->kind, c->old, c->new);
	range_index_edit_commit(&c->by_gpa);
	range_index_edit_commit(&c->by_hva);
	if (c->kind == MEMSLOT_DELETE && c->old->gmem)
		gmem_unbind(c->old);
	memslot_free(c->old, c->new);
	free(old_set);
}

static bool takes_away(const struct change *c)
{
	return c->kind == MEMSLOT_MOVE || c->kind == MEMSLOT_DELETE;
}

static bool is_covered(const struct change *c)
{
	return takes_away(c) && memslot_as(c->old->id) == 0 &&
	       overlays_within(c->slots, gpa_to_gfn(c->old->start), c->old->npages);
}

/* The last that can fail. */
static int change_kernels(struct change *c)
{
	int rc;

	if (takes_away(c) && !memslot_pins_close(c->old, 0, c->old->npages))
		return -EBUSY;
	rc = c->slots->ops->set_slot(c->slots->host, c->old, c->new);
	if (rc && takes_away(c))
		memslot_pins_open(c->old);
	return rc;
}

static void begin_edits(struct change *c)
{
	const struct memslot_set *set = memslots_own_set(c->slots);

	range_index_edit_begin(&c->by_gpa, set->by_gpa[memslot_as(c->request->slot)]);
	range_index_edit_begin(&c->by_hva, set->by_hva);
}

int memslots_set_slot_locked(struct memslots *slots, const struct memslot_request *r,
			     bool by_overlay)
{
	struct change c = {.slots = slots, .request = r};
	const struct memslot *old;
	int rc = memslot_check(slots, r, &c.kind, &old);

	if (rc)
		return rc == MEMSLOT_NOTHING_TO_DO ? 0 : rc;
	if (old)
		c.old = ids_of(&c)->slot[memslot_number(r->slot)];
	if (!by_overlay && is_covered(&c))
		return -EBUSY;
	begin_edits(&c);
	rc = prepare(&c);
	if (rc) {
		give_up(&c);
		return rc;
	}
	memslots_begin_change(slots);
	rc = change_kernels(&c);
	if (rc) {
		memslots_end_change(slots);
		give_up(&c);
		return rc;
	}
	commit(&c);
	return 0;
}

int memslots_set_slot(struct memslots *slots, const struct memslot_request *request)
{
	int rc;

	if (!request)
		return -EFAULT;
	pthread_mutex_lock(&slots->lock);
	rc = memslots_set_slot_locked(slots, request, false);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}
