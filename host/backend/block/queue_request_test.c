// SPDX-License-Identifier: BSD-2-Clause
/* Requests, one by one: what is done, what is refused, and the pages that they name. */
#include "host/backend/block/test_queue.h"

#include <errno.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"

#define ID 0xfedcba9876543210ull

static void test_read(void **state)
{
	struct subject *s = *state;
	struct front_request *r = front_move(OP_READ, ID, 24, 0, 3);

	r->seg[0] = (struct blkif_request_segment){FRONT_DATA_REF, 3, 5};
	r->seg[1] = (struct blkif_request_segment){FRONT_DATA_REF + 7, 0, 7};
	r->seg[2] = (struct blkif_request_segment){FRONT_DATA_REF + 2, 7, 7};
	memset(front_data(&s->front, 0), 0xcc, GUEST_PAGE_SIZE);
	assert_status(s, r, BLKIF_RSP_OKAY);
	assert_memory_equal(front_data(&s->front, 0) + 3 * 512, s->image.bytes + 24 * 512, 3 * 512);
	assert_memory_equal(front_data(&s->front, 7), s->image.bytes + 27 * 512, 4096);
	assert_memory_equal(front_data(&s->front, 2) + 7 * 512, s->image.bytes + 35 * 512, 512);
	for (unsigned i = 0; i < 8 * 512; i++)
		if (i / 512 < 3 || i / 512 > 5)
			assert_int_equal(front_data(&s->front, 0)[i], 0xcc);
	assert_int_equal(s->queue.stats.reads, 1);
	assert_int_equal(s->queue.stats.read_bytes, 12 * 512);
	assert_int_equal(s->queue.stats.grants_mapped, 3);
}

static void test_write(void **state)
{
	struct subject *s = *state;

	for (unsigned i = 0; i < 2 * GUEST_PAGE_SIZE; i++)
		front_data(&s->front, 4)[i] = (uint8_t)(i * 3);
	assert_status(s, front_move(OP_WRITE, ID, 100, 4, 2), BLKIF_RSP_OKAY);
	assert_memory_equal(front_data(&s->front, 4), s->image.bytes + 100 * 512, 8192);
	assert_int_equal(s->queue.stats.writes, 1);
	assert_int_equal(s->queue.stats.written_bytes, 8192);
}

/* A page to be written to disk may be granted for reading only; one to be read into may not. */
static void test_readonly_grants(void **state)
{
	struct subject *s = *state;

	fake_grant(s->fake, FRONT_DATA_REF, GTF_permit_access | GTF_readonly, 0, FRONT_DATA);
	assert_status(s, front_move(OP_WRITE, 1, 0, 0, 1), BLKIF_RSP_OKAY);
	refused(s, front_move(OP_READ, 2, 0, 0, 1), BLKIF_RSP_ERROR);
}

/* Pages that are neighbours are one piece of memory. */
static void test_neighbours_are_merged(void **state)
{
	struct subject *s = *state;
	struct front_request *r;

	assert_status(s, front_move(OP_READ, 1, 0, 0, 11), BLKIF_RSP_OKAY);
	assert_int_equal(s->image.log[0].iovcnt, 1);
	r = front_move(OP_READ, 2, 0, 0, 4);
	r->seg[1].last_sect = 6;
	assert_status(s, r, BLKIF_RSP_OKAY);
	assert_int_equal(s->image.log[1].iovcnt, 2);
}

static void test_indirect(void **state)
{
	struct subject *s = *state;
	struct front_request *r = front_move(OP_READ, ID, 8, 0, 256);

	for (unsigned i = 0; i < 256; i++)
		r->seg[i].gref = FRONT_DATA_REF + 255 - i;
	assert_status(s, r, BLKIF_RSP_OKAY);
	for (unsigned i = 0; i < 256; i++)
		assert_memory_equal(front_data(&s->front, 255 - i),
				    s->image.bytes + (8 + i * 8ul) * 512, 4096);
	assert_int_equal(s->queue.stats.read_bytes, 1 << 20);
	assert_status(s, front_move(OP_WRITE, 5, 8, 0, 32), BLKIF_RSP_OKAY);
	assert_memory_equal(front_data(&s->front, 0), s->image.bytes + 8 * 512, 32 * 4096);
	assert_int_equal(fake_grant_status(s->fake, FRONT_INDIRECT_REF), 0);
}

static void test_indirect_refused(void **state)
{
	struct subject *s = *state;
	struct front_request *r = front_move(OP_READ, 1, 0, 0, 20);

	r->nr_segments = 257;
	refused(s, r, BLKIF_RSP_ERROR);
	r->nr_segments = UINT16_MAX;
	refused(s, r, BLKIF_RSP_ERROR);
	r->nr_segments = 0;
	refused(s, r, BLKIF_RSP_ERROR);
	r = front_move(OP_FLUSH, 2, 0, 0, 20);
	refused(s, r, BLKIF_RSP_ERROR);
	r = front_move(BLKIF_OP_INDIRECT, 3, 0, 0, 20);
	refused(s, r, BLKIF_RSP_ERROR);
	fake_grant(s->fake, FRONT_INDIRECT_REF, GTF_invalid, 0, 0);
	r = front_move(OP_READ, 4, 0, 0, 20);
	refused(s, r, BLKIF_RSP_ERROR);
}

