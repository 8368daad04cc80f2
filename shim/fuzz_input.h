/* SPDX-License-Identifier: BSD-2-Clause */
/* What a libFuzzer target of shim/ is given, taken byte by byte; and how it says what is wrong. */
#ifndef SHIM_FUZZ_INPUT_H
#define SHIM_FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *next;
	size_t left;
};

/* The next bytes, at most 8, the first the lowest; 0 for what is not there any more. */
static inline uint64_t take(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	if (bytes > in->left)
		bytes = in->left;
	memcpy(&value, in->next, bytes);
	in->next += bytes;
	in->left -= bytes;
	return value;
}

#define fail(...)                             \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		abort();                      \
	} while (0)

#endif
