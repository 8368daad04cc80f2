// SPDX-License-Identifier: BSD-2-Clause
/*
 * Upcalls: how "events are pending" interrupts a vCPU.
 *
 * A vector of the vCPU's own (HVMOP_set_evtchn_upcall_vector) is an ordinary interrupt that the
 * guest ends with an EOI: a plain MSI to its LAPIC. The domain's callback vector knows no EOI.
 * KVM_XEN injects it past the LAPIC; on stock KVM a Hyper-V SINT with auto-EOI makes the LAPIC
 * forget the vector as soon as it is delivered. The guest sees nothing of the SINT.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/kvm_xen.h"
#include "host/kvm/vm.h"

#define MSR_HV_SCONTROL  0x40000080
#define MSR_HV_SINT2     0x40000092
#define HV_SCONTROL_ON   1
#define HV_SINT_AUTO_EOI (1u << 17)
#define HV_SINT_MASKED   (1u << 16)

#define MSI_ADDRESS 0xfee00000u

static void send_msi(struct vm *vm, unsigned apic_id, uint8_t vector)
{
	/* Fixed delivery, edge; bits 31:8 of a long APIC id go into the high half. */
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | (apic_id & 0xff) << 12,
		.address_hi = apic_id & 0xffffff00,
		.data = vector,
	};

	ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

void vm_upcall(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;
	const struct callback *cb = &v->domain->callback;

	if (v->upcall_vector) {
		send_msi(vv->vm, v->id, v->upcall_vector);
	} else if (cb->type == CALLBACK_VECTOR) {
		if (vv->vm->kvm_xen)
			vcpu_post(vv, 0); /* KVM looks at vcpu_info when it enters the guest */
		else
			send_msi(vv->vm, v->id, cb->where);
	}
}

static int enable_synic(struct vm_vcpu *vv)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_HYPERV_SYNIC};

	if (ioctl(vv->fd, KVM_ENABLE_CAP, &cap))
		return -errno;
	vv->synic_on = true;
	return vcpu_set_msr(vv, MSR_HV_SCONTROL, HV_SCONTROL_ON);
}

/* Point the vCPU's SINT at the callback vector, or mask it. On the vCPU's thread. */
void vcpu_apply_upcall_method(struct vm_vcpu *vv)
{
	const struct callback *cb = &vv->vm->domain.callback;
	bool wanted = cb->type == CALLBACK_VECTOR && !vv->vcpu->upcall_vector;
	uint64_t sint = wanted ? cb->where | HV_SINT_AUTO_EOI : HV_SINT_MASKED;
	int rc = 0;

	if (vv->vm->kvm_xen || (!wanted && !vv->synic_on))
		return;
	if (!vv->synic_on)
		rc = enable_synic(vv);
	if (!rc)
		rc = vcpu_set_msr(vv, MSR_HV_SINT2, sint);
	if (rc)
		fprintf(stderr,
			"xenolith: the guest wants upcalls by callback vector %u, but this host's KVM has "
			"no auto-EOI (%s): it will see the first one only; see 'xenolith doctor'\n",
			cb->where, strerror(-rc));
}

void vm_upcall_method_changed(struct domain *d)
{
	struct vm *vm = d->host;

	if (vm->kvm_xen)
		kvm_xen_set_upcall_vector(
			vm, d->callback.type == CALLBACK_VECTOR ? d->callback.where : 0);
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		struct vm_vcpu *vv = &vm->vcpus[i];

		if (vcpu_is_current(vv))
			vcpu_apply_upcall_method(vv);
		else
			vcpu_post(vv, VCPU_REQ_UPCALL_AREA);
	}
}
