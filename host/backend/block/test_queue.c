// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/test_queue.h"

#include <stdlib.h>
#include <unistd.h>

static void broken(void *opaque, const char *why)
{
	struct subject *s = opaque;

	assert_non_null(why);
	__atomic_fetch_add(&s->broken, 1, __ATOMIC_SEQ_CST);
}

void open_queue(struct subject *s)
{
	struct problem p = {""};

	if (block_queue_open(&s->queue, &s->disk, s->front.abi, s->front.ring_refs,
			     s->front.nr_pages, s->front.port, &p))
		fail_msg("%s", p.text);
	s->queue.image = &s->image.common;
	s->queue.io = s->image.common.ops->open_queue(&s->image.common, s->queue.kick, &p);
	s->open = true;
}

void close_queue(struct subject *s)
{
	block_queue_stop(&s->queue);
	block_queue_close(&s->queue);
	s->open = false;
}

int setup(void **state)
{
	const struct shape *shape = *state;
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	s->fake = fake_create(shape->abi == BLOCK_ABI_64);
	front_init(&s->front, s->fake, shape->abi, shape->nr_pages);
	test_image_init(&s->image);
	s->image.memory = s->fake->ram;
	s->image.memory_size = FAKE_RAM_SIZE;
	for (unsigned i = 0; i < TEST_IMAGE_SIZE; i++)
		s->image.bytes[i] = (uint8_t)(i / 512 + i % 251);
	s->disk = (struct block_disk){
		.domain = &s->fake->domain,
		.name = "xvda",
		.discard = true,
		.keep_grants = shape->keep_grants,
		.broken = broken,
		.opaque = s,
	};
	open_queue(s);
	alarm(30);
	return 0;
}

/* Nothing of the guest's stays in use. */
void assert_all_given_back(struct subject *s)
{
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
}

int teardown(void **state)
{
	struct subject *s = *state;

	test_image_release_all(&s->image);
	if (s->open)
		close_queue(s);
	assert_all_given_back(s);
	fake_destroy(s->fake);
	free(s);
	alarm(0);
	return 0;
}

void serve(struct subject *s)
{
	while (block_queue_serve(&s->queue))
		;
}

void put(struct subject *s, const struct front_request *r)
{
	front_put(&s->front, r);
	front_show(&s->front);
}

void assert_answer(struct subject *s, uint64_t id, uint8_t operation, int16_t status)
{
	struct front_response r;

	if (!front_answered(&s->front, &r))
		fail_msg("request %lu has not been answered", (unsigned long)id);
	assert_int_equal(r.id, id);
	assert_int_equal(r.operation, operation);
	assert_int_equal(r.status, status);
}

void assert_no_answer(struct subject *s)
{
	struct front_response r;

	assert_false(front_answered(&s->front, &r));
}

/* One request, served alone. */
void assert_status(struct subject *s, const struct front_request *r, int16_t status)
{
	put(s, r);
	serve(s);
	assert_answer(s, r->id, r->operation, status);
	assert_no_answer(s);
	if (!s->disk.keep_grants)
		assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF), 0);
}

void refused(struct subject *s, const struct front_request *r, int16_t status)
{
	unsigned asked = s->image.logged;

	assert_status(s, r, status);
	assert_int_equal(s->image.logged, asked);
	assert_int_equal(s->queue.busy, 0);
}

struct front_request *discard(uint64_t id, uint64_t sector, uint64_t n, uint8_t flag)
{
	struct front_request *r = front_request(BLKIF_OP_DISCARD, id);

	r->sector = sector;
	r->nr_sectors = n;
	r->flag = flag;
	return r;
}
