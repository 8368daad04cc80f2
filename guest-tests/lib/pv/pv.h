/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's memory: frames by both their numbers (pfn: pseudo-physical, the guest's own; mfn:
 * machine), pages of ours, and the hypercalls about page tables. Public header xen.h says what each
 * of them does.
 */
#ifndef GUEST_TESTS_PV_PV_H
#define GUEST_TESTS_PV_PV_H

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"

/* As entry.S found them. */
struct pv_entry_state {
	uint64_t rsi, rsp, cr0, cr3, rflags;
	uint16_t cs, ss, ds, es, fs, gs;
};
extern const struct pv_entry_state pv_entry_state;

struct start_info *pv_start_info(void);

/* Bits of entries that are ours to choose. */
#define PTE_P   0x001UL
#define PTE_RW  0x002UL
#define PTE_US  0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A   0x020UL
#define PTE_D   0x040UL
#define PTE_PS  0x080UL
#define PTE_G   0x100UL
#define PTE_NX  (1UL << 63)
/* What the tables of a kernel's data and its tables' tables have. */
#define PTE_DATA     (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PTE_READONLY (PTE_P | PTE_US | PTE_A | PTE_D)
#define PTE_FRAME    0x000ffffffffff000UL

/* A frame that no machine has. */
#define NO_MFN 0xfffffff000UL

/* Both numbers of the page at an address within the initial mapping, and back. */
unsigned long pfn_of(const void *p);
unsigned long mfn_of(const void *p);
unsigned long mfn_of_pfn(unsigned long pfn);
void *page_of_pfn(unsigned long pfn);
void *page_of_mfn(unsigned long mfn);
/* The list of frames, which the domain's builder wrote and we keep right. */
unsigned long *p2m(void);
/* The hypervisor's list of pfns by mfn. */
const unsigned long *m2p(void);

/* A page of RAM, mapped writable, of zeros; it is never freed. */
void *page_alloc(void);
/* A pfn of RAM that nothing is mapped to. */
unsigned long pfn_alloc(void);
/* The first address behind the initial mapping. */
unsigned long mapped_end(void);

/*
 * The entry of level 1 to 4 that maps this address, as the kernel sees it; NULL when a level above
 * it has none. Tables are those of the initial mapping, or of page_alloc().
 */
uint64_t *pte_of(const void *address, unsigned int level);
/* Its machine address: what mmu_update wants. */
uint64_t maddr_of(const void *p);

/* One request, and the result; `done` (or NULL) gets how many were. */
long mmu_update(const struct mmu_update *requests, unsigned int count, unsigned int *done);
long mmu_update_1(uint64_t ptr, uint64_t val);
long pte_write(uint64_t *pte, uint64_t val);
long update_va_mapping(const void *address, uint64_t val, unsigned long flags);
long mmuext_op(const struct mmuext_op *ops, unsigned int count, unsigned int *done);
long mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2);

/* The value of an entry that maps a page of ours. */
static inline uint64_t pte_for(const void *page, uint64_t bits)
{
	return (uint64_t)mfn_of(page) * PAGE_SIZE | bits;
}

/* Map a page of the initial mapping with these PTE_* bits; writable again; or not. All must
 * succeed. */
void page_protect(const void *page, uint64_t bits);

/* What the page tables say: the frame at this address, and the bits of its last entry; 0 when there
 * is none. */
uint64_t pte_value(const void *address);

/* The L4 table that this kernel began with, as a page. */
uint64_t *l4_table(void);

/* Have tables down to level 1 for this address. */
void tables_for(const void *at);

/*
 * An address whose L4 slot has been empty at the start, with tables of its own down to level 1: it
 * stands there for what a test wants to map. 512 pages; the L1 table is pte_of(window(), 1).
 */
void *window(void);

/* As ../paging.h has it: a page of the window shows the page of the image at `page`; flags 0:
 * nothing. */
void *window_map(unsigned int index, unsigned long page, uint64_t flags);

#endif
