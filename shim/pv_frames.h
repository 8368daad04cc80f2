/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's machine as the host sees it: the frames of its VM are the machine frames that it
 * names (mfn = gfn), and two arrays of the monitor's memory (docs/pv.md, shim/pv/mm.h) tell what
 * each is used as and which pseudo-physical frame the guest takes it for.
 *
 * The arrays are the monitor's, and it changes them under its mm.lock. It holds that lock while a
 * hypercall of these is out here, so that who carries it out may change them, too:
 *	memory_op, grant_table_op, physdev_op, VCPUOP_register_vcpu_info, EVTCHNOP_init_control,
 *	EVTCHNOP_expand_array, EVTCHNOP_reset
 * Nobody here takes the lock: a guest that has broken its monitor could hold it for ever. For the
 * same reason what the arrays say decides nothing that the host's own safety hangs on; that is in
 * domain.reservation.
 */
#ifndef SHIM_PV_FRAMES_H
#define SHIM_PV_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/platform.h"
#include "shim/pv/layout.h"
#include "shim/pv/mm.h"

struct domain;

/* M2P of a frame that is nobody's (Xen: INVALID_M2P_ENTRY). */
#define PV_M2P_INVALID UINT64_MAX

struct pv_machine {
	uint64_t max_mfn;        /* entries of both arrays */
	struct pv_frame *frames; /* as mapped here; the caller's of domain_make_pv() */
	uint64_t *m2p;
	uint64_t m2p_mfn; /* where the M2P begins; it is in one piece */

	/* Frames that the guest has given up and still uses: a bit each, and how many. Under the
	 * reservation's lock. */
	uint64_t *leaving;
	uint64_t nr_leaving;

	struct pv_grant *grant; /* what the monitor says of one (shim/pv/grant.h) */

	bool has_eoi_page; /* PHYSDEVOP_pirq_eoi_gmfn_v*; under the domain's lock */
};

/* The frame of a page of the hypervisor's that a PV guest may map. */
static inline uint64_t pv_overlay_mfn(unsigned overlay)
{
	return (PV_SHARED_FRAMES >> PV_PAGE_SHIFT) + overlay;
}

/*
 * d is a PV domain from now on: after domain_init and where its memory is known, before it runs.
 * Its shared_info is at pv_overlay_mfn(OVERLAY_SHARED_INFO), where the caller has made a slot of
 * the overlay pages, and its wall clock is written: so the platform must be able to tell the time.
 * All vCPUs have upcalls masked. *m is copied (`leaving` is ours); entries of frames that are
 * shared with the guest become so in the frame table, and all others are left to the caller: RAM
 * that is withheld (shim/reservation.h) is zero there.
 * 0 or -ENOMEM.
 */
int domain_make_pv(struct domain *d, const struct pv_machine *m);
void pv_machine_destroy(struct domain *d);

/*
 * All below: of PV domains, while the calling vCPU holds mm.lock.
 */

/* The guest may map this page of the hypervisor's (enum overlay), or may no longer. */
void pv_share_overlay(struct domain *d, unsigned overlay);
void pv_unshare_overlay(struct domain *d, unsigned overlay);
/* Does it map it, or has it other uses of it? */
bool pv_overlay_in_use(const struct domain *d, unsigned overlay);

/* A new frame of the domain's: one reference, no type, no place in the M2P. */
void pv_frame_allocate(struct domain *d, uint64_t mfn);

/*
 * What a frame of RAM is to one who would take it away. GIVEN_UP: the domain has done so before,
 * and uses it still.
 */
enum pv_hold { PV_HOLD_NONE, PV_HOLD_ALLOCATION, PV_HOLD_USES, PV_HOLD_GIVEN_UP };
enum pv_hold pv_frame_hold(const struct domain *d, uint64_t mfn);

/* The domain gives up one with PV_HOLD_USES: they go on. */
void pv_frame_give_up(struct domain *d, uint64_t mfn);

/* It is nobody's: no references, no place in the M2P. */
void pv_frame_free(struct domain *d, uint64_t mfn);

/* Is it neither a page table nor descriptors? What is no frame of the guest's is neither. */
bool pv_frame_may_be_written(const struct domain *d, uint64_t mfn);

/*
 * The hypervisor writes to this frame from now on: it is no page table nor descriptors (Xen's
 * get_page_and_type(PGT_writable_page)). False: it is, or is not the guest's. Until it is put,
 * which some never are. Other guests' frames are all alike: true.
 */
bool pv_frame_get_writable(struct domain *d, uint64_t mfn);
void pv_frame_put_writable(struct domain *d, uint64_t mfn);

/* Pseudo-physical frames pfn and on, of mfn and on. */
void pv_set_m2p(struct domain *d, uint64_t mfn, uint64_t pfn, uint64_t count);

#endif
