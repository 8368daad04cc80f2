// SPDX-License-Identifier: BSD-2-Clause
/* Arguments of the hypercalls about memory. */
#include "shim/pv/access.h"

#include "shim/pv/monitor/boot.h"
#include "xen-abi/xen.h"

/* Xen's own mark (arch/x86/include/asm/mm.h) on a count that goes on with a call. */
#define COUNT_GOES_ON 0x80000000u

int pv_vcpu_mask(struct pv_vcpu *v, uint64_t mask, uint64_t *vcpus)
{
	if (!pv_address_guests(mask) || pv_copy_from_guest(vcpus, mask, sizeof(*vcpus), NULL))
		return -XEN_EFAULT;
	*vcpus &= pv_mm_vcpus_up(&v->domain->mm);
	return 0;
}

int pv_page_owner(const struct pv_mm *mm, uint16_t domid, bool *io)
{
	*io = domid == DOMID_IO;
	if (domid == DOMID_SELF || *io)
		return 0;
	if (domid == mm->domid)
		return -XEN_ESRCH;
	return domid == 0 || domid == DOMID_XEN ? -XEN_EPERM : -XEN_ESRCH;
}

int pv_batch_begin(struct pv_batch *b, const uint64_t args[6], long *answer)
{
	*b = (struct pv_batch){
		.list = args[0],
		.done_at = args[2],
		.count = args[1],
		.page_owner = args[3],
		.table_owner = args[3] >> 16,
	};
	if (b->count == COUNT_GOES_ON && !b->list) {
		*answer = (int32_t)args[3];
		return 1;
	}
	if (b->count & COUNT_GOES_ON) {
		b->count &= ~COUNT_GOES_ON;
		if (b->done_at && pv_copy_from_guest(&b->done, b->done_at, sizeof(b->done), NULL))
			b->done = 0;
	}
	return pv_address_guests(b->list) ? 0 : -XEN_EFAULT;
}

void pv_batch_end(const struct pv_batch *b)
{
	if (b->done_at)
		pv_copy_to_guest(b->done_at, &b->done, sizeof(b->done), NULL);
}
