// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/test_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(what)                                                                    \
	do {                                                                             \
		if (!(what)) {                                                           \
			fprintf(stderr, "an image was asked for nonsense: %s\n", #what); \
			abort();                                                         \
		}                                                                        \
	} while (0)

static void require_memory(const struct test_image *t, const struct iovec *iov)
{
	const uint8_t *start = iov->iov_base;

	if (!t->memory)
		return;
	REQUIRE(start >= t->memory && start < t->memory + t->memory_size);
	REQUIRE(iov->iov_len <= (uint64_t)(t->memory + t->memory_size - start));
}

static void require_sense(const struct test_image *t, const struct image_request *r)
{
	uint64_t len = 0, size = image_size(&t->common);

	if (r->op == IMAGE_FLUSH)
		return;
	REQUIRE(r->len > 0 && r->len % IMAGE_SECTOR == 0 && r->offset % IMAGE_SECTOR == 0);
	REQUIRE(r->len <= size && r->offset <= size - r->len);
	REQUIRE(r->op == IMAGE_READ || !t->common.readonly);
	if (r->op == IMAGE_DISCARD)
		return;
	for (unsigned i = 0; i < r->iovcnt; i++) {
		require_memory(t, &r->iov[i]);
		len += r->iov[i].iov_len;
	}
	REQUIRE(len == r->len);
}

static void do_it(struct test_image *t, const struct image_request *r)
{
	uint8_t *at = t->bytes + r->offset;

	if (r->op == IMAGE_DISCARD)
		memset(at, 0, r->len);
	if (r->op != IMAGE_READ && r->op != IMAGE_WRITE)
		return;
	for (unsigned i = 0; i < r->iovcnt; i++) {
		if (r->op == IMAGE_READ)
			memcpy(r->iov[i].iov_base, at, r->iov[i].iov_len);
		else
			memcpy(at, r->iov[i].iov_base, r->iov[i].iov_len);
		at += r->iov[i].iov_len;
	}
}

static void finish(struct test_image *t, struct image_request *r)
{
	if (!t->error)
		do_it(t, r);
	t->log[r->result % TEST_IMAGE_LOG].done = true;
	r->done(r, t->error);
}

static void submit(struct image_queue *q, struct image_request *r)
{
	struct test_image *t = (struct test_image *)q->image;

	require_sense(t, r);
	r->result = (int)t->logged++;
	t->log[r->result % TEST_IMAGE_LOG] = (struct image_log){
		.op = r->op, .offset = r->offset, .len = r->len, .iovcnt = r->iovcnt};
	if (t->hold)
		t->held[t->nr_held++] = r;
	else
		finish(t, r);
}

void test_image_release(struct test_image *t, unsigned n)
{
	struct image_request *r = t->held[n];

	t->nr_held--;
	for (unsigned i = n; i < t->nr_held; i++)
		t->held[i] = t->held[i + 1];
	finish(t, r);
}

void test_image_release_all(struct test_image *t)
{
	while (t->nr_held)
		test_image_release(t, 0);
}

static struct image_queue *open_queue(struct image *image, int kick, struct problem *p)
{
	struct test_image *t = (struct test_image *)image;

	(void)p;
	t->queue.image = image;
	t->kick = kick;
	return &t->queue;
}

static void close_queue(struct image_queue *q)
{
	const struct test_image *t = (struct test_image *)q->image;

	REQUIRE(!t->nr_held);
}

static void nothing(struct image_queue *q)
{
	(void)q;
}

static void wait_kick(struct image_queue *q)
{
	image_wait_kick(((struct test_image *)q->image)->kick);
}

static int64_t measure(struct image *image)
{
	return (int64_t)image_size(image);
}

static void close_test_image(struct image *image)
{
	(void)image;
}

static const struct image_ops test_ops = {
	.open_queue = open_queue,
	.close_queue = close_queue,
	.submit = submit,
	.push = nothing,
	.reap = nothing,
	.wait = wait_kick,
	.measure = measure,
	.close = close_test_image,
};

void test_image_init(struct test_image *t)
{
	memset(t, 0, sizeof(*t));
	t->common = (struct image){
		.ops = &test_ops,
		.name = "memory",
		.size = TEST_IMAGE_SIZE,
		.max_queues = 1,
		.physical_sector = IMAGE_SECTOR,
		.can_discard = true,
		.discard_granularity = IMAGE_SECTOR,
	};
}
