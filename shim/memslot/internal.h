/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of shim/memslot: all of it under memslots.lock.
 */
#ifndef SHIM_MEMSLOT_INTERNAL_H
#define SHIM_MEMSLOT_INTERNAL_H

#include "shim/memslot/memslot.h"
#include "shim/memslot/tracker.h"

#define MEMSLOT_ID_NUMBER 0xffffu

static inline unsigned memslot_number(uint32_t id)
{
	return id & MEMSLOT_ID_NUMBER;
}

static inline unsigned memslot_as(uint32_t id)
{
	return id >> 16;
}

/*
 * memslot_check.c: the rules that need no memory (rows 1 to 18 of KVM's). Says what kind of change
 * it is and which slot it is about (NULL: a new one). 0, MEMSLOT_NOTHING_TO_DO, or -errno.
 */
#define MEMSLOT_NOTHING_TO_DO 1
int memslot_check(const struct memslots *slots, const struct memslot_request *r,
		  enum memslot_change *kind, const struct memslot **old);

/* memslot_change.c: memslots_set_slot for one who holds the lock; overlays may change their own. */
int memslots_set_slot_locked(struct memslots *slots, const struct memslot_request *r,
			     bool by_overlay);

/* remap.c: the same for remapping. */
int memslots_remap_begin_locked(struct memslots *slots, const void *hva, uint64_t len);
void memslots_remap_end_locked(struct memslots *slots, bool changed);

/* memslot.c */

/* Free a version of a slot (NULL: nothing), but not what another version has as well (NULL: none).
 */
void memslot_free(struct memslot *s, const struct memslot *other);

static inline struct memslot_set *memslots_own_set(const struct memslots *slots)
{
	return slots->set; /* only changers write it */
}

/* Not 0, which no set has: a cache that has never been looked up says 0. */
static inline uint64_t memslots_generation_after(uint64_t generation)
{
	return generation + 1 ? generation + 1 : 1;
}

/* A copy of the current set, not published, of the same generation. NULL: no memory. */
struct memslot_set *memslots_copy_set(const struct memslots *slots);

/* Some slot is logged or somebody tracks: to be asked when either changes. */
bool memslots_watched(const struct memslots *slots, struct tracker *const *trackers);

/* Publish a set in place of the current one, which is returned. */
struct memslot_set *memslots_publish(struct memslots *slots, struct memslot_set *set);

/* A change has begun to be visible to the guest, or may soon be; it is published or given up. */
void memslots_begin_change(struct memslots *slots);
void memslots_end_change(struct memslots *slots);

/* Call visit for every slot until it returns true; returns whether it has. */
bool memslots_each(const struct memslots *slots, bool (*visit)(struct memslot *s, void *opaque),
		   void *opaque);

/* tracker.c */
int trackers_veto(const struct memslots *slots, enum memslot_change change,
		  const struct memslot *old, const struct memslot *new);
/* What a change that has happened means to them. */
void trackers_tell(const struct memslots *slots, enum memslot_change change,
		   const struct memslot *old, const struct memslot *new);
void trackers_flush(const struct memslots *slots, struct gfn base, uint64_t npages);
/* We have written to these pages of address space 0. In a read section, without the lock. */
void trackers_written(const struct memslot_set *set, const struct memslot *slot, struct gpa addr,
		      uint64_t len);

/* overlay.c */
void overlays_free(struct overlays *o);

#endif
