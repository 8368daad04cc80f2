/* SPDX-License-Identifier: BSD-2-Clause */
/* The fast half of hypercall_patch: finding the bytes. */
#ifndef HOST_LOADER_HYPERCALL_SCAN_H
#define HOST_LOADER_HYPERCALL_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define HYPERCALL_BYTES 3

/*
 * The first offset >= `from` at which `size` bytes of `text` hold 0f 01 c1 (vmcall) or 0f 01 d9
 * (vmmcall); `size` if there is none.
 */
size_t hypercall_scan(const uint8_t *text, size_t size, size_t from);

#endif
