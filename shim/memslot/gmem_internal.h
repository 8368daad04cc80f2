/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of a guest_memfd: two bits for each page and a little for each large page, so that
 * one of 1 TiB costs 67 MiB when all of it is in use, and next to nothing before. gmem.c has its
 * memory, gmem_slot.c the slots that are bound to it.
 */
#ifndef SHIM_GMEM_INTERNAL_H
#define SHIM_GMEM_INTERNAL_H

#include "shim/memslot/gmem.h"

/* A slot's part of the file. */
struct gmem_binding {
	uint64_t first, npages; /* pages of the file */
	struct gfn base;
	uint64_t nr_2m;
	/* Shared pages in each 2 MiB, then in each 1 GiB, of the guest (as struct memslot_levels).
	 */
	uint32_t shared[];
};

struct gmem {
	struct memslots *slots;
	const struct gmem_ops *ops;
	void *host;
	uint64_t npages;
	unsigned refs;
	bool used; /* something has been allocated, once */

	/*
	 * What is allocated: a bit for each page; for each 2 MiB how many, and in which unit
	 * (BLOCK_*); for each 1 GiB how many. The last two are atomic.
	 */
	uint64_t *allocated;
	uint16_t *blocks;
	uint32_t *gibs;

	uint64_t *shared;               /* a bit for each page. Atomic. Only of bound pages */
	struct gmem_binding **bindings; /* in the order of the file's pages */
	unsigned nr_bindings, room;
};

/* gmem.c: under the lock. */
void gmem_drop(struct gmem *g);
/* The largest page that its allocation can give this page of the file. Any thread. */
enum page_level gmem_allocated_level(const struct gmem *g, uint64_t page);

/* Bitmaps. The words of [first, first + n) one by one, with the bits that belong to it. */
#define FOR_EACH_BITS_WORD(word, bits, first, n)                       \
	for (uint64_t word = (first) / 64, bits, end_ = (first) + (n); \
	     word * 64 < end_ && (bits = gmem_bits_of(word, first, end_), true); word++)

static inline uint64_t gmem_bits_of(uint64_t word, uint64_t first, uint64_t end)
{
	uint64_t bits = ~0ull;

	if (word == first / 64)
		bits &= ~0ull << first % 64;
	if (word == end / 64)
		bits &= ~(~0ull << end % 64);
	return bits;
}

static inline uint64_t gmem_bits_count(const uint64_t *map, uint64_t first, uint64_t n)
{
	uint64_t count = 0;

	FOR_EACH_BITS_WORD(i, bits, first, n)
	count += __builtin_popcountll(map[i] & bits);
	return count;
}

static inline void gmem_bits_put(uint64_t *map, uint64_t first, uint64_t n, bool on)
{
	FOR_EACH_BITS_WORD(i, bits, first, n)
	__atomic_store_n(&map[i], on ? map[i] | bits : map[i] & ~bits, __ATOMIC_RELEASE);
}

#endif
