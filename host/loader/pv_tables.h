/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables that a PV guest begins with: how many it takes to map its pages, and their
 * entries. Four levels, pages of 4 KiB only.
 *
 * Tables of one mapping are neighbours: the root (of the first mapping only), then level by level
 * down to those that have the pages. A later mapping uses the tables that an earlier one has made.
 */
#ifndef HOST_LOADER_PV_TABLES_H
#define HOST_LOADER_PV_TABLES_H

#include "host/loader/pv_memory.h"

#define PV_LEVELS       4
#define PV_MAPPINGS_MAX 2

/* The tables of a level: numbers first to first + count - 1 by address, at pfn and so on. */
struct pv_level {
	uint64_t first, count, pfn;
};

struct pv_mapping {
	uint64_t va, pages, pfn; /* pages of memory from pfn on, at va */
	uint64_t tables_pfn, tables;
	struct pv_level levels[PV_LEVELS]; /* the last is the root's */
};

struct pv_tables {
	unsigned count;
	struct pv_mapping mappings[PV_MAPPINGS_MAX];
};

/*
 * Tables that a new mapping of `pages` pages at `va` would take. [va, va + pages) is aligned to
 * pages, all of one half of the address space, and below what is mapped already.
 */
uint64_t pv_tables_needed(const struct pv_tables *t, uint64_t va, uint64_t pages);

/* Add that mapping, of memory from `pfn` on, with its tables from `tables_pfn` on. */
void pv_tables_add(struct pv_tables *t, uint64_t va, uint64_t pages, uint64_t pfn,
		   uint64_t tables_pfn);

/* Write all entries to memory, where the tables are zero. The tables are mapped read-only. */
void pv_tables_fill(const struct pv_tables *t, const struct pv_memory *m);

#endif
