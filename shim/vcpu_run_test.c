// SPDX-License-Identifier: BSD-2-Clause
/* vCPUs that come and go: VCPUOP_initialise, up, down, is_up, send_nmi, get_physid. */
#include "shim/vcpu_run.h"

#include "shim/fake_test.h"

static struct vcpu *vcpu(struct fake *f, unsigned i)
{
	return f->domain.vcpus[i];
}

static long op(struct fake *f, uint64_t cmd, uint64_t which)
{
	return fake_call(f, __HYPERVISOR_vcpu_op, cmd, which, 0);
}

static long initialise(struct fake *f, uint64_t which, uint32_t mode)
{
	struct vcpu_hvm_context c = {.mode = mode};

	c.cpu_regs.x86_64.rip = 0x1234;
	c.cpu_regs.x86_64.cr0 = 1u << 31 | 1;
	c.cpu_regs.x86_64.cr4 = 1 << 5;
	c.cpu_regs.x86_64.efer = 1 << 8;
	return fake_vcpu_op(f, VCPUOP_initialise, which, &c, sizeof(c));
}

static void comes_up(void **state)
{
	struct fake *f = *state;

	assert_int_equal(op(f, VCPUOP_is_up, 0), 1);
	assert_int_equal(op(f, VCPUOP_is_up, 1), 0);
	assert_int_equal(initialise(f, 1, VCPU_HVM_MODE_64B), 0);
	assert_int_equal(op(f, VCPUOP_is_up, 1), 0);
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].wakes, 0);
	f->now = 500;
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_int_equal(f->vcpu[1].wakes, 1);
	assert_int_equal(op(f, VCPUOP_is_up, 1), 1);
	assert_int_equal(f->vcpu[1].contexts, 0); /* its own thread's business */
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 1);
	assert_int_equal(f->vcpu[1].context.rip, 0x1234);
	assert_int_equal(vcpu(f, 1)->runstate.state, RUNSTATE_running);
	assert_int_equal(vcpu(f, 1)->runstate.time[RUNSTATE_offline], 500);
	/* Once more is no error, and nothing happens. */
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_int_equal(f->vcpu[1].wakes, 1);
}

/* All of that before its thread has asked for the first time whether it may run. */
static void comes_up_at_once(void **state)
{
	struct fake *f = *state;

	assert_int_equal(initialise(f, 1, VCPU_HVM_MODE_64B), 0);
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 1);
	assert_int_equal(f->vcpu[1].context.rip, 0x1234);
	assert_int_equal(vcpu(f, 1)->runstate.state, RUNSTATE_running);
}

/* INIT while it is down: what it had is gone, and it may be given something new. */
static void reset_while_down(void **state)
{
	struct fake *f = *state;

	assert_int_equal(initialise(f, 1, VCPU_HVM_MODE_64B), 0);
	vcpu_reset(vcpu(f, 1));
	assert_int_equal(op(f, VCPUOP_up, 1), -XEN_EINVAL);
	assert_int_equal(initialise(f, 1, VCPU_HVM_MODE_64B), 0);
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 1);
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	vcpu_reset(vcpu(f, 1));
	assert_int_equal(op(f, VCPUOP_up, 1), -XEN_EINVAL);
	assert_false(vcpu_may_run(vcpu(f, 1)));
	vcpu_started(vcpu(f, 1));
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 1);
}

/* INIT while it blocks, and while it polls: what starts it again does not wait. */
static void reset_while_it_waits(void **state)
{
	struct fake *f = *state;

	for (unsigned poll = 0; poll < 2; poll++) {
		fake_start(f, 1);
		if (poll)
			vcpu_poll_begin(vcpu(f, 1));
		else
			vcpu_block(vcpu(f, 1));
		assert_false(vcpu_may_run(vcpu(f, 1)));
		vcpu_reset(vcpu(f, 1));
		assert_false(vcpu_may_run(vcpu(f, 1)));
		assert_int_equal(op(f, VCPUOP_is_up, 1), 0);
		vcpu_started(vcpu(f, 1));
		assert_true(vcpu_may_run(vcpu(f, 1)));
		assert_int_equal(f->domain.events.pollers, 0);
	}
}

static void goes_down_and_comes_back(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	f->now = 700;
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	assert_int_equal(op(f, VCPUOP_is_up, 1), 0);
	assert_int_equal(f->vcpu[1].wakes, 1); /* to hear of it */
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(vcpu(f, 1)->runstate.state, RUNSTATE_offline);
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	f->now = 900;
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 0); /* it goes on where it was */
	assert_int_equal(vcpu(f, 1)->runstate.time[RUNSTATE_offline], 200);
	assert_int_equal(f->shutdowns, 0);
}

static void itself(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	f->current = 1;
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
}

static void the_last_one(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	assert_int_equal(f->shutdowns, 0);
	assert_int_equal(op(f, VCPUOP_down, 0), 0);
	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_poweroff);
}

