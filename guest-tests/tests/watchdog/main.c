// SPDX-License-Identifier: BSD-2-Clause
/*
 * SCHEDOP_watchdog: a domain has two, each with an id and a time to live in seconds; who pats it
 * gives it a new time (Linux: drivers/watchdog/xen_wdt.c; Xen: domain_watchdog()). The one that is
 * set here for a second is patted, then stopped: that the guest lives on is half of the test. What
 * happens when it is not patted is in exit-watchdog.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "watchdogs set, patted and stopped; their errnos";

#define MS 1000000ULL

static long watchdog(uint32_t id, uint32_t seconds)
{
	struct sched_watchdog arg = {.id = id, .timeout = seconds};

	return hypercall_sched_op(SCHEDOP_watchdog, &arg);
}

static void wait_ms(unsigned int ms)
{
	struct sched_poll arg = {.timeout = clock_now() + ms * MS};
	uint64_t until = arg.timeout;

	while (clock_now() < until)
		CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &arg), 0);
}

static void errnos(void)
{
	CHECK_EQ(watchdog(1, 100), -XEN_EINVAL);
	CHECK_EQ(watchdog(2, 0), -XEN_EINVAL);
	CHECK_EQ(watchdog(3, 100), -XEN_EINVAL);
	CHECK_EQ(watchdog(0xffffffff, 100), -XEN_EINVAL);
	CHECK_EQ(watchdog(0, 100), 1);
	CHECK_EQ(watchdog(0, 0xffffffff), 2);
	/* As an int: Xen 4.17 makes an unsigned one of it, and rax holds no negative number. */
	CHECK_EQ((int32_t)watchdog(0, 100), -XEN_ENOSPC);
	CHECK_EQ(watchdog(2, 0), 0);
	CHECK_EQ(watchdog(2, 0), -XEN_EINVAL);
	CHECK_EQ(watchdog(2, 100), -XEN_EINVAL);
	CHECK_EQ(watchdog(1, 100), 0);
	CHECK_EQ(watchdog(0, 100), 2);
	CHECK_EQ(watchdog(1, 0), 0);
	CHECK_EQ(watchdog(2, 0), 0);
}

void test_main(void)
{
	errnos();
	CHECK_EQ(watchdog(0, 1), 1);
	wait_ms(600);
	CHECK_EQ(watchdog(1, 1), 0);
	wait_ms(600);
	CHECK_EQ(watchdog(1, 0), 0);
	wait_ms(600);
	test_success();
}
