// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests: what may be done at all, and in which order. Rules of public header io/blkif.h:
 *
 *	flush		all writes before it are durable when it is answered
 *	barrier		the same for itself; and no write behind it begins before that
 *
 * "Before" is what stands before it in the ring, answered or not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/backend/block/queue.h"

#define SEGMENTS_PER_PAGE (GUEST_PAGE_SIZE / sizeof(struct blkif_request_segment))
#define LAST_SECTOR       (GUEST_PAGE_SIZE / IMAGE_SECTOR - 1)
_Static_assert(BLOCK_MAX_SEGMENTS <= BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST * SEGMENTS_PER_PAGE,
	       "so many segments fit the indirect pages");

void block_queue_answer(struct block_queue *q, uint64_t id, uint8_t operation, int16_t status)
{
	if (status != BLKIF_RSP_OKAY)
		block_count(&q->stats.errors, 1);
	block_ring_respond(&q->ring, id, operation, status);
}

static void refuse(struct block_queue *q, const struct block_request *r, int16_t status)
{
	block_queue_answer(q, r->id, r->operation, status);
}

static struct block_op *new_op(struct block_queue *q, const struct block_request *r)
{
	struct block_op *op = q->free_ops;

	/* As many as the ring has entries: there is one for each that can be asked. */
	q->free_ops = op->next;
	op->next = NULL;
	op->queue = q;
	op->id = r->id;
	op->operation = r->operation;
	op->steps = 0;
	op->len = 0;
	op->nr_pages = op->iovcnt = 0;
	op->changes = op->alone = false;
	q->busy++;
	return op;
}

static void free_op(struct block_queue *q, struct block_op *op)
{
	op->next = q->free_ops;
	q->free_ops = op;
	q->busy--;
}

/*
 * The way of an operation.
 */

static void next_step(struct block_op *op);

/* Nothing that it must wait for is under way any more. */
static void start_held(struct block_queue *q)
{
	struct block_op *op = q->held;

	if (!op->alone)
		q->held = NULL;
	next_step(op);
}

static void finish(struct block_op *op, int error)
{
	struct block_queue *q = op->queue;

	block_op_unmap(op, q->disk->domain);
	block_queue_answer(q, op->id, op->operation, error ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY);
	if (q->held == op)
		q->held = NULL;
	if (op->changes)
		q->writes--;
	free_op(q, op);
	if (q->held && q->held->waits && !q->writes)
		start_held(q);
}

static const char *verb(enum image_op op)
{
	static const char *const verbs[] = {
		[IMAGE_READ] = "read",
		[IMAGE_WRITE] = "write",
		[IMAGE_FLUSH] = "flush",
		[IMAGE_DISCARD] = "discard",
	};

	return verbs[op];
}

/* The host's trouble, not the guest's: the user hears of each kind once. */
static void say_error(struct block_queue *q, const struct image_request *io, int error)
{
	if (error == q->said)
		return;
	q->said = error;
	fprintf(stderr, "xenolith: %s: %s: cannot %s at byte %llu: %s\n", q->disk->name,
		q->image->name, verb(io->op), (unsigned long long)io->offset, strerror(-error));
}

static void count_data(struct block_queue *q, const struct block_op *op)
{
	if (op->data_op == IMAGE_READ)
		block_count(&q->stats.read_bytes, op->len);
	else if (op->data_op == IMAGE_WRITE)
		block_count(&q->stats.written_bytes, op->len);
	q->unshown += op->iovcnt ? op->len : 0;
}

static void step_done(struct image_request *io, int error)
{
	struct block_op *op = (struct block_op *)io;

	if (error)
		say_error(op->queue, io, error);
	else if (io->op == op->data_op)
		count_data(op->queue, op);
	if (error || !op->steps)
		finish(op, error);
	else
		next_step(op);
}

static void submit(struct block_op *op, enum image_op what)
{
	struct image_queue *io = op->queue->io;

	op->io.op = what;
	op->io.offset = what == IMAGE_FLUSH ? 0 : op->offset;
	op->io.len = what == IMAGE_FLUSH ? 0 : op->len;
	op->io.iov = op->iov;
	op->io.iovcnt = what == IMAGE_FLUSH ? 0 : op->iovcnt;
	op->io.done = step_done;
	io->image->ops->submit(io, &op->io);
}

static bool within(const struct block_queue *q, uint64_t sector, uint64_t count)
{
	uint64_t all = image_size(q->image) / IMAGE_SECTOR;

	return count <= all && sector <= all - count;
}

static void next_step(struct block_op *op)
{
	unsigned step = op->steps & -op->steps;

	op->waits = false;
	op->steps &= ~step;
	if (step != OP_DATA)
		submit(op, IMAGE_FLUSH);
	else if (within(op->queue, op->offset / IMAGE_SECTOR, op->len / IMAGE_SECTOR))
		submit(op, op->data_op);
	else
		finish(op, -EIO); /* the image has become smaller while it waited */
}

static void start(struct block_op *op)
{
	struct block_queue *q = op->queue;

	if (op->changes)
		q->writes++;
	/* A flush waits for the writes before it, which may still be under way. */
	if (op->alone || (op->steps == OP_FLUSH_BEFORE && q->writes))
		q->held = op;
	op->waits = q->held == op && q->writes;
	if (!op->waits)
		next_step(op);
}

