/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the host and the monitor. The host loads the image (embedded in the program) into the
 * monitor's memory, builds the page tables of slots 256 to 271 around it, the gates, and the
 * windows, fills struct pv_boot, and sets each vCPU's registers so that it begins at `start` with
 * its main stack. Nothing of this is ABI: image and host are built together.
 *
 * Freestanding.
 */
#ifndef SHIM_PV_MONITOR_BOOT_H
#define SHIM_PV_MONITOR_BOOT_H

#include <asm/kvm_para.h>

#include "shim/pv/cpu.h"
#include "shim/pv/layout.h"

/* At the start of the image. Addresses are virtual. */
struct pv_image_header {
	uint64_t bss_end;      /* bytes from PV_MONITOR_VIRT */
	uint64_t start;        /* where vCPUs begin: ring 0, interrupts off */
	uint64_t idt;          /* room for 256 gates, which the host fills: */
	uint64_t vector_stubs; /* gate n enters at n * 16 from here */
	uint64_t boot;         /* struct pv_boot */
	uint64_t entry_page;   /* the page that each window has first */
	uint64_t syscall_offset, syscall32_offset, sysenter_offset; /* in it */
};

struct pv_domain {
	struct pv_mm mm;
	uint64_t shared_info; /* its mfn */
	uint32_t nr_vcpus;    /* that have windows */
	uint64_t vm_assist;   /* bit VMASST_TYPE_*; atomic */
	/* What was written to the ports 0xcf8 and 0x70 is read there again. */
	uint32_t pci_address;
	uint8_t cmos_index;
	struct pv_grant grant; /* under mm.lock */
};

struct pv_boot {
	struct pv_lock initialise_lock;
	struct pv_domain domain;
	/* Entries of the L1 tables of all windows, in the order of addresses; writable. */
	uint64_t *window_entries;
};

/* What the processor and assembly want of a window's data, and what it keeps for others to see. */
struct pv_tss {
	uint32_t spare0;
	uint64_t rsp[3];
	uint64_t spare1;
	uint64_t ist[7];
	uint64_t spare2;
	uint16_t spare3, iomap;
} __attribute__((packed));

struct pv_window {
	uint64_t scratch; /* rsp at SYSCALL */
	uint32_t flush;   /* PV_FLUSH_*: what others want forgotten; atomic */
	uint32_t away;    /* it runs nothing of the guest's: it will look at `flush`; atomic */
	uint32_t locks;   /* that it has: it must not be stopped; its own */
	/* It is to be out there, by a hypercall, before it goes on: the host sets it, and an
	 * upcall's interrupt makes it look; atomic. */
	uint32_t wanted_outside;
	struct pv_tss tss;
	/* KVM says in it whether the vCPU is without a CPU of the host's; within a page */
	struct kvm_steal_time steal __attribute__((aligned(64)));
	/* The exception of a return to the guest. */
	uint32_t iret_vector, iret_error;
	uint64_t iret_cr2;
	struct pv_vcpu vcpu;
	/* Its first registers, for monitor_start(): of the builder's, or VCPUOP_initialise's. */
	struct vcpu_guest_context context;
	bool initialised; /* it has had them; under pv_boot.initialise_lock */
	/* What this vCPU's VCPUOP_initialise has read for another. */
	struct vcpu_guest_context incoming;
};

#define PV_FLUSH_ALL       1u
#define PV_FLUSH_UNDER_WAY 2u

static inline uint64_t pv_window_address(uint32_t vcpu)
{
	return PV_WINDOWS_VIRT + vcpu * PV_WINDOW_SIZE;
}

/*
 * How the monitor leaves to the host: a read of 4 bytes from a port. As a hypercall: number in rax,
 * arguments in rdi rsi rdx r10 r8 r9, cr3 in rbx, which is PORT_HYPERCALL_64's form.
 */
#define PV_PORT_HYPERCALL 0xac
#define PV_PORT_PANIC     0xc0 /* the monitor cannot go on: rdi bytes of text at rsi */
#define PV_PORT_CRASH     0xc4 /* the guest cannot, likewise: it ends by SHUTDOWN_crash */

#endif
