// SPDX-License-Identifier: BSD-2-Clause
/* Each method, with streams that its own library makes. The limit is 32 MiB here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "host/loader/decompress.h"
#include "host/loader/map.h"

#define PLAIN     300000
#define TOO_BIG   (33 << 20)
#define LZ4_BLOCK 100000

typedef size_t pack_fn(const uint8_t *from, size_t size, uint8_t *to, size_t room);

static size_t pack_gzip(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_in = (Bytef *)(uintptr_t)from;
	z.avail_in = size;
	z.next_out = to;
	z.avail_out = room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t pack_bzip2(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	unsigned got = room;

	assert_int_equal(
		BZ2_bzBuffToBuffCompress((char *)to, &got, (char *)(uintptr_t)from, size, 1, 0, 0),
		BZ_OK);
	return got;
}

/* As Linux's scripts/xz_wrap.sh does: with the filter for x86 code and a CRC32. */
static size_t pack_xz(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{LZMA_FILTER_X86, NULL},
		{LZMA_FILTER_LZMA2, &options},
		{LZMA_VLI_UNKNOWN, NULL},
	};
	size_t got = 0;

	lzma_lzma_preset(&options, 0);
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, from, size, to,
						   &got, room),
			 LZMA_OK);
	return got;
}

static size_t pack_lzma(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	lzma_options_lzma options;
	lzma_stream z = LZMA_STREAM_INIT;

	lzma_lzma_preset(&options, 1);
	assert_int_equal(lzma_alone_encoder(&z, &options), LZMA_OK);
	z.next_in = from;
	z.avail_in = size;
	z.next_out = to;
	z.avail_out = room;
	assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&z);
	return room - z.avail_out;
}

static size_t pack_lz4(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	size_t at = 4;

	memcpy(to, "\x02\x21\x4c\x18", 4);
	while (size) {
		uint32_t some = size < LZ4_BLOCK ? size : LZ4_BLOCK;
		uint32_t got = LZ4_compress_default((const char *)from, (char *)to + at + 4, some,
						    room - at - 4);

		assert_true(got > 0);
		memcpy(to + at, &got, sizeof(got));
		at += 4 + got;
		from += some;
		size -= some;
	}
	return at;
}

static size_t pack_zstd(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t got;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	got = ZSTD_compress2(context, to, room, from, size);
	assert_false(ZSTD_isError(got));
	ZSTD_freeCCtx(context);
	return got;
}

static const struct method {
	const char *name;
	pack_fn *pack;
	bool checked; /* does the format tell that its content was changed? */
} methods[] = {
	{"gzip", pack_gzip, true},  {"bzip2", pack_bzip2, true}, {"xz", pack_xz, true},
	{"lzma", pack_lzma, false}, {"lz4", pack_lz4, false},    {"zstd", pack_zstd, true},
};

#define EACH(m) (const struct method *m = methods; m < methods + 6; m++)

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

static void assert_inflates(const struct method *m, size_t size, unsigned times)
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

static void assert_refused(const struct method *m, const uint8_t *bytes, size_t size,
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
	const struct method *m = &methods[4];
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
	const struct method *m = &methods[3];
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
	const struct method *m = &methods[2];
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
