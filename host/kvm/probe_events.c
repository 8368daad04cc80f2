// SPDX-License-Identifier: BSD-2-Clause
/* MSR exits, interrupts without EOI, and the clock page: KVM's services that Xenolith builds on. */
#include "host/kvm/probe_trials.h"
#include "host/kvm/probe_guest.h"

#include <asm/kvm_para.h>
#include <string.h>
#include <sys/ioctl.h>

/* Hyper-V Top Level Functional Specification, 11: synthetic interrupt controller. */
#define HV_MSR_SCONTROL    0x40000080
#define HV_SCONTROL_ENABLE 1
#define HV_MSR_SINT2       0x40000092
#define HV_SINT_AUTO_EOI   (1u << 17)

#define APIC_SPIV         0xf0
#define APIC_SPIV_ENABLED 0x100
#define UPCALLS           3 /* a vector that stays in service comes exactly once */

/* The hypercall MSR is KVM's own business for Hyper-V guests only; filtered, it is ours. */
static int enable_msr_exits(struct probe_vm *vm)
{
	return probe_enable_cap(vm->vm, KVM_CAP_X86_USER_SPACE_MSR,
				KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER);
}

static int filter_msr(struct probe_vm *vm)
{
	uint8_t allow[sizeof(long)] = {0}; /* bit clear: denied; KVM reads whole longs */
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			      .nmsrs = 1,
			      .base = PROBE_MSR,
			      .bitmap = allow},
	};

	return ioctl(vm->vm, KVM_X86_SET_MSR_FILTER, &filter);
}

enum kvm_answer probe_user_space_msr(struct probe_vm *vm, struct kvm_facts *facts)
{
	(void)facts;
	return enable_msr_exits(vm) == 0 ? KVM_WORKS : KVM_ABSENT;
}

/* The write must come to us with its value, and the guest must go on after it. */
enum kvm_answer probe_msr_filter(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer;
	uint32_t heard;

	(void)facts;
	if (enable_msr_exits(vm) < 0 || filter_msr(vm) < 0)
		return KVM_ABSENT;
	if (probe_vm_load(vm, probe_guest_wrmsr) < 0)
		return KVM_INTERNAL_ERROR;
	answer = probe_vm_run(vm);
	if (answer != KVM_WORKS)
		return answer;
	if (vm->run->exit_reason != KVM_EXIT_X86_WRMSR || vm->run->msr.index != PROBE_MSR ||
	    vm->run->msr.data != PROBE_MSR_VALUE)
		return KVM_WRONG;
	vm->run->msr.error = 0;
	answer = probe_vm_hear(vm, &heard);
	return answer == KVM_WORKS && heard != PROBE_MAGIC ? KVM_WRONG : answer;
}

/* KVM fills the page on the next way into the guest. An even, non-zero version is a whole record.
 */
enum kvm_answer probe_pvclock(struct probe_vm *vm, struct kvm_facts *facts)
{
	struct pvclock {
		uint32_t version, pad;
		uint64_t tsc, system_time;
		uint32_t mul;
		int8_t shift;
		uint8_t flags, pad2[2];
	} clock;
	enum kvm_answer answer;
	uint32_t heard;

	(void)facts;
	_Static_assert(sizeof(clock) == 32, "struct pvclock_vcpu_time_info");
	if (probe_vm_load(vm, probe_guest_unpaged) < 0)
		return KVM_INTERNAL_ERROR;
	if (probe_set_msr(vm, MSR_KVM_SYSTEM_TIME_NEW, PROBE_PVCLOCK | 1) < 0)
		return KVM_ABSENT;
	answer = probe_vm_hear(vm, &heard);
	if (answer != KVM_WORKS)
		return answer;
	memcpy(&clock, vm->ram + PROBE_PVCLOCK, sizeof(clock));
	return clock.version && !(clock.version & 1) && clock.tsc && clock.mul ? KVM_WORKS
									       : KVM_WRONG;
}

/* SINT 2 is any but the first; the vector's SINT is the only part of SynIC that we use. */
static int enable_synic(struct probe_vm *vm)
{
	if (probe_enable_cap(vm->vcpu, KVM_CAP_HYPERV_SYNIC, 0) < 0)
		return -1;
	if (probe_set_msr(vm, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE) < 0)
		return -1;
	return probe_set_msr(vm, HV_MSR_SINT2, PROBE_VECTOR | HV_SINT_AUTO_EOI);
}

enum kvm_answer probe_synic(struct probe_vm *vm, struct kvm_facts *facts)
{
	(void)facts;
	return enable_synic(vm) == 0 ? KVM_WORKS : KVM_ABSENT;
}

/* Out of reset the LAPIC is off in software and would take no vector. */
static int enable_lapic(struct probe_vm *vm)
{
	struct kvm_lapic_state lapic;
	uint32_t spiv;

	if (ioctl(vm->vcpu, KVM_GET_LAPIC, &lapic) < 0)
		return -1;
	memcpy(&spiv, lapic.regs + APIC_SPIV, sizeof(spiv));
	spiv |= APIC_SPIV_ENABLED;
	memcpy(lapic.regs + APIC_SPIV, &spiv, sizeof(spiv));
	return ioctl(vm->vcpu, KVM_SET_LAPIC, &lapic);
}

static int send_vector(struct probe_vm *vm)
{
	struct kvm_msi msi = {.address_lo = 0xfee00000, .data = PROBE_VECTOR};

	return ioctl(vm->vm, KVM_SIGNAL_MSI, &msi);
}

enum kvm_answer probe_auto_eoi(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer = KVM_WORKS;
	uint32_t taken = 0;

	(void)facts;
	if (enable_synic(vm) < 0)
		return KVM_ABSENT;
	if (probe_vm_load(vm, probe_guest_upcall) < 0 || enable_lapic(vm) < 0)
		return KVM_INTERNAL_ERROR;
	for (int sent = 1; sent <= UPCALLS; sent++) {
		answer = probe_vm_tell(vm, 0);
		if (answer != KVM_WORKS)
			return answer;
		if (send_vector(vm) < 0)
			return KVM_ABSENT;
		answer = probe_vm_hear(vm, &taken);
		if (answer != KVM_WORKS)
			return answer;
	}
	return taken == UPCALLS ? KVM_WORKS : KVM_WRONG;
}
