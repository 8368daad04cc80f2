// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel has 15 MB of code and more, and all of it is looked at on every start, so the search is
 * for the pair 0f 01, a few times per MB, with vector instructions.
 */
#include "host/loader/hypercall_scan.h"

#include <immintrin.h>
#include <stdbool.h>

/* Bytes per step of the vector loops, each of which also looks at one byte more. */
#define SSE2_STEP 64
#define AVX2_STEP 128

static __m128i pair16(const uint8_t *p)
{
	__m128i first = _mm_loadu_si128((const __m128i *)p);
	__m128i second = _mm_loadu_si128((const __m128i *)(p + 1));

	return _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)),
			     _mm_cmpeq_epi8(second, _mm_set1_epi8(0x01)));
}

/* Move `at` up over steps that hold no pair; stop at one that does, or near the end. */
static size_t skip_sse2(const uint8_t *text, size_t size, size_t at)
{
	for (; size - at > SSE2_STEP; at += SSE2_STEP) {
		const uint8_t *p = text + at;
		__m128i low = _mm_or_si128(pair16(p), pair16(p + 16));
		__m128i high = _mm_or_si128(pair16(p + 32), pair16(p + 48));

		if (_mm_movemask_epi8(_mm_or_si128(low, high)))
			break;
	}
	return at;
}

__attribute__((target("avx2"))) static __m256i pair32(const uint8_t *p)
{
	__m256i first = _mm256_loadu_si256((const __m256i_u *)p);
	__m256i second = _mm256_loadu_si256((const __m256i_u *)(p + 1));

	return _mm256_and_si256(_mm256_cmpeq_epi8(first, _mm256_set1_epi8(0x0f)),
				_mm256_cmpeq_epi8(second, _mm256_set1_epi8(0x01)));
}

__attribute__((target("avx2"))) static size_t skip_avx2(const uint8_t *text, size_t size, size_t at)
{
	for (; size - at > AVX2_STEP; at += AVX2_STEP) {
		const uint8_t *p = text + at;
		__m256i low = _mm256_or_si256(pair32(p), pair32(p + 32));
		__m256i high = _mm256_or_si256(pair32(p + 64), pair32(p + 96));
		__m256i any = _mm256_or_si256(low, high);

		if (!_mm256_testz_si256(any, any))
			break;
	}
	return at;
}

static bool is_hypercall(const uint8_t *p)
{
	return p[0] == 0x0f && p[1] == 0x01 && (p[2] == 0xc1 || p[2] == 0xd9);
}

size_t hypercall_scan(const uint8_t *text, size_t size, size_t from)
{
	size_t at = from;

	while (at < size && size - at >= HYPERCALL_BYTES) {
		size_t stop;

		at = __builtin_cpu_supports("avx2") ? skip_avx2(text, size, at)
						    : skip_sse2(text, size, at);
		stop = size - at > AVX2_STEP ? at + AVX2_STEP : size;
		for (; at < stop && size - at >= HYPERCALL_BYTES; at++)
			if (is_hypercall(text + at))
				return at;
	}
	return size;
}
