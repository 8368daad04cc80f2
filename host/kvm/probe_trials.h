/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trials of the probe: each is given a fresh machine and says how its guest fared. They may
 * note figures in *facts; the answer itself is noted by the caller.
 */
#ifndef HOST_KVM_PROBE_TRIALS_H
#define HOST_KVM_PROBE_TRIALS_H

#include "host/kvm/probe_vm.h"

typedef enum kvm_answer (*probe_trial)(struct probe_vm *vm, struct kvm_facts *facts);

/* probe_modes.c: how the CPU runs guest code. */
enum kvm_answer probe_unpaged(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_paging_32(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_paging_pae(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_long_mode(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_syscall(struct probe_vm *vm, struct kvm_facts *facts);

/* Only for facts->speed.ring3; ring 3 is no fact of its own. */
enum kvm_answer probe_user_speed(struct probe_vm *vm, struct kvm_facts *facts);
double probe_host_speed(void);

/* probe_events.c: what KVM does for a guest beside running it. */
enum kvm_answer probe_user_space_msr(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_msr_filter(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_pvclock(struct probe_vm *vm, struct kvm_facts *facts);
enum kvm_answer probe_synic(struct probe_vm *vm, struct kvm_facts *facts);    /* split irqchip */
enum kvm_answer probe_auto_eoi(struct probe_vm *vm, struct kvm_facts *facts); /* split irqchip */

#endif
