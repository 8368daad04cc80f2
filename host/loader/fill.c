// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/fill.h"

#include <string.h>

#include "host/loader/map.h"

#define PAGE UINT64_C(4096)

static bool is_zero(const uint8_t *bytes, size_t size)
{
	uint64_t first;

	if (size < sizeof(first))
		return false;
	memcpy(&first, bytes, sizeof(first));
	return !first && memcmp(bytes, bytes + sizeof(first), size - sizeof(first)) == 0;
}

/*
 * Copy to fresh RAM, leaving out pages of zeros: Linux's vmlinux has its .bss in the file, a third
 * of the whole, and a page that is not written costs neither a fault nor memory. Page by page is
 * also what memcpy does with the fewest instructions: for more than the cache it counts on
 * prefetching instead.
 */
static void copy_to_fresh(uint8_t *to, const uint8_t *from, uint64_t size)
{
	while (size) {
		uint64_t step = PAGE - (uintptr_t)to % PAGE;

		if (step > size)
			step = size;
		if (!is_zero(from, step))
			memcpy(to, from, step);
		to += step;
		from += step;
		size -= step;
	}
}

/*
 * From the file itself where that is possible: reading costs less than faulting in and unmapping
 * pages to copy from, even counting the pages of zeros that are read as well.
 */
int fill_from_segment(const struct kernel *k, const struct kernel_segment *s, uint64_t offset,
		      uint8_t *to, uint64_t size, struct problem *p)
{
	const uint8_t *file = k->file.base;

	if (!size)
		return 0;
	if (k->fd >= 0)
		return map_read(k->fd, s->data + offset - file, to, size, k->name, p);
	copy_to_fresh(to, s->data + offset, size);
	return 0;
}
