/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host memory for tests of slots and caches, and the machinery below them without a kernel: an
 * arena of pages that are mapped, replaced and taken away where the test says. What is not mapped
 * cannot be touched (SIGSEGV), and an address never becomes somebody else's: a pointer that is used
 * too late shows.
 */
#ifndef SHIM_TEST_MEMORY_H
#define SHIM_TEST_MEMORY_H

#include "shim/memslot/memslot.h"

struct test_memory {
	uint8_t *arena;
	unsigned pages;
	int ram;          /* file: page n of the arena has page from[n] of it */
	unsigned *from;   /* what is mapped there, under an overlay if there is one */
	int shown;        /* file: the hypervisor's pages, for overlays */
	int fail;         /* errno of the next calls of the ops; 0: they succeed */
	unsigned changes; /* calls of set_slot that have succeeded */
};

#define TEST_MEMORY_SHOWN 8 /* pages of the hypervisor's */

/* An arena with nothing mapped, and as many pages of RAM, all zero. Ends the program on failure. */
void test_memory_init(struct test_memory *m, unsigned pages);
void test_memory_destroy(struct test_memory *m);

/* Map RAM pages [from, from + npages) at arena pages [first, first + npages); returns the address.
 */
uint8_t *test_memory_map(struct test_memory *m, unsigned first, unsigned npages, unsigned from);
/* Take the mapping away; what was written stays in the RAM. */
void test_memory_unmap(struct test_memory *m, unsigned first, unsigned npages);

/* Page of RAM, page of the hypervisor's, as the owner sees it: never unmapped before destroy. */
uint8_t *test_memory_ram(const struct test_memory *m, unsigned page);
uint8_t *test_memory_shown(const struct test_memory *m, unsigned page);

/* Slots' ops; `host` is the struct test_memory. The kernel's dirty log is always empty. */
extern const struct memslot_ops test_memory_ops;

#endif
