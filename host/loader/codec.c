// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/codec.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#define ZLIB_CONST /* next_in is const */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* A hostile xz header can ask for a dictionary of 4 GiB; Linux's own never passes 128 MiB. */
#define LZMA_MEMORY (UINT64_C(256) << 20)

/* Linux's build compresses with `lz4 -l`: little-endian sizes, blocks of at most this much. */
#define LZ4_LEGACY_MAGIC 0x184c2102
#define LZ4_LEGACY_BLOCK (8 << 20)

static void advance(struct codec_stream *s, size_t in_left, size_t out_left)
{
	s->in += s->in_left - in_left;
	s->out += s->out_left - out_left;
	s->in_left = in_left;
	s->out_left = out_left;
}

/* Why a library stopped that wants more room or more input. */
static enum codec_status starved(const struct codec_stream *s)
{
	return s->out_left ? CODEC_TRUNCATED : CODEC_TOO_BIG;
}

enum codec_status codec_gzip(struct codec_stream *s)
{
	z_stream z = {
		.next_in = s->in,
		.avail_in = s->in_left,
		.next_out = s->out,
		.avail_out = s->out_left,
	};
	int ret;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return CODEC_NO_MEMORY;
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	advance(s, z.avail_in, z.avail_out);
	switch (ret) {
	case Z_STREAM_END:
		return CODEC_DONE;
	case Z_OK:
	case Z_BUF_ERROR:
		return starved(s);
	case Z_MEM_ERROR:
		return CODEC_NO_MEMORY;
	}
	return CODEC_CORRUPT;
}

enum codec_status codec_bzip2(struct codec_stream *s)
{
	bz_stream z = {
		/* libbz2 takes its input as char * and does not write to it. */
		.next_in = (char *)(uintptr_t)s->in,
		.avail_in = s->in_left,
		.next_out = (char *)s->out,
		.avail_out = s->out_left,
	};
	int ret;

	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return CODEC_NO_MEMORY;
	do {
		ret = BZ2_bzDecompress(&z);
	} while (ret == BZ_OK && z.avail_in && z.avail_out);
	BZ2_bzDecompressEnd(&z);
	advance(s, z.avail_in, z.avail_out);
	switch (ret) {
	case BZ_STREAM_END:
		return CODEC_DONE;
	case BZ_OK:
		return starved(s);
	case BZ_MEM_ERROR:
		return CODEC_NO_MEMORY;
	}
	return CODEC_CORRUPT;
}

static enum codec_status run_lzma(struct codec_stream *s, lzma_stream *z, lzma_ret ret)
{
	z->next_in = s->in;
	z->avail_in = s->in_left;
	z->next_out = s->out;
	z->avail_out = s->out_left;
	while (ret == LZMA_OK)
		ret = lzma_code(z, LZMA_FINISH);
	lzma_end(z);
	advance(s, z->avail_in, z->avail_out);
	switch (ret) {
	case LZMA_STREAM_END:
		return CODEC_DONE;
	case LZMA_BUF_ERROR:
		return starved(s);
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return CODEC_NO_MEMORY;
	default:
		return CODEC_CORRUPT;
	}
}

enum codec_status codec_xz(struct codec_stream *s)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return run_lzma(s, &z, lzma_stream_decoder(&z, LZMA_MEMORY, 0));
}

enum codec_status codec_lzma(struct codec_stream *s)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return run_lzma(s, &z, lzma_alone_decoder(&z, LZMA_MEMORY));
}

/* One block: its compressed size, then as many bytes. */
static enum codec_status lz4_block(struct codec_stream *s, uint32_t size)
{
	int room = s->out_left < LZ4_LEGACY_BLOCK ? (int)s->out_left : LZ4_LEGACY_BLOCK;
	int got;

	if (!size || size > LZ4_COMPRESSBOUND(LZ4_LEGACY_BLOCK))
		return CODEC_CORRUPT;
	if (size > s->in_left - sizeof(size))
		return CODEC_TRUNCATED;
	if (!room)
		return CODEC_TOO_BIG;
	got = LZ4_decompress_safe((const char *)s->in + sizeof(size), (char *)s->out, (int)size,
				  room);
	if (got < 0)
		return room < LZ4_LEGACY_BLOCK ? CODEC_TOO_BIG : CODEC_CORRUPT;
	advance(s, s->in_left - sizeof(size) - size, s->out_left - got);
	return CODEC_DONE;
}

/*
 * The legacy frame has no end mark. What is left at the end is nothing, or the four bytes of the
 * uncompressed size that Linux's build appends.
 */
enum codec_status codec_lz4(struct codec_stream *s)
{
	enum codec_status status = CODEC_DONE;
	uint32_t size;

	advance(s, s->in_left - sizeof(size), s->out_left); /* the magic */
	while (status == CODEC_DONE && s->in_left > sizeof(size)) {
		memcpy(&size, s->in, sizeof(size));
		if (size == LZ4_LEGACY_MAGIC)
			advance(s, s->in_left - sizeof(size), s->out_left);
		else
			status = lz4_block(s, size);
	}
	if (status == CODEC_DONE && s->in_left && s->in_left < sizeof(size))
		return CODEC_TRUNCATED;
	return status;
}

enum codec_status codec_zstd(struct codec_stream *s)
{
	/* In one go, so that the output is the window and no second one is allocated. */
	size_t size = ZSTD_findFrameCompressedSize(s->in, s->in_left);
	size_t got;

	if (ZSTD_isError(size))
		return ZSTD_getErrorCode(size) == ZSTD_error_srcSize_wrong ? CODEC_TRUNCATED
									   : CODEC_CORRUPT;
	got = ZSTD_decompress(s->out, s->out_left, s->in, size);
	if (!ZSTD_isError(got)) {
		advance(s, s->in_left - size, s->out_left - got);
		return CODEC_DONE;
	}
	switch (ZSTD_getErrorCode(got)) {
	case ZSTD_error_dstSize_tooSmall:
		return CODEC_TOO_BIG;
	case ZSTD_error_memory_allocation:
		return CODEC_NO_MEMORY;
	default:
		return CODEC_CORRUPT;
	}
}
