/* SPDX-License-Identifier: BSD-2-Clause */
/* Unit tests on the fake guest: each has one of its own, whose counts are looked at in the end. */
#ifndef SHIM_PV_FAKE_TEST_H
#define SHIM_PV_FAKE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/pv/fake_guest.h"
#include "xen-abi/xen.h"

static inline int fake_setup(void **state)
{
	*state = fake_guest_new();
	return 0;
}

static inline int fake_teardown(void **state)
{
	fake_check(*state);
	fake_machine_free(*state);
	return 0;
}

#define PV_TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

/* What a frame is used as, and how often. */
#define assert_frame(m, mfn, is_type, is_refs, is_type_refs)                \
	do {                                                                \
		assert_int_equal((m)->frames[mfn].type, is_type);           \
		assert_int_equal((m)->frames[mfn].refs, is_refs);           \
		assert_int_equal((m)->frames[mfn].type_refs, is_type_refs); \
	} while (0)

#endif
