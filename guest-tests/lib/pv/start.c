// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/pv/test.h"

void test_start(void) __attribute__((noreturn));

void test_start(void)
{
	traps_init();
	printf("%s (64 bit, PV)\n", test_title);
	test_main();
	test_finish();
}

struct start_info *pv_start_info(void)
{
	return (struct start_info *)pv_entry_state.rsi;
}

const char *start_info_cmdline(void)
{
	return (const char *)pv_start_info()->cmd_line;
}
