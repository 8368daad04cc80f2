/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU's thread does at the moment, as the host's kernel tells of it.
 */
#ifndef HOST_KVM_USAGE_H
#define HOST_KVM_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/kvm/vm.h"

struct vcpu_usage {
	uint64_t time_ns; /* of the host's CPUs, so far */
	int cpu;          /* the host's, where it was last; -1: unknown */
	bool online;      /* it is up, as VCPUOP_is_up says */
	bool running;     /* on that CPU, or waiting for it: neither halted nor blocked */
};

/* Also of one whose thread has ended: it was online or not. Not for a vCPU's own thread. */
void vcpu_usage(const struct vm_vcpu *vv, struct vcpu_usage *usage);

/*
 * Is one that is online, and does nothing, off? That is halted with interrupts off, as a kernel
 * leaves a CPU that it has taken offline. Xen calls it down; on KVM nobody hears of it. For a
 * moment the guest stands still. Not while it ends, and not for a vCPU's own thread.
 */
bool vcpu_is_off(struct vm_vcpu *vv);

/* The vCPU's own thread ends: its time is kept. */
void vcpu_usage_ends(struct vm_vcpu *vv);

#endif
