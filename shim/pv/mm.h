/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's memory: what each machine frame is used as, and how often. The guest's own page
 * tables are run by the CPU, so a frame is a page table of a level, or may be written, or is a
 * descriptor page: never two of these at a time (Xen: arch/x86/mm.c; public header xen.h,
 * HYPERVISOR_mmu_update and mmuext_op).
 *
 * The rules know the frames by this table only. They are compiled into the monitor and into unit
 * tests; in the host, where PV memory_op and grants need them.
 *
 * All functions want mm.lock held, unless they say otherwise, and answer 0 or -XEN_E*.
 * Freestanding.
 */
#ifndef SHIM_PV_MM_H
#define SHIM_PV_MM_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/pv/layout.h"
#include "shim/pv/machine.h"

enum pv_type {
	PV_TYPE_NONE,
	PV_TYPE_L1,
	PV_TYPE_L2,
	PV_TYPE_L3,
	PV_TYPE_L4,
	PV_TYPE_DESCRIPTORS,
	PV_TYPE_WRITABLE,
};

/*
 * A frame. refs: uses of any kind; type_refs: uses as `type`, which can change when there are none
 * left. The domain's own allocation is a reference, a pin is one of each.
 */
struct pv_frame {
	uint32_t refs, type_refs;
	uint8_t type;  /* enum pv_type */
	uint8_t flags; /* PV_FRAME_* */
	uint16_t spare;
	uint32_t shadow_slot; /* not used by the rules */
};

#define PV_FRAME_RAM 0x01 /* the domain's RAM: it may be anything */
#define PV_FRAME_SHARED                                                          \
	0x02 /* the hypervisor's, may be mapped and written: shared_info, grants \
	      */
#define PV_FRAME_PINNED    0x04
#define PV_FRAME_VALIDATED 0x08 /* its entries have been checked, and hold references */

struct pv_mm {
	struct pv_lock lock;
	uint64_t max_mfn;        /* exclusive */
	struct pv_frame *frames; /* max_mfn of them */
	uint64_t *m2p;
	uint8_t *direct; /* frame n is at direct + n * PV_PAGE_SIZE */
	uint64_t l4_slots[PV_L4_LAST - PV_L4_FIRST + 1]; /* entries of every L4 */
	uint32_t nr_vcpus;
	uint64_t vcpus_up; /* a bit each: who may have translations cached */
};

/* Base pointers of a vCPU: mfns, 0 for none. */
#define PV_ROOTS_PREVIOUS 3
struct pv_roots {
	uint64_t kernel, user;
	uint64_t previous[PV_ROOTS_PREVIOUS]; /* still validated, most recent first */
};

static inline void *pv_frame_at(const struct pv_mm *mm, uint64_t mfn)
{
	return mm->direct + mfn * PV_PAGE_SIZE;
}

#endif
