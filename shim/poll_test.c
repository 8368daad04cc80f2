// SPDX-License-Identifier: BSD-2-Clause
/* SCHEDOP_poll and SCHEDOP_block: who waits, and what wakes it. */
#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

#define PORTS (FAKE_ARG + 0x400)

static struct vcpu *vcpu(struct fake *f, unsigned i)
{
	return f->domain.vcpus[i];
}

static long poll_at(struct fake *f, uint64_t ports, uint32_t nr, uint64_t timeout)
{
	struct sched_poll native = {.nr_ports = nr, .timeout = timeout};
	struct sched_poll_x86_32 compat = {ports, nr, timeout};

	native.ports.p = (evtchn_port_t *)(uintptr_t)ports;
	return f->long_mode
		       ? fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &native, sizeof(native))
		       : fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &compat, sizeof(compat));
}

static long poll_ports(struct fake *f, const evtchn_port_t *ports, uint32_t nr, uint64_t timeout)
{
	if (nr)
		memcpy(f->ram + PORTS, ports, nr * sizeof(*ports));
	return poll_at(f, PORTS, nr, timeout);
}

static long poll_one(struct fake *f, evtchn_port_t port)
{
	return poll_ports(f, &port, 1, 0);
}

static long block(struct fake *f)
{
	return fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
}

/* A port of vCPU 0 that is masked, as polled ones are. */
static evtchn_port_t masked_port(struct fake *f)
{
	long port = fake_bind_ipi(f, 0);

	fake_set_mask(f, port, true);
	return port;
}

static void waits_until_the_event(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	assert_int_equal(poll_one(f, port), 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(vcpu(f, 0)->runstate.state, RUNSTATE_blocked);
	assert_int_equal(f->vcpu[0].wakes, 0);
	f->current = 1;
	fake_send(f, port);
	assert_int_equal(f->vcpu[0].wakes, 1);
	assert_int_equal(f->vcpu[0].upcalls, 0); /* it is masked */
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(vcpu(f, 0)->runstate.state, RUNSTATE_running);
}

static void pending_already(void **state)
{
	struct fake *f = *state;
	evtchn_port_t ports[3] = {masked_port(f), masked_port(f), masked_port(f)};

	fake_send(f, ports[1]);
	assert_int_equal(poll_one(f, ports[1]), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	/* Those after it are not looked at. */
	ports[2] = 4000;
	assert_int_equal(poll_ports(f, ports, 3, 0), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->domain.pollers[0], 0);
}

/* A single port is waited for; several, or none, are waited for with all others. */
static void which_events_wake(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f), other = masked_port(f);
	const evtchn_port_t both[2] = {port, port};

	poll_one(f, port);
	fake_send(f, other);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, port);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	fake_clear_pending(f, port);
	fake_clear_pending(f, other);
	poll_ports(f, both, 2, 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, other);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	fake_clear_pending(f, other);
	poll_ports(f, NULL, 0, 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, other);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

/* An event that was pending before is no event. */
static void pending_before(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f), other = masked_port(f);
	const evtchn_port_t twice[2] = {port, port};

	fake_send(f, other);
	poll_ports(f, twice, 2, 0);
	fake_send(f, other);
	assert_false(vcpu_may_run(vcpu(f, 0)));
}

static void timeout(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	f->now = 1000;
	assert_int_equal(poll_ports(f, &port, 1, 5000), 0);
	assert_int_equal(f->vcpu[0].timer, 5000);
	f->now = 4999;
	vcpu_timer_expired(vcpu(f, 0));
	assert_false(vcpu_may_run(vcpu(f, 0)));
	f->now = 5000;
	vcpu_timer_expired(vcpu(f, 0));
	assert_int_equal(f->vcpu[0].wakes, 1);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

/* None of them waits long: in the past, and what is negative to Xen. */
static void timeout_in_the_past(void **state)
{
	static const uint64_t past[] = {1, 999, 1ull << 63, UINT64_MAX};
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	f->now = 1000;
	for (unsigned i = 0; i < ARRAY_SIZE(past); i++) {
		assert_int_equal(poll_ports(f, &port, 1, past[i]), 0);
		assert_true(f->vcpu[0].timer && f->vcpu[0].timer < f->now);
		vcpu_timer_expired(vcpu(f, 0));
		assert_true(vcpu_may_run(vcpu(f, 0)));
	}
}

/* The timeout of a poll that has ended does not end the next one. */
static void timeout_is_forgotten(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	poll_ports(f, &port, 1, 5000);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, port);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->vcpu[0].timer, 0);
	fake_clear_pending(f, port);
	poll_one(f, port);
	f->now = 6000;
	vcpu_timer_expired(vcpu(f, 0));
	assert_false(vcpu_may_run(vcpu(f, 0)));
}

static void errors(void **state)
{
	struct fake *f = *state;
	evtchn_port_t good = masked_port(f), ports[2] = {good, 0};
	const uint64_t end = FAKE_RAM_SIZE - sizeof(good);

	assert_refused(f, poll_at(f, PORTS, 129, 0), XEN_EINVAL);
	assert_refused(f, poll_at(f, FAKE_HOLE, 129, 0), XEN_EINVAL);
	assert_refused(f, poll_at(f, PORTS, UINT32_MAX, 0), XEN_EINVAL);
	assert_refused(f, poll_at(f, FAKE_HOLE, 1, 0), XEN_EFAULT);
	assert_refused(f, poll_one(f, 0), XEN_EINVAL);
	assert_refused(f, poll_one(f, good + 1), XEN_EINVAL); /* free */
	assert_refused(f, poll_one(f, 1u << 20), XEN_EINVAL);
	assert_refused(f, poll_one(f, UINT32_MAX), XEN_EINVAL);
	assert_refused(f, poll_ports(f, ports, 2, 77), XEN_EINVAL);
	/* One by one: the second is where no memory is. */
	memcpy(f->ram + end, &good, sizeof(good));
	assert_refused(f, poll_at(f, end, 2, 0), XEN_EFAULT);
	memset(f->ram + end, 0, sizeof(good));
	assert_refused(f, poll_at(f, end, 2, 0), XEN_EINVAL);
	assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_poll, FAKE_HOLE, 0),
		       XEN_EFAULT);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

