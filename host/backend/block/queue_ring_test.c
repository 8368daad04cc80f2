// SPDX-License-Identifier: BSD-2-Clause
/* The ring: many requests at a time, events, and indexes that make no sense. */
#include "host/backend/block/test_queue.h"

#include <string.h>

#include "shim/fake_events.h"

/* The ring many times round, and as full as it can be each time. */
static void test_whole_ring(void **state)
{
	struct subject *s = *state;
	struct front *f = &s->front;
	uint64_t id = 0;

	assert_int_equal(s->queue.ring.entries, f->entries);
	for (unsigned round = 0; round < 5; round++) {
		unsigned n = round % 2 ? f->entries : f->entries - 1;
		uint64_t first = id;

		s->image.hold = round == 2;
		for (unsigned i = 0; i < n; i++, id++)
			front_put(f, front_move(OP_READ, id * 0x100000001ull, i, i % 256, 1));
		front_show(f);
		serve(s);
		if (round == 2)
			assert_no_answer(s);
		test_image_release_all(&s->image);
		serve(s);
		for (unsigned i = 0; i < n; i++)
			assert_answer(s, (first + i) * 0x100000001ull, OP_READ, BLKIF_RSP_OKAY);
		assert_no_answer(s);
	}
	assert_int_equal(s->queue.busy, 0);
}

static void test_answers_as_they_finish(void **state)
{
	struct subject *s = *state;

	s->image.hold = true;
	for (unsigned i = 0; i < 4; i++)
		put(s, front_move(OP_READ, i, i, i, 1));
	serve(s);
	assert_no_answer(s);
	test_image_release(&s->image, 2);
	serve(s);
	assert_answer(s, 2, OP_READ, BLKIF_RSP_OKAY);
	assert_no_answer(s);
	assert_int_not_equal(fake_grant_status(s->fake, FRONT_DATA_REF), 0);
	assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + 2), 0);
	test_image_release_all(&s->image);
	serve(s);
	for (unsigned i = 0; i < 4; i++)
		if (i != 2)
			assert_answer(s, i, OP_READ, BLKIF_RSP_OKAY);
}

/* The guest hears what it has asked to hear, and no more. */
static void test_events(void **state)
{
	struct subject *s = *state;
	struct front *f = &s->front;

	put(s, front_request(OP_FLUSH, 0));
	serve(s);
	assert_true(fake_pending(s->fake, f->port));
	fake_clear_pending(s->fake, f->port);
	/* rsp_event still asks for the first one. */
	put(s, front_request(OP_FLUSH, 1));
	serve(s);
	assert_false(fake_pending(s->fake, f->port));
	assert_answer(s, 0, OP_FLUSH, 0);
	assert_answer(s, 1, OP_FLUSH, 0);
	front_want_event(f);
	for (unsigned i = 2; i < 10; i++)
		put(s, front_request(OP_FLUSH, i));
	serve(s);
	assert_true(fake_pending(s->fake, f->port));
	assert_int_equal(s->queue.stats.events_out, 2);
}

static void test_event_asked_for_before_sleep(void **state)
{
	struct subject *s = *state;

	put(s, front_request(OP_FLUSH, 0));
	serve(s);
	assert_false(block_ring_before_sleep(&s->queue.ring));
	front_put(&s->front, front_request(OP_FLUSH, 1));
	assert_true(front_show(&s->front));
	front_put(&s->front, front_request(OP_FLUSH, 2));
	assert_false(front_show(&s->front));
	assert_true(block_ring_before_sleep(&s->queue.ring));
	serve(s);
}

static void nonsense(struct subject *s, RING_IDX req_prod)
{
	RING_IDX answered = front_indexes(&s->front)->rsp_prod;

	front_indexes(&s->front)->req_prod = req_prod;
	serve(s);
	serve(s);
	assert_int_equal(s->broken, 1);
	assert_int_equal(front_indexes(&s->front)->rsp_prod, answered);
	/* It stays so, whatever the ring says. */
	front_indexes(&s->front)->req_prod = s->front.req_prod;
	serve(s);
	assert_int_equal(s->broken, 1);
	assert_int_equal(s->queue.busy, 0);
}

static void test_too_many_requests(void **state)
{
	struct subject *s = *state;

	nonsense(s, s->front.entries + 1);
}

static void test_requests_taken_back(void **state)
{
	struct subject *s = *state;

	put(s, front_request(OP_FLUSH, 0));
	put(s, front_request(OP_FLUSH, 1));
	serve(s);
	nonsense(s, 1);
}

/* Those in work have their places until they are answered. */
static void test_too_many_with_those_in_work(void **state)
{
	struct subject *s = *state;

	s->image.hold = true;
	put(s, front_move(OP_READ, 0, 0, 0, 1));
	serve(s);
	front_indexes(&s->front)->req_prod = s->front.entries + 1;
	serve(s);
	assert_int_equal(s->broken, 1);
	test_image_release_all(&s->image);
	serve(s);
	assert_answer(s, 0, OP_READ, BLKIF_RSP_OKAY);
}

static void test_ring_in_use_before(void **state)
{
	struct subject *s = *state;

	for (unsigned i = 0; i < 7; i++)
		put(s, front_request(OP_FLUSH, i));
	serve(s);
	close_queue(s);
	assert_all_given_back(s);
	for (unsigned i = 0; i < 7; i++)
		assert_answer(s, i, OP_FLUSH, 0);
	put(s, front_request(OP_FLUSH, 7));
	open_queue(s);
	serve(s);
	assert_answer(s, 7, OP_FLUSH, 0);
	assert_no_answer(s);
}

static void not_opened(struct subject *s, const grant_ref_t *refs, unsigned n, evtchn_port_t port,
		       const char *why)
{
	struct problem p = {""};
	struct block_queue q;

	assert_int_equal(block_queue_open(&q, &s->disk, s->front.abi, refs, n, port, &p), -1);
	assert_non_null(strstr(p.text, why));
	assert_all_given_back(s);
}

static void test_not_opened(void **state)
{
	struct subject *s = *state;
	const grant_ref_t bad[] = {FRONT_RING_REF, FRONT_BAD_REF};
	evtchn_port_t port = s->front.port;

	close_queue(s);
	not_opened(s, bad, 2, port, "not granted");
	not_opened(s, bad, 1, 0, "port 0");
	not_opened(s, bad, 1, 4095, "port 4095");
	fake_grant(s->fake, FRONT_RING_REF, GTF_permit_access | GTF_readonly, 0, FRONT_RING);
	not_opened(s, bad, 1, port, "not granted");
	fake_grant(s->fake, FRONT_RING_REF, GTF_permit_access, 0, FRONT_RING);
	front_indexes(&s->front)->req_prod = 33;
	not_opened(s, bad, 1, port, "nonsense");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_RINGS(test_whole_ring),
		TEST(test_answers_as_they_finish, of_64),
		TEST(test_answers_as_they_finish, of_32),
		TEST_BASIC(test_events),
		TEST_BASIC(test_event_asked_for_before_sleep),
		TEST(test_too_many_requests, of_64),
		TEST(test_requests_taken_back, of_64),
		TEST(test_too_many_with_those_in_work, of_64),
		TEST(test_ring_in_use_before, of_64),
		TEST(test_ring_in_use_before, of_32),
		TEST(test_not_opened, of_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
