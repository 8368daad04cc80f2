/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe guests' world: addresses and numbers that probe_guest.S and the probe share.
 * Guest-physical addresses, one page each unless said otherwise.
 */
#ifndef HOST_KVM_PROBE_GUEST_H
#define HOST_KVM_PROBE_GUEST_H

#define PROBE_CODE      0x1000 /* the whole of probe_guest.S, at most one page */
#define PROBE_DATA      0x2000 /* holds PROBE_MAGIC */
#define PROBE_PD_32     0x3000 /* two-level paging */
#define PROBE_PT_32     0x4000
#define PROBE_PDPT_PAE  0x5000 /* three-level paging */
#define PROBE_PML4      0x6000 /* four-level paging */
#define PROBE_PDPT_LONG 0x7000
#define PROBE_PD        0x8000 /* shared by the last two, their entries are alike */
#define PROBE_PT        0x9000
#define PROBE_PVCLOCK   0xa000
#define PROBE_STACK_TOP 0xc000  /* grows down from here, one page */
#define PROBE_RAM       0x10000 /* size of all guest memory */

/* All page tables map the first MiBs one to one, and PROBE_DATA here as well. */
#define PROBE_VIRTUAL 0x400000
#define PROBE_MAGIC   0x584e4f4c

/* Everything a guest says is a 32-bit write here, everything it asks a 32-bit read. */
#define PROBE_PORT 0xf4

#define PROBE_CS32      0x08
#define PROBE_DS        0x10
#define PROBE_CS64      0x18 /* SYSCALL takes the next one as SS */
#define PROBE_SS64      0x20
#define PROBE_USER_CS32 0x28 /* the order that SYSRET wants */
#define PROBE_USER_SS   0x30
#define PROBE_USER_CS64 0x38

#define PROBE_VECTOR    0x40
#define PROBE_MSR       0x40000000
#define PROBE_MSR_VALUE 0x5a5a5000

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The image, and the places in it where a guest can begin: each takes over in PVH entry state. */
extern const uint8_t probe_guest_start[], probe_guest_end[];
extern const uint8_t probe_guest_gdt[], probe_guest_gdt_end[];
extern const uint8_t probe_guest_idt[], probe_guest_idt_end[];
extern const uint8_t probe_guest_unpaged[], probe_guest_paging_32[], probe_guest_paging_pae[];
extern const uint8_t probe_guest_long[], probe_guest_user[], probe_guest_syscall[];
extern const uint8_t probe_guest_wrmsr[], probe_guest_upcall[];
#endif
#endif
