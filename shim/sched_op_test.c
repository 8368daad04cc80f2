// SPDX-License-Identifier: BSD-2-Clause
/* SCHEDOP_*: yielding, and the guest's end. */
#include "shim/sched_op.h"

#include "shim/fake_test.h"

static long shutdown(struct fake *f, unsigned reason)
{
	struct sched_shutdown op = {.reason = reason};

	return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, &op, sizeof(op));
}

static void yields(void **state)
{
	struct fake *f = *state;

	f->current = 1;
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0), 0);
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_yield, FAKE_HOLE, 0), 0);
	assert_int_equal(f->vcpu[1].yields, 2);
	assert_int_equal(f->vcpu[0].yields, 0);
	assert_int_equal(f->shutdowns, 0);
}

static void ends(void **state)
{
	static const unsigned reasons[] = {SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_crash,
					   SHUTDOWN_watchdog};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
		assert_int_equal(shutdown(f, reasons[i]), 0);
		assert_int_equal(f->shutdowns, i + 1);
		assert_int_equal(f->shutdown_reason, reasons[i]);
	}
}

/* They need a way back that is not there yet: the guest goes on and knows it. */
static void not_yet(void **state)
{
	assert_refused(*state, shutdown(*state, SHUTDOWN_suspend), XEN_ENOSYS);
	assert_refused(*state, shutdown(*state, SHUTDOWN_soft_reset), XEN_ENOSYS);
}

static void reason_from_nowhere(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, FAKE_HOLE, 0),
		       XEN_EFAULT);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, FAKE_RAM_SIZE - 2, 0),
		       XEN_EFAULT);
}

/* Xen takes the low byte for the reason, and makes sense of it only afterwards. */
static void any_reason_ends(void **state)
{
	struct fake *f = *state;

	assert_int_equal(shutdown(f, 6), 0);
	assert_int_equal(f->shutdown_reason, 6);
	assert_int_equal(shutdown(f, 0xff), 0);
	assert_int_equal(f->shutdown_reason, 0xff);
	assert_int_equal(shutdown(f, 0x100 | SHUTDOWN_reboot), 0);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_reboot);
	assert_int_equal(f->shutdowns, 3);
	assert_refused(f, shutdown(f, 0x100 | SHUTDOWN_suspend), XEN_ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(yields),          TEST_BOTH(ends),
		TEST_BOTH(not_yet),         TEST_BOTH(reason_from_nowhere),
		TEST_BOTH(any_reason_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
