/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of x86's control registers, as its manuals name them, and a port. */
#ifndef SHIM_X86_H
#define SHIM_X86_H

/* Of the interval timer. */
#define PORT_PIT_COUNTER_2 0x42

#define CR0_PE (1ull << 0)
#define CR0_MP (1ull << 1)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)

#define CR4_PSE        (1ull << 4)
#define CR4_PAE        (1ull << 5)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_LA57       (1ull << 12)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_OSXSAVE    (1ull << 18)

#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NX  (1ull << 11)

#define RFLAGS_IF   (1ull << 9)
#define RFLAGS_IOPL (3ull << 12)

#endif
