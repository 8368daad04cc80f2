/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of a queue share: a frontend in the fake guest's memory and an image of plain
 * memory. No thread but where a test starts it: block_queue_serve() is what the thread does.
 */
#ifndef HOST_BACKEND_BLOCK_TEST_QUEUE_H
#define HOST_BACKEND_BLOCK_TEST_QUEUE_H

#include "host/backend/block/queue.h"
#include "host/backend/block/test_frontend.h"
#include "host/backend/block/test_image.h"
#include "shim/fake_test.h"

#define OP_READ    BLKIF_OP_READ
#define OP_WRITE   BLKIF_OP_WRITE
#define OP_FLUSH   BLKIF_OP_FLUSH_DISKCACHE
#define OP_BARRIER BLKIF_OP_WRITE_BARRIER

/* A test's *state before its setup(). */
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

int setup(void **state);
int teardown(void **state);

/* Of s->disk, without a thread. */
void open_queue(struct subject *s);
void close_queue(struct subject *s);

/* Nothing of the guest's stays in use. */
void assert_all_given_back(struct subject *s);

/* Until there is nothing to do. */
void serve(struct subject *s);

/* Show the backend one more request. */
void put(struct subject *s, const struct front_request *r);

/* The next answer is this; there is none. */
void assert_answer(struct subject *s, uint64_t id, uint8_t operation, int16_t status);
void assert_no_answer(struct subject *s);

/* One request, served alone; and so that the image hears nothing of it. */
void assert_status(struct subject *s, const struct front_request *r, int16_t status);
void refused(struct subject *s, const struct front_request *r, int16_t status);

struct front_request *discard(uint64_t id, uint64_t sector, uint64_t n, uint8_t flag);

#define TEST(test, shape)                                                                   \
	{                                                                                   \
#test " [" #shape "]", test, setup, teardown, (void *)(uintptr_t) & (shape) \
	}
#define TEST_BASIC(test) TEST(test, of_64), TEST(test, of_32), TEST(test, kept)
#define TEST_RINGS(test) \
	TEST_BASIC(test), TEST(test, pages2), TEST(test, pages16), TEST(test, pages16_32)

#endif
