/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a PV test kernel is. Plain numbers: assembly and the linker's script include this file. */
#ifndef GUEST_TESTS_PV_LAYOUT_H
#define GUEST_TESTS_PV_LAYOUT_H

/* Pseudo-physical frame 0 is mapped here, the others behind it (as far as the builder maps them).
 */
#define VIRT_BASE 0xffffffff80000000

/* Of each vCPU, aligned to their size: the lower half is entered from user mode, the upper half is
 * the kernel's own. */
#define PV_STACK_SIZE 0x4000
#define PV_MAX_CPUS   8

#endif
