/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A throw-away virtual machine with one vCPU for the probe: KVM's raw answers, and no guest can
 * hold us up. Not the machine that guests run in (that is host/kvm/vm.h).
 */
#ifndef HOST_KVM_PROBE_VM_H
#define HOST_KVM_PROBE_VM_H

#include "host/kvm/probe.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

struct probe_vm {
	int kvm; /* /dev/kvm, not owned */
	int vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
	uint8_t *ram; /* PROBE_RAM bytes at guest-physical 0 */
	timer_t timer;
	bool has_timer;
	sigset_t old_mask;
};

/*
 * Make the machine, with the split irqchip (LAPIC in the kernel) when `irqchip`. 0, or -1 with
 * errno and nothing left over. SIGALRM stays blocked in this thread until probe_vm_close().
 */
int probe_vm_open(struct probe_vm *vm, int kvm, bool irqchip);
void probe_vm_close(struct probe_vm *vm);

/* Load probe_guest.S and put the vCPU at `entry`, one of its labels. 0, or -1 with errno. */
int probe_vm_load(struct probe_vm *vm, const uint8_t *entry);

/*
 * KVM_RUN once, for PROBE_TIMEOUT_MS at most. KVM_WORKS: run->exit_reason is one that the caller
 * may look at; anything else is the final answer about this guest.
 */
enum kvm_answer probe_vm_run(struct probe_vm *vm);

/* Run until the guest says something on PROBE_PORT: KVM_WORKS and *value. */
enum kvm_answer probe_vm_hear(struct probe_vm *vm, uint32_t *value);

/* Run until the guest asks for a number on PROBE_PORT, and lay `value` ready for it. */
enum kvm_answer probe_vm_tell(struct probe_vm *vm, uint32_t value);

/* KVM_ENABLE_CAP on the VM or the vCPU; 0, or -1 with errno. */
int probe_enable_cap(int fd, uint32_t cap, uint64_t arg);

/* Set one MSR from the host side; 0, or -1 with errno (EPERM: KVM refused the MSR or the value). */
int probe_set_msr(struct probe_vm *vm, uint32_t index, uint64_t value);

#endif
