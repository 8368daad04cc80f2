/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Linux compresses a kernel with: gzip, bzip2, xz, lzma, lz4 (legacy frame) and zstd.
 *
 * The stream says itself where it ends: bytes behind it (the uncompressed size that Linux's build
 * appends) are ignored, unless they begin another stream of the same kind, which continues it.
 */
#ifndef HOST_LOADER_DECOMPRESS_H
#define HOST_LOADER_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "host/loader/kernel.h"
#include "host/problem.h"

/* What is not a kernel any more, in bytes: a stream that inflates to more is refused. */
#ifndef DECOMPRESS_LIMIT
#define DECOMPRESS_LIMIT (UINT64_C(1) << 30)
#endif

/* The method's name ("gzip", ...) by the first bytes, or NULL if they are of no known method. */
const char *decompress_method(const uint8_t *bytes, size_t size);

/*
 * Inflate into a fresh mapping, which becomes the caller's (map_release). Returns 0, or -1 with the
 * reason in *p and nothing held. `name` is the file's.
 */
int decompress(struct kernel_map *out, const uint8_t *bytes, size_t size, const char *name,
	       struct problem *p);

#endif
