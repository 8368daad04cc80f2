// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/loader/ram.h"

static uint8_t low[0x2000], high[0x1000];

static const struct ram ram = {
	.count = 2,
	.blocks = {{0x1000, sizeof(low), low}, {0x4000, sizeof(high), high}},
};

static void test_inside(void **state)
{
	(void)state;
	assert_ptr_equal(ram_at(&ram, 0x1000, 1), low);
	assert_ptr_equal(ram_at(&ram, 0x1000, sizeof(low)), low);
	assert_ptr_equal(ram_at(&ram, 0x2fff, 1), low + 0x1fff);
	assert_ptr_equal(ram_at(&ram, 0x4010, 0x10), high + 0x10);
	assert_ptr_equal(ram_at(&ram, 0x4000, 0), high);
}

static void test_outside(void **state)
{
	(void)state;
	assert_null(ram_at(&ram, 0, 1));
	assert_null(ram_at(&ram, 0xfff, 2));
	assert_null(ram_at(&ram, 0x2fff, 2));
	assert_null(ram_at(&ram, 0x3000, 0x1000));
	assert_null(ram_at(&ram, 0x1000, 0x4000)); /* both blocks and the hole between */
	assert_null(ram_at(&ram, 0x5000, 1));
}

static void test_overflow(void **state)
{
	(void)state;
	assert_null(ram_at(&ram, 0x1000, UINT64_MAX));
	assert_null(ram_at(&ram, UINT64_MAX, 2));
	assert_null(ram_at(&ram, UINT64_MAX - 0xfff, 0x2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
