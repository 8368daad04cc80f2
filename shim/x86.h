/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of x86's control registers, as its manuals name them. */
#ifndef SHIM_X86_H
#define SHIM_X86_H

#define CR0_PE (1ull << 0)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)

#define CR4_PSE  (1ull << 4)
#define CR4_PAE  (1ull << 5)
#define CR4_LA57 (1ull << 12)

#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NX  (1ull << 11)

#define RFLAGS_IF   (1ull << 9)
#define RFLAGS_IOPL (3ull << 12)

#endif
