/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of a 64-bit PV guest's page tables. They hold machine frames, and what the guest may ask
 * for in them is what Xen lets an unprivileged guest ask for: no caching attributes, no large
 * pages, nothing in reserved bits. Freestanding.
 */
#ifndef SHIM_PV_PTE_H
#define SHIM_PV_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/pv/layout.h"

#define PV_PTE_PRESENT  0x001ull
#define PV_PTE_RW       0x002ull
#define PV_PTE_USER     0x004ull
#define PV_PTE_PWT      0x008ull
#define PV_PTE_PCD      0x010ull
#define PV_PTE_ACCESSED 0x020ull
#define PV_PTE_DIRTY    0x040ull
#define PV_PTE_PSE      0x080ull /* in an L1 entry: PAT */
#define PV_PTE_GLOBAL   0x100ull
#define PV_PTE_AVAIL    0xe00ull
#define PV_PTE_NX       (1ull << 63)
/* Of those that the CPU leaves to software; the lowest tells pages of the guest's kernel. */
#define PV_PTE_AVAIL_HIGH   (0x7ffull << 52)
#define PV_PTE_GUEST_KERNEL (1ull << 52)

#define PV_PTE_MFN_BITS 40
#define PV_PTE_MFN_NONE                                                          \
	((1ull << PV_PTE_MFN_BITS) - 1) /* all ones: what guests have for "none" \
					 */
#define PV_PTE_MFN_MASK (PV_PTE_MFN_NONE << 12)

#define PV_PTE_AD (PV_PTE_ACCESSED | PV_PTE_DIRTY)

/* Flags that a guest may have in entries of tables of levels 2 to 4; of level 1. */
#define PV_PTE_TABLE_FLAGS                                                                 \
	(PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_AD | PV_PTE_AVAIL | PV_PTE_NX | \
	 PV_PTE_AVAIL_HIGH)
#define PV_PTE_PAGE_FLAGS (PV_PTE_TABLE_FLAGS | PV_PTE_GLOBAL)
/* And of level 1, of a page that is no memory. */
#define PV_PTE_IO_FLAGS (PV_PTE_PAGE_FLAGS | PV_PTE_PWT | PV_PTE_PCD | PV_PTE_PSE)

/* Flags that may change in a present entry without its being checked again. */
#define PV_PTE_FREE_FLAGS \
	(PV_PTE_NX | PV_PTE_AVAIL_HIGH | PV_PTE_AVAIL | PV_PTE_GLOBAL | PV_PTE_AD | PV_PTE_USER)

#define PV_PTE_ENTRIES 512u

static inline uint64_t pv_pte_mfn(uint64_t entry)
{
	return (entry & PV_PTE_MFN_MASK) >> 12;
}

/* Of level 1: of a page that is no memory, and nothing counts? */
static inline bool pv_pte_io(uint64_t entry)
{
	return pv_pte_mfn(entry) == PV_IO_PAGE >> PV_PAGE_SHIFT;
}

static inline bool pv_page_flags_allowed(uint64_t entry)
{
	uint64_t allowed = pv_pte_io(entry) ? PV_PTE_IO_FLAGS : PV_PTE_PAGE_FLAGS;

	return !(entry & ~(allowed | PV_PTE_MFN_MASK));
}

static inline uint64_t pv_pte_make(uint64_t mfn, uint64_t flags)
{
	return mfn << 12 | flags;
}

/* Which entry of a table of this level (1 to 4) is on the way to an address. */
static inline unsigned pv_pte_index(uint64_t va, unsigned level)
{
	return va >> (12 + 9 * (level - 1)) & (PV_PTE_ENTRIES - 1);
}

/* The CPU sets bits in entries at any time, other vCPUs read them: one access each. */
static inline uint64_t pv_pte_read(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static inline void pv_pte_write(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

#endif
