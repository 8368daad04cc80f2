// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest changes the version of its grant table: all entries are empty afterwards but the first
 * few, which the toolstack has written and may be using.
 */
#include <string.h>

#include "shim/domain.h"
#include "shim/grant_entry.h"
#include "shim/physmap.h"
#include "shim/memslot/overlay.h"

#define IN_USE (GTF_reading | GTF_writing)

/* What is kept, in a form that both versions can be written from. */
struct kept {
	struct grant_entry_v1 of[GNTTAB_NR_RESERVED_ENTRIES];
};

static void keep_v1(const struct grant_table *g, struct kept *k)
{
	memcpy(k->of, g->frames, sizeof(k->of));
}

/* The frame must fit into 32 bits; other entries have none in version 1. */
static int keep_v2_entry(const struct grant_table *g, grant_ref_t ref, struct grant_entry_v1 *to)
{
	const union grant_entry_v2 *e = grant_v2(g, ref);
	uint16_t flags = __atomic_load_n(&e->hdr.flags, __ATOMIC_ACQUIRE);
	uint64_t frame = __atomic_load_n(&e->full_page.frame, __ATOMIC_RELAXED);

	*to = (struct grant_entry_v1){0};
	if ((flags & GTF_type_mask) == GTF_transitive)
		return -XEN_ERANGE;
	if ((flags & GTF_type_mask) != GTF_permit_access)
		return 0;
	if (frame > UINT32_MAX)
		return -XEN_ERANGE;
	to->flags = flags | __atomic_load_n(&g->statuses[ref], __ATOMIC_RELAXED);
	to->domid = __atomic_load_n(&e->hdr.domid, __ATOMIC_RELAXED);
	to->frame = frame;
	return 0;
}

static int keep_v2(const struct grant_table *g, struct kept *k)
{
	int rc = 0;

	for (grant_ref_t i = 0; i < ARRAY_SIZE(k->of) && !rc; i++)
		rc = keep_v2_entry(g, i, &k->of[i]);
	return rc;
}

static void write_v2(const struct grant_table *g, const struct kept *k)
{
	for (grant_ref_t i = 0; i < ARRAY_SIZE(k->of); i++) {
		g->statuses[i] = k->of[i].flags & IN_USE;
		grant_v2(g, i)->hdr.flags = k->of[i].flags & ~IN_USE;
		grant_v2(g, i)->hdr.domid = k->of[i].domid;
		grant_v2(g, i)->full_page.frame = k->of[i].frame;
	}
}

/* A PV guest, which maps them itself, must not do so when they go. */
static int unshare_statuses(struct domain *d)
{
	const unsigned count = d->grants.nr_statuses;

	if (d->type != DOMAIN_PV)
		return 0;
	for (unsigned i = 0; i < count; i++)
		if (pv_overlay_in_use(d, OVERLAY_GRANT_STATUS + i))
			return -XEN_EBUSY;
	for (unsigned i = 0; i < count; i++)
		pv_unshare_overlay(d, OVERLAY_GRANT_STATUS + i);
	return 0;
}

/* Under both locks. */
static int change(struct domain *d, unsigned version)
{
	struct grant_table *g = &d->grants;
	struct kept kept = {0};
	int rc = 0;

	if (grants_in_use(g, GNTTAB_NR_RESERVED_ENTRIES))
		return -XEN_EBUSY;
	if (g->version == 1)
		keep_v1(g, &kept);
	else
		rc = keep_v2(g, &kept);
	if (!rc)
		rc = unshare_statuses(d);
	if (rc)
		return rc;
	grants_empty(g);
	g->version = version;
	g->nr_statuses = version == 2 ? grant_statuses_for(g->nr_frames) : 0;
	if (version == 2)
		write_v2(g, &kept);
	else
		memcpy(g->frames, kept.of, sizeof(kept.of));
	grants_share(d, g->nr_frames, 0);
	return 0;
}

/*
 * The status words are gone: so are their frames, wherever they are seen. Where the host cannot
 * take one away the guest cannot go on, as on Xen.
 */
static int hide_statuses(struct domain *d)
{
	for (unsigned i = 0; i < GRANT_STATUS_MAX; i++) {
		struct gfn at;
		int rc;

		if (!overlay_place(&d->memslots, OVERLAY_GRANT_STATUS + i, &at))
			continue;
		rc = physmap_hide(d, at);
		if (rc) {
			domain_shutdown(d, SHUTDOWN_crash);
			return rc;
		}
	}
	return 0;
}

static int change_locked(struct domain *d, unsigned version)
{
	struct grant_table *g = &d->grants;
	int rc;

	if (g->version == version)
		return 0;
	short_lock(&g->lock);
	rc = change(d, version);
	short_unlock(&g->lock);
	return rc || version == 2 ? rc : hide_statuses(d);
}

int grants_set_version(struct domain *d, unsigned version)
{
	int rc;

	if (version > d->grants.max_version)
		return -XEN_ENOSYS;
	pthread_mutex_lock(&d->lock);
	rc = change_locked(d, version);
	pthread_mutex_unlock(&d->lock);
	return rc;
}
