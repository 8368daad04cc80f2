// SPDX-License-Identifier: BSD-2-Clause
/*
 * VCPUOP_set_periodic_timer: a VIRQ_TIMER every period, the first at once when none has come for as
 * long as that (Xen: vcpu_periodic_timer_work()). Nobody sets a deadline, so lost ticks are not
 * made up for, but none comes early. The port stays masked and its pending bit is watched.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the periodic timer: ticks, changes, stops";

#define MS   1000000ULL
#define LATE (1000 * MS)

static evtchn_port_t port;

static long set(unsigned int vcpu, uint64_t period)
{
	struct vcpu_set_periodic_timer arg = {.period_ns = period};

	return hypercall_vcpu_op(VCPUOP_set_periodic_timer, vcpu, &arg);
}

static long stop(void)
{
	return hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
}

static void ticks(uint64_t period)
{
	uint64_t start, last;

	CHECK_EQ(stop(), 0);
	port_test_and_clear_pending(port);
	start = clock_now();
	CHECK_EQ(set(0, period), 0);
	last = port_wait(port, start + LATE);
	CHECK(last, "no first tick");
	for (unsigned int i = 1; i <= 5 && last; i++) {
		uint64_t now = port_wait(port, last + period + LATE);

		CHECK(now, "tick %u is missing", i);
		/* The one before may have been seen late: count from the start. */
		CHECK(!now || now >= start + i * period, "tick %u came %llu ns early", i,
		      (unsigned long long)(start + i * period - now));
		last = now;
	}
}

static void stopped(void)
{
	CHECK_EQ(stop(), 0);
	port_test_and_clear_pending(port);
	CHECK(!port_wait(port, clock_now() + 60 * MS), "a stopped timer ticks");
	CHECK_EQ(stop(), 0);
}

/* It and the singleshot timer are two. */
static void with_a_singleshot(void)
{
	struct vcpu_set_singleshot_timer arg;
	uint64_t at;

	CHECK_EQ(set(0, 400 * MS), 0);
	port_wait(port, clock_now() + MS);
	at = clock_now() + 20 * MS;
	arg = (struct vcpu_set_singleshot_timer){.timeout_abs_ns = at};
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg), 0);
	CHECK(port_wait(port, at + 200 * MS) >= at, "the singleshot timer is late or early");
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	CHECK(port_wait(port, clock_now() + LATE), "no tick after the singleshot timer");
	CHECK_EQ(stop(), 0);
}

static void refused(void)
{
	CHECK_EQ(set(0, 0), -XEN_EINVAL);
	CHECK_EQ(set(0, MS - 1), -XEN_EINVAL);
	CHECK_EQ(set(0, 1ULL << 62), -XEN_EINVAL);
	CHECK_EQ(set(0, ~0ULL), -XEN_EINVAL);
	CHECK_EQ(set(77, 0), -XEN_ENOENT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 77, NULL), -XEN_ENOENT);
}

void test_main(void)
{
	long rc = evtchn_bind_virq(VIRQ_TIMER, 0);

	CHECK(rc > 0, "bind_virq: %ld", rc);
	port = (evtchn_port_t)rc;
	port_set_mask(port, true);
	refused();
	ticks(20 * MS);
	ticks(7 * MS);
	stopped();
	with_a_singleshot();
	test_success();
}
