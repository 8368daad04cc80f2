/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sizes of page may map each part of a slot. For each level above 4 KiB there is an entry for
 * every large page that the slot touches, so their number depends on the alignment of the slot's
 * base and not on its length alone: 512 pages are one entry of 2 MiB when aligned, and two when
 * not. Such arrays are made anew whenever a slot moves.
 *
 * An entry counts the reasons against: the large page is not all in the slot, guest-physical and
 * host addresses are not congruent, a page in it is watched (tracker.h), private and shared pages
 * are mixed in it (gmem.h).
 */
#ifndef SHIM_LEVELS_H
#define SHIM_LEVELS_H

#include "shim/memslot/memslot.h"

enum page_level {
	PAGE_4K,
	PAGE_2M,
	PAGE_1G,
	PAGE_LEVELS,
};

/* Pages of 4 KiB in one of that level, as a shift. */
static inline unsigned page_level_shift(enum page_level level)
{
	return 9 * level;
}

/* Entries that npages from base on touch at a level. */
static inline uint64_t memslot_level_entries(struct gfn base, uint64_t npages,
					     enum page_level level)
{
	unsigned shift = page_level_shift(level);

	return ((base.v + npages - 1) >> shift) - (base.v >> shift) + 1;
}

/* Make slot->levels; the other members are filled in. Owned by the slot. NULL: no memory. */
struct memslot_levels *memslot_levels_create(struct memslot *slot);
void memslot_levels_free(struct memslot_levels *levels);

/* One reason more or less (+1, -1) against large pages around a page. Under memslots.lock. */
void memslot_levels_count(const struct memslot *slot, struct gfn page, int reasons);
/* The same at one level only: for what spoils a large page of 1 GiB and not one of 2 MiB. */
void memslot_level_count(const struct memslot *slot, struct gfn page, enum page_level level,
			 int reasons);

/* The largest page that may map this one. The slot is at hand already: there is no further look-up.
 * In a read section. */
enum page_level memslot_max_level(const struct memslot *slot, struct gfn page);

#endif
