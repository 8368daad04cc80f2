/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel bytes into guest RAM. */
#ifndef HOST_LOADER_FILL_H
#define HOST_LOADER_FILL_H

#include "host/loader/kernel.h"

/*
 * Bytes [offset, offset + size) of those that a segment has in the file, to fresh RAM (all zero:
 * pages of zeros may be left out). Returns 0, or -1 with the reason in *p.
 */
int fill_from_segment(const struct kernel *k, const struct kernel_segment *s, uint64_t offset,
		      uint8_t *to, uint64_t size, struct problem *p);

#endif
