// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/overlay.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/internal.h"

/* One frame that shows a page of the hypervisor's. */
struct overlay_record {
	struct gfn at;
	unsigned page;
	void *aside;  /* the platform's: the RAM below */
	uint8_t *own; /* without RAM: the mapping of the page, in the slot `id` */
	uint32_t id;
	bool lent; /* the RAM's own contents are in the page */
};

/* There are a few: shared_info, and as many grant frames as a guest has asked for. */
struct overlays {
	unsigned count, room;
	struct overlay_record record[];
};

void overlays_free(struct overlays *o)
{
	free(o);
}

static struct overlay_record *find(const struct memslots *slots, struct gfn at)
{
	struct overlays *o = slots->overlays;

	for (unsigned i = 0; o && i < o->count; i++)
		if (o->record[i].at.v == at.v)
			return &o->record[i];
	return NULL;
}

bool overlays_within(const struct memslots *slots, struct gfn base, uint64_t npages)
{
	const struct overlays *o = slots->overlays;

	for (unsigned i = 0; o && i < o->count; i++)
		if (o->record[i].at.v - base.v < npages)
			return true;
	return false;
}

/* Room for one more record, so that writing it down cannot fail. */
static int make_room(struct memslots *slots)
{
	struct overlays *o = slots->overlays, *grown;
	unsigned room = o ? o->room * 2 : 8;

	if (o && o->count < o->room)
		return 0;
	grown = realloc(o, sizeof(*o) + room * sizeof(o->record[0]));
	if (!grown)
		return -ENOMEM;
	if (!o)
		grown->count = 0;
	grown->room = room;
	slots->overlays = grown;
	return 0;
}

static void write_down(struct memslots *slots, struct overlay_record record)
{
	slots->overlays->record[slots->overlays->count++] = record;
}

static void strike_out(struct memslots *slots, struct overlay_record *r)
{
	*r = slots->overlays->record[--slots->overlays->count];
}

static bool find_ram(const struct memslots *slots, struct gfn at, struct memslot_hint *out)
{
	*out = (struct memslot_hint){0};
	return memslots_find(memslots_own_set(slots), out, gfn_to_gpa(at));
}

/* What the guest sees at a frame is another page now. */
static void tell_changed(struct memslots *slots, const struct memslot_hint *ram, struct gfn at)
{
	uint64_t page = at.v - (ram->start >> GUEST_PAGE_SHIFT);

	if (ram->slot->dirty)
		dirty_log_mark(ram->slot->dirty, page, page);
	trackers_flush(slots, at, 1);
}

static uint8_t *page_of(const struct memslot_hint *ram, struct gfn at)
{
	return ram->hva + (gfn_to_gpa(at).v - ram->start);
}

typedef int cover_fn(void *host, uint8_t *hva, unsigned page, void **aside);

/* Show a page over memory that is mapped already; *aside as the platform's `cover` has it. */
static int cover(struct memslots *slots, cover_fn *fn, unsigned page, struct gfn at,
		 const struct memslot_hint *ram, void **aside)
{
	uint8_t *hva = page_of(ram, at);
	int rc = memslots_remap_begin_locked(slots, hva, GUEST_PAGE_SIZE);

	if (rc)
		return rc;
	rc = fn(slots->host, hva, page, aside);
	memslots_remap_end_locked(slots, !rc);
	if (!rc)
		tell_changed(slots, ram, at);
	return rc;
}

/*
 * Two frames may be the same page of the host's. What is kept aside for the one that is covered
 * second would be the other's overlay.
 */
static bool is_covered(const struct memslots *slots, const uint8_t *hva)
{
	const struct overlays *o = slots->overlays;
	struct memslot_hint ram;

	for (unsigned i = 0; i < o->count; i++)
		if (!o->record[i].own && find_ram(slots, o->record[i].at, &ram) &&
		    page_of(&ram, o->record[i].at) == hva)
			return true;
	return false;
}

/* Show the record's page at its frame, or lend it what is there. */
static int show_over_ram(struct memslots *slots, struct overlay_record record,
			 const struct memslot_hint *ram)
{
	cover_fn *fn = record.lent ? slots->ops->lend : slots->ops->cover;
	int rc;

	if (is_covered(slots, page_of(ram, record.at)))
		return -EBUSY;
	rc = cover(slots, fn, record.page, record.at, ram, &record.aside);
	if (!rc)
		write_down(slots, record);
	return rc;
}

static int show_in_own_slot(struct memslots *slots, struct overlay_record record, uint32_t flags)
{
	struct memslot_request request;
	int id = memslots_free_id(slots), rc;

	if (id < 0)
		return -ENOMEM;
	record.own = slots->ops->page_map(slots->host, record.page);
	if (!record.own)
		return -ENOMEM;
	record.id = id;
	request = (struct memslot_request){
		.slot = id,
		.flags = flags,
		.gpa = gfn_to_gpa(record.at).v,
		.size = GUEST_PAGE_SIZE,
		.hva = (uintptr_t)record.own,
	};
	rc = memslots_set_slot_locked(slots, &request, true);
	if (rc)
		slots->ops->page_unmap(slots->host, record.own);
	else
		write_down(slots, record);
	return rc;
}

/* Another page where there is an overlay already. */
static int change_page(struct memslots *slots, struct overlay_record *r, unsigned page,
		       const struct memslot_hint *ram)
{
	void *own = r->own; /* no RAM below it to be kept aside: anything but NULL */
	int rc;

	if (r->page == page)
		return 0;
	rc = cover(slots, slots->ops->cover, page, r->at, ram, own ? &own : &r->aside);
	if (!rc)
		r->page = page;
	return rc;
}

