// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/decompress.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "host/loader/codec.h"
#include "host/loader/map.h"

#define ROOM_MIN (UINT64_C(32) << 20)

static const struct codec codecs[] = {
	{"gzip", {0x1f, 0x8b, 0x08}, 3, codec_gzip},
	{"bzip2", {'B', 'Z', 'h'}, 3, codec_bzip2},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, codec_xz},
	/* LZMA has no magic: these are its properties byte and the low half of a 2^n dictionary. */
	{"lzma", {0x5d, 0, 0}, 3, codec_lzma},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, codec_lz4},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, codec_zstd},
};

static const struct codec *find_codec(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		const struct codec *c = &codecs[i];

		if (size >= c->magic_size && memcmp(bytes, c->magic, c->magic_size) == 0)
			return c;
	}
	return NULL;
}

const char *decompress_method(const uint8_t *bytes, size_t size)
{
	const struct codec *codec = find_codec(bytes, size);

	return codec ? codec->name : NULL;
}

/*
 * Address space for any output that is allowed: memory is only used where output is written, so
 * this need not trust a size from the file nor copy to grow. Where address space is rationed
 * (ulimit -v, strict overcommit) less may do.
 */
static int make_room(struct kernel_map *out, const char *name, struct problem *p)
{
	for (size_t room = DECOMPRESS_LIMIT; room >= ROOM_MIN; room /= 2) {
		void *base = mmap(NULL, room, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (base == MAP_FAILED)
			continue;
		madvise(base, room, MADV_HUGEPAGE); /* fewer faults; not having it is fine */
		*out = (struct kernel_map){base, room};
		return 0;
	}
	return problem(p, "%s: no %llu MiB of address space to decompress it: %s; raise ulimit -v",
		       name, (unsigned long long)(ROOM_MIN >> 20), strerror(errno));
}

static void give_back_tail(struct kernel_map *out, size_t used)
{
	size_t keep = (used + 4095) & ~(size_t)4095;

	if (keep < out->size)
		munmap((uint8_t *)out->base + keep, out->size - keep);
	out->size = used;
}

static int explain(enum codec_status status, const struct codec *codec, size_t room,
		   const char *name, struct problem *p)
{
	switch (status) {
	case CODEC_TRUNCATED:
		return problem(
			p, "%s: the %s stream ends early; the file is truncated, fetch it again",
			name, codec->name);
	case CODEC_TOO_BIG:
		return problem(p,
			       "%s: the %s stream inflates to more than %zu MiB, which is no "
			       "kernel; give another file",
			       name, codec->name, room >> 20);
	case CODEC_NO_MEMORY:
		return problem(p,
			       "%s: not enough memory to undo %s; free some, or give the vmlinux",
			       name, codec->name);
	default:
		return problem(p, "%s: the %s stream is corrupt; fetch the file again", name,
			       codec->name);
	}
}

int decompress(struct kernel_map *out, const uint8_t *bytes, size_t size, const char *name,
	       struct problem *p)
{
	const struct codec *codec = find_codec(bytes, size);
	struct codec_stream s = {.in = bytes, .in_left = size};
	enum codec_status status;
	size_t room;

	if (!codec)
		return problem(p,
			       "%s: compressed in a way not known here (gzip, bzip2, xz, lzma, "
			       "lz4 and zstd are); give the vmlinux",
			       name);
	if (size > UINT32_MAX)
		return problem(p, "%s: %zu compressed bytes are no kernel; give another file", name,
			       size);
	if (make_room(out, name, p))
		return -1;
	room = out->size;
	s.out = out->base;
	s.out_left = room;
	do {
		status = codec->decode(&s);
	} while (status == CODEC_DONE && find_codec(s.in, s.in_left) == codec);
	give_back_tail(out, room - s.out_left);
	if (status == CODEC_DONE)
		return 0;
	map_release(out);
	return explain(status, codec, room, name, p);
}
