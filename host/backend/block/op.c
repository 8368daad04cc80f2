// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/op.h"

#include <errno.h>
#include <stdlib.h>

/* Room comes in steps: what guests use is 11, 32 or all segments. */
static unsigned round_up(unsigned pages)
{
	unsigned room = 16;

	while (room < pages)
		room *= 2;
	return room;
}

/* All arrays in one piece; what was in them does not matter. */
int block_op_make_room(struct block_op *op, unsigned pages)
{
	const size_t each =
		sizeof(struct grant_mapping) + sizeof(struct iovec) + sizeof(struct kept_grant *);
	unsigned room = round_up(pages);
	char *block;

	if (pages <= op->room)
		return 0;
	block = malloc(room * each);
	if (!block)
		return -ENOMEM;
	block_op_free_room(op);
	op->room = room;
	op->maps = (struct grant_mapping *)(void *)block;
	op->iov = (struct iovec *)(void *)(op->maps + room);
	op->kept = (struct kept_grant **)(void *)(op->iov + room);
	return 0;
}

void block_op_free_room(struct block_op *op)
{
	free(op->maps);
	op->maps = NULL;
	op->room = 0;
}

static bool reads(const struct block_op *op)
{
	return op->data_op == IMAGE_READ;
}

static int map_each(struct block_op *op, struct domain *d,
		    const struct blkif_request_segment *seg, unsigned n)
{
	grant_ref_t refs[op->room];

	for (unsigned i = 0; i < n; i++)
		refs[i] = seg[i].gref;
	return grant_map_all(d, refs, n, reads(op), op->maps, NULL) == GNTST_okay ? 0 : -1;
}