/* Who is blocked and goes down does not come up by being woken. */
static void down_while_blocked(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	f->current = 1;
	fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(op(f, VCPUOP_down, 1), 0);
	vcpu_unblock(vcpu(f, 1));
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(vcpu(f, 1)->runstate.state, RUNSTATE_offline);
	assert_int_equal(op(f, VCPUOP_up, 1), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
}

static void started_by_sipi(void **state)
{
	struct fake *f = *state;

	assert_false(vcpu_may_run(vcpu(f, 1)));
	fake_start(f, 1);
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_int_equal(f->vcpu[1].contexts, 0);
	assert_refused(f, initialise(f, 1, VCPU_HVM_MODE_64B), XEN_EEXIST);
}

static void not_initialised(void **state)
{
	struct fake *f = *state;

	assert_refused(f, op(f, VCPUOP_up, 1), XEN_EINVAL);
	assert_refused(f, initialise(f, 1, 2), XEN_EINVAL);
	assert_refused(f, op(f, VCPUOP_up, 1), XEN_EINVAL);
	assert_refused(f, fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, FAKE_HOLE),
		       XEN_EFAULT);
}

static void initialised_already(void **state)
{
	struct fake *f = *state;

	assert_refused(f, initialise(f, 0, VCPU_HVM_MODE_64B), XEN_EEXIST);
	assert_refused(f, initialise(f, 0, 2), XEN_EEXIST);
	assert_int_equal(initialise(f, 1, VCPU_HVM_MODE_64B), 0);
	assert_refused(f, initialise(f, 1, VCPU_HVM_MODE_64B), XEN_EEXIST);
	assert_refused(f, fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 0, FAKE_HOLE),
		       XEN_EFAULT);
}

/* Those beyond the first 32 have no vcpu_info before they register one. */
static void without_a_vcpu_info(void **state)
{
	struct fake *f = *state;
	struct vcpu_register_vcpu_info info = {.mfn = 0x80};

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		assert_non_null(domain_add_vcpu(&f->domain, &f->vcpu[1]));
	assert_int_equal(initialise(f, 32, VCPU_HVM_MODE_64B), -XEN_EINVAL);
	assert_int_equal(fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 32, FAKE_HOLE),
			 -XEN_EINVAL);
	assert_int_equal(fake_vcpu_op(f, VCPUOP_register_vcpu_info, 32, &info, sizeof(info)), 0);
	assert_int_equal(initialise(f, 32, VCPU_HVM_MODE_64B), 0);
}

static void nmi(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	assert_int_equal(op(f, VCPUOP_send_nmi, 1), 0);
	assert_int_equal(f->vcpu[1].nmis, 1);
	assert_refused(f, fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 1, FAKE_ARG),
		       XEN_EINVAL);
	assert_int_equal(op(f, VCPUOP_send_nmi, 0), 0);
	assert_int_equal(f->vcpu[0].nmis, 1);
	/* Who waits hears it. */
	fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	f->current = 1;
	assert_int_equal(op(f, VCPUOP_send_nmi, 0), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

static void physid(void **state)
{
	struct fake *f = *state;

	assert_refused(f, op(f, VCPUOP_get_physid, 0), XEN_EINVAL);
	assert_refused(f, op(f, VCPUOP_get_physid, 1), XEN_EINVAL);
}

/* Before anything else. */
static void no_such_vcpu(void **state)
{
	static const unsigned cmds[] = {VCPUOP_initialise,
					VCPUOP_up,
					VCPUOP_down,
					VCPUOP_is_up,
					VCPUOP_get_runstate_info,
					VCPUOP_register_runstate_memory_area,
					VCPUOP_set_periodic_timer,
					VCPUOP_stop_periodic_timer,
					VCPUOP_set_singleshot_timer,
					VCPUOP_stop_singleshot_timer,
					VCPUOP_register_vcpu_info,
					VCPUOP_send_nmi,
					VCPUOP_get_physid,
					VCPUOP_register_vcpu_time_memory_area,
					VCPUOP_register_runstate_phys_area,
					VCPUOP_register_vcpu_time_phys_area};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_refused(f,
			       fake_call(f, __HYPERVISOR_vcpu_op, cmds[i], FAKE_VCPUS, FAKE_HOLE),
			       XEN_ENOENT);
		assert_refused(f,
			       fake_call(f, __HYPERVISOR_vcpu_op, cmds[i], UINT32_MAX, FAKE_HOLE),
			       XEN_ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(comes_up),
		TEST_BOTH(comes_up_at_once),
		TEST_BOTH(reset_while_down),
		TEST_BOTH(reset_while_it_waits),
		TEST_BOTH(goes_down_and_comes_back),
		TEST_BOTH(itself),
		TEST_BOTH(the_last_one),
		TEST_BOTH(down_while_blocked),
		TEST_BOTH(started_by_sipi),
		TEST_BOTH(not_initialised),
		TEST_BOTH(initialised_already),
		TEST_BOTH(without_a_vcpu_info),
		TEST_BOTH(nmi),
		TEST_BOTH(physid),
		TEST_BOTH(no_such_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
