// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page that is being covered has no access for a moment (cover.h). Where the guest touches it,
 * KVM_RUN fails with EFAULT, whatever exit reason it leaves; where KVM emulates the instruction,
 * that is an MMIO exit (mmio.c) or, if it is an atomic one, a failed emulation. The instruction has
 * not been executed: it is, once the change is done.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/vm.h"

#define TRIES     16 /* that changes which came to nothing may need */
#define VECTOR_UD 6

bool vcpu_retry_fault(struct vm_vcpu *vv)
{
	struct memslots *slots = &vv->vm->domain.memslots;
	uint64_t generation;

	vv->faults++;
	memslots_retry(slots, 0); /* wait for what is under way */
	generation = memslots_generation(slots);
	if (generation != vv->fault_generation)
		vv->tries_left = TRIES;
	vv->fault_generation = generation;
	return vv->tries_left && vv->tries_left--;
}

bool vcpu_retry_emulation(struct vm_vcpu *vv)
{
	struct kvm_vcpu_events events;

	vv->not_emulated++;
	if (vv->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION || !vcpu_retry_fault(vv) ||
	    ioctl(vv->fd, KVM_GET_VCPU_EVENTS, &events))
		return false;
	/* KVM has queued the exception, too, for one who would just go on. */
	if (events.exception.injected && events.exception.nr == VECTOR_UD)
		memset(&events.exception, 0, sizeof(events.exception));
	return ioctl(vv->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}
