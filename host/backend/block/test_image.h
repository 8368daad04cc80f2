/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image of plain memory, for tests and fuzzers, that keeps a log of what it was asked and holds
 * it back until a test wants it done. It ends the test when it is asked what no image may be asked:
 * ranges beyond its end, or memory of other lengths than the range.
 */
#ifndef HOST_BACKEND_BLOCK_TEST_IMAGE_H
#define HOST_BACKEND_BLOCK_TEST_IMAGE_H

#include "host/backend/block/image.h"

#define TEST_IMAGE_SIZE (4u << 20)
#define TEST_IMAGE_LOG  4096

struct test_image {
	struct image common;
	struct image_queue queue;
	int kick;

	bool hold; /* do nothing until test_image_release() */
	int error; /* that each request ends with, or 0 */

	struct image_request *held[1024];
	unsigned nr_held;

	struct image_log {
		enum image_op op;
		uint64_t offset, len;
		unsigned iovcnt;
		bool done;
	} log[TEST_IMAGE_LOG];
	unsigned logged;

	/* Memory that requests may name; NULL: any. */
	const uint8_t *memory;
	uint64_t memory_size;

	uint8_t bytes[TEST_IMAGE_SIZE];
};

void test_image_init(struct test_image *t);
/* Do and finish the n-th of what is held back. */
void test_image_release(struct test_image *t, unsigned n);
void test_image_release_all(struct test_image *t);

#endif
