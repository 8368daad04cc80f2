/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers with which a vCPU starts: VCPUOP_initialise (public header hvm/hvm_vcpu.h), checked
 * as Xen does (arch_set_info_hvm_guest).
 */
#ifndef SHIM_VCPU_CONTEXT_H
#define SHIM_VCPU_CONTEXT_H

#include <stdint.h>

struct domain;
struct vcpu_hvm_context;

struct vcpu_segment {
	uint64_t base;
	uint32_t limit; /* as in a descriptor: in pages if attr says so */
	uint16_t attr;  /* type 0-3, s 4, dpl 5-6, p 7, avl 8, l 9, db 10, g 11 */
};

struct vcpu_context {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, rip, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct vcpu_segment cs, ds, ss, es, tr;
};

/* What Xen lets a guest set in CR4 on a CPU that has it all, and in EFER. */
#define VCPU_CONTEXT_CR4  0xf70fffull
#define VCPU_CONTEXT_EFER 0xd01ull

/* 0 and the registers in *out, or -XEN_EINVAL. */
int vcpu_context_check(const struct domain *d, const struct vcpu_hvm_context *guest,
		       struct vcpu_context *out);

#endif
