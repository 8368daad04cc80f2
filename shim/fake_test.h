/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmocka on the fake platform: each test gets a fresh struct fake as *state, once per word size
 * where the rule depends on it (TEST_BOTH).
 */
#ifndef SHIM_FAKE_TEST_H
#define SHIM_FAKE_TEST_H

#include "shim/fake_platform.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const bool fake_test_64 = true, fake_test_32 = false;

static inline int fake_test_setup(void **state)
{
	const bool *long_mode = *state;

	*state = fake_create(*long_mode);
	return *state ? 0 : -1;
}

static inline int fake_test_teardown(void **state)
{
	fake_destroy(*state);
	return 0;
}

static inline int fake_test_setup_pv(void **state)
{
	struct fake *f = fake_create(true);

	*state = f;
	return f ? fake_make_pv(f) : -1;
}

#define TEST_PV(test)                                                             \
	{                                                                         \
#test " [PV]", test, fake_test_setup_pv, fake_test_teardown, NULL \
	}

#define FAKE_TEST_OF(test, bits)                                                 \
	{                                                                        \
#test " [" #bits "]", test, fake_test_setup, fake_test_teardown, \
			(void *)(uintptr_t)&fake_test_##bits                     \
	}
#define TEST_64(test)   FAKE_TEST_OF(test, 64)
#define TEST_BOTH(test) FAKE_TEST_OF(test, 64), FAKE_TEST_OF(test, 32)

/* A call that must fail so and change nothing. */
#define assert_refused(f, call, errno_value)                                        \
	do {                                                                        \
		struct fake_snapshot *before_ = fake_snapshot(f);                   \
		const char *changed_;                                               \
                                                                                    \
		assert_int_equal(call, -(errno_value));                             \
		changed_ = fake_changed(f, before_);                                \
		if (changed_)                                                       \
			fail_msg("%s failed, but has changed %s", #call, changed_); \
	} while (0)

#endif
