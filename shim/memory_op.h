/* SPDX-License-Identifier: BSD-2-Clause */
/* XENMEM_* (public header memory.h). */
#ifndef SHIM_MEMORY_OP_H
#define SHIM_MEMORY_OP_H

#include "shim/hypercall.h"

/* Higher bits of the command carry where a long operation resumes (Xen's MEMOP_EXTENT_SHIFT is 6).
 */
#define MEMOP_CMD_MASK 0x3f

extern const struct suboperation memory_ops[];
extern const unsigned memory_ops_count;

#endif
