// SPDX-License-Identifier: BSD-2-Clause
/* Pins: a page table stays validated while nobody uses it. A frame has at most one. */
#include "shim/pv/mm.h"
#include "xen-abi/xen.h"

int pv_pin(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	int rc;

	pv_roots_forget(mm);
	rc = pv_get_ref_and_type(mm, mfn, type);
	if (rc)
		return rc;
	if (mm->frames[mfn].flags & PV_FRAME_PINNED) {
		pv_put_ref_and_type(mm, mfn);
		return -XEN_EINVAL;
	}
	mm->frames[mfn].flags |= PV_FRAME_PINNED;
	return 0;
}

int pv_unpin(struct pv_mm *mm, uint64_t mfn)
{
	pv_roots_forget(mm);
	if (mfn >= mm->max_mfn || !(mm->frames[mfn].flags & PV_FRAME_PINNED))
		return -XEN_EINVAL;
	mm->frames[mfn].flags &= ~PV_FRAME_PINNED;
	pv_put_ref_and_type(mm, mfn);
	return 0;
}
