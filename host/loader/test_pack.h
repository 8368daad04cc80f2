/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests and fuzz targets: compressed streams as Linux's build makes them, by the libraries. */
#ifndef HOST_LOADER_TEST_PACK_H
#define HOST_LOADER_TEST_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEST_GZIP, TEST_BZIP2, TEST_XZ, TEST_LZMA, TEST_LZ4, TEST_ZSTD, TEST_METHODS };

extern const struct test_method {
	const char *name;
	/* Returns the stream's size; aborts where `room` does not do. */
	size_t (*pack)(const uint8_t *from, size_t size, uint8_t *to, size_t room);
	bool checked; /* does the format tell that its content was changed? */
} test_methods[TEST_METHODS];

#endif
