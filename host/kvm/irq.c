// SPDX-License-Identifier: BSD-2-Clause
/*
 * Upcalls: how "events are pending" interrupts a vCPU.
 *
 * A vector of the vCPU's own (HVMOP_set_evtchn_upcall_vector) is an ordinary interrupt that the
 * guest ends with an EOI: a plain MSI to its LAPIC. The domain's callback vector knows no EOI.
 * KVM_XEN injects it past the LAPIC; on stock KVM a Hyper-V SINT with auto-EOI makes the LAPIC
 * forget the vector as soon as it is delivered. The guest sees nothing of the SINT. A line into the
 * I/O APIC (shim/callback.h), with either accel, is vCPU 0's thread's to raise.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/kvm_xen.h"
#include "host/kvm/kvm_xen_events.h"
#include "host/kvm/vm.h"
#include "shim/callback.h"
#include "shim/vcpu_run.h"

#define MSR_HV_SCONTROL  0x40000080
#define MSR_HV_SINT2     0x40000092
#define HV_SCONTROL_ON   1
#define HV_SINT_AUTO_EOI (1u << 17)
#define HV_SINT_MASKED   (1u << 16)

#define UPCALL_RETRY_MIN_MS 1
#define UPCALL_RETRY_MAX_MS 128

#define MSI_ADDRESS 0xfee00000u

/* False: the guest's LAPIC does not take interrupts now (it is not enabled yet). */
static bool send_msi(struct vm *vm, unsigned apic_id, uint8_t vector)
{
	/* Fixed delivery, edge; bits 31:8 of a long APIC id go into the high half. */
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | (apic_id & 0xff) << 12,
		.address_hi = apic_id & 0xffffff00,
		.data = vector,
	};

	return ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) > 0;
}

/* False: the vector must be sent again later. Inline: each event comes here. */
static inline bool deliver(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;
	const struct callback *cb = &v->domain->callback;

	if (v->upcall_vector)
		return send_msi(vv->vm, v->id, v->upcall_vector);
	if (cb->type == CALLBACK_NONE)
		return true;
	if (v->id == 0 && callback_is_line(v->domain))
		vcpu_post(vv, VCPU_REQ_CALLBACK);
	if (cb->type != CALLBACK_VECTOR)
		return true;
	if (!vv->vm->kvm_xen)
		return send_msi(vv->vm, v->id, cb->where);
	vcpu_post(vv, 0); /* KVM looks at vcpu_info when it enters the guest */
	return true;
}

static void arm_retry(struct vm *vm, unsigned ms)
{
	__atomic_store_n(&vm->upcall_retry_ms, ms, __ATOMIC_RELAXED);
	loop_timer_set(&vm->upcall_retry, ms * 1000000ull);
}

/*
 * A LAPIC that is not enabled yet drops the vector, while Xen's keeps it (vlapic_set_irq): the flag
 * in vcpu_info would stay set and no later event would interrupt. So what was dropped is sent
 * again: at the vCPU's exits, and by a timer for a guest that waits without any.
 */
void vm_upcall(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;
	bool delivered = deliver(v);

	vcpu_upcall_sent(v);
	if (delivered || kvm_xen_events_interrupt(vv))
		return;
	__atomic_fetch_add(&vv->upcalls_dropped, 1, __ATOMIC_SEQ_CST);
	arm_retry(vv->vm, UPCALL_RETRY_MIN_MS);
}

/*
 * The vCPU's thread and the timer's may both be here. The count stands until one has got through:
 * the timer's, which goes on for as long as it stands, would otherwise end while the other tries in
 * vain.
 */
void vcpu_retry_upcall(struct vm_vcpu *vv)
{
	unsigned dropped = __atomic_load_n(&vv->upcalls_dropped, __ATOMIC_SEQ_CST);

	if (!dropped || (event_channels_pending(vv->vcpu) && !deliver(vv->vcpu)))
		return;
	/* Not if another has been dropped meanwhile. */
	__atomic_compare_exchange_n(&vv->upcalls_dropped, &dropped, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

static void retry_ready(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;
	bool again = false;
	unsigned ms;

	(void)events;
	if (!loop_timer_fired(&vm->upcall_retry))
		return;
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		vcpu_retry_upcall(&vm->vcpus[i]);
		again |= __atomic_load_n(&vm->vcpus[i].upcalls_dropped, __ATOMIC_SEQ_CST) > 0;
	}
	if (!again)
		return;
	/* A guest may leave its LAPIC off for good: ask less and less often. */
	ms = __atomic_load_n(&vm->upcall_retry_ms, __ATOMIC_RELAXED) * 2;
	arm_retry(vm, ms < UPCALL_RETRY_MAX_MS ? ms : UPCALL_RETRY_MAX_MS);
}

int vm_upcalls_create(struct vm *vm, struct problem *p)
{
	int rc = loop_timer_open(vm->loop, &vm->upcall_retry, retry_ready, vm);

	return rc ? problem(p, "cannot create a timer: %s", strerror(-rc)) : 0;
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

	if (vv->vm->kvm_xen) {
		kvm_xen_events_apply_vector(vv);
		vcpu_apply_time_area(vv); /* which says whether KVM interrupts it */
		return;
	}
	if (!wanted && !vv->synic_on)
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
			vcpu_post(vv, VCPU_REQ_UPCALL_METHOD);
	}
	kvm_xen_events_method_changed(vm);
}
