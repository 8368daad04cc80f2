/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-physical address space: which ranges have memory, and where it is in our process.
 *
 * Readers hold the table's lock while they use a pointer that a look-up gave them: a change waits
 * for them, so no pointer outlives its memory. The generation counts changes; who keeps a
 * pointer beyond the lock (shim/gpc) compares it and looks up anew.
 */
#ifndef SHIM_MEMSLOT_H
#define SHIM_MEMSLOT_H

#include "shim/memslot/read_lock.h"
#include "shim/types.h"

#define MEMSLOTS_MAX 32

struct memslot {
	struct gpa start; /* page-aligned, as the size is */
	uint64_t size;    /* bytes */
	uint8_t *hva;     /* the memory of `start`; the whole slot is contiguous here */
};

struct memslots {
	struct read_lock lock;
	uint64_t generation;
	unsigned count;
	struct memslot slot[MEMSLOTS_MAX]; /* sorted by start */
};

void memslots_init(struct memslots *slots);

/*
 * Add npages (> 0) at base, backed by hva (page-aligned, owned by the caller, valid until the slot
 * is deleted). Takes the lock. 0, -XEN_EINVAL (empty, wraps), -XEN_EEXIST (overlaps a slot) or
 * -XEN_ENOMEM (MEMSLOTS_MAX slots are there).
 */
int memslot_create(struct memslots *slots, struct gfn base, uint64_t npages, uint8_t *hva);

/* Remove the slot that starts at base. Takes the lock. 0, or -XEN_EINVAL if there is none. */
int memslot_delete(struct memslots *slots, struct gfn base);

/* The slots may be read between these two. */
static inline void memslots_read_lock(struct memslots *slots)
{
	read_lock(&slots->lock);
}

static inline void memslots_read_unlock(struct memslots *slots)
{
	read_unlock(&slots->lock);
}

/* The slot that holds addr, or NULL. Under the read lock. Inline: a page-table walk is made of
 * these. */
static inline const struct memslot *memslots_find(const struct memslots *slots, struct gpa addr)
{
	for (const struct memslot *s = slots->slot; s < slots->slot + slots->count; s++)
		if (addr.v - s->start.v < s->size)
			return s;
	return NULL;
}

/*
 * The host address of [addr, addr+len), or NULL unless all of it lies in one slot. The caller holds
 * the read lock (or is the only thread).
 */
static inline void *memslots_hva(const struct memslots *slots, struct gpa addr, uint64_t len)
{
	const struct memslot *s = memslots_find(slots, addr);

	return s && len <= s->size - (addr.v - s->start.v) ? s->hva + (addr.v - s->start.v) : NULL;
}

#endif
