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

#include <pthread.h>

#include "shim/types.h"

#define MEMSLOTS_MAX 32

struct memslot {
	struct gfn base;
	uint64_t npages;
	uint8_t *hva; /* the memory of `base`; the whole slot is contiguous here */
};

struct memslots {
	pthread_rwlock_t lock;
	uint64_t generation;
	unsigned count;
	struct memslot slot[MEMSLOTS_MAX]; /* sorted by base */
};

void memslots_init(struct memslots *slots);
void memslots_destroy(struct memslots *slots);

/*
 * Add npages (> 0) at base, backed by hva (page-aligned, owned by the caller, valid until the slot
 * is deleted). Takes the lock. 0, -XEN_EINVAL (empty, wraps), -XEN_EEXIST (overlaps a slot) or
 * -XEN_ENOMEM (MEMSLOTS_MAX slots are there).
 */
int memslot_create(struct memslots *slots, struct gfn base, uint64_t npages, uint8_t *hva);

/* Remove the slot that starts at base. Takes the lock. 0, or -XEN_EINVAL if there is none. */
int memslot_delete(struct memslots *slots, struct gfn base);

/* The slots may be read between these two. */
void memslots_read_lock(struct memslots *slots);
void memslots_read_unlock(struct memslots *slots);

/*
 * The host address of [addr, addr+len), or NULL unless all of it lies in one slot. The caller holds
 * the read lock (or is the only thread). Inline: a page-table walk is made of these.
 */
static inline void *memslots_hva(const struct memslots *slots, struct gpa addr, uint64_t len)
{
	for (unsigned i = 0; i < slots->count; i++) {
		const struct memslot *s = &slots->slot[i];
		uint64_t size = s->npages << GUEST_PAGE_SHIFT;
		uint64_t offset = addr.v - (s->base.v << GUEST_PAGE_SHIFT);

		if (offset < size)
			return len <= size - offset ? s->hva + offset : NULL;
	}
	return NULL;
}

#endif
