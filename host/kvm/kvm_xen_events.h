/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that KVM_XEN sends by itself: EVTCHNOP_send of a port with a route (shim/event_route.h)
 * does not leave the kernel. Needs KVM_XEN_HVM_CONFIG_EVTCHN_SEND and _SHARED_INFO_HVA (Linux 6.9),
 * without which everything is as before.
 */
#ifndef HOST_KVM_KVM_XEN_EVENTS_H
#define HOST_KVM_KVM_XEN_EVENTS_H

#include "host/kvm/vm.h"

/* If this host has it. The domain is there, its vCPUs are not. 0 or -errno. */
int kvm_xen_events_create(struct vm *vm);
void kvm_xen_events_destroy(struct vm *vm);

/* platform_ops.port_changed; nothing without KVM_XEN. */
void vm_port_changed(struct domain *d, uint32_t port);

/*
 * Does KVM by itself interrupt that vCPU as Xen would, when it has sent an event, and when a LAPIC
 * is enabled late? By the domain's vector, or by one of its own that KVM has been told; with both,
 * KVM would use both. Not by a line.
 */
bool kvm_xen_events_interrupt(const struct vm_vcpu *vv);

/* The domain's callback or a vCPU's vector has changed. Takes the event lock. */
void kvm_xen_events_method_changed(struct vm *vm);

/* On the vCPU's thread: tell KVM its vector, and where its vcpu_info is. */
void kvm_xen_events_apply_vector(struct vm_vcpu *vv);
int kvm_xen_events_apply_vcpu_info(struct vm_vcpu *vv);

/* The domain's word size is another: KVM must know it by the next send. Takes the event lock. 0 or
 * -errno. */
int kvm_xen_events_set_long_mode(struct vm *vm, bool long_mode);

#endif
