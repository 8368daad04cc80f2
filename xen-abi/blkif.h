/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk protocol's ring in both word sizes. The public header io/blkif.h has the layout of the
 * compiler's own word size under its public names; what the other end of a ring writes is told by
 * the frontend's node "protocol", so both are here by name, and xen-abi/layout.c holds them against
 * the header in both.
 *
 * A frontend without that node speaks its own word size ("native").
 */
#ifndef XEN_ABI_BLKIF_H
#define XEN_ABI_BLKIF_H

#include "xen-abi/xen.h"

#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

/* Both layouts of one structure; in the 32-bit one 64-bit fields are aligned to 4 bytes. */
#define BLKIF_LAYOUT(name, word, align)                                           \
	struct blkif_request_##name {                                             \
		uint8_t operation, nr_segments;                                   \
		blkif_vdev_t handle;                                              \
		word id;                                                          \
		word sector_number;                                               \
		struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST]; \
	} __attribute__((aligned(align)));                                        \
	struct blkif_request_discard_##name {                                     \
		uint8_t operation, flag;                                          \
		blkif_vdev_t handle;                                              \
		word id;                                                          \
		word sector_number;                                               \
		word nr_sectors;                                                  \
	} __attribute__((aligned(align)));                                        \
	struct blkif_request_indirect_##name {                                    \
		uint8_t operation, indirect_op;                                   \
		uint16_t nr_segments;                                             \
		word id;                                                          \
		word sector_number;                                               \
		blkif_vdev_t handle;                                              \
		grant_ref_t indirect_grefs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST]; \
	} __attribute__((aligned(align)));                                        \
	struct blkif_response_##name {                                            \
		word id;                                                          \
		uint8_t operation;                                                \
		int16_t status;                                                   \
	} __attribute__((aligned(align)));                                        \
	union blkif_entry_##name {                                                \
		struct blkif_request_##name rw;                                   \
		struct blkif_request_discard_##name discard;                      \
		struct blkif_request_indirect_##name indirect;                    \
		struct blkif_response_##name response;                            \
	}

typedef uint64_t blkif_word_x86_32 __attribute__((aligned(4)));
typedef uint64_t blkif_word_x86_64 __attribute__((aligned(8)));

BLKIF_LAYOUT(x86_32, blkif_word_x86_32, 4);
BLKIF_LAYOUT(x86_64, blkif_word_x86_64, 8);

#undef BLKIF_LAYOUT

/* The indexes at the start of a ring, and where its entries begin: the same in both. */
struct blkif_ring_indexes {
	RING_IDX req_prod, req_event;
	RING_IDX rsp_prod, rsp_event;
};
#define BLKIF_RING_HEADER 64u

#endif
