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
#include "shim/x86.h"

#define MSR_EFER          0xc0000080
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

static struct kvm_msr_filter_range filter_range(uint32_t index, uint32_t accesses)
{
	static uint8_t none;

	return (struct kvm_msr_filter_range){
		.flags = accesses, .nmsrs = 1, .base = index, .bitmap = &none};
}

/*
 * Make KVM hand us reads and writes of Xen's MSR, and on stock KVM writes that a kernel does on
 * each CPU that it starts, early: of GS_BASE, if it is a 64-bit one, and of EFER, if it knows NX.
 */
int vm_filter_msrs(struct vm *vm, struct problem *p)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
				     .args[0] = KVM_MSR_EXIT_REASON_FILTER};
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = filter_range(XEN_MSR_HYPERCALL_PAGE,
					  KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE),
	};

	if (!vm->kvm_xen && !vm->config.pv) {
		filter.ranges[1] = filter_range(MSR_GS_BASE, KVM_MSR_FILTER_WRITE);
		filter.ranges[2] = filter_range(MSR_EFER, KVM_MSR_FILTER_WRITE);
	}
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

/* As KVM would do it for the guest. A kernel that is about to turn on its paging is a new one. */
static bool write_efer(struct vm_vcpu *vv, uint64_t value)
{
	const struct paging *now = vcpu_paging(vv->vcpu, true);

	if (now->cr0 & CR0_PG && (now->efer ^ value) & EFER_LME)
		return false;
	if (!(now->cr0 & CR0_PG)) {
		vcpu_restarted(vv);
		if (value & EFER_NX && !(value & EFER_LME))
			vcpu_look_at_text_32(vv);
	}
	return vcpu_set_msr(vv, MSR_EFER, value) == 0;
}

static bool write_msr(struct vm_vcpu *vv, uint32_t index, uint64_t value)
{
	switch (index) {
	case XEN_MSR_HYPERCALL_PAGE:
		return vcpu_fill_hypercall_page(vv, value);
	case MSR_EFER:
		return write_efer(vv, value);
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
