/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's own Xen support (KVM_CAP_XEN_HVM, Documentation/virt/kvm/api.rst), where the host has it.
 */
#ifndef HOST_KVM_KVM_XEN_H
#define HOST_KVM_KVM_XEN_H

#include "host/kvm/vm.h"

/* "Nowhere", for attributes that carry a guest-physical address. */
#define KVM_XEN_INVALID_GPA UINT64_MAX

/* Has this host's KVM all of these, KVM_XEN_HVM_CONFIG_*? */
bool kvm_xen_has(int kvm_fd, int needed);

/* Can this host's KVM hand every hypercall to us? */
bool kvm_xen_available(int kvm_fd);

/* Switch it on for this VM. 0 or -errno. */
int kvm_xen_enable(struct vm *vm);

/* Tell KVM what it must know of the guest's state. 0 or -errno. */
int kvm_xen_set_attr(struct vm *vm, const struct kvm_xen_hvm_attr *attr);
int kvm_xen_set_vcpu_attr(struct vm_vcpu *vv, const struct kvm_xen_vcpu_attr *attr);
int kvm_xen_set_long_mode(struct vm *vm, bool long_mode);
int kvm_xen_set_upcall_vector(struct vm *vm, uint8_t vector);
int kvm_xen_set_vcpu_info(struct vm_vcpu *vv, uint64_t addr);
int kvm_xen_set_time_info(struct vm_vcpu *vv, uint64_t addr);

#endif
