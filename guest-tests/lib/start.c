// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/test.h"

void test_start(void) __attribute__((noreturn));

void test_start(void)
{
	traps_init();
	if (!hypercall_init()) {
		test_failure("no Xen CPUID leaves, or the hypercall MSR does not take a page");
		test_finish();
	}
	printf("%s (%d bit, hypercalls by %s)\n", test_title, WIDTH,
	       transport_name(hypercall_default));
	test_main();
	test_finish();
}
