/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_* (public header memory.h). The table is in memory_op.c; what places pages in
 * physmap_op.c; what a guest has and may have in memory_balloon.c; the E820 map in memory_map.c.
 */
#ifndef SHIM_MEMORY_OP_H
#define SHIM_MEMORY_OP_H

#include "shim/hypercall.h"

/* Higher bits of the command carry where a long operation goes on. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK     ((1u << MEMOP_EXTENT_SHIFT) - 1)

/* Where a long operation goes on, when it is continued: Xen keeps that in the command. */
static inline uint64_t memop_start_extent(const struct hypercall *h)
{
	return h->args[0] >> MEMOP_EXTENT_SHIFT;
}

extern const struct suboperation memory_ops[];
extern const unsigned memory_ops_count;

#endif