static int show(struct memslots *slots, unsigned page, struct gfn at, uint32_t flags)
{
	const struct overlay_record new = {.at = at, .page = page};
	struct overlay_record *r = find(slots, at);
	struct memslot_hint ram;
	bool has_ram;
	int rc;

	if (at.v >= slots->max_gfn)
		return -EINVAL;
	has_ram = find_ram(slots, at, &ram);
	if (r)
		return change_page(slots, r, page, &ram);
	rc = make_room(slots);
	if (rc)
		return rc;
	return has_ram ? show_over_ram(slots, new, &ram) : show_in_own_slot(slots, new, flags);
}

static int remove_own_slot(struct memslots *slots, const struct overlay_record *r)
{
	const struct memslot_request request = {.slot = r->id, .hva = (uintptr_t)r->own};
	int rc = memslots_set_slot_locked(slots, &request, true);

	if (!rc)
		slots->ops->page_unmap(slots->host, r->own);
	return rc;
}

static int uncover(struct memslots *slots, const struct overlay_record *r)
{
	struct memslot_hint ram;
	uint8_t *hva;
	int rc;

	if (!find_ram(slots, r->at, &ram)) /* slots under an overlay do not go */
		return -EIO;
	hva = page_of(&ram, r->at);
	rc = memslots_remap_begin_locked(slots, hva, GUEST_PAGE_SIZE);
	if (rc)
		return rc;
	rc = r->lent ? slots->ops->take_back(slots->host, hva, r->page, r->aside)
		     : slots->ops->uncover(slots->host, hva, r->aside);
	memslots_remap_end_locked(slots, !rc);
	if (!rc)
		tell_changed(slots, &ram, r->at);
	return rc;
}

static int hide(struct memslots *slots, struct overlay_record *r)
{
	int rc;

	if (!r)
		return -ENOENT;
	rc = r->own ? remove_own_slot(slots, r) : uncover(slots, r);
	if (!rc)
		strike_out(slots, r);
	return rc;
}

static int show_locking(struct memslots *slots, unsigned page, struct gfn at, uint32_t flags)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = show(slots, page, at, flags);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

int overlay_show(struct memslots *slots, unsigned page, struct gfn at)
{
	return show_locking(slots, page, at, 0);
}

int overlay_show_readonly(struct memslots *slots, unsigned page, struct gfn at)
{
	return show_locking(slots, page, at, MEMSLOT_READONLY);
}

static int lend(struct memslots *slots, unsigned page, struct gfn at)
{
	const struct overlay_record new = {.at = at, .page = page, .lent = true};
	struct memslot_hint ram;
	int rc;

	if (find(slots, at))
		return -EBUSY;
	if (at.v >= slots->max_gfn || !find_ram(slots, at, &ram) ||
	    ram.slot->flags & MEMSLOT_READONLY)
		return -ENOENT;
	rc = make_room(slots);
	return rc ? rc : show_over_ram(slots, new, &ram);
}

int overlay_lend(struct memslots *slots, unsigned page, struct gfn at)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = lend(slots, page, at);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

static struct overlay_record *find_page(const struct memslots *slots, unsigned page,
					struct gfn not_at)
{
	struct overlays *o = slots->overlays;

	for (unsigned i = 0; o && i < o->count; i++)
		if (o->record[i].page == page && o->record[i].at.v != not_at.v)
			return &o->record[i];
	return NULL;
}

/* First the new place, then the old one. */
static int move(struct memslots *slots, unsigned page, struct gfn at)
{
	const struct overlay_record *before = find(slots, at);
	bool covered = before;
	unsigned other = covered ? before->page : 0;
	struct overlay_record *old;
	int rc = show(slots, page, at, 0);

	old = find_page(slots, page, at);
	if (rc || !old)
		return rc;
	rc = hide(slots, old);
	if (!rc)
		return 0;
	if (covered)
		show(slots, other, at, 0);
	else
		hide(slots, find(slots, at));
	return rc;
}

int overlay_move(struct memslots *slots, unsigned page, struct gfn at)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = move(slots, page, at);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

int overlay_hide(struct memslots *slots, struct gfn at)
{
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = hide(slots, find(slots, at));
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

int overlay_hide_all(struct memslots *slots)
{
	int first = 0, rc;

	pthread_mutex_lock(&slots->lock);
	/* From the last: another takes the place of one that is struck out. */
	for (unsigned i = slots->overlays ? slots->overlays->count : 0; i; i--) {
		rc = hide(slots, &slots->overlays->record[i - 1]);
		if (!first)
			first = rc;
	}
	pthread_mutex_unlock(&slots->lock);
	return first;
}

bool overlay_in_range(struct memslots *slots, struct gfn base, uint64_t npages)
{
	bool any;

	pthread_mutex_lock(&slots->lock);
	any = overlays_within(slots, base, npages);
	pthread_mutex_unlock(&slots->lock);
	return any;
}

int overlay_at(struct memslots *slots, struct gfn at)
{
	const struct overlay_record *r;
	int page;

	pthread_mutex_lock(&slots->lock);
	r = find(slots, at);
	page = r ? (int)r->page : -ENOENT;
	pthread_mutex_unlock(&slots->lock);
	return page;
}

bool overlay_place(struct memslots *slots, unsigned page, struct gfn *at)
{
	const struct overlay_record *r;

	pthread_mutex_lock(&slots->lock);
	r = find_page(slots, page, gfn(UINT64_MAX));
	if (r)
		*at = r->at;
	pthread_mutex_unlock(&slots->lock);
	return r;
}