static void test_segments_refused(void **state)
{
	struct subject *s = *state;
	struct front_request *r = front_move(OP_READ, 1, 0, 0, 2);

	r->seg[1].first_sect = 4;
	r->seg[1].last_sect = 3;
	refused(s, r, BLKIF_RSP_ERROR);
	r->seg[1] = (struct blkif_request_segment){FRONT_DATA_REF, 0, 8};
	refused(s, r, BLKIF_RSP_ERROR);
	r->seg[1] = (struct blkif_request_segment){FRONT_BAD_REF, 0, 7};
	refused(s, r, BLKIF_RSP_ERROR);
	r->seg[1].gref = UINT32_MAX;
	refused(s, r, BLKIF_RSP_ERROR);
	r = front_move(OP_WRITE, 2, 0, 0, 2);
	r->nr_segments = 0;
	refused(s, r, BLKIF_RSP_ERROR);
	r->nr_segments = 12;
	refused(s, r, BLKIF_RSP_ERROR);
	r->nr_segments = 255;
	refused(s, r, BLKIF_RSP_ERROR);
	assert_int_equal(s->queue.stats.errors, 7);
}

static void test_range_refused(void **state)
{
	struct subject *s = *state;
	const uint64_t all = TEST_IMAGE_SIZE / 512;

	assert_status(s, front_move(OP_READ, 1, all - 8, 0, 1), BLKIF_RSP_OKAY);
	refused(s, front_move(OP_READ, 2, all - 7, 0, 1), BLKIF_RSP_ERROR);
	refused(s, front_move(OP_WRITE, 3, all, 0, 1), BLKIF_RSP_ERROR);
	refused(s, front_move(OP_READ, 4, UINT64_MAX - 3, 0, 1), BLKIF_RSP_ERROR);
	refused(s, front_move(OP_READ, 5, UINT64_MAX / 512 + 1, 0, 1), BLKIF_RSP_ERROR);
	/* A sector that is there in part is none. */
	s->image.common.size = 4096 + 511;
	assert_status(s, front_move(OP_READ, 6, 0, 0, 1), BLKIF_RSP_OKAY);
	refused(s, front_move(OP_READ, 7, 1, 0, 1), BLKIF_RSP_ERROR);
	s->image.common.size = 0;
	refused(s, front_move(OP_READ, 8, 0, 0, 1), BLKIF_RSP_ERROR);
}

static void test_unknown_operations(void **state)
{
	struct subject *s = *state;

	refused(s, front_request(BLKIF_OP_RESERVED_1, 1), BLKIF_RSP_EOPNOTSUPP);
	refused(s, front_request(7, 2), BLKIF_RSP_EOPNOTSUPP);
	refused(s, front_request(255, 3), BLKIF_RSP_EOPNOTSUPP);
}

static void test_readonly(void **state)
{
	struct subject *s = *state;
	struct front_request *r;

	close_queue(s);
	s->disk.readonly = s->image.common.readonly = true;
	s->disk.discard = false;
	open_queue(s);
	refused(s, front_move(OP_WRITE, 1, 0, 0, 1), BLKIF_RSP_ERROR);
	refused(s, front_move(OP_BARRIER, 2, 0, 0, 1), BLKIF_RSP_ERROR);
	refused(s, front_move(OP_FLUSH, 3, 0, 0, 1), BLKIF_RSP_ERROR);
	r = front_request(BLKIF_OP_DISCARD, 4);
	r->nr_sectors = 1;
	refused(s, r, BLKIF_RSP_EOPNOTSUPP);
	assert_status(s, front_move(OP_READ, 5, 0, 0, 1), BLKIF_RSP_OKAY);
	assert_status(s, front_request(OP_FLUSH, 6), BLKIF_RSP_OKAY);
}

