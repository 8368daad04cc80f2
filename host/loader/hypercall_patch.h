/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making vmcall and vmmcall in guest code exit to us on a KVM that would answer them itself.
 *
 * Both are three bytes long, as is `in $port, %eax; nop`, which takes their place. The bytes occur
 * by chance too, in tables and across or inside other instructions, where they must not be touched:
 * each place is judged by decoding the code around it.
 */
#ifndef HOST_LOADER_HYPERCALL_PATCH_H
#define HOST_LOADER_HYPERCALL_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/loader/kernel.h"
#include "host/loader/ram.h"

struct patch_stats {
	unsigned patched;  /* were instructions, and now are port reads */
	unsigned rejected; /* looked alike, and are as they were */
	uint8_t *first;    /* of those patched; NULL: none */
};

/*
 * Patch `size` bytes of code at `text`, 64- or 32-bit, adding to *stats. Returns how many were
 * patched. What is patched already stays so. Nothing outside the range is read or written, and the
 * outcome depends on its bytes only.
 */
unsigned hypercall_patch(uint8_t *text, size_t size, uint8_t port, struct patch_stats *stats);

/* Is this, HYPERCALL_BYTES long, one that was patched? */
bool hypercall_is_patched(const uint8_t *at, uint8_t port);

/* hypercall_patch() for all executable bytes of a kernel that pvh_load has put into `ram`. */
unsigned kernel_patch_hypercalls(const struct kernel *k, const struct ram *ram, uint8_t port,
				 struct patch_stats *stats);

#endif