static void as_many_as_there_may_be(void **state)
{
	struct fake *f = *state;
	evtchn_port_t ports[128];

	for (unsigned i = 0; i < 128; i++)
		ports[i] = masked_port(f);
	assert_int_equal(poll_ports(f, ports, 128, 0), 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, ports[127]);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(poll_ports(f, ports, 128, 0), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

/* The argument is of the caller's word size, whatever the domain's is. */
static void word_size_of_the_caller(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	f->long_mode = !f->long_mode;
	assert_int_equal(poll_ports(f, &port, 1, 0x123456789ull), 0);
	assert_int_equal(f->vcpu[0].timer, 0x123456789ull);
	assert_int_equal(vcpu(f, 0)->poll_port, port);
}

/* An upcall that can be taken is not waited for; one that cannot be is no reason. */
static void upcall_pending(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	event_channels_mark_all(vcpu(f, 0));
	poll_one(f, port);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	vcpu_unblock(vcpu(f, 0));
	f->vcpu[0].interrupts = true;
	assert_int_equal(poll_one(f, port), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	/* Before the ports are looked at. */
	assert_int_equal(poll_at(f, FAKE_HOLE, 1, 0), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

/* A new upcall wakes whoever it is for, if it can take it or not. */
static void upcall_wakes(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);
	long other = fake_bind_ipi(f, 0), foreign = fake_bind_ipi(f, 1);

	poll_one(f, port);
	fake_send(f, foreign);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, other);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

/* Who sends an upcall may be late to end the wait: then the vCPU has taken it, and waits anew. */
static void upcall_taken_already(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = vcpu(f, 0);
	guest_vcpu_info *info;

	assert_int_equal(poll_one(f, masked_port(f)), 0);
	assert_false(vcpu_may_run(v));
	vcpu_upcall_sent(v);
	assert_false(vcpu_may_run(v));
	info = vcpu_info_lock(v);
	info->evtchn_upcall_pending = 1;
	vcpu_info_unlock(v);
	vcpu_upcall_sent(v);
	assert_true(vcpu_may_run(v));
}

/* So may who tells of the event, even one of the port that is polled again. */
static void event_taken_already(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	fake_send(f, port);
	fake_clear_pending(f, port);
	assert_int_equal(poll_one(f, port), 0);
	vcpu_wake_pollers(&f->domain, port);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	f->current = 1;
	fake_send(f, port);
	assert_true(vcpu_may_run(vcpu(f, 0)));
}

static void several_pollers(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f), other = masked_port(f);

	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		fake_start(f, i);
		f->current = i;
		assert_int_equal(poll_one(f, i == 1 ? other : port), 0);
		assert_false(vcpu_may_run(vcpu(f, i)));
	}
	fake_send(f, port);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_true(vcpu_may_run(vcpu(f, 2)));
}

static void blocks(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_ipi(f, 0);

	((struct shared_info *)f->shared_info)->vcpu_info[0].evtchn_upcall_mask = 1;
	assert_int_equal(block(f), 0);
	assert_int_equal(((struct shared_info *)f->shared_info)->vcpu_info[0].evtchn_upcall_mask,
			 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	fake_send(f, port);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->vcpu[0].wakes, 1);
	/* The upcall has not been taken: no waiting, if it can be. */
	f->vcpu[0].interrupts = true;
	assert_int_equal(block(f), 0);
	assert_true(vcpu_may_run(vcpu(f, 0)));
	fake_take_upcall(f, 0);
	assert_int_equal(block(f), 0);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	/* Masked ports wake pollers only. */
	fake_clear_pending(f, port);
	fake_set_mask(f, port, true);
	fake_send(f, port);
	assert_false(vcpu_may_run(vcpu(f, 0)));
}

/* The machinery has seen an interrupt that the shim knows nothing of. */
static void interrupted(void **state)
{
	struct fake *f = *state;
	evtchn_port_t port = masked_port(f);

	poll_one(f, port);
	assert_false(vcpu_may_run(vcpu(f, 0)));
	vcpu_unblock(vcpu(f, 0));
	assert_true(vcpu_may_run(vcpu(f, 0)));
	assert_int_equal(f->domain.pollers[0], 0);
	fake_send(f, port);
	assert_int_equal(f->vcpu[0].wakes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(waits_until_the_event),
		TEST_BOTH(pending_already),
		TEST_BOTH(which_events_wake),
		TEST_BOTH(pending_before),
		TEST_BOTH(timeout),
		TEST_BOTH(timeout_in_the_past),
		TEST_BOTH(timeout_is_forgotten),
		TEST_BOTH(errors),
		TEST_BOTH(as_many_as_there_may_be),
		TEST_BOTH(word_size_of_the_caller),
		TEST_BOTH(upcall_pending),
		TEST_BOTH(upcall_wakes),
		TEST_BOTH(upcall_taken_already),
		TEST_BOTH(event_taken_already),
		TEST_BOTH(several_pollers),
		TEST_BOTH(blocks),
		TEST_BOTH(interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
