// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/fail_alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **p, size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);
void __wrap_free(void *p);

static unsigned fail_at, seen;
static long live;
static uint64_t bytes;

void fail_alloc(unsigned n)
{
	fail_at = n;
	seen = 0;
}

unsigned fail_alloc_seen(void)
{
	return seen;
}

long fail_alloc_live(void)
{
	return live;
}

uint64_t fail_alloc_bytes(void)
{
	return bytes;
}

static bool fails(uint64_t size)
{
	bytes += size;
	if (++seen != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails(size) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails(n * size) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (!p)
		return __wrap_malloc(size);
	return fails(size) ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails(size) ? NULL : counted(__real_aligned_alloc(alignment, size));
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
	int rc = fails(size) ? ENOMEM : __real_posix_memalign(p, alignment, size);

	live += !rc;
	return rc;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}
