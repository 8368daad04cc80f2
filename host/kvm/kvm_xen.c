// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/kvm_xen.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "shim/cpuid.h"

bool kvm_xen_has(int kvm_fd, int needed)
{
	int caps = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);

	return caps > 0 && (caps & needed) == needed;
}

bool kvm_xen_available(int kvm_fd)
{
	return kvm_xen_has(kvm_fd,
			   KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_SHARED_INFO);
}

int kvm_xen_enable(struct vm *vm)
{
	/* KVM must know the MSR, though our filter takes its writes: that switches the trap on. */
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = XEN_MSR_HYPERCALL_PAGE,
	};

	return ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &config) ? -errno : 0;
}

int kvm_xen_set_attr(struct vm *vm, const struct kvm_xen_hvm_attr *attr)
{
	return ioctl(vm->fd, KVM_XEN_HVM_SET_ATTR, attr) ? -errno : 0;
}

int kvm_xen_set_long_mode(struct vm *vm, bool long_mode)
{
	const struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
					      .u.long_mode = long_mode};

	return kvm_xen_set_attr(vm, &attr);
}

int kvm_xen_set_upcall_vector(struct vm *vm, uint8_t vector)
{
	const struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
					      .u.vector = vector};

	return kvm_xen_set_attr(vm, &attr);
}

int kvm_xen_set_vcpu_attr(struct vm_vcpu *vv, const struct kvm_xen_vcpu_attr *attr)
{
	return ioctl(vv->fd, KVM_XEN_VCPU_SET_ATTR, attr) ? -errno : 0;
}

static int set_vcpu_address(struct vm_vcpu *vv, uint16_t type, uint64_t addr)
{
	const struct kvm_xen_vcpu_attr attr = {.type = type, .u.gpa = addr};

	return kvm_xen_set_vcpu_attr(vv, &attr);
}

int kvm_xen_set_vcpu_info(struct vm_vcpu *vv, uint64_t addr)
{
	return set_vcpu_address(vv, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, addr);
}

int kvm_xen_set_time_info(struct vm_vcpu *vv, uint64_t addr)
{
	return set_vcpu_address(vv, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, addr);
}
