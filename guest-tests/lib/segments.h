/* SPDX-License-Identifier: BSD-2-Clause */
/* The selectors of the runtime's GDT (entry.S). Plain numbers: assembly includes this file. */
#ifndef GUEST_TESTS_SEGMENTS_H
#define GUEST_TESTS_SEGMENTS_H

#define SEL_CODE32      0x08
#define SEL_DATA        0x10
#define SEL_CODE64      0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA   0x2b
#define SEL_USER_CODE64 0x33
#define SEL_TSS         0x38

/* The last one is vCPU 0's; 16 bytes further is that of vCPU 1, and so on. */
#define MAX_CPUS 128
/* Of the vCPUs but the first (smp.c). */
#define SMP_STACK_SIZE 8192

#ifdef __x86_64__
#define SEL_CODE      SEL_CODE64
#define SEL_USER_CODE SEL_USER_CODE64
#else
#define SEL_CODE      SEL_CODE32
#define SEL_USER_CODE SEL_USER_CODE32
#endif

#endif
