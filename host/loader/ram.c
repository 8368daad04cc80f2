// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/ram.h"

#include <stddef.h>

void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < ram->count; i++) {
		const struct ram_block *block = &ram->blocks[i];
		uint64_t offset = gpa - block->gpa;

		if (gpa >= block->gpa && offset <= block->size && size <= block->size - offset)
			return block->hva + offset;
	}
	return NULL;
}
