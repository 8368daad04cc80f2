/* SPDX-License-Identifier: BSD-2-Clause */
/* XENMEM_* (public header memory.h). */
#ifndef SHIM_MEMORY_OP_H
#define SHIM_MEMORY_OP_H

#include "shim/hypercall.h"

/* Higher bits of the command carry where a long operation goes on. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK     ((1u << MEMOP_EXTENT_SHIFT) - 1)

extern const struct suboperation memory_ops[];
extern const unsigned memory_ops_count;

#endif
