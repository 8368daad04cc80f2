/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's vCPU, as the monitor has it: what the guest has registered, which of its two modes
 * it is in, its registers while the monitor runs. It lies in the vCPU's window, and the host sees
 * it too (monitor/boot.h says what the host may do with it).
 *
 * In both modes the guest runs in ring 3. In kernel mode a SYSCALL is a hypercall, and the base
 * pointer is guest_base; in user mode it is a system call of the guest, and the pointer user_base.
 *
 * Freestanding.
 */
#ifndef SHIM_PV_CPU_H
#define SHIM_PV_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/pv/mm.h"
#include "xen-abi/xen.h"

/* As the entries push them, and the return pops them. */
struct pv_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint32_t error;  /* code of an exception; 0 where there is none */
	uint32_t vector; /* or PV_ENTRY_SYSCALL */
	uint64_t rip;
	uint16_t cs, pad_cs[3];
	uint64_t rflags, rsp;
	uint16_t ss, pad_ss[3];
	uint16_t ds, pad_ds[3], es, pad_es[3], fs, pad_fs[3], gs, pad_gs[3];
};

#define PV_ENTRY_SYSCALL 0x100u

/* A handler of the guest's (set_trap_table): address 0: none. */
struct pv_trap {
	uint16_t cs;
	uint8_t flags; /* bits 0-1: privilege level; bit 2: clears the event mask's opposite */
	uint64_t address;
};

struct pv_callback {
	uint64_t address;  /* 0: none */
	bool masks_events; /* CALLBACKF_mask_events */
};

struct pv_vcpu {
	struct pv_regs *regs; /* of the entry at hand, on this vCPU's stack */
	struct pv_domain *domain;
	uint32_t id;
	bool kernel_mode;

	/* vcpu_info, in the direct map: pending and mask of upcalls, cr2. Follows
	 * VCPUOP_register_vcpu_info; the host changes it. */
	struct vcpu_info *volatile info;

	/* The guest kernel's stack, entered from its user mode and by nothing else. */
	uint64_t kernel_ss, kernel_sp;

	struct pv_trap traps[256];
	struct pv_callback event, failsafe, syscall, sysenter, syscall32, nmi;
	bool sysenter_masks, nmi_pending, nmi_blocked, mce_pending;

	/* Base pointers: mfns of L4 tables, each with a reference (mm.h); user 0: none. */
	struct pv_roots roots;

	/* GDT: frames of the guest, typed; LDT: an address in its space. */
	uint64_t gdt_frames[14];
	uint32_t gdt_entries, ldt_entries;
	uint64_t ldt_base;
	uint16_t ldt_mapped; /* bit per page that is mapped (and typed) */
	uint64_t ldt_frames[16];

	uint64_t cr0_ts; /* CR0.TS as the guest has asked for it (fpu_taskswitch) */
	uint64_t cr4;    /* what it has set of CR4, as it reads it */
	uint64_t debug[8];
	uint64_t fs_base, gs_base_kernel, gs_base_user;
	uint32_t vm_assist; /* VMASST_TYPE_* */
	uint32_t iopl;      /* 0 to 3 (physdev_op) */
	uint64_t iobmp, iobmp_limit;

	/* Bounce at hand: exception to be given to the guest at return, see traps.h. */
	struct pv_bounce {
		bool wanted, has_error, interrupt;
		uint32_t error;
		uint16_t cs;
		uint64_t address;
	} bounce;
};

static inline bool pv_address_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

#endif
