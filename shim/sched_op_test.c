// SPDX-License-Identifier: BSD-2-Clause
/* SCHEDOP_*: yielding, the guest's end and its watchdogs. Waiting is in poll_test.c. */
#include "shim/sched_op.h"

#include "shim/fake_test.h"
#include "shim/soft_reset.h"

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
		/* Once. */
		assert_int_equal(shutdown(f, SHUTDOWN_crash), 0);
		assert_int_equal(f->shutdowns, i + 1);
		fake_revive(f);
	}
}

/* It needs a way back that is not there yet: the guest goes on and knows it. */
static void not_yet(void **state)
{
	assert_refused(*state, shutdown(*state, SHUTDOWN_suspend), XEN_ENOSYS);
}

/* The platform is asked once, however many vCPUs ask for it; and again when it has been done. */
static void begins_anew(void **state)
{
	struct fake *f = *state;

	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(shutdown(f, SHUTDOWN_soft_reset), 0);
		f->current = 1;
		assert_int_equal(shutdown(f, SHUTDOWN_soft_reset), 0);
		assert_int_equal(f->shutdowns, i);
		assert_int_equal(f->shutdown_reason, SHUTDOWN_soft_reset);
		assert_int_equal(domain_soft_reset(&f->domain), 0);
	}
	assert_int_equal(shutdown(f, SHUTDOWN_poweroff), 0);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_poweroff);
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
	fake_revive(f);
	assert_int_equal(shutdown(f, 0xff), 0);
	assert_int_equal(f->shutdown_reason, 0xff);
	fake_revive(f);
	assert_int_equal(shutdown(f, 0x100 | SHUTDOWN_reboot), 0);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_reboot);
	assert_int_equal(f->shutdowns, 3);
	fake_revive(f);
	assert_refused(f, shutdown(f, 0x100 | SHUTDOWN_suspend), XEN_ENOSYS);
}

static long shutdown_code(struct fake *f, unsigned reason)
{
	struct sched_shutdown op = {.reason = reason};

	return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown_code, &op, sizeof(op));
}

/* It does not end the guest, and says why when something else does. */
static void code_before_the_end(void **state)
{
	struct fake *f = *state;

	assert_int_equal(shutdown_code(f, 0x100 | SHUTDOWN_crash), 0);
	assert_int_equal(shutdown_code(f, SHUTDOWN_reboot), 0); /* too late */
	assert_int_equal(f->shutdowns, 0);
	assert_int_equal(shutdown(f, SHUTDOWN_poweroff), 0);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_crash);
	assert_int_equal(shutdown_code(f, SHUTDOWN_reboot), 0);
	fake_revive(f);
	assert_int_equal(shutdown_code(f, SHUTDOWN_suspend), 0);
	assert_refused(f, shutdown(f, SHUTDOWN_poweroff), XEN_ENOSYS);
	assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown_code, FAKE_HOLE, 0),
		       XEN_EFAULT);
}

static long remote(struct fake *f, domid_t dom)
{
	struct sched_remote_shutdown op = {.domain_id = dom, .reason = SHUTDOWN_poweroff};

	return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &op, sizeof(op));
}

/* An unprivileged guest: not even itself, and DOMID_SELF is nobody's number. */
static void remote_shutdown(void **state)
{
	struct fake *f = *state;

	assert_refused(f, remote(f, 0), XEN_EPERM);
	assert_refused(f, remote(f, FAKE_DOMID), XEN_EPERM);
	assert_refused(f, remote(f, FAKE_DOMID + 1), XEN_ESRCH);
	assert_refused(f, remote(f, DOMID_SELF), XEN_ESRCH);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, FAKE_HOLE, 0),
		       XEN_EFAULT);
}

static void pin_override(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_pin_override, FAKE_HOLE, 0),
		       XEN_EPERM);
}

#define SECOND 1000000000ull

static long watchdog(struct fake *f, uint32_t id, uint32_t seconds)
{
	struct sched_watchdog op = {.id = id, .timeout = seconds};

	return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, &op, sizeof(op));
}

static void watchdog_expires(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = f->domain.vcpus[0];

	f->now = 5;
	f->current = 1; /* whoever sets it, it is the domain's */
	assert_int_equal(watchdog(f, 0, 10), 1);
	assert_int_equal(f->vcpu[0].timer, 10 * SECOND + 5);
	f->now = 10 * SECOND;
	vcpu_timer_expired(v);
	assert_int_equal(f->shutdowns, 0);
	/* Patted. */
	assert_int_equal(watchdog(f, 1, 2), 0);
	assert_int_equal(f->vcpu[0].timer, 12 * SECOND);
	f->now = 12 * SECOND;
	vcpu_timer_expired(v);
	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_watchdog);
}

static void watchdog_with_a_code(void **state)
{
	struct fake *f = *state;

	f->now = 5;
	shutdown_code(f, SHUTDOWN_crash);
	assert_int_equal(watchdog(f, 0, 0), 1); /* no time at all */
	vcpu_timer_expired(f->domain.vcpus[0]);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_crash);
}

static void watchdogs_stopped(void **state)
{
	struct fake *f = *state;

	assert_int_equal(watchdog(f, 0, 10), 1);
	assert_int_equal(watchdog(f, 0, UINT32_MAX), 2);
	assert_int_equal(watchdog(f, 0, 10), (uint32_t)-XEN_ENOSPC); /* as Xen says it */
	assert_int_equal(watchdog(f, 1, 0), 0);
	assert_int_equal(f->vcpu[0].timer, UINT32_MAX * SECOND);
	assert_refused(f, watchdog(f, 1, 0), XEN_EINVAL);
	assert_refused(f, watchdog(f, 1, 10), XEN_EINVAL);
	assert_int_equal(watchdog(f, 0, 20), 1);
	assert_int_equal(watchdog(f, 1, 0), 0);
	assert_int_equal(watchdog(f, 2, 0), 0);
	assert_int_equal(f->vcpu[0].timer, 0);
}

static void watchdogs_that_are_not_there(void **state)
{
	struct fake *f = *state;

	assert_refused(f, watchdog(f, 1, 10), XEN_EINVAL);
	assert_refused(f, watchdog(f, 2, 0), XEN_EINVAL);
	assert_refused(f, watchdog(f, 3, 10), XEN_EINVAL);
	assert_refused(f, watchdog(f, UINT32_MAX, 10), XEN_EINVAL);
	assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_HOLE, 0),
		       XEN_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(yields),
		TEST_BOTH(ends),
		TEST_BOTH(not_yet),
		TEST_BOTH(begins_anew),
		TEST_BOTH(reason_from_nowhere),
		TEST_BOTH(any_reason_ends),
		TEST_BOTH(code_before_the_end),
		TEST_BOTH(remote_shutdown),
		TEST_BOTH(pin_override),
		TEST_BOTH(watchdog_expires),
		TEST_BOTH(watchdog_with_a_code),
		TEST_BOTH(watchdogs_stopped),
		TEST_BOTH(watchdogs_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
