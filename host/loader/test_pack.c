// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/test_pack.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define LZ4_BLOCK 100000

static void must(bool good)
{
	if (!good)
		abort();
}

static size_t pack_gzip(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	z_stream z = {0};

	must(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)from;
	z.avail_in = size;
	z.next_out = to;
	z.avail_out = room;
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t pack_bzip2(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	unsigned got = room;

	must(BZ2_bzBuffToBuffCompress((char *)to, &got, (char *)(uintptr_t)from, size, 1, 0, 0) ==
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
	must(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, from, size, to, &got,
				       room) == LZMA_OK);
	return got;
}

static size_t pack_lzma(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	lzma_options_lzma options;
	lzma_stream z = LZMA_STREAM_INIT;

	lzma_lzma_preset(&options, 1);
	must(lzma_alone_encoder(&z, &options) == LZMA_OK);
	z.next_in = from;
	z.avail_in = size;
	z.next_out = to;
	z.avail_out = room;
	must(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
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

		must(got > 0);
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
	must(!ZSTD_isError(got));
	ZSTD_freeCCtx(context);
	return got;
}

const struct test_method test_methods[TEST_METHODS] = {
	[TEST_GZIP] = {"gzip", pack_gzip, true}, [TEST_BZIP2] = {"bzip2", pack_bzip2, true},
	[TEST_XZ] = {"xz", pack_xz, true},       [TEST_LZMA] = {"lzma", pack_lzma, false},
	[TEST_LZ4] = {"lz4", pack_lz4, false},   [TEST_ZSTD] = {"zstd", pack_zstd, true},
};
