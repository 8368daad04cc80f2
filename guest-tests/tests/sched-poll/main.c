// SPDX-License-Identifier: BSD-2-Clause
/*
 * SCHEDOP_poll sleeps until one of some ports is pending, masked or not, or a time has come;
 * kernels wait so for a spinlock (Linux: xen_poll_irq(), which panics on any error), and before
 * interrupts work. SCHEDOP_block sleeps until an upcall is pending.
 *
 * Who sleeps too long hangs; who is told nothing and sleeps too short spins. So each is measured by
 * the clock. The events are those of the timer: there is one vCPU only. Interrupts stay off, so
 * that an upcall that is pending cannot be taken and is no reason to wake (Xen: do_poll()).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "SCHEDOP_poll and SCHEDOP_block: what they wait for, how long, errnos";

#define MS   1000000ULL
#define LATE (1000 * MS) /* the bed may be slow */

static evtchn_port_t timer, other;

static long poll_ports(evtchn_port_t *ports, unsigned int nr, uint64_t timeout)
{
	struct sched_poll arg = {.nr_ports = nr, .timeout = timeout};

	arg.ports.p = ports;
	return hypercall_sched_op(SCHEDOP_poll, &arg);
}

static long poll_one(evtchn_port_t port, uint64_t timeout)
{
	return poll_ports(&port, 1, timeout);
}

static void timer_at(uint64_t at)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = at};

	port_test_and_clear_pending(timer);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg), 0);
}

/* The sleep that has just ended was to last until `at`. */
static void slept_until(uint64_t at, const char *what)
{
	uint64_t now = clock_now();

	CHECK(now >= at, "%s: woke %llu ns too early", what, (unsigned long long)(at - now));
	CHECK(now < at + LATE, "%s: woke %llu ns too late", what, (unsigned long long)(now - at));
}

static void until_the_event(void)
{
	uint64_t at = clock_now() + 20 * MS;

	timer_at(at);
	CHECK_EQ(poll_one(timer, 0), 0);
	slept_until(at, "an event");
	CHECK(port_is_pending(timer), "awake without the event");
	at = clock_now();
	CHECK_EQ(poll_one(timer, at + 500 * MS), 0);
	CHECK(clock_now() < at + 400 * MS, "a port that is pending already was waited for");
}

static void until_the_timeout(void)
{
	uint64_t at = clock_now() + 20 * MS;

	CHECK_EQ(poll_one(other, at), 0);
	slept_until(at, "a timeout");
	CHECK(!port_is_pending(other), "the timeout made the port pending");
	at = clock_now();
	CHECK_EQ(poll_one(other, at - MS), 0);
	slept_until(at - MS, "a timeout in the past");
	CHECK_EQ(poll_ports(NULL, 0, at + 20 * MS), 0);
	slept_until(at + 20 * MS, "a timeout, no ports");
}

/* The event of another port is not waited for, unless there are several. */
static void of_another_port(void)
{
	evtchn_port_t ports[2] = {other, other};
	uint64_t at = clock_now();

	timer_at(at + 20 * MS);
	CHECK_EQ(poll_one(other, at + 60 * MS), 0);
	slept_until(at + 60 * MS, "another port's event");
	CHECK(port_is_pending(timer), "the timer's event is missing");
	at = clock_now();
	ports[0] = timer;
	timer_at(at + 20 * MS);
	CHECK_EQ(poll_ports(ports, 2, 0), 0);
	slept_until(at + 20 * MS, "the first of two ports");
	port_test_and_clear_pending(timer);
}

static evtchn_port_t many[129];

static void limits(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = other;
	CHECK_EQ(poll_ports(many, 128, clock_now() + MS), 0);
	CHECK_EQ(poll_ports(many, 129, clock_now() + MS), -XEN_EINVAL);
	CHECK_EQ(poll_ports(many, 0xffffffff, clock_now() + MS), -XEN_EINVAL);
}

static void bad_ports(void)
{
	evtchn_port_t ports[3] = {other, 0, other};
	long closed = evtchn_bind_ipi(0);

	CHECK_EQ(evtchn_close((evtchn_port_t)closed), 0);
	CHECK_EQ(poll_one(0, 1), -XEN_EINVAL);
	CHECK_EQ(poll_one((evtchn_port_t)closed, 1), -XEN_EINVAL);
	CHECK_EQ(poll_one(0x7fffffff, 1), -XEN_EINVAL);
	CHECK_EQ(poll_ports(ports, 3, 1), -XEN_EINVAL);
	/* What is pending comes first, and the rest is not looked at. */
	CHECK_EQ(evtchn_send(other), 0);
	CHECK_EQ(poll_ports(ports, 3, 1), 0);
	port_test_and_clear_pending(other);
}

static void bad_pointers(void)
{
	unsigned long bad = (unsigned long)ram_end_low() + (16UL << 20);

#ifdef __x86_64__
	bad = (unsigned long)window_map(1, 0, 0);
#endif
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, (const void *)bad), -XEN_EFAULT);
	CHECK_EQ(poll_ports((evtchn_port_t *)bad, 1, 1), -XEN_EFAULT);
	CHECK_EQ(poll_ports((evtchn_port_t *)bad, 129, 1), -XEN_EINVAL);
}

/* An unmasked event sets evtchn_upcall_pending, which ends the block with interrupts off, too. */
static void blocks(void)
{
	uint64_t at;

	CHECK_EQ(set_callback_vector(0xf3), 0);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_pending, 0);
	WRITE_ONCE(vcpu_info()->evtchn_pending_sel, 0);
	port_set_mask(timer, false);
	at = clock_now() + 20 * MS;
	timer_at(at);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_block, NULL), 0);
	slept_until(at, "SCHEDOP_block");
	CHECK(port_is_pending(timer), "awake without the event");
	CHECK(READ_ONCE(vcpu_info()->evtchn_upcall_pending), "awake without an upcall");
}

void test_main(void)
{
	long a = evtchn_bind_virq(VIRQ_TIMER, 0), b = evtchn_bind_ipi(0);

	CHECK(a > 0 && b > 0, "bind_virq: %ld, bind_ipi: %ld", a, b);
	timer = (evtchn_port_t)a;
	other = (evtchn_port_t)b;
	port_set_mask(timer, true);
	port_set_mask(other, true);
	until_the_event();
	port_test_and_clear_pending(timer);
	until_the_timeout();
	of_another_port();
	limits();
	bad_ports();
	bad_pointers();
	blocks();
	test_success();
}