static void test_discard(void **state)
{
	struct subject *s = *state;
	const uint64_t all = TEST_IMAGE_SIZE / 512;

	refused(s, discard(ID, 8, 16, BLKIF_DISCARD_SECURE), BLKIF_RSP_EOPNOTSUPP);
	refused(s, discard(ID, 8, all - 7, 0), BLKIF_RSP_ERROR);
	refused(s, discard(ID, UINT64_MAX, 2, 0), BLKIF_RSP_ERROR);
	refused(s, discard(ID, 1, UINT64_MAX, 0), BLKIF_RSP_ERROR);
	refused(s, discard(ID, 1, 0, 0), BLKIF_RSP_ERROR);
	assert_int_not_equal(s->image.bytes[8 * 512], 0);
	assert_status(s, discard(ID, 8, 16, 0), BLKIF_RSP_OKAY);
	for (unsigned i = 8 * 512; i < 24 * 512; i++)
		assert_int_equal(s->image.bytes[i], 0);
	assert_int_not_equal(s->image.bytes[24 * 512], 0);
	assert_status(s, discard(ID, 0, all, 0), BLKIF_RSP_OKAY);
	assert_int_equal(s->queue.stats.discards, 2);
	close_queue(s);
	s->disk.discard = false;
	open_queue(s);
	refused(s, discard(ID, 8, 16, 0), BLKIF_RSP_EOPNOTSUPP);
}

static void test_image_fails(void **state)
{
	struct subject *s = *state;

	s->image.error = -EIO;
	assert_status(s, front_move(OP_READ, 1, 0, 0, 2), BLKIF_RSP_ERROR);
	assert_status(s, front_request(OP_FLUSH, 2), BLKIF_RSP_ERROR);
	assert_status(s, front_move(OP_BARRIER, 3, 0, 0, 2), BLKIF_RSP_ERROR);
	/* The barrier's write was not even tried. */
	assert_int_equal(s->image.logged, 3);
	assert_int_equal(s->image.log[2].op, IMAGE_FLUSH);
	s->image.error = 0;
	assert_status(s, front_move(OP_READ, 4, 0, 0, 2), BLKIF_RSP_OKAY);
}

static void test_kept_grants(void **state)
{
	struct subject *s = *state;

	for (unsigned i = 0; i < 5; i++) {
		assert_status(s, front_move(OP_WRITE, 2 * i, 0, 0, 4), BLKIF_RSP_OKAY);
		assert_status(s, front_move(OP_READ, 2 * i + 1, 0, 0, 32), BLKIF_RSP_OKAY);
	}
	assert_int_equal(s->queue.stats.grants_mapped, 32);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + i),
				 GTF_reading | GTF_writing);
	assert_memory_equal(front_data(&s->front, 0), s->image.bytes, 32 * 4096);
	/* What is mapped already does not depend on its grant any more; what is not does. */
	fake_grant(s->fake, FRONT_DATA_REF + 40, GTF_permit_access | GTF_readonly, 0, FRONT_DATA);
	refused(s, front_move(OP_WRITE, 99, 0, 40, 1), BLKIF_RSP_ERROR);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(s->queue.cache->grants[GRANT_CACHE_MAX - 1 - i].uses, 0);
	assert_int_equal(s->queue.stats.grants_mapped, 32);
	close_queue(s);
	assert_all_given_back(s);
}

/* Both ends of the dirty log: data that stays mapped, and the ring. */
static void test_dirty_log(void **state)
{
	struct subject *s = *state;
	const struct memslot_request request = {.slot = 0,
						.flags = MEMSLOT_LOG_DIRTY,
						.gpa = 0,
						.size = FAKE_RAM_SIZE,
						.hva = (uintptr_t)s->fake->ram};
	uint64_t bits[FAKE_RAM_SIZE / 4096 / 64];

	/* Slots of pinned pages keep their place, but may begin to be logged. */
	assert_int_equal(memslots_set_slot(&s->fake->domain.memslots, &request), 0);
	assert_status(s, front_move(OP_READ, 1, 0, 5, 1), BLKIF_RSP_OKAY);
	assert_int_equal(dirty_log_get(&s->fake->domain.memslots, 0, bits), 0);
	assert_true(bits[(FRONT_DATA + 5) / 64] >> (FRONT_DATA + 5) % 64 & 1);
	assert_true(bits[FRONT_RING / 64] >> FRONT_RING % 64 & 1);
	assert_false(bits[(FRONT_DATA + 6) / 64] >> (FRONT_DATA + 6) % 64 & 1);
	assert_status(s, front_move(OP_READ, 1, 0, 5, 1), BLKIF_RSP_OKAY);
	assert_int_equal(dirty_log_get(&s->fake->domain.memslots, 0, bits), 0);
	assert_true(bits[(FRONT_DATA + 5) / 64] >> (FRONT_DATA + 5) % 64 & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_RINGS(test_read),
		TEST_RINGS(test_write),
		TEST_RINGS(test_indirect),
		TEST(test_readonly_grants, of_64),
		TEST_BASIC(test_neighbours_are_merged),
		TEST_BASIC(test_indirect_refused),
		TEST_BASIC(test_segments_refused),
		TEST_BASIC(test_range_refused),
		TEST_BASIC(test_unknown_operations),
		TEST_BASIC(test_readonly),
		TEST_BASIC(test_discard),
		TEST_BASIC(test_image_fails),
		TEST(test_kept_grants, kept),
		TEST(test_dirty_log, of_64),
		TEST(test_dirty_log, kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
