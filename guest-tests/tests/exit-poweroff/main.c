// SPDX-License-Identifier: BSD-2-Clause
/*
 * SCHEDOP_shutdown with SHUTDOWN_poweroff ends the guest at once, and the program that runs it says
 * so by its exit status. The runner looks at that status; a test that comes back from the hypercall
 * fails.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "SCHEDOP_shutdown: power off";

void test_main(void)
{
	struct sched_shutdown arg = {.reason = SHUTDOWN_poweroff};
	long rc;

	printf("Test result: SUCCESS\n");
	rc = hypercall_sched_op(SCHEDOP_shutdown, &arg);
	test_failure("SCHEDOP_shutdown came back with %ld", rc);
}
