/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the host and the monitor. The host loads the image (monitor.bin, embedded in the program)
 * into the monitor's memory, builds the page tables of slots 256 to 271 around it and the struct
 * pv_boot that it finds at a fixed place, and sets each vCPU's registers so that it begins in
 * pv_start() with its window's stack. Nothing of this is ABI: image and host are built together.
 *
 * Freestanding.
 */
#ifndef SHIM_PV_MONITOR_BOOT_H
#define SHIM_PV_MONITOR_BOOT_H

#include "shim/pv/cpu.h"

/* At the start of the image, for the host. Addresses are virtual, in the image. */
struct pv_image_header {
	uint64_t magic;         /* PV_IMAGE_MAGIC */
	uint64_t size, bss_end; /* bytes from PV_MONITOR_VIRT */
	uint64_t start;         /* where vCPUs begin; ring 0, interrupts off */
	uint64_t idt;           /* 256 gates, made by the build */
	uint64_t boot;          /* struct pv_boot, which the host fills */
	uint64_t entry_page;    /* the page that each window has first */
	uint64_t syscall_offset, syscall32_offset, sysenter_offset; /* in it */
};
#define PV_IMAGE_MAGIC 0x6874696c6f6e6558ull /* "Xenolith" */

struct pv_domain {
	struct pv_mm mm;
	uint64_t shared_info; /* its mfn */
	uint64_t windows;     /* vCPUs that have one */
};

struct pv_boot {
	struct pv_domain domain;
};

/*
 * How the monitor leaves to the host: a read of 4 bytes from a port, with the registers as given
 * there, rax..r9 being a hypercall's as for PORT_HYPERCALL_64 in the first case.
 */
#define PV_PORT_HYPERCALL 0xac /* nr in rax, arguments in rdi rsi rdx r10 r8 r9, cr3 in rbx */
#define PV_PORT_PANIC     0xc0 /* the monitor cannot go on: text at rdi, rsi bytes */
#define PV_PORT_CRASH     0xc4 /* the guest cannot: domain_crash(), text as above */

#endif
