// SPDX-License-Identifier: BSD-2-Clause
/* Every byte of the hypercall page, as Xen fills it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shim/pv/hypercall_page.h"

static void test_stubs(void **state)
{
	uint8_t page[PV_PAGE_SIZE] = {0}, padding[32];

	(void)state;
	memset(padding, 0xcc, sizeof(padding));
	pv_hypercall_page_fill(page);
	for (unsigned nr = 0; nr < 128; nr++) {
		const uint8_t want[] = {0x51, 0x41, 0x53, 0xb8, nr,   0,    0,
					0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};

		if (nr == 23)
			continue;
		assert_memory_equal(page + nr * 32, want, sizeof(want));
		assert_memory_equal(page + nr * 32 + sizeof(want), padding, 32 - sizeof(want));
	}
}

static void test_iret(void **state)
{
	static const uint8_t want[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05, 0xcc};
	uint8_t page[PV_PAGE_SIZE];

	(void)state;
	pv_hypercall_page_fill(page);
	assert_memory_equal(page + 23 * 32, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stubs),
		cmocka_unit_test(test_iret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
