// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one MSR that is Xen's (the hypercall page), one that tells us of a CPU that starts, and those
 * that a vCPU starts with.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/vm.h"
#include "shim/cpuid.h"

#define MSR_GS_BASE       0xc0000101
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE       (1u << 11)
#define MTRR_TYPE_WB      6

/* kvm_msrs ends in an array of no length; this gives it room for one. */
union one_msr {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

int vcpu_set_msr(struct vm_vcpu *vv, uint32_t index, uint64_t value)
{
	union one_msr msrs = {.head.nmsrs = 1};
	int rc;

	msrs.head.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
	rc = ioctl(vv->fd, KVM_SET_MSRS, &msrs);

	if (rc < 0)
		return -errno;
	return rc == 1 ? 0 : -EINVAL;
}

int vcpu_get_msr(struct vm_vcpu *vv, uint32_t index, uint64_t *value)
{
	union one_msr msrs = {.head.nmsrs = 1};
	int rc;

	msrs.head.entries[0] = (struct kvm_msr_entry){.index = index};
	rc = ioctl(vv->fd, KVM_GET_MSRS, &msrs);
	if (rc < 0)
		return -errno;
	*value = msrs.head.entries[0].data;
	return rc == 1 ? 0 : -EINVAL;
}

int vcpu_init_msrs(struct vm_vcpu *vv, struct problem *p)
{
	/* Xen gives PVH guests write-back by default (docs/misc/pvh.pandoc). */
	int rc = vcpu_set_msr(vv, MSR_MTRR_DEF_TYPE, MTRR_ENABLE | MTRR_TYPE_WB);

	return rc ? problem(p, "KVM refuses the default memory type: %s", strerror(-rc)) : 0;
}

/*
 * Make KVM hand us reads and writes of Xen's MSR, and on stock KVM writes of GS_BASE: a 64-bit
 * kernel does that once on each CPU that it starts, early.
 */
int vm_filter_msrs(struct vm *vm, struct problem *p)
{
	static uint8_t none;
	struct kvm_enable_cap cap = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
				     .args[0] = KVM_MSR_EXIT_REASON_FILTER};
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			      .nmsrs = 1,
			      .base = XEN_MSR_HYPERCALL_PAGE,
			      .bitmap = &none},
	};

	if (!vm->kvm_xen)
		filter.ranges[1] = (struct kvm_msr_filter_range){.flags = KVM_MSR_FILTER_WRITE,
								 .nmsrs = 1,
								 .base = MSR_GS_BASE,
								 .bitmap = &none};
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) || ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter))
		return problem(p,
			       "KVM cannot hand MSR %#x to us: %s; Linux 5.10 or newer is needed",
			       XEN_MSR_HYPERCALL_PAGE, strerror(errno));
	return 0;
}

void vcpu_handle_rdmsr(struct vm_vcpu *vv)
{
	/* Xen reads as 0 too. */
	vv->run->msr.data = 0;
	vv->run->msr.error = vv->run->msr.index != XEN_MSR_HYPERCALL_PAGE;
}

static bool write_msr(struct vm_vcpu *vv, uint32_t index, uint64_t value)
{
	switch (index) {
	case XEN_MSR_HYPERCALL_PAGE:
		return vcpu_fill_hypercall_page(vv, value);
	case MSR_GS_BASE:
		vcpu_restarted(vv);
		vcpu_look_at_text(vv);
		return vcpu_set_msr(vv, MSR_GS_BASE, value) == 0;
	default:
		return false;
	}
}

void vcpu_handle_wrmsr(struct vm_vcpu *vv)
{
	vv->run->msr.error = !write_msr(vv, vv->run->msr.index, vv->run->msr.data);
}
