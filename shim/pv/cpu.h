/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's vCPU, as the monitor has it: what the guest has registered, which of its two modes
 * it is in, its registers while the monitor runs. It lies in the vCPU's window, and the host sees
 * it too (monitor/boot.h says what the host may do with it).
 *
 * In both modes the guest runs in ring 3. In kernel mode a SYSCALL is a hypercall, and the base
 * pointer is roots.kernel; in user mode it is a system call of the guest, and the pointer
 * roots.user.
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
	uint32_t vector; /* or PV_ENTRY_*; at a return: PV_ENTRY_SYSCALL: rcx and r11 need not be as
			  * they are here, the guest goes on in a handler */
	uint64_t rip;
	uint16_t cs, pad_cs[3];
	uint64_t rflags, rsp;
	uint16_t ss, pad_ss[3];
	uint16_t ds, pad_ds[3], es, pad_es[3], fs, pad_fs[3], gs, pad_gs[3];
};

#define PV_ENTRY_SYSCALL   0x100u
#define PV_ENTRY_SYSCALL32 0x101u
#define PV_ENTRY_SYSENTER  0x102u

/* A handler of the guest's (set_trap_table): address 0: none. */
struct pv_trap {
	uint16_t cs;   /* kept, not used: handlers run in FLAT_KERNEL_CS */
	uint8_t flags; /* PV_TRAP_* */
	uint64_t address;
};

#define PV_TRAP_LEVEL 0x3 /* who may enter it by INT n: 1 and 2: the kernel, 3: user mode too */
#define PV_TRAP_MASKS 0x4 /* events are masked when it is entered */

/* Bits of pv_vcpu.async_mask. */
#define PV_ASYNC_NMI 0x1
#define PV_ASYNC_MCE 0x2

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
	/* NMI and MCE: wanted (the host sets them, too); under way, until iret; and what was under
	 * way when each was taken. */
	bool nmi_pending, mce_pending;
	uint8_t async_mask, before_nmi, before_mce; /* PV_ASYNC_* */

	/* Base pointers: mfns of L4 tables, each with a reference (mm.h); user 0: none. */
	struct pv_roots roots;

	/* GDT: frames of the guest, typed; LDT: an address in its space. */
	uint64_t gdt_frames[14];
	uint32_t gdt_entries, ldt_entries;
	uint64_t ldt_base;
	uint16_t ldt_mapped; /* bit per page that is mapped (and typed) */
	uint64_t ldt_frames[16];

	uint64_t cr0_ts; /* CR0_TS or 0, as the guest has asked for it (fpu_taskswitch) */
	uint64_t cr2;    /* of the last page fault, or what it has written there */
	uint64_t cr4;    /* as it reads it (pv_guest_cr4()) */
	/* Debug registers; the enables of breakpoints on ports, which the CPU does not have, are in
	 * dr7_ports. */
	uint64_t debug[8];
	uint32_t dr7_ports;
	/*
	 * Bases of segments to be loaded (pv_load_segment_bases()). While the vCPU runs, they are
	 * in the CPU, where the guest changes them without our knowing (pv_read_base()).
	 */
	uint64_t fs_base, gs_base_kernel, gs_base_user;
	uint32_t iopl; /* 0 to 3 (physdev_op, iret) */
	/* Bitmap of ports that user mode may use, in the kernel's address space; bits in it. */
	uint64_t iobmp, iobmp_limit;
	/* MSRs that are only here. */
	uint64_t misc_features, mcg_status, mc_ctl2[2];

	/* Bounce at hand: an exception to be given to the guest before it goes on (traps.h). */
	struct pv_bounce {
		bool wanted, has_error;
		bool masks; /* events, from then on */
		uint32_t error;
		uint64_t address;
	} bounce;

	/* The guest cannot go on, and why: text for its owner. NULL: it can. */
	const char *dying;
};

static inline bool pv_address_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* Not the hypervisor's; what is not canonical below it faults by itself. */
static inline bool pv_address_guests(uint64_t va)
{
	return va < 1ull << 47 || va >= PV_HYPER_END;
}

#endif
