// SPDX-License-Identifier: BSD-2-Clause
/* The singleshot timer by vcpu_op and by set_timer_op, in both word sizes. */
#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_test.h"

#define NOW 1000000000ull
#define MS  1000000ull

static long singleshot_of(struct fake *f, uint64_t vcpu, uint64_t at, uint32_t flags)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = at, .flags = flags};

	return fake_vcpu_op(f, VCPUOP_set_singleshot_timer, vcpu, &arg, f->long_mode ? 16 : 12);
}

static long singleshot(struct fake *f, uint64_t at)
{
	return singleshot_of(f, 0, at, 0);
}

static long stop(struct fake *f, uint64_t vcpu)
{
	return fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, vcpu, FAKE_HOLE);
}

/* A 32-bit caller's time comes in two halves. */
static long set_timer_op(struct fake *f, uint64_t at)
{
	return f->long_mode ? fake_call(f, __HYPERVISOR_set_timer_op, at, 0x55, 0)
			    : fake_call(f, __HYPERVISOR_set_timer_op, (uint32_t)at, at >> 32, 0);
}

static void future(void **state)
{
	struct fake *f = *state;

	f->now = NOW;
	assert_int_equal(singleshot(f, NOW + 5 * MS), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 5 * MS);
	assert_int_equal(singleshot(f, NOW + 3 * MS), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 3 * MS);
	assert_int_equal(singleshot_of(f, 0, NOW + 7 * MS, VCPU_SSHOTTMR_future), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 7 * MS);
	assert_int_equal(f->vcpu[1].timers_set, 0);
}

/* The event is there when the hypercall returns, whatever VCPU_SSHOTTMR_future asks for. */
static void past(void **state)
{
	static const uint64_t times[] = {NOW - 1, 1, 0, 1ull << 63, UINT64_MAX};
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	f->now = NOW;
	for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
		for (uint32_t flags = 0; flags <= VCPU_SSHOTTMR_future; flags++) {
			singleshot(f, NOW + MS);
			assert_int_equal(singleshot_of(f, 0, times[i], flags), 0);
			assert_true(fake_pending(f, port));
			assert_true(fake_upcall_pending(f, 0));
			assert_int_equal(f->vcpu[0].timer, 0);
			fake_clear_pending(f, port);
			fake_take_upcall(f, 0);
		}
	}
}

static void at_this_moment(void **state)
{
	struct fake *f = *state;

	f->now = NOW;
	assert_int_equal(singleshot(f, NOW), 0);
	assert_int_equal(f->vcpu[0].timer, NOW);
}

static void expiry_raises_the_virq(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	singleshot(f, NOW);
	f->now = NOW;
	vcpu_timer_expired(f->domain.vcpus[0]);
	assert_true(fake_pending(f, port));
	assert_int_equal(f->vcpu[0].upcalls, 1);
	/* Once. */
	fake_clear_pending(f, port);
	vcpu_timer_expired(f->domain.vcpus[0]);
	assert_false(fake_pending(f, port));
	f->current = 1; /* which has not bound it */
	singleshot_of(f, 1, NOW, 0);
	vcpu_timer_expired(f->domain.vcpus[1]);
	assert_int_equal(f->vcpu[1].upcalls, 0);
}

/* A clock of the host's that is fast: the guest is not woken before its time. */
static void called_too_early(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 0);

	singleshot(f, NOW);
	f->now = NOW - 1;
	vcpu_timer_expired(f->domain.vcpus[0]);
	assert_false(fake_pending(f, port));
	assert_int_equal(f->vcpu[0].timer, NOW);
	assert_int_equal(f->vcpu[0].timers_set, 2);
}

static void stopped(void **state)
{
	struct fake *f = *state;

	singleshot(f, NOW);
	assert_int_equal(stop(f, 0), 0);
	assert_int_equal(f->vcpu[0].timer, 0);
	assert_int_equal(stop(f, 0), 0);
}

/* Each vCPU has its own, for itself alone; the argument is not looked at before. */
static void only_ones_own(void **state)
{
	struct fake *f = *state;

	assert_refused(f, singleshot_of(f, 1, NOW, 0), XEN_EINVAL);
	assert_refused(f, stop(f, 1), XEN_EINVAL);
	assert_refused(
		f, fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 1, FAKE_HOLE),
		XEN_EINVAL);
	f->current = 1;
	assert_int_equal(singleshot_of(f, 1, NOW, 0), 0);
	assert_int_equal(f->vcpu[1].timer, NOW);
}

static void argument_from_nowhere(void **state)
{
	struct fake *f = *state;
	uint64_t end = FAKE_RAM_SIZE - (f->long_mode ? 16 : 12);

	assert_refused(
		f, fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, FAKE_HOLE),
		XEN_EFAULT);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, end + 1),
		       XEN_EFAULT);
	/* The 32-bit structure is shorter, and may be the last there is. */
	memset(f->ram + end, 0, FAKE_RAM_SIZE - end);
	f->ram[end + 4] = 1;
	assert_int_equal(fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, end),
			 0);
	assert_int_equal(f->vcpu[0].timer, 1ull << 32);
}

static void set_timer_in_the_future(void **state)
{
	struct fake *f = *state;

	f->now = NOW;
	assert_int_equal(set_timer_op(f, NOW + 5 * MS), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 5 * MS);
	assert_int_equal(set_timer_op(f, 0x123456789abcd), 0);
	assert_int_equal(f->vcpu[0].timer, 0x123456789abcd);
}

static void set_timer_in_the_past(void **state)
{
	struct fake *f = *state;

	f->now = NOW;
	assert_int_equal(set_timer_op(f, 1), 0);
	assert_int_equal(f->vcpu[0].timer, 1);
	assert_int_equal(set_timer_op(f, NOW), 0);
	assert_int_equal(f->vcpu[0].timer, NOW);
}

static void set_timer_stops(void **state)
{
	struct fake *f = *state;

	set_timer_op(f, NOW);
	assert_int_equal(set_timer_op(f, 0), 0);
	assert_int_equal(f->vcpu[0].timer, 0);
}

/* Old kernels mean "never" and rely on being woken. */
static void set_timer_absurdly(void **state)
{
	struct fake *f = *state;

	f->now = NOW;
	assert_int_equal(set_timer_op(f, UINT64_MAX), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 100 * MS);
	assert_int_equal(set_timer_op(f, 1ull << 63), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 100 * MS);
	assert_int_equal(set_timer_op(f, INT64_MAX), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 100 * MS);
	assert_int_equal(set_timer_op(f, NOW + (1ull << 50)), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + 100 * MS);
	assert_int_equal(set_timer_op(f, NOW + (1ull << 50) - 1), 0);
	assert_int_equal(f->vcpu[0].timer, NOW + (1ull << 50) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(future),
		TEST_BOTH(past),
		TEST_BOTH(at_this_moment),
		TEST_BOTH(expiry_raises_the_virq),
		TEST_BOTH(called_too_early),
		TEST_BOTH(stopped),
		TEST_BOTH(only_ones_own),
		TEST_BOTH(argument_from_nowhere),
		TEST_BOTH(set_timer_in_the_future),
		TEST_BOTH(set_timer_in_the_past),
		TEST_BOTH(set_timer_stops),
		TEST_BOTH(set_timer_absurdly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
