/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's maps of its own grants (public header grant_table.h). The monitor has the page
 * tables and what frames are, the host the grant table and the handles. So the monitor takes
 * GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref and GNTTABOP_unmap_and_replace from the guest,
 * one argument after another, and asks the host by the same hypercall and operation, with a step in
 * args[1]; what the two tell each other is in struct pv_grant, in the monitor's memory, under
 * mm.lock. Freestanding.
 */
#ifndef SHIM_PV_GRANT_H
#define SHIM_PV_GRANT_H

#include <stdint.h>

struct pv_mm;
struct pv_vcpu;

/* Each answers GNTST_*. */
enum pv_grant_step {
	/* A new handle for the maps that `flags` ask for: of dom, ref, flags; to handle, mfn. As
	 * grant_handle_hold() (shim/grant_handle.h), or GNTST_bad_gntref: no map at all. */
	PV_GRANT_HOLD,
	/* What is it: of handle; to flags (as asked for, without maps that have ended), mfn.
	 * GNTST_bad_handle. */
	PV_GRANT_FIND,
	/* Maps have ended: of handle, flags (GNTMAP_host_map, GNTMAP_device_map). GNTST_bad_handle.
	 */
	PV_GRANT_RELEASE,
};

struct pv_grant {
	uint64_t mfn;
	uint32_t flags; /* GNTMAP_* */
	uint32_t ref, handle;
	uint16_t dom;
};

/*
 * grant_page.c: the page of a grant, with mm.lock held. *g: flags and mfn.
 */

/*
 * Its maps, the host's at `addr` (GNTMAP_contains_pte: the machine address of an entry, else that
 * of a page in use): GNTST_bad_page: not the domain's frame; GNTST_general_error: to be writable
 * and a page table or descriptors, no entry of an L1 table at the address.
 */
int pv_grant_map_page(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr);
/*
 * The host's map at `addr` goes, and what is mapped at new_addr (0: nothing) comes to its place.
 * The references that it has held are the caller's to put. GNTST_general_error: there is no such
 * map (then nothing is mapped at new_addr any more), nothing at new_addr, or the grant was mapped
 * with GNTMAP_contains_pte and there is a new_addr.
 */
int pv_grant_unmap_page(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr,
			uint64_t new_addr);
/* What one map holds of the page. */
void pv_grant_put_page(struct pv_mm *mm, const struct pv_grant *g);

/* (GNTTABOP_*, array, count). PV_OP_HOST (cpu_op.h): another operation. As mmu_op.h. */
long pv_op_grant_table(struct pv_vcpu *v, const uint64_t args[6]);

#endif
