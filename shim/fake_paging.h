/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables for guests on the fake platform, built in the high RAM. All kinds of paging that a
 * vCPU may use are here; an entry is what a test says it is.
 */
#ifndef SHIM_FAKE_PAGING_H
#define SHIM_FAKE_PAGING_H

#include "shim/fake_platform.h"
#include "shim/x86.h"

#define PTE_P  (1ull << 0)
#define PTE_W  (1ull << 1)
#define PTE_US (1ull << 2)
#define PTE_A  (1ull << 5)
#define PTE_D  (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_RW (PTE_P | PTE_W | PTE_US)

enum fake_paging {
	FAKE_PAGING_32, /* CR4.PSE clear */
	FAKE_PAGING_32_PSE,
	FAKE_PAGING_PAE,
	FAKE_PAGING_4,
	FAKE_PAGING_5,
};

struct fake_tables {
	struct fake *f;
	enum fake_paging kind;
	unsigned levels;
	uint64_t root;
	uint64_t next; /* where the next table will be */
};

/*
 * An empty tree in the tables' part of the high RAM, and the current vCPU using it with CR0.WP set.
 * 32-bit paging cannot point above 4 GiB, so its tables go to the end of the low RAM.
 */
struct fake_tables fake_paging_start(struct fake *f, enum fake_paging kind);

/* Entry that addr has at a level (1: the leaf of a small page). Tables on the way are made. */
uint64_t fake_entry(struct fake_tables *t, uint64_t addr, unsigned level);
void fake_set_entry(struct fake_tables *t, uint64_t addr, unsigned level, uint64_t entry);

/* Map the small page at addr to the frame at phys. */
void fake_map(struct fake_tables *t, uint64_t addr, uint64_t phys, uint64_t flags);

/* Four-level paging with the low RAM mapped one to one, writable. */
struct fake_tables fake_paging_identity(struct fake *f);

/* The same, and the page of fake_op()'s argument may only be read. */
void fake_paging_read_only_arg(struct fake *f);

#endif
