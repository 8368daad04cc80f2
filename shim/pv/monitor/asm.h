/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets that assembly knows; percpu.c holds them against the structures. */
#ifndef SHIM_PV_MONITOR_ASM_H
#define SHIM_PV_MONITOR_ASM_H

/* struct pv_regs */
#define REGS_ERROR  120
#define REGS_VECTOR 124
#define REGS_RIP    128
#define REGS_CS     136
#define REGS_RFLAGS 144
#define REGS_RSP    152
#define REGS_SS     160
#define REGS_SIZE   200
/* Above ss: room for the data segments' selectors. */
#define REGS_SEGMENTS 32

#define ENTRY_SYSCALL   0x100
#define ENTRY_SYSCALL32 0x101
#define ENTRY_SYSENTER  0x102

#endif
