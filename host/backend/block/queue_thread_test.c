// SPDX-License-Identifier: BSD-2-Clause
/* Queues with their thread, and the test as the guest. */
#include "host/backend/block/test_queue.h"

#include <time.h>
#include <unistd.h>

#include "shim/fake_events.h"

static void start(struct subject *s)
{
	struct problem p = {""};

	if (block_queue_start(&s->queue, &s->image.common, &p))
		fail_msg("%s", p.text);
}

/* Wait, as a guest does, until so many are answered. */
static void await(struct subject *s, unsigned n)
{
	const struct timespec pause = {.tv_nsec = 20000};
	struct front_response r;

	while (n) {
		if (front_answered(&s->front, &r)) {
			assert_int_equal(r.status, BLKIF_RSP_OKAY);
			n--;
		} else {
			nanosleep(&pause, NULL);
		}
	}
}

static void test_thread_serves(void **state)
{
	struct subject *s = *state;

	/* What was asked before is seen without an event. */
	put(s, front_move(OP_READ, 0, 0, 0, 1));
	start(s);
	await(s, 1);
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = round % 8 + 1;

		for (unsigned i = 0; i < n; i++)
			front_ask(&s->front,
				  front_move(round % 2 ? OP_WRITE : OP_READ, i, i * 8, i, 1));
		if (round % 5 == 0)
			usleep(100); /* it may fall asleep */
		await(s, n);
	}
	block_queue_stop(&s->queue);
	assert_memory_equal(front_data(&s->front, 0), s->image.bytes, 4096);
	for (unsigned i = 0; i < FRONT_DATA_PAGES && !s->disk.keep_grants; i++)
		assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + i), 0);
	assert_true(s->queue.stats.events_in > 0);
}

/* Stopped and started again, with requests in the ring: none is lost, none is done twice. */
static void test_thread_stops_and_goes_on(void **state)
{
	struct subject *s = *state;

	for (unsigned round = 0; round < 100; round++) {
		unsigned n = round % s->front.entries + 1;

		start(s);
		for (unsigned i = 0; i < n; i++)
			front_ask(&s->front, front_move(OP_READ, i, i, i, 1));
		block_queue_stop(&s->queue);
		start(s);
		await(s, n);
		block_queue_stop(&s->queue);
		assert_no_answer(s);
	}
}

static void test_thread_and_nonsense(void **state)
{
	struct subject *s = *state;
	const struct timespec pause = {.tv_nsec = 20000};

	start(s);
	__atomic_store_n(&front_indexes(&s->front)->req_prod, 12345, __ATOMIC_RELEASE);
	fake_send(s->fake, s->front.port);
	while (!__atomic_load_n(&s->broken, __ATOMIC_SEQ_CST)) {
		fake_send(s->fake, s->front.port);
		nanosleep(&pause, NULL);
	}
	block_queue_stop(&s->queue);
	assert_int_equal(s->broken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_RINGS(test_thread_serves),
		TEST_BASIC(test_thread_stops_and_goes_on),
		TEST(test_thread_and_nonsense, of_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
