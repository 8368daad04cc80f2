// SPDX-License-Identifier: BSD-2-Clause
/* What waits for what: flushes and barriers among other requests. */
#include "host/backend/block/test_queue.h"

#include <errno.h>

static void assert_log(struct subject *s, const enum image_op *ops, unsigned n)
{
	assert_int_equal(s->image.logged, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(s->image.log[i].op, ops[i]);
}

/* A flush waits for the writes before it, though not for reads; the next write waits for nothing
 * once the flush has begun. */
static void test_flush_order(void **state)
{
	struct subject *s = *state;
	const enum image_op order[] = {IMAGE_WRITE, IMAGE_READ, IMAGE_WRITE, IMAGE_FLUSH,
				       IMAGE_WRITE};

	s->image.hold = true;
	put(s, front_move(OP_WRITE, 0, 0, 0, 1));
	put(s, front_move(OP_READ, 1, 8, 1, 1));
	put(s, front_move(OP_WRITE, 2, 16, 2, 1));
	put(s, front_request(OP_FLUSH, 3));
	put(s, front_move(OP_WRITE, 4, 24, 3, 1));
	serve(s);
	assert_log(s, order, 3);
	test_image_release(&s->image, 2);
	serve(s);
	assert_answer(s, 2, OP_WRITE, 0);
	assert_log(s, order, 3);
	test_image_release(&s->image, 0);
	serve(s);
	assert_answer(s, 0, OP_WRITE, 0);
	assert_log(s, order, 5);
	assert_no_answer(s);
	test_image_release(&s->image, 1); /* the flush */
	serve(s);
	assert_answer(s, 3, OP_FLUSH, 0);
	test_image_release_all(&s->image);
	serve(s);
	assert_answer(s, 1, OP_READ, 0);
	assert_answer(s, 4, OP_WRITE, 0);
}

/* A discard changes the image as a write does. */
static void test_flush_waits_for_discard(void **state)
{
	struct subject *s = *state;

	s->image.hold = true;
	put(s, discard(0, 0, 8, 0));
	put(s, front_request(OP_FLUSH, 1));
	serve(s);
	assert_int_equal(s->image.logged, 1);
	test_image_release_all(&s->image);
	serve(s);
	assert_int_equal(s->image.logged, 2);
	test_image_release_all(&s->image);
	serve(s);
	assert_answer(s, 0, BLKIF_OP_DISCARD, 0);
	assert_answer(s, 1, OP_FLUSH, 0);
}

/* Step by step: the writes before it, a flush, its own write, a flush; only then what is behind. */
static void barrier_order(struct subject *s, uint8_t operation, bool flush_after)
{
	const enum image_op order[] = {IMAGE_WRITE, IMAGE_FLUSH, IMAGE_WRITE,
				       flush_after ? IMAGE_FLUSH : IMAGE_WRITE, IMAGE_WRITE};
	unsigned steps = flush_after ? 4 : 3;

	s->image.hold = true;
	put(s, front_move(OP_WRITE, 0, 0, 0, 1));
	put(s, front_move(operation, 1, 8, 1, 1));
	put(s, front_move(OP_WRITE, 2, 16, 2, 1));
	for (unsigned i = 1; i <= steps; i++) {
		serve(s);
		assert_log(s, order, i);
		assert_int_equal(s->image.nr_held, 1);
		if (i > 1)
			assert_no_answer(s);
		test_image_release(&s->image, 0);
		serve(s);
		if (i == 1)
			assert_answer(s, 0, OP_WRITE, 0);
	}
	assert_answer(s, 1, operation, 0);
	assert_log(s, order, steps + 1);
	assert_no_answer(s);
	test_image_release(&s->image, 0);
	serve(s);
	assert_answer(s, 2, OP_WRITE, 0);
	assert_null(s->queue.held);
}

static void test_barrier_order(void **state)
{
	barrier_order(*state, OP_BARRIER, true);
}

static void test_flush_with_data(void **state)
{
	barrier_order(*state, OP_FLUSH, false);
}

/* Without data it orders all the same. */
static void test_empty_barrier(void **state)
{
	struct subject *s = *state;
	const enum image_op order[] = {IMAGE_FLUSH, IMAGE_WRITE};

	s->image.hold = true;
	put(s, front_request(OP_BARRIER, 0));
	put(s, front_move(OP_WRITE, 1, 16, 2, 1));
	serve(s);
	assert_log(s, order, 1);
	test_image_release_all(&s->image);
	serve(s);
	assert_answer(s, 0, OP_BARRIER, 0);
	assert_log(s, order, 2);
}

/* What was within the image when it was asked may not be when its turn comes. */
static void test_shrunk_while_waiting(void **state)
{
	struct subject *s = *state;

	s->image.hold = true;
	put(s, front_move(OP_WRITE, 0, 0, 0, 1));
	put(s, front_move(OP_BARRIER, 1, 800, 1, 1));
	serve(s);
	s->image.common.size = 800 * 512;
	test_image_release_all(&s->image);
	serve(s);
	test_image_release_all(&s->image);
	serve(s);
	assert_answer(s, 0, OP_WRITE, BLKIF_RSP_OKAY);
	assert_answer(s, 1, OP_BARRIER, BLKIF_RSP_ERROR);
	assert_int_equal(s->image.logged, 2);
	assert_null(s->queue.held);
}

/* A barrier that waits is done even if the write before it has failed; so are several in a row. */
static void test_barriers_in_a_row(void **state)
{
	struct subject *s = *state;

	for (unsigned i = 0; i < 8; i++)
		put(s, i % 2 ? front_request(OP_FLUSH, i) : front_move(OP_BARRIER, i, 0, 0, 1));
	serve(s);
	for (unsigned i = 0; i < 8; i++)
		assert_answer(s, i, i % 2 ? OP_FLUSH : OP_BARRIER, 0);
	s->image.hold = true;
	put(s, front_move(OP_WRITE, 8, 0, 0, 1));
	put(s, front_move(OP_BARRIER, 9, 0, 0, 1));
	serve(s);
	s->image.error = -EIO;
	test_image_release(&s->image, 0);
	s->image.error = 0;
	while (s->image.nr_held) {
		test_image_release_all(&s->image);
		serve(s);
	}
	assert_answer(s, 8, OP_WRITE, BLKIF_RSP_ERROR);
	assert_answer(s, 9, OP_BARRIER, BLKIF_RSP_OKAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flush_order, of_64),          TEST(test_flush_waits_for_discard, of_64),
		TEST_BASIC(test_barrier_order),         TEST_BASIC(test_flush_with_data),
		TEST(test_empty_barrier, of_64),        TEST_BASIC(test_barriers_in_a_row),
		TEST(test_shrunk_while_waiting, of_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
