// SPDX-License-Identifier: BSD-2-Clause
/* The drive without a medium. */
#include <errno.h>
#include <stdlib.h>

#include "host/backend/block/image.h"

struct empty_queue {
	struct image_queue common;
	int kick;
};

static struct image_queue *open_queue(struct image *image, int kick, struct problem *p)
{
	struct empty_queue *q = malloc(sizeof(*q));

	if (!q) {
		problem(p, "no memory for an empty drive");
		return NULL;
	}
	*q = (struct empty_queue){.common = {.image = image}, .kick = kick};
	return &q->common;
}

static void close_queue(struct image_queue *q)
{
	free(q);
}

static void submit(struct image_queue *q, struct image_request *r)
{
	(void)q;
	r->done(r, r->op == IMAGE_FLUSH ? 0 : -ENOMEDIUM);
}

static void nothing_waits(struct image_queue *q)
{
	(void)q;
}

static void wait_kick(struct image_queue *common)
{
	const struct empty_queue *q = (struct empty_queue *)common;

	image_wait_kick(q->kick);
}

static int64_t measure(struct image *image)
{
	(void)image;
	return 0;
}

static void close_empty(struct image *image)
{
	free(image);
}

static const struct image_ops empty_ops = {
	.open_queue = open_queue,
	.close_queue = close_queue,
	.submit = submit,
	.push = nothing_waits,
	.reap = nothing_waits,
	.wait = wait_kick,
	.measure = measure,
	.close = close_empty,
};

struct image *image_open_empty(void)
{
	struct image *image = malloc(sizeof(*image));

	if (image)
		*image = (struct image){
			.ops = &empty_ops,
			.name = "an empty drive",
			.readonly = true,
			.max_queues = 1,
			.physical_sector = IMAGE_SECTOR,
		};
	return image;
}
