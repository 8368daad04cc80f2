// SPDX-License-Identifier: BSD-2-Clause
/*
 * What may be asked of the slots: the rules of KVM_SET_USER_MEMORY_REGION2 in KVM's order, so that
 * a request with two faults gets the errno that it gets there.
 */
#include <errno.h>

#include "shim/memslot/internal.h"

/* Addresses of a process end here on x86-64 (TASK_SIZE_MAX, 4-level paging). */
#define USER_END 0x7ffffffff000ull

static bool page_aligned(uint64_t v)
{
	return !(v & ~GUEST_PAGE_MASK);
}

static int check_flags(const struct memslots *slots, uint32_t flags)
{
	uint32_t allowed = MEMSLOT_LOG_DIRTY | MEMSLOT_READONLY;

	if (slots->features & MEMSLOTS_CAN_PRIVATE)
		allowed |= MEMSLOT_PRIVATE;
	if (flags & MEMSLOT_PRIVATE) /* nobody but the guest reads it, so nobody could copy it */
		allowed &= ~(uint32_t)(MEMSLOT_LOG_DIRTY | MEMSLOT_READONLY);
	return flags & ~allowed ? -EINVAL : 0;
}

/* What can be said without looking at the slots there are. */
static int check_arguments(const struct memslots *slots, const struct memslot_request *r)
{
	if (memslot_number(r->slot) >= MEMSLOTS_MAX || check_flags(slots, r->flags))
		return -EINVAL;
	if (!page_aligned(r->size) || !page_aligned(r->gpa) || !page_aligned(r->hva))
		return -EINVAL;
	if (r->size > USER_END || r->hva > USER_END - r->size) /* DELETE's hva, too */
		return -EINVAL;
	if (r->flags & MEMSLOT_PRIVATE &&
	    (!page_aligned(r->gmem_offset) || r->gmem_offset + r->size < r->gmem_offset))
		return -EINVAL;
	if (memslot_as(r->slot) >= MEMSLOT_ADDRESS_SPACES)
		return -EINVAL;
	if (r->gpa + r->size < r->gpa || r->size >> GUEST_PAGE_SHIFT > MEMSLOT_MAX_PAGES)
		return -EINVAL;
	return 0;
}

static int check_delete(const struct memslots *slots, const struct memslot *old)
{
	if (!old)
		return -EINVAL;
	return slots->ids[memslot_as(old->id)].npages < old->npages ? -EIO : 0;
}

static int check_create(const struct memslots *slots, const struct memslot_request *r)
{
	uint64_t npages = slots->ids[memslot_as(r->slot)].npages;

	return npages + (r->size >> GUEST_PAGE_SHIFT) < npages ? -EINVAL : 0;
}

/* Of a slot that stays, only the address and the dirty log may change. */
static int check_existing(const struct memslot_request *r, const struct memslot *old)
{
	if (r->flags & MEMSLOT_PRIVATE)
		return -EINVAL;
	if (r->hva != (uintptr_t)old->hva || r->size >> GUEST_PAGE_SHIFT != old->npages ||
	    (r->flags ^ old->flags) & (MEMSLOT_READONLY | MEMSLOT_PRIVATE))
		return -EINVAL;
	if (r->gpa == old->start.v && r->flags == old->flags)
		return MEMSLOT_NOTHING_TO_DO;
	return 0;
}

static bool is_other_slot(const struct range *r, void *opaque)
{
	return r->slot != opaque;
}

/* A slot may be moved over its own old place, but over no other. */
static int check_overlap(const struct memslots *slots, const struct memslot_request *r,
			 const struct memslot *old)
{
	const struct range_index *index = memslots_own_set(slots)->by_gpa[memslot_as(r->slot)];
	union { /* visitors may change what they are given; this one does not */
		const struct memslot *in;
		void *out;
	} self = {.in = old};

	return range_index_visit(index, r->gpa, r->gpa + r->size, is_other_slot, self.out) ? -EEXIST
											   : 0;
}

static enum memslot_change kind_of(const struct memslot_request *r, const struct memslot *old)
{
	if (!r->size)
		return MEMSLOT_DELETE;
	if (!old)
		return MEMSLOT_CREATE;
	return r->gpa != old->start.v ? MEMSLOT_MOVE : MEMSLOT_FLAGS_ONLY;
}

int memslot_check(const struct memslots *slots, const struct memslot_request *r,
		  enum memslot_change *kind, const struct memslot **old)
{
	int rc = check_arguments(slots, r);

	if (rc)
		return rc;
	*old = memslots_by_id(slots, r->slot);
	*kind = kind_of(r, *old);
	if (*kind == MEMSLOT_DELETE)
		return check_delete(slots, *old);
	rc = *old ? check_existing(r, *old) : check_create(slots, r);
	if (rc || *kind == MEMSLOT_FLAGS_ONLY)
		return rc;
	return check_overlap(slots, r, *old);
}
