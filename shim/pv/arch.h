/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the x86 architecture that the rules of a PV guest's CPU know, as its manuals name
 * them (those of control registers are in shim/x86.h). Freestanding. */
#ifndef SHIM_PV_ARCH_H
#define SHIM_PV_ARCH_H

#include "shim/x86.h"

#define RFLAGS_CF (1ull << 0)
#define RFLAGS_PF (1ull << 2)
#define RFLAGS_AF (1ull << 4)
#define RFLAGS_ZF (1ull << 6)
#define RFLAGS_SF (1ull << 7)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_OF (1ull << 11)
#define RFLAGS_NT (1ull << 14)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_VM (1ull << 17)
#define RFLAGS_AC (1ull << 18)

#define RFLAGS_IOPL_SHIFT 12

#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define RFLAGS_ARITHMETIC  (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

#define VECTOR_DE  0
#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_BP  3
#define VECTOR_OF  4
#define VECTOR_BR  5
#define VECTOR_UD  6
#define VECTOR_NM  7
#define VECTOR_NP  11
#define VECTOR_SS  12
#define VECTOR_GP  13
#define VECTOR_PF  14
#define VECTOR_MF  16
#define VECTOR_AC  17
#define VECTOR_MC  18
#define VECTOR_XM  19

/* Error code of a page fault. */
#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

/* Error code of a fault of a selector. */
#define EC_EXTERNAL (1u << 0)
#define EC_IDT      (1u << 1)
#define EC_LDT      (1u << 2)

#define DR6_RESERVED_ZERO (~0xffffeffful)
#define DR6_RESERVED_ONE  0xffff0ff0ul
#define DR6_STEP          (1ul << 14)
#define DR7_RESERVED_ZERO (~0xffff27fful)
#define DR7_RESERVED_ONE  (1ul << 10)
#define DR7_DETECT        (1ul << 13)
#define DR7_ENABLES       0xfful /* two bits for each of the four addresses */

#define CR4_TSD        (1ull << 2)
#define CR4_DE         (1ull << 3)
#define CR4_MCE        (1ull << 6)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_OSXSAVE    (1ull << 18)

#define PAGE_ENTRY_SIZE 8

#endif
