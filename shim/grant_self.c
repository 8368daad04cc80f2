// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_self.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/domain.h"
#include "shim/grant_array.h"
#include "shim/grant_entry.h"
#include "shim/memslot/overlay.h"

#define NO_HANDLE UINT32_MAX

/* What a handle stands for. */
struct grant_track {
	bool used;
	struct grant_hold hold;
	unsigned page; /* lent, by index */
	uint32_t next; /* free one, if it is free */
};

/*
 * Handles.
 */

static struct grant_track *track_of(const struct grant_self *s, uint32_t handle)
{
	return &s->tracks[handle / GRANT_TRACKS_PER_FRAME][handle % GRANT_TRACKS_PER_FRAME];
}

static bool add_frame_of_tracks(struct grant_self *s, unsigned max_frames)
{
	unsigned frame = s->nr_handles / GRANT_TRACKS_PER_FRAME;
	struct grant_track **grown, *new;

	if (frame == max_frames)
		return false;
	grown = realloc(s->tracks, (frame + 1) * sizeof(struct grant_track *));
	if (!grown)
		return false;
	s->tracks = grown;
	new = calloc(GRANT_TRACKS_PER_FRAME, sizeof(*new));
	if (!new)
		return false;
	s->tracks[frame] = new;
	for (uint32_t i = GRANT_TRACKS_PER_FRAME; i--;) {
		new[i].next = s->free;
		s->free = s->nr_handles + i;
	}
	s->nr_handles += GRANT_TRACKS_PER_FRAME;
	return true;
}

static uint32_t get_handle(struct grant_table *g)
{
	struct grant_self *s = &g->self;
	uint32_t handle;

	if (!s->nr_handles)
		s->free = NO_HANDLE;
	if (s->free == NO_HANDLE && !add_frame_of_tracks(s, g->max_maptrack_frames))
		return NO_HANDLE;
	handle = s->free;
	s->free = track_of(s, handle)->next;
	return handle;
}

static void put_handle(struct grant_self *s, uint32_t handle)
{
	struct grant_track *t = track_of(s, handle);

	*t = (struct grant_track){.next = s->free};
	s->free = handle;
}

/*
 * Lent pages.
 */

static void take_back(struct domain *d, struct grant_lent *l)
{
	struct grant_self *s = &d->grants.self;

	if (overlay_hide(&d->memslots, l->home))
		return; /* a backend has it mapped: later */
	l->lent = false;
	s->idle--;
}

void grant_self_settle(struct domain *d)
{
	struct grant_self *s = &d->grants.self;

	for (unsigned i = 0; s->idle && i < s->nr_lent; i++)
		if (s->lent[i].lent && !s->lent[i].maps)
			take_back(d, &s->lent[i]);
}

static bool make_room(struct grant_self *s)
{
	unsigned room = s->nr_lent ? s->nr_lent * 2 : 16;
	struct grant_lent *grown;

	if (room > GRANT_LENT_MAX)
		return false;
	grown = realloc(s->lent, room * sizeof(*grown));
	if (!grown)
		return false;
	s->lent = grown;
	while (s->nr_lent < room)
		s->lent[s->nr_lent++] = (struct grant_lent){.lent = false};
	return true;
}

/* The index of one that is free; NO_HANDLE: none is. */
static unsigned free_page(struct grant_self *s)
{
	unsigned i = 0;

	while (i < s->nr_lent && s->lent[i].lent)
		i++;
	return i < s->nr_lent || make_room(s) ? i : NO_HANDLE;
}

static int status_of_lending(int rc)
{
	switch (rc) {
	case 0:
		return GNTST_okay;
	case -ENOENT:
		return GNTST_bad_page;
	case -ENOMEM:
		return GNTST_no_space;
	default:
		return GNTST_general_error;
	}
}

static int lend_new(struct domain *d, struct gfn at, unsigned *page)
{
	struct grant_self *s = &d->grants.self;
	int rc;

	*page = free_page(s);
	if (*page == NO_HANDLE)
		return GNTST_no_space;
	rc = overlay_lend(&d->memslots, OVERLAY_LENT + *page, at);
	if (!rc) {
		s->lent[*page] = (struct grant_lent){.home = at, .lent = true};
		s->idle++;
	}
	return status_of_lending(rc);
}

/* The page at `at` is mapped once more. One of the hypervisor's cannot be. */
static int lend(struct domain *d, struct gfn at, unsigned *page)
{
	struct grant_self *s = &d->grants.self;
	int shown = overlay_at(&d->memslots, at), rc = GNTST_okay;

	if (shown >= OVERLAY_LENT)
		*page = shown - OVERLAY_LENT;
	else
		rc = shown >= 0 ? GNTST_general_error : lend_new(d, at, page);
	if (rc == GNTST_okay && !s->lent[*page].maps++)
		s->idle--;
	return rc;
}

static void unlend(struct domain *d, unsigned page)
{
	struct grant_self *s = &d->grants.self;

	if (!--s->lent[page].maps)
		s->idle++;
	grant_self_settle(d);
}

