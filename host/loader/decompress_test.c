// SPDX-License-Identifier: BSD-2-Clause
/* Each method, with streams that its own library makes. The limit is 32 MiB here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "host/loader/decompress.h"
#include "host/loader/map.h"
#include "host/loader/test_pack.h"

#define PLAIN   300000
#define TOO_BIG (33 << 20)

#define EACH(m) (const struct test_method *m = test_methods; m < test_methods + TEST_METHODS; m++)

static uint8_t plain[PLAIN], packed[2 * PLAIN];

/* Half noise, half pattern: no method makes it tiny, every method has matches to copy. */
static int make_plain(void **state)
{
	(void)state;
	srandom(1);
	for (size_t i = 0; i < PLAIN; i++)
		plain[i] = i / 1000 % 2 ? i : (size_t)random();
	return 0;
}

static void assert_inflates(const struct test_method *m, size_t size, unsigned times)
{
	struct kernel_map out;
	struct problem p = {""};

	assert_string_equal(decompress_method(packed, size), m->name);
	if (decompress(&out, packed, size, "k", &p))
		fail_msg("%s: %s", m->name, p.text);
	assert_int_equal(out.size, times * PLAIN);
	for (unsigned i = 0; i < times; i++)
		assert_memory_equal((uint8_t *)out.base + i * PLAIN, plain, PLAIN);
	map_release(&out);
}

static void assert_refused(const struct test_method *m, const uint8_t *bytes, size_t size,
			   const char *why)
{
	struct kernel_map out;
	struct problem p = {""};

	assert_int_equal(decompress(&out, bytes, size, "k", &p), -1);
	if (!strstr(p.text, why) || !strstr(p.text, m->name) || strncmp(p.text, "k: ", 3) != 0)
		fail_msg("%s: \"%s\" does not say \"%s\"", m->name, p.text, why);
}

static void test_each(void **state)
{
	(void)state;
	for
		EACH(m)
	assert_inflates(m, m->pack(plain, PLAIN, packed, sizeof(packed)), 1);
}

/* Linux's build appends the size; it is a hint that we do not need, right or wrong. */
static void test_size_word(void **state)
{
	static const uint32_t words[] = {PLAIN, 0, UINT32_MAX};

	(void)state;
	for
		EACH(m)
		{
			size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));

			for (int i = 0; i < 3; i++) {
				memcpy(packed + size, &words[i], 4);
				assert_inflates(m, size + 4, 1);
			}
		}
}

/* What parallel compressors make: one stream behind the other. */
static void test_several_streams(void **state)
{
	(void)state;
	for
		EACH(m)
		{
			size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));
			uint8_t *twice = malloc(2 * size);
			struct kernel_map out;
			struct problem p = {""};

			memcpy(twice, packed, size);
			memcpy(twice + size, packed, size);
			if (decompress(&out, twice, 2 * size, "k", &p))
				fail_msg("%s: %s", m->name, p.text);
			assert_int_equal(out.size, 2 * PLAIN);
			assert_memory_equal((uint8_t *)out.base + PLAIN, plain, PLAIN);
			map_release(&out);
			free(twice);
		}
}

static void test_truncated(void **state)
{
	(void)state;
	for
		EACH(m)
		{
			size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));
			size_t step = size / 23;

			for (size_t cut = step; cut < size; cut += step) {
				/* A copy of just that size, so that ASan sees a read behind it. */
				uint8_t *copy = malloc(cut);

				memcpy(copy, packed, cut);
				assert_refused(m, copy, cut, "truncated");
				free(copy);
			}
		}
}

static void test_corrupt(void **state)
{
	(void)state;
	for
		EACH(m)
		{
			size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));

			if (!m->checked)
				continue;
			packed[size / 2] ^= 0x55;
			assert_refused(m, packed, size, "corrupt");
		}
}

static void test_corrupt_lz4(void **state)
{
	static const uint32_t sizes[] = {0, 9 << 20, UINT32_MAX};
	const struct test_method *m = &test_methods[TEST_LZ4];
	size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));

	(void)state;
	for (int i = 0; i < 3; i++) {
		memcpy(packed + 4, &sizes[i], 4);
		assert_refused(m, packed, size, "corrupt");
	}
	/* A block whose first match reaches back to before the output. */
	assert_refused(m, (const uint8_t *)"\x02\x21\x4c\x18\x08\0\0\0\x0f\x01\x01\x50hallo", 17,
		       "corrupt");
}

static void test_corrupt_lzma(void **state)
{
	const struct test_method *m = &test_methods[TEST_LZMA];
	size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));

	(void)state;
	packed[13] = 0xff; /* the range coder's first byte must be 0 */
	assert_refused(m, packed, size, "corrupt");
}

/* A few kilobytes that inflate without end must not take all memory. */
static void test_bomb(void **state)
{
	uint8_t *zeros = calloc(1, TOO_BIG);

	(void)state;
	for
		EACH(m)
		{
			size_t size = m->pack(zeros, TOO_BIG, packed, sizeof(packed));

			assert_refused(m, packed, size, "inflates to more than 32 MiB");
		}
	free(zeros);
}

/* An xz header that asks for a dictionary of 4 GiB. */
static void test_hungry_xz(void **state)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	const struct test_method *m = &test_methods[TEST_XZ];
	uint8_t header[LZMA_BLOCK_HEADER_SIZE_MAX];
	lzma_block block = {.filters = filters,
			    .check = LZMA_CHECK_CRC32,
			    .compressed_size = LZMA_VLI_UNKNOWN,
			    .uncompressed_size = LZMA_VLI_UNKNOWN};
	size_t size = m->pack(plain, PLAIN, packed, sizeof(packed));

	(void)state;
	lzma_lzma_preset(&options, 0);
	options.dict_size = 1u << 31;
	assert_int_equal(lzma_block_header_size(&block), LZMA_OK);
	assert_int_equal(lzma_block_header_encode(&block, header), LZMA_OK);
	memcpy(packed + LZMA_STREAM_HEADER_SIZE, header, block.header_size);
	assert_refused(m, packed, size, "not enough memory");
}

static void test_unknown(void **state)
{
	struct kernel_map out;
	struct problem p = {""};

	(void)state;
	assert_null(decompress_method((const uint8_t *)"\x89LZO", 4));
	assert_null(decompress_method((const uint8_t *)"\x1f\x8b", 2)); /* shorter than the magic */
	assert_null(decompress_method(NULL, 0));
	assert_int_equal(decompress(&out, (const uint8_t *)"\x89LZO", 4, "k", &p), -1);
	assert_non_null(strstr(p.text, "not known here"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_size_word),
		cmocka_unit_test(test_several_streams),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_corrupt_lz4),
		cmocka_unit_test(test_corrupt_lzma),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_hungry_xz),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, make_plain, NULL);
}
