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

static int map_for_now(struct block_op *op, struct domain *d,
		       const struct blkif_request_segment *seg, unsigned n)
{
	grant_ref_t refs[BLOCK_MAX_SEGMENTS];

	for (unsigned i = 0; i < n; i++)
		refs[i] = seg[i].gref;
	if (grant_map_all(d, refs, n, reads(op), op->maps, NULL) != GNTST_okay)
		return -1;
	op->nr_pages = n;
	return (int)n;
}

static int map_and_keep(struct block_op *op, struct domain *d, struct grant_cache *cache,
			const struct blkif_request_segment *seg, unsigned n)
{
	uint64_t before = cache->mapped;
	int for_now = 0;

	for (unsigned i = 0; i < n; i++) {
		struct kept_grant *k = NULL;
		int rc = grant_cache_get(cache, seg[i].gref, &k);

		op->kept[i] = k;
		op->maps[i] = (struct grant_mapping){.hva = k ? k->m.hva : NULL};
		if (rc == GNTST_okay && !k) {
			rc = grant_map(d, seg[i].gref, true, &op->maps[i]);
			for_now++;
		}
		if (rc != GNTST_okay)
			return -1;
		op->nr_pages = i + 1;
	}
	return for_now + (int)(cache->mapped - before);
}

static void describe(struct block_op *op, const struct blkif_request_segment *seg)
{
	const struct grant_mapping *m = op->maps, *end = m + op->nr_pages;
	struct iovec *next = op->iov;
	const char *behind = NULL;

	for (; m < end; m++, seg++) {
		char *start = (char *)m->hva + seg->first_sect * IMAGE_SECTOR;
		size_t len = (seg->last_sect - seg->first_sect + 1) * IMAGE_SECTOR;

		/* What lies together in our memory is moved in one piece. */
		if (start == behind)
			next[-1].iov_len += len;
		else
			*next++ = (struct iovec){start, len};
		behind = start + len;
	}
	op->iovcnt = (unsigned)(next - op->iov);
}

int block_op_map(struct block_op *op, struct domain *d, struct grant_cache *cache,
		 const struct blkif_request_segment *seg, unsigned n)
{
	int mapped;

	op->keeps = cache != NULL;
	op->nr_pages = 0;
	mapped = cache ? map_and_keep(op, d, cache, seg, n) : map_for_now(op, d, seg, n);
	if (mapped < 0)
		block_op_unmap(op, d);
	else
		describe(op, seg);
	return mapped;
}

/* A page that stays mapped: its unmapping comes too late to tell that it was written to. */
static void release_kept(const struct block_op *op, struct domain *d, struct kept_grant *k)
{
	if (reads(op)) {
		memslots_written_hva(memslots_enter(&d->memslots), k->m.hva, GUEST_PAGE_SIZE);
		memslots_leave();
	}
	grant_cache_put(k);
}

void block_op_unmap(struct block_op *op, struct domain *d)
{
	if (!op->keeps)
		grant_unmap_all(d, op->maps, op->nr_pages, reads(op));
	for (unsigned i = 0; op->keeps && i < op->nr_pages; i++) {
		if (op->kept[i])
			release_kept(op, d, op->kept[i]);
		else
			grant_unmap(d, &op->maps[i], reads(op));
	}
	op->nr_pages = 0;
}
