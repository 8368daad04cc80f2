/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things are in a PV guest's machine: its guest-physical memory, whose frames are the machine
 * frames that the guest sees (mfn = gfn of the VM), and the slots of every L4 table that the public
 * header keeps for the hypervisor (xen/arch-x86/xen-x86_64.h: 256 to 271).
 *
 * Freestanding: the monitor, the rules and the host share it.
 */
#ifndef SHIM_PV_LAYOUT_H
#define SHIM_PV_LAYOUT_H

#include <stdint.h>

#define PV_PAGE_SHIFT 12
#define PV_PAGE_SIZE  4096ull

/*
 * Guest-physical. RAM begins with frame 1 and has a hole below 4 GiB, where the hypervisor's frames
 * are that a guest may map (shared_info, grant table: the pages of enum overlay, in their order),
 * and the local APICs. The monitor's own memory follows RAM.
 */
#define PV_RAM_START      0x1000ull     /* frame 0 is no frame: so is a base pointer of 0 none */
#define PV_LOW_RAM_MAX    0xf0000000ull /* its end */
#define PV_SHARED_FRAMES  0xf0000000ull
#define PV_HIGH_RAM_START 0x100000000ull

/*
 * The one page that is no memory and that a guest may map all the same: registers of AMD's
 * chipsets. Linux from 6.15 on reads one at boot on each Zen CPU, and dies if it cannot: so it does
 * on Xen, which lets only domain 0 map it. Nothing answers there: reads are ones, writes are lost.
 */
#define PV_IO_PAGE 0xfed80000ull

/* L4 slots of the hypervisor. */
#define PV_L4_FIRST 256u
#define PV_L4_LAST  271u /* inclusive */

/*
 * Virtual, from here on. The M2P is where the public header says (slot 256), read-only for ring 3.
 * The monitor's image and the vCPUs' windows are in slot 257, the frame table in 258, and all
 * guest-physical memory from 260 on (supervisor, writable, not executable).
 */
#define PV_M2P_VIRT     0xffff800000000000ull
#define PV_MONITOR_VIRT 0xffff808000000000ull
#define PV_WINDOWS_VIRT 0xffff80c000000000ull
#define PV_FRAMES_VIRT  0xffff810000000000ull
#define PV_DIRECT_VIRT  0xffff820000000000ull
#define PV_HYPER_START  0xffff800000000000ull
#define PV_HYPER_END    0xffff880000000000ull /* of slot 271, exclusive */

/*
 * A vCPU's window: one for each, this far apart, aligned to it, so that the monitor finds its vCPU
 * from its stack pointer, and its entries, the same code in each, from rip. Pages of a window:
 */
#define PV_WINDOW_SIZE  0x100000ull /* 1 MiB */
#define PV_WINDOW_ENTRY 0x00000ull  /* entry stubs: one physical page for all windows */
#define PV_WINDOW_VCPU  0x01000ull  /* struct pv_vcpu: up to 8 pages */
#define PV_WINDOW_STACK                                                         \
	0x10000ull /* 4 pages each: the main one, #DF, NMI, #DB; the page below \
		    * each is not there */
#define PV_WINDOW_STACK_SIZE 0x4000ull
#define PV_WINDOW_STACK_STEP 0x8000ull
#define PV_WINDOW_GDT        0x40000ull /* 16 pages: 14 of the guest's (set_gdt), 2 of ours */
#define PV_WINDOW_LDT        0x60000ull /* 16 pages of the guest's */

/* The vector by which the host tells a vCPU's monitor of events. */
#define PV_UPCALL_VECTOR 0xf3

/* Selectors of ours, in the first reserved GDT page beside the public FLAT_* ones. */
#define PV_SEL_CODE 0xe008
#define PV_SEL_DATA 0xe010
#define PV_SEL_TSS  0xe040 /* two entries */
#define PV_SEL_LDT  0xe050 /* two entries */

#endif
