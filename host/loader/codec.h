/* SPDX-License-Identifier: BSD-2-Clause */
/* One compression method: what decompress.c knows of each library. */
#ifndef HOST_LOADER_CODEC_H
#define HOST_LOADER_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum codec_status {
	CODEC_DONE,
	CODEC_TRUNCATED, /* the input ends before the stream does */
	CODEC_CORRUPT,
	CODEC_TOO_BIG, /* the output does not fit */
	CODEC_NO_MEMORY,
};

/* Input and output not used up yet. Each fits in 32 bits, as most of the libraries count. */
struct codec_stream {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

struct codec {
	const char *name;
	uint8_t magic[6], magic_size;
	/* Decode one stream and move *s behind it. */
	enum codec_status (*decode)(struct codec_stream *s);
};

enum codec_status codec_gzip(struct codec_stream *s);
enum codec_status codec_bzip2(struct codec_stream *s);
enum codec_status codec_xz(struct codec_stream *s);
enum codec_status codec_lzma(struct codec_stream *s);
enum codec_status codec_lz4(struct codec_stream *s);
enum codec_status codec_zstd(struct codec_stream *s);

#endif
