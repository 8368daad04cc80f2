// SPDX-License-Identifier: BSD-2-Clause
/*
 * A watchdog that is not patted ends the guest with SHUTDOWN_watchdog, and the program that runs it
 * says so by its exit status. The runner looks at that status; a guest that lives on fails.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "a watchdog that is not patted ends the guest";

#define MS 1000000ULL

void test_main(void)
{
	struct sched_watchdog arg = {.timeout = 1};
	uint64_t start = clock_now();

	CHECK_EQ(hypercall_sched_op(SCHEDOP_watchdog, &arg), 1);
	while (clock_now() < start + 700 * MS)
		pause();
	printf("Test result: SUCCESS\n"); /* it has not bitten too early */
	while (clock_now() < start + 3000 * MS)
		pause();
	test_failure("alive two seconds after the watchdog's time");
}
