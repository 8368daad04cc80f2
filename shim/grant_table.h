/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's grant table (public header grant_table.h): the frames that it shares with the guest,
 * who sees them where, and which entries are in use. The table's frames are overlays; what an entry
 * allows, and the flags that say that it is in use, are in shim/grant_entry.h.
 *
 * Frames, version and places are changed under the domain's lock (and frames and version under the
 * table's own as well, which those hold who use entries).
 */
#ifndef SHIM_GRANT_TABLE_H
#define SHIM_GRANT_TABLE_H

#include <stdbool.h>

#include "shim/grant_self.h"
#include "shim/platform.h"
#include "shim/short_lock.h"
#include "shim/types.h"
#include "xen-abi/xen.h"

struct domain;
struct grant_handle;
struct grant_use;

/* Xen's defaults. */
#define GRANT_FRAMES_DEFAULT    64
#define MAPTRACK_FRAMES_DEFAULT 1024

/* Frames that a table has at first; it never has less. */
#define GRANT_FRAMES_INITIAL 1

#define GRANTS_PER_FRAME_V1 (GUEST_PAGE_SIZE / sizeof(struct grant_entry_v1))
#define GRANTS_PER_FRAME_V2 (GUEST_PAGE_SIZE / sizeof(union grant_entry_v2))
#define STATUSES_PER_FRAME  (GUEST_PAGE_SIZE / sizeof(grant_status_t))

struct grant_table {
	/* Uses of entries, and all that is said to be under it. Nobody waits for anything with it:
	 * the last of all locks. */
	struct short_lock lock;

	/* The frames as we see them, whether there yet or not; never unmapped. */
	uint8_t *frames;
	grant_status_t *statuses;

	/* Set before the guest runs (grants_configure). */
	unsigned max_frames, max_maptrack_frames, max_version;

	/* Read under either lock, changed under both. */
	unsigned version;     /* 1 or 2 */
	unsigned nr_frames;   /* that the guest can have */
	unsigned nr_statuses; /* frames of status words; 0 in version 1 */

	/* What the toolstack grants of the guest's (grants_offer), now and after a reset. */
	struct grant_offer {
		bool there;
		uint32_t frame;
	} offered[GNTTAB_NR_RESERVED_ENTRIES];

	/* Uses of each frame's entries, as many as version 1 has; under `lock`. */
	struct grant_use *uses[GRANT_FRAMES_MAX];
	/* The guest's own maps (shim/grant_handle.h), in frames of GRANT_HANDLES_PER_FRAME, made
	 * when needed. Under the domain's lock. */
	struct grant_handles {
		struct grant_handle **frames;
		uint32_t nr;   /* that there are, free or not */
		uint32_t free; /* the first of those not in use, or none */
	} handles;
	struct grant_self self;
	uint32_t epoch; /* times that the table was reset: uses from before are no one's */
};

/* A table of one frame without grants. `pages`: OVERLAY_MAPPED overlay pages, zeroed. 0 or -ENOMEM.
 */
int grants_init(struct grant_table *g, void *pages);
/* Nothing of it is mapped any more. */
void grants_destroy(struct grant_table *g);

/*
 * Limits of this domain: frames of its table, frames of the tracking of its own maps (on Xen, 256
 * maps in each; here a way to count them), and the highest version it may ask for. Before the guest
 * runs. 0; -EINVAL: 0 or more than GRANT_FRAMES_MAX frames, or a version that is neither 1 nor 2.
 */
int grants_configure(struct grant_table *g, unsigned max_frames, unsigned max_maptrack_frames,
		     unsigned max_version);

/*
 * An entry that the toolstack has written when the guest begins (and begins anew): domain 0 may use
 * this page. ref: GNTTAB_RESERVED_*. Before the guest runs. 0; -EINVAL: another ref, or a gfn that
 * an entry cannot hold.
 */
int grants_offer(struct domain *d, grant_ref_t ref, struct gfn at);

/*
 * The guest begins anew: one frame of version 1 with what the toolstack grants, seen nowhere. Maps
 * of before stay good until they are taken back, but mark nothing any more. After
 * overlay_hide_all(); under the domain's lock.
 */
void grants_reset(struct domain *d);

/* All entries and status words become 0. Under both locks. */
void grants_empty(struct grant_table *g);

/* How many grant references there are. Under either lock. */
static inline unsigned grant_entries(const struct grant_table *g)
{
	return g->nr_frames * (g->version == 1 ? GRANTS_PER_FRAME_V1 : GRANTS_PER_FRAME_V2);
}

/* Status frames that go with so many frames of the table. */
static inline unsigned grant_statuses_for(unsigned frames)
{
	return (frames * GRANTS_PER_FRAME_V2 + STATUSES_PER_FRAME - 1) / STATUSES_PER_FRAME;
}

/*
 * A PV guest may map those from these on that there are: a PV guest sees all of its table at fixed
 * frames (shim/pv_frames.h). Under the domain's lock.
 */
void grants_share(struct domain *d, unsigned frames, unsigned statuses);

/* At least so many frames. Under the domain's lock. 0, -EINVAL: beyond the limit, -ENOMEM. */
int grants_grow(struct domain *d, unsigned frames);

/*
 * XENMAPSPACE_grant_table: show frame `idx` of the table (of the statuses, with
 * XENMAPIDX_grant_table_status in version 2) at `at`; there are as many afterwards, if that may be.
 * Takes the domain's lock. 0 or -XEN_E*.
 */
int grants_show_frame(struct domain *d, uint64_t idx, struct gfn at);

/* Where the guest sees frame `idx`; ~0 if nowhere, as Xen says. */
uint64_t grants_frame_gfn(struct domain *d, unsigned idx);

/*
 * GNTTABOP_set_version, to 1 or 2: 0; -XEN_EBUSY: an entry is in use that is not one of the
 * toolstack's, or a PV guest maps the statuses, which are to go; -XEN_ERANGE: one of these cannot
 * be said in version 1; -XEN_ENOSYS, -XEN_ENOMEM. Takes the domain's lock.
 */
int grants_set_version(struct domain *d, unsigned version);

#endif
