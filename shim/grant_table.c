// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_table.h"

#include <stdlib.h>
#include <string.h>

#include "shim/domain.h"
#include "shim/grant_handle.h"
#include "shim/memslot/overlay.h"
#include "shim/physmap.h"

_Static_assert(GRANTS_PER_FRAME_V1 *GRANT_FRAMES_INITIAL >= GNTTAB_NR_RESERVED_ENTRIES &&
		       GRANTS_PER_FRAME_V2 * GRANT_FRAMES_INITIAL >= GNTTAB_NR_RESERVED_ENTRIES,
	       "the toolstack's entries are there from the first");
_Static_assert(GRANTS_PER_FRAME_V1 >= GRANTS_PER_FRAME_V2,
	       "uses are kept for as many entries as version 1 has");
_Static_assert(GRANT_STATUS_MAX *STATUSES_PER_FRAME == GRANT_FRAMES_MAX * GRANTS_PER_FRAME_V2,
	       "a status word for each entry");

static struct grant_use *new_uses(void)
{
	return calloc(GRANTS_PER_FRAME_V1, sizeof(struct grant_use));
}

int grants_init(struct grant_table *g, void *pages)
{
	uint8_t *page = pages;

	memset(g, 0, sizeof(*g));
	g->frames = page + OVERLAY_GRANT_FRAMES * GUEST_PAGE_SIZE;
	g->statuses = (grant_status_t *)(page + OVERLAY_GRANT_STATUS * GUEST_PAGE_SIZE);
	g->max_frames = GRANT_FRAMES_DEFAULT;
	g->max_maptrack_frames = MAPTRACK_FRAMES_DEFAULT;
	g->max_version = 2;
	g->version = 1;
	g->nr_frames = GRANT_FRAMES_INITIAL;
	g->uses[0] = new_uses();
	return g->uses[0] ? 0 : -XEN_ENOMEM;
}
_Static_assert(GRANT_FRAMES_INITIAL == 1, "grants_init() makes one");

void grants_destroy(struct grant_table *g)
{
	grant_handles_reset(&g->handles);
	grant_self_reset(&g->self);
	for (unsigned i = 0; i < GRANT_FRAMES_MAX; i++)
		free(g->uses[i]);
}

int grants_configure(struct grant_table *g, unsigned max_frames, unsigned max_maptrack_frames,
		     unsigned max_version)
{
	if (max_frames < GRANT_FRAMES_INITIAL || max_frames > GRANT_FRAMES_MAX || max_version < 1 ||
	    max_version > 2)
		return -XEN_EINVAL;
	g->max_frames = max_frames;
	g->max_maptrack_frames = max_maptrack_frames;
	g->max_version = max_version;
	return 0;
}

/* In a table of version 1. */
static void write_offer(const struct grant_table *g, grant_ref_t ref)
{
	if (g->offered[ref].there)
		*grant_v1(g, ref) = (struct grant_entry_v1){
			.flags = GTF_permit_access,
			.domid = 0,
			.frame = g->offered[ref].frame,
		};
}

int grants_offer(struct domain *d, grant_ref_t ref, struct gfn at)
{
	struct grant_table *g = &d->grants;

	if (ref >= GNTTAB_NR_RESERVED_ENTRIES || at.v > UINT32_MAX)
		return -XEN_EINVAL;
	g->offered[ref] = (struct grant_offer){.there = true, .frame = at.v};
	write_offer(g, ref);
	return 0;
}

/* The uses of frames that are still to come stay there, if only some of them can be had. */
static int make_uses(struct grant_table *g, unsigned frames)
{
	for (unsigned i = g->nr_frames; i < frames; i++) {
		if (!g->uses[i])
			g->uses[i] = new_uses();
		if (!g->uses[i])
			return -XEN_ENOMEM;
	}
	return 0;
}

void grants_share(struct domain *d, unsigned frames, unsigned statuses)
{
	if (d->type != DOMAIN_PV)
		return;
	for (unsigned i = frames; i < d->grants.nr_frames; i++)
		pv_share_overlay(d, OVERLAY_GRANT_FRAMES + i);
	for (unsigned i = statuses; i < d->grants.nr_statuses; i++)
		pv_share_overlay(d, OVERLAY_GRANT_STATUS + i);
}

int grants_grow(struct domain *d, unsigned frames)
{
	struct grant_table *g = &d->grants;
	const unsigned old_frames = g->nr_frames, old_statuses = g->nr_statuses;
	int rc;

	if (frames <= g->nr_frames)
		return 0;
	if (frames > g->max_frames)
		return -XEN_EINVAL;
	rc = make_uses(g, frames);
	if (rc)
		return rc;
	short_lock(&g->lock);
	g->nr_frames = frames;
	if (g->version > 1)
		g->nr_statuses = grant_statuses_for(frames);
	short_unlock(&g->lock);
	grants_share(d, old_frames, old_statuses);
	return 0;
}

/* Frame `idx` of the statuses exists if so many frames of entries do. */
static int grow_for_status(struct domain *d, uint64_t idx)
{
	uint64_t frames = (idx + 1) * STATUSES_PER_FRAME / GRANTS_PER_FRAME_V2;

	if (idx < d->grants.nr_statuses)
		return 0;
	return idx >= GRANT_STATUS_MAX ? -XEN_EINVAL : grants_grow(d, frames);
}

static int show_status(struct domain *d, uint64_t idx, struct gfn at)
{
	int rc = grow_for_status(d, idx);

	return rc ? rc : physmap_show(d, OVERLAY_GRANT_STATUS + idx, at);
}

static int show_frame(struct domain *d, uint64_t idx, struct gfn at)
{
	int rc = idx >= GRANT_FRAMES_MAX ? -XEN_EINVAL : grants_grow(d, idx + 1);

	return rc ? rc : physmap_show(d, OVERLAY_GRANT_FRAMES + idx, at);
}

int grants_show_frame(struct domain *d, uint64_t idx, struct gfn at)
{
	const uint64_t status = XENMAPIDX_grant_table_status;
	int rc;

	pthread_mutex_lock(&d->lock);
	if (d->grants.version == 2 && idx & status)
		rc = show_status(d, idx & ~status, at);
	else
		rc = show_frame(d, idx, at);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

uint64_t grants_frame_gfn(struct domain *d, unsigned idx)
{
	struct gfn at;

	if (d->type == DOMAIN_PV)
		return pv_overlay_mfn(OVERLAY_GRANT_FRAMES + idx);
	return overlay_place(&d->memslots, OVERLAY_GRANT_FRAMES + idx, &at) ? at.v : UINT64_MAX;
}

void grants_empty(struct grant_table *g)
{
	memset(g->frames, 0, (size_t)g->nr_frames * GUEST_PAGE_SIZE);
	memset(g->statuses, 0, (size_t)g->nr_statuses * GUEST_PAGE_SIZE);
}

void grants_reset(struct domain *d)
{
	struct grant_table *g = &d->grants;

	grant_handles_reset(&g->handles);
	grant_self_reset(&g->self);
	short_lock(&g->lock);
	for (unsigned i = 0; i < g->nr_frames; i++)
		memset(g->uses[i], 0, GRANTS_PER_FRAME_V1 * sizeof(struct grant_use));
	grants_empty(g);
	g->version = 1;
	g->nr_frames = GRANT_FRAMES_INITIAL;
	g->nr_statuses = 0;
	g->epoch++;
	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++)
		write_offer(g, ref);
	short_unlock(&g->lock);
}
