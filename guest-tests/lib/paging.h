/* SPDX-License-Identifier: BSD-2-Clause */
/* 64-bit builds: 512 pages of address space above the identity map, to map as a test needs. */
#ifndef GUEST_TESTS_PAGING_H
#define GUEST_TESTS_PAGING_H

#include <stdint.h>

#define PTE_P  (1ULL << 0)
#define PTE_RW (1ULL << 1)
#define PTE_US (1ULL << 2)

#define WINDOW_BASE  0x100000000ULL
#define WINDOW_PAGES 512U

/*
 * Map page `index` of the window to the physical page at `paddr` (flags of PTE_*; 0: unmapped), and
 * return its address.
 */
void *window_map(unsigned int index, uint64_t paddr, uint64_t flags);

#endif
