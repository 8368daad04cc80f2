/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's RAM as the loader sees it: a few blocks of guest-physical addresses and where the
 * host has them mapped. The loader neither maps nor unmaps anything.
 */
#ifndef HOST_LOADER_RAM_H
#define HOST_LOADER_RAM_H

#include <stdint.h>

#define RAM_BLOCKS_MAX 4

struct ram_block {
	uint64_t gpa, size; /* bytes; gpa + size does not pass 2^64 */
	uint8_t *hva;
};

struct ram {
	unsigned count;
	struct ram_block blocks[RAM_BLOCKS_MAX]; /* sorted by gpa, not overlapping */
};

/*
 * Where guest-physical [gpa, gpa + size) is in the host, or NULL if it is not wholly inside one
 * block. Any pair of values is fine. An empty range is inside a block that holds gpa or ends there.
 */
void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t size);

#endif