/*
 * Maps.
 */

static struct gfn frame_of(uint64_t host_addr)
{
	return gpa_to_gfn(gpa(host_addr));
}

static int show(struct domain *d, unsigned page, struct gfn at, bool write)
{
	struct memslots *slots = &d->memslots;
	int rc;

	if (overlay_at(slots, at) >= 0) /* something of the hypervisor's, or another map */
		return GNTST_general_error;
	rc = write ? overlay_show(slots, OVERLAY_LENT + page, at)
		   : overlay_show_readonly(slots, OVERLAY_LENT + page, at);
	return rc ? GNTST_general_error : GNTST_okay;
}

static int map_page(struct domain *d, const struct gnttab_map_grant_ref *op, struct grant_track *t)
{
	int rc = lend(d, t->hold.at, &t->page);

	if (rc != GNTST_okay)
		return rc;
	rc = show(d, t->page, frame_of(op->host_addr), t->hold.write);
	if (rc != GNTST_okay)
		unlend(d, t->page);
	return rc;
}

static int map_grant(struct domain *d, const struct gnttab_map_grant_ref *op, struct grant_track *t)
{
	bool write = !(op->flags & GNTMAP_readonly);
	int rc = grant_domain_status(d, op->dom, op->ref);

	if (rc == GNTST_okay)
		rc = grant_acquire(d, op->ref, d->id, write, true, &t->hold);
	if (rc != GNTST_okay)
		return rc;
	rc = (op->flags & ~GNTMAP_readonly) == GNTMAP_host_map ? map_page(d, op, t)
							       : GNTST_general_error;
	if (rc != GNTST_okay)
		grant_release(d, &t->hold);
	return rc;
}

/* By its number: DOMID_SELF names nobody here. */
static bool is_domain(const struct domain *d, domid_t domid)
{
	return domid != DOMID_SELF && domain_check_self(d, domid) != -XEN_ESRCH;
}

/* What is wrong with it before a grant is looked at. */
static int check_map(const struct domain *d, const struct gnttab_map_grant_ref *op)
{
	const uint32_t not_hvm = GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte;

	if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map)))
		return GNTST_bad_gntref;
	if (op->flags & not_hvm)
		return GNTST_general_error;
	return is_domain(d, op->dom) ? GNTST_okay : GNTST_bad_domain;
}

static int map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	struct grant_table *g = &d->grants;
	uint32_t handle = get_handle(g);
	struct grant_track *t;
	int rc;

	if (handle == NO_HANDLE)
		return GNTST_no_space;
	t = track_of(&g->self, handle);
	rc = map_grant(d, op, t);
	if (rc != GNTST_okay) {
		put_handle(&g->self, handle);
		return rc;
	}
	t->used = true;
	op->handle = handle;
	op->dev_bus_addr = gfn_to_gpa(t->hold.at).v;
	return GNTST_okay;
}

void grant_self_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	int rc = check_map(d, op);

	if (rc == GNTST_okay) {
		pthread_mutex_lock(&d->lock);
		rc = map(d, op);
		pthread_mutex_unlock(&d->lock);
	}
	op->status = rc;
}

static void tell_written(struct domain *d, struct gfn at)
{
	memslots_written(memslots_enter(&d->memslots), gfn_to_gpa(at), GUEST_PAGE_SIZE);
	memslots_leave();
}

/* What is shown there must be the handle's page, but not the page at its own frame. */
static int hide(struct domain *d, const struct grant_track *t, struct gfn at)
{
	const struct grant_lent *l = &d->grants.self.lent[t->page];

	if (overlay_at(&d->memslots, at) != (int)(OVERLAY_LENT + t->page) || at.v == l->home.v)
		return GNTST_general_error;
	return overlay_hide(&d->memslots, at) ? GNTST_general_error : GNTST_okay;
}

static int unmap(struct domain *d, const struct gnttab_unmap_grant_ref *op)
{
	struct grant_self *s = &d->grants.self;
	struct grant_track *t;
	int rc;

	if (op->handle >= s->nr_handles || !track_of(s, op->handle)->used)
		return GNTST_bad_handle;
	if (!op->host_addr)
		return GNTST_okay;
	t = track_of(s, op->handle);
	rc = hide(d, t, frame_of(op->host_addr));
	if (rc != GNTST_okay)
		return rc;
	if (t->hold.write)
		tell_written(d, t->hold.at);
	unlend(d, t->page);
	grant_release(d, &t->hold);
	put_handle(s, op->handle);
	return GNTST_okay;
}

void grant_self_unmap(struct domain *d, struct gnttab_unmap_grant_ref *op)
{
	pthread_mutex_lock(&d->lock);
	op->status = unmap(d, op);
	pthread_mutex_unlock(&d->lock);
}

void grant_self_reset(struct grant_self *s)
{
	for (uint32_t i = 0; i < s->nr_handles / GRANT_TRACKS_PER_FRAME; i++)
		free(s->tracks[i]);
	free(s->tracks);
	free(s->lent);
	*s = (struct grant_self){.nr_handles = 0};
}
