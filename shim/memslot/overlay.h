/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overlays: pages of the hypervisor's (shared_info, grant frames) that a guest has asked to see at
 * frames of its choice, over its RAM if there is any. The RAM below is kept, and is seen again as
 * it was when the overlay goes. A page may be shown at several frames at once; a frame shows one
 * page: the last that was put there.
 *
 * Over RAM the mapping of the host address is changed (memslots_remap_begin), no slot is. Where
 * there is no RAM a slot of one page is made.
 */
#ifndef SHIM_OVERLAY_H
#define SHIM_OVERLAY_H

#include "shim/memslot/memslot.h"

/*
 * Show page number `page` at `at`, in address space 0. Takes memslots.lock, not in a read section.
 * 0; -EINVAL: no memory can be there; -EBUSY: it is the same RAM as another frame with an overlay,
 * or what is there is pinned (shim/memslot/pin.h); -ENOMEM; a tracker's veto (where there is no
 * RAM); what the kernel says. Then nothing has changed.
 */
int overlay_show(struct memslots *slots, unsigned page, struct gfn at);

/* The same for a page that is shown at one frame at most: where it was it is not any more. When
 * that fails it has been seen at the new frame for a moment. */
int overlay_move(struct memslots *slots, unsigned page, struct gfn at);

/* As overlay_show(), but where there is no RAM below the guest may only read (over RAM it may
 * write: there a page cannot be protected), until it is hidden. */
int overlay_show_readonly(struct memslots *slots, unsigned page, struct gfn at);

/*
 * Make the RAM at `at` page number `page`, which nobody shows: it keeps its contents, and can be
 * shown at other frames as well. overlay_hide() makes it RAM again, with what is in the page then;
 * it is the last frame to be hidden. As overlay_show(); -EBUSY too where an overlay is; -ENOENT: no
 * RAM, or ROM.
 */
int overlay_lend(struct memslots *slots, unsigned page, struct gfn at);

/* Take away what is shown at `at`. As above; -ENOENT: there is no overlay. */
int overlay_hide(struct memslots *slots, struct gfn at);

/* Take all away (the domain ends, or is reset). 0 or the first error; the rest is tried. */
int overlay_hide_all(struct memslots *slots);

/* The page shown at `at`, or -ENOENT. Takes the lock. */
int overlay_at(struct memslots *slots, struct gfn at);

/* A frame that shows the page. False: there is none. Takes the lock. */
bool overlay_place(struct memslots *slots, unsigned page, struct gfn *at);

/* Is a page shown at one of these frames? Takes the lock. */
bool overlay_in_range(struct memslots *slots, struct gfn base, uint64_t npages);

/* The same for memslot_change.c, which holds the lock. */
bool overlays_within(const struct memslots *slots, struct gfn base, uint64_t npages);

#endif
