// SPDX-License-Identifier: BSD-2-Clause
#include "shim/physmap.h"

#include "shim/domain.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"

/* This page is seen nowhere now. */
static void tell_unhooked(struct domain *d, int page)
{
	if (page == OVERLAY_SHARED_INFO)
		shared_info_unhooked(d);
}

int physmap_show(struct domain *d, unsigned page, struct gfn at)
{
	int displaced = overlay_at(&d->memslots, at);
	int rc = overlay_move(&d->memslots, page, at);

	if (!rc && displaced >= 0 && (unsigned)displaced != page)
		tell_unhooked(d, displaced);
	return rc;
}

int physmap_hide(struct domain *d, struct gfn at)
{
	int page = overlay_at(&d->memslots, at);
	int rc = overlay_hide(&d->memslots, at);

	if (!rc)
		tell_unhooked(d, page);
	return rc;
}
