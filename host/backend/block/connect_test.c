// SPDX-License-Identifier: BSD-2-Clause
/* What frontends write of their rings: what is understood, and what is refused. */
#include "host/backend/block/test_device.h"

#include <stdio.h>
#include <string.h>

#include "host/xenstore/test_loop.h"

/* A frontend that does not say which protocol it speaks, in a guest of either width. */
static void native(struct subject *s, bool long_mode)
{
	s->fake->domain.long_mode = long_mode;
	front_init(&s->front, s->fake, long_mode ? BLOCK_ABI_64 : BLOCK_ABI_32, 1);
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_back(s, "state", "4");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 0x1122334455667788, 8, 0, 1)), 0);
}

static void test_native_64(void **state)
{
	native(*state, true);
}

static void test_native_32(void **state)
{
	native(*state, false);
}

static void test_32_in_64(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_32, 1);
	front_writes(s, "protocol", "x86_32-abi");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 9, 8, 0, 1)), 0);
}

static void write_refs(struct subject *s, const char *folder, const struct front *f)
{
	char name[32];

	for (unsigned i = 0; i < f->nr_pages; i++) {
		snprintf(name, sizeof(name), "%sring-ref%u", folder, i);
		front_writes_number(s, name, f->ring_refs[i]);
	}
	snprintf(name, sizeof(name), "%sevent-channel", folder);
	front_writes_number(s, name, f->port);
}

static void test_many_pages(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 8);
	front_writes(s, "ring-page-order", "3");
	write_refs(s, "", &s->front);
	be_initialised(s);
	assert_back(s, "state", "4");
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(ask(s, front_move(BLKIF_OP_READ, i, i, 0, 1)), 0);
}

/* The older name of it. */
static void test_num_ring_pages(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 2);
	front_writes(s, "num-ring-pages", "2");
	write_refs(s, "", &s->front);
	be_initialised(s);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(ask(s, front_move(BLKIF_OP_READ, i, i, 0, 1)), 0);
}

static void test_order_0(void **state)
{
	struct subject *s = *state;

	front_writes(s, "ring-page-order", "0");
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 0, 1)), 0);
}

static void test_queues(void **state)
{
	struct subject *s = *state;
	struct block_stats stats;
	struct front second;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 2);
	front_init_second(&second, s->fake, BLOCK_ABI_64, 2);
	front_writes(s, "multi-queue-num-queues", "2");
	front_writes(s, "ring-page-order", "1");
	write_refs(s, "queue-0/", &s->front);
	write_refs(s, "queue-1/", &second);
	be_initialised(s);
	assert_back(s, "state", "4");
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(ask_of(&s->front, front_move(BLKIF_OP_WRITE, i, i * 8, i, 1)), 0);
		assert_int_equal(ask_of(&second, front_move(BLKIF_OP_READ, i, i * 8, 200, 1)), 0);
		assert_memory_equal(front_data(&s->front, 200), front_data(&s->front, i), 4096);
	}
	block_device_stats(s->device, &stats);
	assert_int_equal(stats.reads, 100);
	assert_int_equal(stats.writes, 100);
}

static void refused(struct subject *s, const char *expected)
{
	be_initialised(s);
	assert_error(s, expected);
	/* And begins anew. */
	front_writes(s, "state", "6");
	test_loop_settle(&s->loop);
	front_writes(s, "state", "1");
	test_loop_settle(&s->loop);
	assert_back(s, "state", "2");
}

static void test_refused(void **state)
{
	struct subject *s = *state;

	front_writes_number(s, "event-channel", s->front.port);
	refused(s, "\"ring-ref\" is missing");
	front_writes(s, "ring-ref", "many");
	refused(s, "\"ring-ref\" is missing, or no number");
	front_writes_number(s, "ring-ref", FRONT_BAD_REF);
	refused(s, "not granted");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes(s, "event-channel", "77");
	refused(s, "port 77");
	front_writes_number(s, "event-channel", s->front.port);
	front_writes(s, "protocol", "sparc-abi");
	refused(s, "\"sparc-abi\" is not spoken");
	front_writes(s, "protocol", "x86_64-abi");
	front_writes(s, "ring-page-order", "5");
	refused(s, "\"ring-page-order\" is no number up to 4");
	front_writes(s, "ring-page-order", "1");
	refused(s, "\"ring-ref0\"");
	front_writes(s, "ring-page-order", "0");
	front_writes(s, "multi-queue-num-queues", "9");
	refused(s, "\"multi-queue-num-queues\" is no number up to 8");
	front_writes(s, "multi-queue-num-queues", "0");
	refused(s, "\"multi-queue-num-queues\" is 0");
	front_writes(s, "multi-queue-num-queues", "2");
	front_writes_number(s, "queue-0/ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "queue-0/event-channel", s->front.port);
	refused(s, "\"queue-1/");
	front_writes(s, "multi-queue-num-queues", "1");
	be_initialised(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 0, 1)), 0);
}

static void test_refused_pages(void **state)
{
	struct subject *s = *state;

	front_writes(s, "num-ring-pages", "3");
	refused(s, "power of 2");
	front_writes(s, "num-ring-pages", "0");
	refused(s, "power of 2");
	front_writes(s, "num-ring-pages", "32");
	refused(s, "up to 16");
}

static void test_kept_grants(void **state)
{
	struct subject *s = *state;

	block_device_remove(s->device);
	block_image_keep_grants(s->image, true);
	add(s);
	assert_back(s, "feature-persistent", "1");
	front_writes(s, "feature-persistent", "1");
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_WRITE, 1, 8, 3, 1)), 0);
	assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + 3), GTF_reading | GTF_writing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(test_native_64),      DISK_TEST(test_native_32),
		DISK_TEST(test_32_in_64),       DISK_TEST(test_many_pages),
		DISK_TEST(test_num_ring_pages), DISK_TEST(test_order_0),
		DISK_TEST(test_queues),         DISK_TEST(test_refused),
		DISK_TEST(test_refused_pages),  DISK_TEST(test_kept_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
