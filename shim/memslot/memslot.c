// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/memslot.h"

#include <string.h>

#include "xen-abi/xen.h"

void memslots_init(struct memslots *slots)
{
	memset(slots, 0, sizeof(*slots));
}

/* Where a slot [start, start + size) belongs in the order, if it overlaps none. */
static int find_place(const struct memslots *slots, uint64_t start, uint64_t size, unsigned *place)
{
	unsigned i = 0;

	while (i < slots->count && slots->slot[i].start.v + slots->slot[i].size <= start)
		i++;
	if (i < slots->count && slots->slot[i].start.v < start + size)
		return -XEN_EEXIST;
	*place = i;
	return 0;
}

int memslot_create(struct memslots *slots, struct gfn base, uint64_t npages, uint8_t *hva)
{
	const uint64_t max_gfn = UINT64_MAX >> GUEST_PAGE_SHIFT;
	uint64_t size = npages << GUEST_PAGE_SHIFT;
	unsigned place;
	int rc;

	if (!npages || base.v > max_gfn || npages > max_gfn - base.v)
		return -XEN_EINVAL;

	write_lock(&slots->lock);
	rc = find_place(slots, gfn_to_gpa(base).v, size, &place);
	if (!rc && slots->count == MEMSLOTS_MAX)
		rc = -XEN_ENOMEM;
	if (!rc) {
		memmove(&slots->slot[place + 1], &slots->slot[place],
			(slots->count - place) * sizeof(slots->slot[0]));
		slots->slot[place] = (struct memslot){gfn_to_gpa(base), size, hva};
		slots->count++;
		slots->generation++;
	}
	write_unlock(&slots->lock);
	return rc;
}

int memslot_delete(struct memslots *slots, struct gfn base)
{
	int rc = -XEN_EINVAL;

	write_lock(&slots->lock);
	for (unsigned i = 0; i < slots->count; i++) {
		if (slots->slot[i].start.v != gfn_to_gpa(base).v)
			continue;
		slots->count--;
		memmove(&slots->slot[i], &slots->slot[i + 1],
			(slots->count - i) * sizeof(slots->slot[0]));
		slots->generation++;
		rc = 0;
		break;
	}
	write_unlock(&slots->lock);
	return rc;
}
