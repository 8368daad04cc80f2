/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an index is made of. range_index.c looks things up in it, range_index_edit.c changes it.
 */
#ifndef SHIM_RANGE_INDEX_INTERNAL_H
#define SHIM_RANGE_INDEX_INTERNAL_H

#include "shim/memslot/range_index.h"

#define LEAF_RANGES 64

/* Ranges in ascending order. One slot's all is in few cache lines: some reaches, and its entry. */
struct range_leaf {
	uint64_t reach[LEAF_RANGES]; /* within this leaf; UINT64_MAX behind the last entry */
	struct range at[LEAF_RANGES];
	unsigned nr;
};

/* The root. Addresses from base to limit are divided into buckets of 2^shift bytes. */
struct range_index {
	uint64_t base, limit; /* the lowest start, the highest end; both 0: no ranges */
	unsigned shift;
	unsigned width; /* how many leaves may be the first beyond an address in a bucket, less one
			 */
	uint32_t *bucket; /* the first of them, at most */
	uint64_t *reach;  /* over all leaves up to each one */
	struct range_leaf **leaf;
	unsigned nr, room; /* leaves; none of them is empty */
};

#endif
