// SPDX-License-Identifier: BSD-2-Clause
/*
 * One-shot timers, by vcpu_op and by set_timer_op.
 *
 * Both set the vCPU's one timer to a moment of system time, and VIRQ_TIMER comes when it is
 * reached: never before, since a kernel that is woken early sets the same deadline again and
 * spins; and at once when the moment is past, since a kernel that loses a tick sleeps for ever.
 *
 * VCPU_SSHOTTMR_future: the public header says that a time in the past is then -ETIME; Xen 4.17 and
 * KVM take no notice of the flag, answer 0 and deliver. Both are accepted, but not silence.
 *
 * The port stays masked and its pending bit is watched, so no upcall is needed.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "singleshot timer and set_timer_op: future, past, stopped";

#define MS      1000000ULL
#define LATE    (1000 * MS) /* the bed may be slow; lost timers are later still */
#define AT_ONCE (100 * MS)

static evtchn_port_t port;

static long singleshot(uint64_t at, uint32_t flags)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = at, .flags = flags};

	return hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
}

static long by_singleshot(uint64_t at)
{
	return singleshot(at, 0);
}

static void future(long (*set)(uint64_t at), const char *how)
{
	uint64_t at = clock_now() + 20 * MS, came;
	long rc = set(at);

	CHECK(rc == 0, "%s in the future: %ld", how, rc);
	came = port_wait(port, at + LATE);
	CHECK(came, "%s: no event a second after its time", how);
	if (came)
		CHECK(came >= at, "%s: came %llu ns before its time", how,
		      (unsigned long long)(at - came));
	CHECK(!port_wait(port, clock_now() + 30 * MS), "%s: came twice", how);
}

static void past(long (*set)(uint64_t at), const char *how)
{
	uint64_t now = clock_now(), came;
	long rc = set(now - MS);

	CHECK(rc == 0, "%s in the past: %ld", how, rc);
	came = port_wait(port, now + LATE);
	CHECK(came && came < now + AT_ONCE, "%s in the past: event %s", how,
	      came ? "late" : "missing");
}

static void past_with_future_flag(void)
{
	long rc = singleshot(clock_now() - MS, VCPU_SSHOTTMR_future);
	bool came = port_wait(port, clock_now() + AT_ONCE);

	CHECK((rc == 0 && came) || (rc == -XEN_ETIME && !came),
	      "past with the future flag: %ld, event %s", rc, came ? "came" : "did not come");
}

static void replaced(void)
{
	uint64_t at = clock_now() + 60 * MS, came;

	CHECK_EQ(singleshot(at - 40 * MS, 0), 0);
	CHECK_EQ(singleshot(at, 0), 0);
	came = port_wait(port, at + LATE);
	CHECK(came >= at, "the first of two deadlines was kept");
}

static void stopped(void)
{
	uint64_t at = clock_now() + 20 * MS;

	CHECK_EQ(singleshot(at, 0), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	CHECK(!port_wait(port, at + 50 * MS), "a stopped singleshot timer came");
	at = clock_now() + 20 * MS;
	CHECK_EQ(hypercall_set_timer_op(at), 0);
	CHECK_EQ(hypercall_set_timer_op(0), 0);
	CHECK(!port_wait(port, at + 50 * MS), "set_timer_op(0) does not cancel");
}

static void refused(void)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = 1};

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 77, &arg), -XEN_ENOENT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 77, NULL), -XEN_ENOENT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
}

void test_main(void)
{
	long rc = evtchn_bind_virq(VIRQ_TIMER, 0);

	CHECK(rc > 0, "bind_virq: %ld", rc);
	port = (evtchn_port_t)rc;
	port_set_mask(port, true);
	refused();
	future(by_singleshot, "singleshot");
	past(by_singleshot, "singleshot");
	past_with_future_flag();
	future(hypercall_set_timer_op, "set_timer_op");
	past(hypercall_set_timer_op, "set_timer_op");
	replaced();
	stopped();
	test_success();
}
