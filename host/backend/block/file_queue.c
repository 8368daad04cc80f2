// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests of a raw image. What can be done without waiting for a disk is done at once, by a system
 * call of the queue's own thread, which costs less than any way to have it done; the rest goes to
 * io_uring. Where there is none (many containers refuse it), the thread waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/backend/block/image_file.h"

/*
 * A page of the guest's that is being remapped is back within microseconds: how often to try again
 * before the guest hears of it.
 */
#define FAULT_TRIES 100

struct file_queue {
	struct image_queue common;
	const struct file_image *file;
	int kick;
	struct image_ring *ring; /* NULL: does without */
	unsigned unsent;         /* in the submission ring */
};

static void advance(struct image_request *r, uint64_t n)
{
	r->offset += n;
	r->len -= n;
	while (r->iovcnt && n >= r->iov->iov_len) {
		n -= r->iov->iov_len;
		r->iov++;
		r->iovcnt--;
	}
	if (n) {
		r->iov->iov_base = (char *)r->iov->iov_base + n;
		r->iov->iov_len -= n;
	}
}

/* 0; -EAGAIN: the rest of it would have to wait (with RWF_NOWAIT only); or -errno. */
static int move(const struct file_image *f, struct image_request *r, int flags)
{
	unsigned faults = 0;

	for (;;) {
		ssize_t n =
			r->op == IMAGE_READ
				? preadv2(f->fd, r->iov, (int)r->iovcnt, (off_t)r->offset, flags)
				: pwritev2(f->fd, r->iov, (int)r->iovcnt, (off_t)r->offset, flags);

		if (n == (ssize_t)r->len)
			return 0;
		if (n > 0) {
			advance(r, n);
			continue;
		}
		/* The image has become shorter behind our back. */
		if (!n)
			return -EIO;
		if (errno == EFAULT && faults++ < FAULT_TRIES)
			sched_yield();
		else if (errno != EINTR)
			return -errno;
	}
}

/* Whole sectors of the device within the range; discarding less than was asked for is allowed. */
static int discard_on_device(const struct file_image *f, const struct image_request *r)
{
	uint64_t mask = f->logical_sector - 1;
	uint64_t start = (r->offset + mask) & ~mask;
	uint64_t end = (r->offset + r->len) & ~mask;
	uint64_t range[2] = {start, end - start};

	if (start >= end)
		return 0;
	return ioctl(f->fd, BLKDISCARD, range) ? -errno : 0;
}

static int discard(const struct file_image *f, const struct image_request *r)
{
	if (f->block_device)
		return discard_on_device(f, r);
	return fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)r->offset,
			 (off_t)r->len)
		       ? -errno
		       : 0;
}

/* On this thread, waiting as long as it takes. */
static int do_now(const struct file_image *f, struct image_request *r)
{
	switch (r->op) {
	case IMAGE_FLUSH:
		return fdatasync(f->fd) ? -errno : 0;
	case IMAGE_DISCARD:
		return discard(f, r);
	default:
		return move(f, r, 0);
	}
}

static void prepare(const struct file_image *f, struct io_uring_sqe *sqe, struct image_request *r)
{
	switch (r->op) {
	case IMAGE_READ:
		io_uring_prep_readv(sqe, f->fd, r->iov, r->iovcnt, r->offset);
		break;
	case IMAGE_WRITE:
		io_uring_prep_writev(sqe, f->fd, r->iov, r->iovcnt, r->offset);
		break;
	case IMAGE_FLUSH:
		io_uring_prep_fsync(sqe, f->fd, IORING_FSYNC_DATASYNC);
		break;
	case IMAGE_DISCARD:
		io_uring_prep_fallocate(sqe, f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)r->offset, (off_t)r->len);
		break;
	}
	io_uring_sqe_set_data(sqe, r);
}

void file_queue_push(struct image_queue *common)
{
	struct file_queue *q = (struct file_queue *)common;

	while (q->unsent) {
		int n = io_uring_submit(&q->ring->uring);

		if (n > 0)
			q->unsent -= n;
		else if (n == -EBUSY)
			file_queue_reap(common); /* too much has finished unseen */
		else if (n != -EINTR)
			sched_yield(); /* no memory now */
	}
}

static void send_to_ring(struct file_queue *q, struct image_request *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring->uring);

	if (!sqe) {
		file_queue_push(&q->common);
		sqe = io_uring_get_sqe(&q->ring->uring);
	}
	prepare(q->file, sqe, r);
	q->unsent++;
	q->common.in_flight++;
}

/* Not what may wait for a disk, if there is a ring for that. */
static bool belongs_here(const struct file_queue *q, const struct image_request *r)
{
	const struct file_image *f = q->file;

	if (!q->ring)
		return true;
	if (r->op == IMAGE_DISCARD && f->block_device)
		return true; /* io_uring has no such operation */
	return f->in_memory && f->engine != FILE_BY_RING;
}

void file_queue_submit(struct image_queue *common, struct image_request *r)
{
	struct file_queue *q = (struct file_queue *)common;
	int rc = -EAGAIN;

	if (belongs_here(q, r)) {
		r->done(r, do_now(q->file, r));
		return;
	}
	if (r->op == IMAGE_READ && q->file->nowait && q->file->engine == FILE_AUTO)
		rc = move(q->file, r, RWF_NOWAIT);
	if (rc == -EAGAIN || rc == -EOPNOTSUPP)
		send_to_ring(q, r);
	else
		r->done(r, rc);
}

/* What the ring has left of a request is little and rare: it is done here. */
static int finish(const struct file_image *f, struct image_request *r, int result)
{
	bool moves = r->op == IMAGE_READ || r->op == IMAGE_WRITE;

	if (result == -EAGAIN || result == -EINTR || (moves && result == -EFAULT))
		return do_now(f, r);
	if (!moves || result < 0)
		return result;
	if ((uint64_t)result == r->len)
		return 0;
	if (!result)
		return -EIO;
	advance(r, result);
	return do_now(f, r);
}

void file_queue_reap(struct image_queue *common)
{
	struct file_queue *q = (struct file_queue *)common;
	struct io_uring_cqe *cqe;

	while (q->common.in_flight && !io_uring_peek_cqe(&q->ring->uring, &cqe)) {
		struct image_request *r = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&q->ring->uring, cqe);
		q->common.in_flight--;
		r->done(r, finish(q->file, r, result));
	}
}

/* What finishes in the ring is written to `kick`, too. */
void file_queue_wait(struct image_queue *common)
{
	const struct file_queue *q = (struct file_queue *)common;

	image_wait_kick(q->kick);
}

struct image_queue *file_queue_open(struct image *image, int kick, struct problem *p)
{
	const struct file_image *f = (struct file_image *)image;
	struct file_queue *q = calloc(1, sizeof(*q));

	if (!q) {
		problem(p, "%s: no memory", image->name);
		return NULL;
	}
	q->common.image = image;
	q->file = f;
	q->kick = kick;
	if (f->rings && (!f->in_memory || f->engine == FILE_BY_RING))
		q->ring = image_rings_take(f->rings, kick);
	return &q->common;
}

void file_queue_close(struct image_queue *common)
{
	struct file_queue *q = (struct file_queue *)common;

	if (q->ring) {
		io_uring_unregister_eventfd(&q->ring->uring);
		image_rings_give_back(q->file->rings, q->ring);
	}
	free(q);
}
