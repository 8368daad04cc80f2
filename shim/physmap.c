// SPDX-License-Identifier: BSD-2-Clause
#include "shim/physmap.h"

#include <errno.h>

#include "shim/domain.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"

/* This page is seen nowhere now. */
static void tell_unhooked(struct domain *d, int page)
{
	if (page == OVERLAY_SHARED_INFO)
		shared_info_unhooked(d);
}

/* The page that is shown there; -XEN_ENOENT: none; -XEN_EBUSY: one that has to stay. */
static int page_to_displace(struct domain *d, struct gfn at)
{
	int page = overlay_at(&d->memslots, at);

	if (page < OVERLAY_LENT)
		return page;
	/* A map of a grant, or a page that is mapped elsewhere: unless it is not any more. */
	grant_self_settle(d);
	page = overlay_at(&d->memslots, at);
	return page < OVERLAY_LENT ? page : -XEN_EBUSY;
}

int physmap_show(struct domain *d, unsigned page, struct gfn at)
{
	int displaced = page_to_displace(d, at), rc;

	if (displaced == -XEN_EBUSY)
		return displaced;
	rc = overlay_move(&d->memslots, page, at);
	if (!rc && displaced >= 0 && (unsigned)displaced != page)
		tell_unhooked(d, displaced);
	return rc;
}

int physmap_hide(struct domain *d, struct gfn at)
{
	int page = page_to_displace(d, at), rc;

	if (page < 0)
		return page;
	rc = overlay_hide(&d->memslots, at);
	if (!rc)
		tell_unhooked(d, page);
	return rc;
}

int physmap_pin(struct domain *d, struct memslot_hint *hint, struct gfn at, bool write,
		struct memslot_pin *pin)
{
	if (reservation_some_gone(&d->reservation) && !domain_page_populated(d, at) &&
	    overlay_at(&d->memslots, at) < 0) {
		*pin = (struct memslot_pin){0};
		return -ENOENT;
	}
	return memslots_pin(&d->memslots, hint, at, write, pin);
}
