// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_self.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/domain.h"
#include "shim/grant_handle.h"
#include "shim/memslot/overlay.h"

#define NO_PAGE UINT32_MAX

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

/* The index of one that is free; NO_PAGE: none is. */
static unsigned free_page(struct grant_self *s)
{
	unsigned i = 0;

	while (i < s->nr_lent && s->lent[i].lent)
		i++;
	return i < s->nr_lent || make_room(s) ? i : NO_PAGE;
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
	if (*page == NO_PAGE)
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

static int map_page(struct domain *d, uint64_t host_addr, struct grant_handle *h)
{
	int rc = lend(d, h->hold.at, &h->page);

	if (rc != GNTST_okay)
		return rc;
	rc = show(d, h->page, frame_of(host_addr), h->hold.write);
	if (rc != GNTST_okay)
		unlend(d, h->page);
	return rc;
}

/* What is wrong with it before a grant is looked at. */
static int check_flags(uint32_t flags)
{
	const uint32_t not_hvm = GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte;

	if (!(flags & GRANT_MAPS))
		return GNTST_bad_gntref;
	return flags & not_hvm ? GNTST_general_error : GNTST_okay;
}

static int map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	struct grant_handle *h;
	uint32_t handle;
	int rc = check_flags(op->flags);

	if (rc == GNTST_okay)
		rc = grant_handle_hold(d, op->flags, op->dom, op->ref, &handle);
	if (rc != GNTST_okay)
		return rc;
	h = grant_handle_of(d, handle);
	rc = op->flags & ~(GNTMAP_host_map | GNTMAP_readonly) ? GNTST_general_error
							      : map_page(d, op->host_addr, h);
	if (rc != GNTST_okay) {
		grant_handle_release(d, handle, GNTMAP_host_map);
		return rc;
	}
	op->handle = handle;
	op->dev_bus_addr = gfn_to_gpa(h->hold.at).v;
	return GNTST_okay;
}

void grant_self_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	pthread_mutex_lock(&d->lock);
	op->status = map(d, op);
	pthread_mutex_unlock(&d->lock);
}

static void tell_written(struct domain *d, struct gfn at)
{
	memslots_written(memslots_enter(&d->memslots), gfn_to_gpa(at), GUEST_PAGE_SIZE);
	memslots_leave();
}

/* What is shown there must be the handle's page, but not the page at its own frame. */
static int hide(struct domain *d, unsigned page, struct gfn at)
{
	const struct grant_lent *l = &d->grants.self.lent[page];

	if (overlay_at(&d->memslots, at) != (int)(OVERLAY_LENT + page) || at.v == l->home.v)
		return GNTST_general_error;
	return overlay_hide(&d->memslots, at) ? GNTST_general_error : GNTST_okay;
}

static int unmap(struct domain *d, const struct gnttab_unmap_grant_ref *op)
{
	const struct grant_handle *h = grant_handle_of(d, op->handle);
	int rc;

	if (!h)
		return GNTST_bad_handle;
	if (!op->host_addr)
		return GNTST_okay;
	rc = hide(d, h->page, frame_of(op->host_addr));
	if (rc != GNTST_okay)
		return rc;
	if (h->hold.write)
		tell_written(d, h->hold.at);
	unlend(d, h->page);
	grant_handle_release(d, op->handle, GNTMAP_host_map);
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
	free(s->lent);
	*s = (struct grant_self){.nr_lent = 0};
}
