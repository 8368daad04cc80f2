// SPDX-License-Identifier: BSD-2-Clause
/*
 * Queues of the disk, with a frontend in the fake guest's memory and an image of plain memory. No
 * thread but where a test starts it: block_queue_serve() is what the thread does.
 */
#include "host/backend/block/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/backend/block/test_frontend.h"
#include "host/backend/block/test_image.h"
#include "shim/fake_events.h"
#include "shim/fake_test.h"
#include "shim/memslot/dirty_log.h"

#define OP_READ    BLKIF_OP_READ
#define OP_WRITE   BLKIF_OP_WRITE
#define OP_FLUSH   BLKIF_OP_FLUSH_DISKCACHE
#define OP_BARRIER BLKIF_OP_WRITE_BARRIER

struct shape {
	enum block_abi abi;
	unsigned nr_pages;
	bool keep_grants;
};
static const struct shape of_64 = {BLOCK_ABI_64, 1, false};
static const struct shape of_32 = {BLOCK_ABI_32, 1, false};
static const struct shape kept = {BLOCK_ABI_64, 1, true};
static const struct shape pages2 = {BLOCK_ABI_64, 2, false};
static const struct shape pages16 = {BLOCK_ABI_64, 16, false};
static const struct shape pages16_32 = {BLOCK_ABI_32, 16, false};

struct subject {
	struct fake *fake;
	struct front front;
	struct test_image image;
	struct block_disk disk;
	struct block_queue queue;
	unsigned broken; /* atomic */
	bool open;
};

static void broken(void *opaque, const char *why)
{
	struct subject *s = opaque;

	assert_non_null(why);
	__atomic_fetch_add(&s->broken, 1, __ATOMIC_SEQ_CST);
}

static void open_queue(struct subject *s)
{
	struct problem p = {""};

	if (block_queue_open(&s->queue, &s->disk, s->front.abi, s->front.ring_refs,
			     s->front.nr_pages, s->front.port, &p))
		fail_msg("%s", p.text);
	s->queue.image = &s->image.common;
	s->queue.io = s->image.common.ops->open_queue(&s->image.common, s->queue.kick, &p);
	s->open = true;
}

static void close_queue(struct subject *s)
{
	block_queue_stop(&s->queue);
	block_queue_close(&s->queue);
	s->open = false;
}

static int setup(void **state)
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
static void assert_all_given_back(struct subject *s)
{
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
}

static int teardown(void **state)
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

static void serve(struct subject *s)
{
	while (block_queue_serve(&s->queue))
		;
}

static void put(struct subject *s, const struct front_request *r)
{
	front_put(&s->front, r);
	front_show(&s->front);
}

static void assert_answer(struct subject *s, uint64_t id, uint8_t operation, int16_t status)
{
	struct front_response r;

	if (!front_answered(&s->front, &r))
		fail_msg("request %lu has not been answered", (unsigned long)id);
	assert_int_equal(r.id, id);
	assert_int_equal(r.operation, operation);
	assert_int_equal(r.status, status);
}

static void assert_no_answer(struct subject *s)
{
	struct front_response r;

	assert_false(front_answered(&s->front, &r));
}

/* One request, served alone. */
static void assert_status(struct subject *s, const struct front_request *r, int16_t status)
{
	put(s, r);
	serve(s);
	assert_answer(s, r->id, r->operation, status);
	assert_no_answer(s);
	if (!s->disk.keep_grants)
		assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF), 0);
}

static void refused(struct subject *s, const struct front_request *r, int16_t status)
{
	unsigned asked = s->image.logged;

	assert_status(s, r, status);
	assert_int_equal(s->image.logged, asked);
	assert_int_equal(s->queue.busy, 0);
}

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
	assert_int_equal(s->queue.stats.grants_mapped, s->disk.keep_grants ? 0 : 3);
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

static struct front_request *discard(uint64_t id, uint64_t sector, uint64_t n, uint8_t flag)
{
	struct front_request *r = front_request(BLKIF_OP_DISCARD, id);

	r->sector = sector;
	r->nr_sectors = n;
	r->flag = flag;
	return r;
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

static void test_kept_grants(void **state)
{
	struct subject *s = *state;

	for (unsigned i = 0; i < 5; i++) {
		assert_status(s, front_move(OP_WRITE, 2 * i, 0, 0, 4), BLKIF_RSP_OKAY);
		assert_status(s, front_move(OP_READ, 2 * i + 1, 0, 0, 32), BLKIF_RSP_OKAY);
	}
	assert_int_equal(s->queue.cache->mapped, 32);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + i),
				 GTF_reading | GTF_writing);
	assert_memory_equal(front_data(&s->front, 0), s->image.bytes, 32 * 4096);
	/* What is mapped already does not depend on its grant any more; what is not does. */
	fake_grant(s->fake, FRONT_DATA_REF + 40, GTF_permit_access | GTF_readonly, 0, FRONT_DATA);
	refused(s, front_move(OP_WRITE, 99, 0, 40, 1), BLKIF_RSP_ERROR);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(s->queue.cache->grants[GRANT_CACHE_MAX - 1 - i].uses, 0);
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

/*
 * With the thread.
 */

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

#define TEST(test, shape)                                                                   \
	{                                                                                   \
#test " [" #shape "]", test, setup, teardown, (void *)(uintptr_t) & (shape) \
	}
#define TEST_BASIC(test) TEST(test, of_64), TEST(test, of_32), TEST(test, kept)
#define TEST_RINGS(test) \
	TEST_BASIC(test), TEST(test, pages2), TEST(test, pages16), TEST(test, pages16_32)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_RINGS(test_read),
		TEST_RINGS(test_write),
		TEST_RINGS(test_indirect),
		TEST_RINGS(test_whole_ring),
		TEST(test_readonly_grants, of_64),
		TEST_BASIC(test_neighbours_are_merged),
		TEST_BASIC(test_indirect_refused),
		TEST_BASIC(test_segments_refused),
		TEST_BASIC(test_range_refused),
		TEST_BASIC(test_unknown_operations),
		TEST_BASIC(test_readonly),
		TEST_BASIC(test_discard),
		TEST_BASIC(test_image_fails),
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
		TEST(test_flush_order, of_64),
		TEST(test_flush_waits_for_discard, of_64),
		TEST_BASIC(test_barrier_order),
		TEST_BASIC(test_flush_with_data),
		TEST(test_empty_barrier, of_64),
		TEST_BASIC(test_barriers_in_a_row),
		TEST(test_shrunk_while_waiting, of_64),
		TEST(test_kept_grants, kept),
		TEST(test_dirty_log, of_64),
		TEST(test_dirty_log, kept),
		TEST_RINGS(test_thread_serves),
		TEST_BASIC(test_thread_stops_and_goes_on),
		TEST(test_thread_and_nonsense, of_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
