/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of a slot have been written: by the guest (the kernel's log) and by us for it, in one
 * bitmap, relative to the slot: bit n is its page n, wherever the slot has moved. Readers, clearers
 * and writers may run at once.
 *
 * As KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG (Documentation/virt/kvm/api.rst).
 */
#ifndef SHIM_DIRTY_LOG_H
#define SHIM_DIRTY_LOG_H

#include "shim/memslot/memslot.h"

/* Words of 64 pages in the bitmap of so many pages. */
static inline uint64_t dirty_log_words(uint64_t npages)
{
	return (npages + 63) / 64;
}

/*
 * The log of slot `id` (number | address space << 16) into bits[dirty_log_words(npages)]; without
 * MEMSLOTS_MANUAL_PROTECT it is empty afterwards. Takes the lock. 0; -EINVAL: number or address
 * space out of range; -ENOENT: no such slot, or not logged; -ENOMEM; what the kernel says, and then
 * no page is forgotten.
 */
int dirty_log_get(struct memslots *slots, uint32_t id, uint64_t *bits);

/*
 * Forget pages [first, first + npages) whose bits are set in `bits` (bit 0: page `first`): before
 * they are copied, so that a later write is seen. Takes the lock. 0; -EINVAL: as above, first not a
 * multiple of 64, npages not a multiple of 64 that does not end the slot, past the end;
 * -ENXIO: not without MEMSLOTS_MANUAL_PROTECT; -ENOENT, -ENOMEM, the kernel's.
 */
int dirty_log_clear(struct memslots *slots, uint32_t id, uint64_t first, uint64_t npages,
		    const uint64_t *bits);

/* For memslot.c. NULL: no memory. */
struct dirty_log *dirty_log_create(uint64_t npages, bool all_set);
void dirty_log_free(struct dirty_log *log);

/* Pages [first, last] of the slot have been written. Any thread, in a read section. */
void dirty_log_mark(struct dirty_log *log, uint64_t first, uint64_t last);

#endif
