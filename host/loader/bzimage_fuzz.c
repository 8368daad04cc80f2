// SPDX-License-Identifier: BSD-2-Clause
/*
 * bzImages and compressed files, up to the ELF file that they hold.
 *
 * The first byte says how the rest is meant: as a file, as a stream of a method behind that one's
 * magic, or as changes to a good bzImage of a method (two bytes of offset, one of value each).
 */
#include <stdlib.h>
#include <string.h>

#include "host/loader/kernel.h"
#include "host/loader/test_image.h"
#include "host/loader/test_pack.h"

#define MAGIC 14 /* bytes of a good stream that a made-up one begins with: its whole header */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct good {
	uint8_t bytes[1 << 16];
	size_t size, start; /* where in the bzImage the stream is */
} good[TEST_METHODS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t packed[1 << 15];
	static struct test_image image;

	(void)argc;
	(void)argv;
	image_kernel(&image, true);
	for (int i = 0; i < TEST_METHODS; i++) {
		size_t size = test_methods[i].pack(image.bytes, image.size, packed, sizeof(packed));

		memcpy(packed + size, &(uint32_t){image.size}, 4);
		good[i].size = image_bzimage(good[i].bytes, packed, size + 4, 0x020f);
		good[i].start = good[i].size - size - 4;
	}
	return 0;
}

/* `bytes` is a buffer of just this size, which is freed. */
static void parse(uint8_t *bytes, size_t size)
{
	struct problem p = {""};
	struct kernel k;

	if (kernel_parse(&k, bytes, size, "fuzz", &p) == 0)
		kernel_close(&k);
	else if (!p.text[0])
		abort();
	free(bytes);
}

static void as_file(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	parse(copy, size);
}

static void as_stream(const struct good *g, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(MAGIC + size);

	memcpy(copy, g->bytes + g->start, MAGIC);
	memcpy(copy + MAGIC, data, size);
	parse(copy, MAGIC + size);
}

static void as_changes(const struct good *g, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(g->size);

	memcpy(copy, g->bytes, g->size);
	for (; size >= 3; data += 3, size -= 3)
		copy[(data[0] | data[1] << 8) % g->size] = data[2];
	parse(copy, g->size - (size ? g->size * data[0] / 256 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct good *g;

	if (!size)
		return 0;
	g = &good[data[0] / 4 % TEST_METHODS];
	switch (data[0] % 4) {
	case 0:
		as_file(data + 1, size - 1);
		break;
	case 1:
		as_stream(g, data + 1, size - 1);
		break;
	default:
		as_changes(g, data + 1, size - 1);
	}
	return 0;
}
