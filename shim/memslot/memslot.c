// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/memslot.h"

#include <string.h>

#include "xen-abi/xen.h"

void memslots_init(struct memslots *slots)
{
	memset(slots, 0, sizeof(*slots));
	pthread_rwlock_init(&slots->lock, NULL);
}

void memslots_destroy(struct memslots *slots)
{
	pthread_rwlock_destroy(&slots->lock);
}

void memslots_read_lock(struct memslots *slots)
{
	pthread_rwlock_rdlock(&slots->lock);
}

void memslots_read_unlock(struct memslots *slots)
{
	pthread_rwlock_unlock(&slots->lock);
}

/* Where a slot with this base belongs, and whether [base, base + npages) is free there. */
static int find_place(const struct memslots *slots, uint64_t base, uint64_t npages, unsigned *place)
{
	unsigned i = 0;

	while (i < slots->count && slots->slot[i].base.v + slots->slot[i].npages <= base)
		i++;
	if (i < slots->count && slots->slot[i].base.v < base + npages)
		return -XEN_EEXIST;
	*place = i;
	return 0;
}

int memslot_create(struct memslots *slots, struct gfn base, uint64_t npages, uint8_t *hva)
{
	const uint64_t max_gfn = UINT64_MAX >> GUEST_PAGE_SHIFT;
	unsigned place;
	int rc;

	if (!npages || base.v > max_gfn || npages > max_gfn - base.v)
		return -XEN_EINVAL;

	pthread_rwlock_wrlock(&slots->lock);
	rc = find_place(slots, base.v, npages, &place);
	if (!rc && slots->count == MEMSLOTS_MAX)
		rc = -XEN_ENOMEM;
	if (!rc) {
		memmove(&slots->slot[place + 1], &slots->slot[place],
			(slots->count - place) * sizeof(slots->slot[0]));
		slots->slot[place] = (struct memslot){base, npages, hva};
		slots->count++;
		slots->generation++;
	}
	pthread_rwlock_unlock(&slots->lock);
	return rc;
}

int memslot_delete(struct memslots *slots, struct gfn base)
{
	int rc = -XEN_EINVAL;

	pthread_rwlock_wrlock(&slots->lock);
	for (unsigned i = 0; i < slots->count; i++) {
		if (slots->slot[i].base.v != base.v)
			continue;
		slots->count--;
		memmove(&slots->slot[i], &slots->slot[i + 1],
			(slots->count - i) * sizeof(slots->slot[0]));
		slots->generation++;
		rc = 0;
		break;
	}
	pthread_rwlock_unlock(&slots->lock);
	return rc;
}
