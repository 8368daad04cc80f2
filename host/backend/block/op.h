/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request in work: its pages, mapped, and its way through the image. One thread, its queue's.
 */
#ifndef HOST_BACKEND_BLOCK_OP_H
#define HOST_BACKEND_BLOCK_OP_H

#include "host/backend/block/grant_cache.h"
#include "host/backend/block/image.h"
#include "xen-abi/blkif.h"

struct block_queue;

/* Segments of an indirect request that we take, as Linux's blkback. */
#define BLOCK_MAX_SEGMENTS 256u

/* What is yet to be done with the image, in this order. */
#define OP_FLUSH_BEFORE (1u << 0)
#define OP_DATA         (1u << 1) /* read, write or discard */
#define OP_FLUSH_AFTER  (1u << 2)

struct block_op {
	struct image_request io;
	struct block_queue *queue;
	uint64_t id;
	uint8_t operation; /* as the guest has asked: the answer repeats it */
	unsigned steps;    /* OP_* */

	enum image_op data_op;
	uint64_t offset, len; /* of the data, bytes */
	bool changes;         /* it counts among the queue's writes */
	bool alone;           /* no write may be under way at the same time */
	bool waits;           /* for the writes before it */

	unsigned nr_pages, room;
	struct grant_mapping *maps; /* nr_pages of room */
	bool keeps;                 /* grants: kept[] has been filled in */
	struct kept_grant **kept;
	struct iovec *iov;
	unsigned iovcnt;

	struct block_op *next;
};

/* Room for so many pages. 0 or -ENOMEM. */
int block_op_make_room(struct block_op *op, unsigned pages);
void block_op_free_room(struct block_op *op);

/*
 * Map the pages of these segments (checked: first_sect <= last_sect < 8) and describe them in iov.
 * How many grants had to be mapped: with a cache, those that it did not have. -1: some grant is not
 * there, and none is mapped for this. cache: NULL if grants are not kept.
 */
int block_op_map(struct block_op *op, struct domain *d, struct grant_cache *cache,
		 const struct blkif_request_segment *seg, unsigned n);
/* What was read into them has been written to. */
void block_op_unmap(struct block_op *op, struct domain *d);

#endif
