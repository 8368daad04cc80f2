// SPDX-License-Identifier: BSD-2-Clause
/* Several timers on one of the platform's, and the periodic one. */
#include "shim/fake_events.h"
#include "shim/fake_test.h"

#define MS 1000000ull

static long periodic(struct fake *f, uint64_t vcpu, uint64_t period)
{
	struct vcpu_set_periodic_timer arg = {.period_ns = period};

	return fake_vcpu_op(f, VCPUOP_set_periodic_timer, vcpu, &arg, sizeof(arg));
}

static long stop_periodic(struct fake *f, uint64_t vcpu)
{
	return fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, vcpu, FAKE_HOLE);
}

/* Time goes to `now`, and the platform does as it was told. True: an event has come. */
static bool goes_to(struct fake *f, uint64_t now, long port)
{
	bool came;

	f->now = now;
	if (f->vcpu[0].timer && f->vcpu[0].timer <= now) {
		f->vcpu[0].timer = 0;
		vcpu_timer_expired(f->domain.vcpus[0]);
	}
	came = fake_pending(f, port);
	fake_clear_pending(f, port);
	fake_take_upcall(f, 0);
	return came;
}

/* The first is there at once: the last was long ago. */
static void ticks(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	f->now = 100 * MS;
	assert_int_equal(periodic(f, 0, 10 * MS), 0);
	assert_true(goes_to(f, 100 * MS, port));
	assert_int_equal(f->vcpu[0].timer, 110 * MS);
	assert_false(goes_to(f, 109 * MS, port));
	assert_true(goes_to(f, 110 * MS, port));
	/* Late ones are not made up for. */
	assert_true(goes_to(f, 145 * MS, port));
	assert_false(goes_to(f, 154 * MS, port));
	assert_true(goes_to(f, 155 * MS, port));
}

/* Set again soon after a tick, the next one is a period after that tick. */
static void period_changes(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	f->now = 100 * MS;
	periodic(f, 0, 10 * MS);
	assert_true(goes_to(f, 100 * MS, port));
	f->now = 104 * MS;
	assert_int_equal(periodic(f, 0, 5 * MS), 0);
	assert_false(goes_to(f, 104 * MS, port));
	assert_true(goes_to(f, 105 * MS, port));
	f->now = 109 * MS;
	assert_int_equal(periodic(f, 0, 3 * MS), 0);
	assert_true(goes_to(f, 109 * MS, port));
	assert_int_equal(f->vcpu[0].timer, 112 * MS);
}

static void ticks_stop(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	f->now = 100 * MS;
	periodic(f, 0, 10 * MS);
	assert_true(goes_to(f, 100 * MS, port));
	assert_int_equal(stop_periodic(f, 0), 0);
	assert_int_equal(f->vcpu[0].timer, 0);
	assert_false(goes_to(f, 200 * MS, port));
	assert_int_equal(stop_periodic(f, 0), 0);
}

/* Anybody may set anybody's. */
static void of_another(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 1);

	f->now = 100 * MS;
	assert_int_equal(periodic(f, 1, MS), 0);
	assert_true(fake_pending(f, port));
	assert_int_equal(f->vcpu[1].timer, 101 * MS);
	assert_int_equal(f->vcpu[0].timer, 0);
	assert_int_equal(stop_periodic(f, 1), 0);
	assert_int_equal(f->vcpu[1].timer, 0);
}

static void periods_refused(void **state)
{
	struct fake *f = *state;

	assert_refused(f, periodic(f, 0, 0), XEN_EINVAL);
	assert_refused(f, periodic(f, 0, MS - 1), XEN_EINVAL);
	assert_refused(f, periodic(f, 0, (UINT64_MAX >> 2) + 1), XEN_EINVAL);
	assert_refused(f, periodic(f, 0, UINT64_MAX), XEN_EINVAL);
	assert_refused(f, periodic(f, FAKE_VCPUS, 0), XEN_ENOENT);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, FAKE_HOLE),
		       XEN_EFAULT);
	assert_refused(f, stop_periodic(f, FAKE_VCPUS), XEN_ENOENT);
	assert_int_equal(periodic(f, 0, MS), 0);
	assert_int_equal(periodic(f, 0, UINT64_MAX >> 2), 0);
}

/* The platform hears of the earliest of all, and of it only once. */
static void earliest_first(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = f->domain.vcpus[0];

	timer_set(v, TIMER_SINGLESHOT, 50);
	assert_int_equal(f->vcpu[0].timer, 50);
	timer_set(v, TIMER_POLL, 70);
	assert_int_equal(f->vcpu[0].timers_set, 1);
	timer_set(v, TIMER_WATCHDOG, 30);
	assert_int_equal(f->vcpu[0].timer, 30);
	timer_stop(v, TIMER_WATCHDOG);
	assert_int_equal(f->vcpu[0].timer, 50);
	timer_stop(v, TIMER_SINGLESHOT);
	assert_int_equal(f->vcpu[0].timer, 70);
	timer_stop(v, TIMER_POLL);
	assert_int_equal(f->vcpu[0].timer, 0);
}

/* Each expires by itself; what is due together comes together. */
static void each_in_its_time(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = f->domain.vcpus[0];
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	timer_set(v, TIMER_SINGLESHOT, 50);
	timer_set(v, TIMER_WATCHDOG + 1, 60);
	timer_set(v, TIMER_WATCHDOG, 60);
	assert_true(goes_to(f, 50, port));
	assert_int_equal(f->shutdowns, 0);
	assert_int_equal(f->vcpu[0].timer, 60);
	assert_false(goes_to(f, 60, port));
	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->vcpu[0].timer, 0);
	assert_false(goes_to(f, 1000, port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(ticks),          TEST_BOTH(period_changes),  TEST_BOTH(ticks_stop),
		TEST_BOTH(of_another),     TEST_BOTH(periods_refused), TEST_64(earliest_first),
		TEST_64(each_in_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
