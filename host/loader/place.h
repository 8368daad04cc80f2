/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding room in guest RAM below 4 GiB for what the loader adds to a kernel.
 *
 * Usable is what is in a RAM block and, if there is a memory map, of type RAM in it and in no
 * entry of another type.
 */
#ifndef HOST_LOADER_PLACE_H
#define HOST_LOADER_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/loader/kernel.h"
#include "host/loader/ram.h"
#include "xen-abi/xen.h"

#define PLACE_PAGE      UINT64_C(4096)
#define PLACE_LIMIT     (UINT64_C(1) << 32)
#define PLACE_TAKEN_MAX (KERNEL_SEGMENTS_MAX + 16)

struct place {
	const struct ram *ram;
	const struct hvm_memmap_table_entry *memmap;
	unsigned memmap_entries;
	unsigned taken_count;
	struct place_taken {
		uint64_t start, end;
	} taken[PLACE_TAKEN_MAX];
};

/* Is [gpa, gpa + size) usable, taken or not? */
bool place_usable(const struct place *place, uint64_t gpa, uint64_t size);

/* Mark [gpa, gpa + size) as taken; at most PLACE_TAKEN_MAX times. */
void place_take(struct place *place, uint64_t gpa, uint64_t size);

/*
 * Find and take page-aligned room for `size` bytes: at the lowest free address from `from` up, else
 * the lowest of all, the page at address 0 last. Returns false, taking nothing, if there is none.
 */
bool place_find(struct place *place, uint64_t from, uint64_t size, uint64_t *gpa);

#endif