/*
 * What may be asked.
 */

/* The segments, copied to where the guest cannot change them. */
static int get_segments(struct block_queue *q, const struct block_request *r)
{
	unsigned left = r->nr_segments;

	if (!r->indirect) {
		memcpy(q->segments, r->seg, left * sizeof(*r->seg));
		return 0;
	}
	for (unsigned page = 0; left; page++) {
		unsigned n = left < SEGMENTS_PER_PAGE ? left : SEGMENTS_PER_PAGE;

		if (grant_copy_from(q->disk->domain, r->indirect_grefs[page], 0,
				    q->segments + page * SEGMENTS_PER_PAGE,
				    n * sizeof(*q->segments)) != GNTST_okay)
			return -1;
		left -= n;
	}
	return 0;
}

/* How many sectors they have; 0: they make no sense. */
static uint64_t count_sectors(const struct blkif_request_segment *seg, unsigned n)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < n; i++) {
		if (seg[i].first_sect > seg[i].last_sect || seg[i].last_sect > LAST_SECTOR)
			return 0;
		count += seg[i].last_sect - seg[i].first_sect + 1u;
	}
	return count;
}

/* Segments and range. -1: not so. */
static int check_data(struct block_queue *q, const struct block_request *r, uint64_t *sectors)
{
	if (r->nr_segments > (r->indirect ? BLOCK_MAX_SEGMENTS : BLKIF_MAX_SEGMENTS_PER_REQUEST) ||
	    get_segments(q, r))
		return -1;
	*sectors = count_sectors(q->segments, r->nr_segments);
	return *sectors && within(q, r->sector, *sectors) ? 0 : -1;
}

/* Bring in the pages of a request with data. -1: refused. */
static int prepare_data(struct block_queue *q, struct block_op *op, const struct block_request *r)
{
	uint64_t sectors;
	int mapped;

	if (check_data(q, r, &sectors))
		return -1;
	op->offset = r->sector * IMAGE_SECTOR;
	op->len = sectors * IMAGE_SECTOR;
	if (block_op_make_room(op, r->nr_segments))
		return -1;
	mapped = block_op_map(op, q->disk->domain, q->cache, q->segments, r->nr_segments);
	if (mapped < 0)
		return -1;
	block_count(&q->stats.grants_mapped, (uint64_t)mapped);
	op->steps |= OP_DATA;
	return 0;
}

static void read_or_write(struct block_queue *q, const struct block_request *r)
{
	bool read = r->operation == BLKIF_OP_READ;
	struct block_op *op;

	if (!read && q->disk->readonly) {
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	op = new_op(q, r);
	op->data_op = read ? IMAGE_READ : IMAGE_WRITE;
	op->changes = !read;
	if (prepare_data(q, op, r)) {
		free_op(q, op);
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	block_count(read ? &q->stats.reads : &q->stats.writes, 1);
	start(op);
}

/*
 * Both may carry data, and both may carry none. A flush with data flushes what is before it, then
 * writes, as Linux's REQ_PREFLUSH does.
 */
static void flush_or_barrier(struct block_queue *q, const struct block_request *r)
{
	bool data = r->nr_segments;
	struct block_op *op;

	if (data && q->disk->readonly) {
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	op = new_op(q, r);
	op->data_op = IMAGE_WRITE;
	op->steps = OP_FLUSH_BEFORE;
	if (data && prepare_data(q, op, r)) {
		free_op(q, op);
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	op->alone = data || r->operation == BLKIF_OP_WRITE_BARRIER;
	if (data && r->operation == BLKIF_OP_WRITE_BARRIER)
		op->steps |= OP_FLUSH_AFTER;
	block_count(&q->stats.flushes, 1);
	block_count(&q->stats.writes, data);
	start(op);
}

static void discard(struct block_queue *q, const struct block_request *r)
{
	struct block_op *op;

	/* To destroy all copies of the data is more than can be promised here. */
	if (!q->disk->discard || r->flag & BLKIF_DISCARD_SECURE) {
		refuse(q, r, BLKIF_RSP_EOPNOTSUPP);
		return;
	}
	if (!r->nr_sectors || !within(q, r->sector, r->nr_sectors)) {
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	op = new_op(q, r);
	op->data_op = IMAGE_DISCARD;
	op->changes = true;
	op->steps = OP_DATA;
	op->offset = r->sector * IMAGE_SECTOR;
	op->len = r->nr_sectors * IMAGE_SECTOR;
	block_count(&q->stats.discards, 1);
	start(op);
}

void block_queue_handle(struct block_queue *q, const struct block_request *r)
{
	bool moves = r->operation == BLKIF_OP_READ || r->operation == BLKIF_OP_WRITE;

	if (r->indirect && !moves) {
		refuse(q, r, BLKIF_RSP_ERROR);
		return;
	}
	switch (r->operation) {
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
		read_or_write(q, r);
		break;
	case BLKIF_OP_WRITE_BARRIER:
	case BLKIF_OP_FLUSH_DISKCACHE:
		flush_or_barrier(q, r);
		break;
	case BLKIF_OP_DISCARD:
		discard(q, r);
		break;
	default:
		refuse(q, r, BLKIF_RSP_EOPNOTSUPP);
	}
}
