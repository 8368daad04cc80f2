/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What KVM itself has counted of a vCPU: exits from the guest that never come to the program, too
 * (Linux's Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD; Linux 5.14).
 */
#ifndef HOST_KVM_KVM_COUNTS_H
#define HOST_KVM_KVM_COUNTS_H

#include <stdint.h>

#include "host/kvm/vm.h"

/* Visit each plain count that is not 0, by KVM's name for it. Nothing where KVM tells none. */
void kvm_counts_visit(const struct vm_vcpu *vv,
		      void (*visit)(void *opaque, const char *name, uint64_t count), void *opaque);

#endif
