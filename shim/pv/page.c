// SPDX-License-Identifier: BSD-2-Clause
/* Whole pages, filled for a guest that has no mapping of them. They may not be in use otherwise. */
#include "shim/pv/mm.h"
#include "xen-abi/xen.h"

#include <string.h>

int pv_clear_page(struct pv_mm *mm, uint64_t mfn)
{
	int rc;

	pv_roots_forget(mm);
	rc = pv_get_ref_and_type(mm, mfn, PV_TYPE_WRITABLE);
	if (rc)
		return rc;
	memset(pv_frame_at(mm, mfn), 0, PV_PAGE_SIZE);
	pv_put_ref_and_type(mm, mfn);
	return 0;
}

int pv_copy_page(struct pv_mm *mm, uint64_t to, uint64_t from)
{
	int rc;

	pv_roots_forget(mm);
	if (!pv_get_ref(mm, from))
		return -XEN_EINVAL;
	rc = pv_get_ref_and_type(mm, to, PV_TYPE_WRITABLE);
	if (!rc) {
		memmove(pv_frame_at(mm, to), pv_frame_at(mm, from), PV_PAGE_SIZE);
		pv_put_ref_and_type(mm, to);
	}
	pv_put_ref(mm, from);
	return rc;
}
