/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest on the fake machine, with page tables as a builder leaves them: its memory is mapped
 * at FAKE_BASE, frame after frame; and its hypercalls about memory, with their arguments outside.
 */
#ifndef SHIM_PV_FAKE_GUEST_H
#define SHIM_PV_FAKE_GUEST_H

#include "shim/pv/fake_machine.h"
#include "shim/pv/mmu_op.h"
#include "shim/pv/pte.h"

/*
 * Frames: 0 is not the domain's; then the first tables (pinned, vCPU 0's and 1's kernel base), RAM
 * that is mapped read-only, RAM that is mapped writable; a frame that is shared, and some that the
 * domain could have but has not, and no memory up to FAKE_FRAMES.
 */
enum {
	FAKE_L4 = 1,
	FAKE_L3,
	FAKE_L2,
	FAKE_L1,
	FAKE_FREE,          /* first of those that are mapped read-only */
	FAKE_WRITABLE = 64, /* of those that are mapped writable */
	FAKE_SHARED = 96,
	FAKE_UNALLOCATED,
	FAKE_HOLE = 104,
};

#define FAKE_BASE  0xffff888000000000ull
#define FAKE_DOMID 5

/* Entries of tables; of pages. */
#define FAKE_TABLE_FLAGS (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_ACCESSED)
#define FAKE_RO          (PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_ACCESSED)
#define FAKE_RW          (FAKE_RO | PV_PTE_RW)

static inline uint64_t fake_va(uint64_t mfn)
{
	return FAKE_BASE + mfn * PV_PAGE_SIZE;
}

/* Only vCPUs 0 and 1 are there and up. */
struct fake_machine *fake_guest_new(void);

static inline struct pv_mm *fake_mm(struct fake_machine *m)
{
	return &m->domain.mm;
}

/* Hypercalls of the current vCPU with one request, for DOMID_SELF. */
long fake_mmuext(struct fake_machine *m, unsigned cmd, uint64_t arg1, uint64_t arg2);
long fake_mmu_update(struct fake_machine *m, uint64_t ptr, uint64_t value);
/* The entry of a table. */
long fake_update(struct fake_machine *m, uint64_t table, unsigned index, uint64_t value);
/* One operation on grants (GNTTABOP_*); *op is as it is afterwards. */
long fake_grant_op(struct fake_machine *m, unsigned cmd, void *op, size_t size);
/* The mapping of a frame at its place from FAKE_BASE on. */
long fake_remap(struct fake_machine *m, uint64_t mfn, uint64_t flags);
/*
 * Frames `root` to root + 3 become, by their contents, an L4, L3, L2 and L1 table, each with the
 * next as entry 0, the last with `mfn` at index 1.
 */
void fake_build_tree(struct fake_machine *m, uint64_t root, uint64_t flags, uint64_t mfn);
/* As the host does it: the domain has a frame, or gives it up. False: it has it, or has it not. */
bool fake_allocate(struct fake_machine *m, uint64_t mfn);
bool fake_give_up(struct fake_machine *m, uint64_t mfn);
/* The mask of vCPUs that the next requests may point to: its address. */
uint64_t fake_mask(struct fake_machine *m, uint64_t vcpus);

/*
 * Each frame's counts and type are what all holders of references sum up to, each entry is one that
 * a guest may have, and no TLB may know a page table as writable: else the reason on stderr and
 * abort().
 */
void fake_check(struct fake_machine *m);

#endif
