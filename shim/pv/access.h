/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of the hypercalls about memory (mmu_op.h). Freestanding. */
#ifndef SHIM_PV_ACCESS_H
#define SHIM_PV_ACCESS_H

#include "shim/pv/cpu.h"

/*
 * The vCPUs of a bit mask in the guest's memory, as far as the domain has such and they are up.
 * -XEN_EFAULT.
 */
int pv_vcpu_mask(struct pv_vcpu *v, uint64_t mask, uint64_t *vcpus);

/*
 * Whose frames a caller names by a domid: DOMID_SELF: the domain's own. *io: DOMID_IO: none of its.
 * -XEN_ESRCH: no such domain, and the caller's own number is none; -XEN_EPERM: another's.
 */
int pv_page_owner(const struct pv_mm *mm, uint16_t domid, bool *io);

/*
 * A call with a list of requests: how many of them, and how many are done. The public header says
 * "count" and "success_count"; Xen's own continuations set MMU_UPDATE_PREEMPTED in the first.
 */
struct pv_batch {
	uint64_t list, done_at;
	uint32_t count, done;
	uint16_t page_owner, table_owner; /* the low and high half of foreigndom */
};

/* 1: there is nothing to do, *answer is the call's; -XEN_EFAULT: no list can be there. */
int pv_batch_begin(struct pv_batch *b, const uint64_t args[6], long *answer);
/* `done` goes to the guest, if it wants to know. */
void pv_batch_end(const struct pv_batch *b);

#endif
