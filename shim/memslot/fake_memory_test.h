/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmocka on the fake memory: each test gets a fresh struct fake_memory as *state.
 */
#ifndef SHIM_FAKE_MEMORY_TEST_H
#define SHIM_FAKE_MEMORY_TEST_H

#include "shim/memslot/fake_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t fake_memory_plain = 0, fake_memory_manual = MEMSLOTS_MANUAL_PROTECT,
		      fake_memory_private = MEMSLOTS_CAN_PRIVATE;

static inline int fake_memory_setup(void **state)
{
	const uint32_t *features = *state;

	*state = fake_memory_create(*features);
	return *state ? 0 : -1;
}

static inline int fake_memory_teardown(void **state)
{
	fake_memory_destroy(*state);
	return 0;
}

/* features: plain, manual (protect) or private. */
#define TEST_WITH(test, features)                                     \
	{                                                             \
#test, test, fake_memory_setup, fake_memory_teardown, \
			(void *)(uintptr_t)&fake_memory_##features    \
	}
#define TEST(test) TEST_WITH(test, plain)

/* Nothing has changed since `before` was told. Frees it. */
static inline void assert_untouched(struct fake_memory *m, char *before, const char *what)
{
	char *after = fake_memory_tell(m);

	assert_non_null(before);
	assert_non_null(after);
	if (strcmp(before, after) != 0)
		fail_msg("%s has left a trace: before\n%safter\n%s", what, before, after);
	free(before);
	free(after);
}

/* A call with this result changes nothing. */
#define assert_without_trace(m, call, result)        \
	do {                                         \
		char *before_ = fake_memory_tell(m); \
		assert_int_equal(call, result);      \
		assert_untouched(m, before_, #call); \
	} while (0)

#endif
