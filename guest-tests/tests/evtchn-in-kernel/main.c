// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sends that may never leave the host's kernel (--accel=kvm-xen) are as all others: what becomes
 * pending, what the vCPU is told, and to whom an event goes whose port is closed, bound again,
 * polled, or turned into a FIFO one.
 *
 * KVM's own way to send knows a table of ports, not their life. Each test here sends before and
 * after a port has changed. The program that starts this one (evtchn-in-kernel-run) counts the
 * vCPU's exits: where KVM can send, the thousands of sends below are none.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "sends to IPI and loopback ports, with and without an exit, are alike";

#define VECTOR 0xf3
#define SENDS  5000U
#define ROUNDS 100U
#define MS     1000000ULL

static evtchn_port_t bound(long port)
{
	CHECK(port > 0, "no port: %ld", port);
	return (evtchn_port_t)port;
}

/* What the vCPU has been told since the last question. */
static unsigned int upcall(void)
{
	__atomic_store_n(&vcpu_info()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	return __atomic_exchange_n(&vcpu_info()->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
}

/* One send, seen at `to` with all that belongs to it, `wrong` times not so. */
static unsigned int many(evtchn_port_t from, evtchn_port_t to)
{
	const unsigned long word = 1UL << to / WIDTH;
	unsigned int wrong = 0;

	upcall();
	for (unsigned int i = 0; i < SENDS; i++) {
		wrong += evtchn_send(from) != 0;
		wrong += READ_ONCE(vcpu_info()->evtchn_pending_sel) != word;
		wrong += upcall() != 1;
		wrong += !port_test_and_clear_pending(to);
	}
	return wrong;
}

static void many_to_an_ipi_port(void)
{
	evtchn_port_t p = bound(evtchn_bind_ipi(0));
	unsigned int wrong = many(p, p);

	CHECK(!wrong, "%u of %u sends to an IPI port went wrong", wrong, SENDS);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(upcall(), 1);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(!upcall(), "an event that is pending already was told again");
	CHECK_EQ(evtchn_close(p), 0);
	CHECK_EQ(evtchn_send(p), -XEN_EINVAL);
}

static void many_to_a_loopback(void)
{
	evtchn_port_t a = bound(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF));
	evtchn_port_t b = bound(evtchn_bind_interdomain(DOMID_SELF, a));
	unsigned int wrong;

	port_test_and_clear_pending(b); /* which bind_interdomain has made */
	wrong = many(a, b) + many(b, a);
	CHECK(!wrong, "%u of %u sends through a loopback went wrong", wrong, 2 * SENDS);
	CHECK_EQ(evtchn_bind_vcpu(a, 0), 0);
	CHECK_EQ(evtchn_send(b), 0);
	CHECK(port_test_and_clear_pending(a), "a port that was moved hears nothing");
	CHECK_EQ(evtchn_close(b), 0);
	CHECK_EQ(evtchn_send(a), 0); /* to nobody */
	CHECK(!port_is_pending(a) && !port_is_pending(b),
	      "an event without a receiver was received");
	CHECK_EQ(evtchn_close(a), 0);
}

static void masked(void)
{
	evtchn_port_t p = bound(evtchn_bind_ipi(0));

	upcall();
	port_set_mask(p, true);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(port_is_pending(p), "a masked event is not pending");
	CHECK(!upcall(), "a masked event was told");
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK_EQ(upcall(), 1);
	CHECK(port_test_and_clear_pending(p), "an event was lost by unmasking it");
	CHECK_EQ(evtchn_close(p), 0);
}

/* The next to have the number is not the one that was sent to. */
static void closed_and_bound_again(void)
{
	evtchn_port_t other = bound(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF));
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		evtchn_port_t p = bound(evtchn_bind_ipi(0)), q;

		wrong += evtchn_send(p) != 0 || !port_is_pending(p);
		wrong += evtchn_close(p) != 0 || port_is_pending(p);
		wrong += evtchn_send(p) != -XEN_EINVAL;
		/* Now a loopback: what is sent to it arrives elsewhere. */
		q = bound(evtchn_bind_interdomain(DOMID_SELF, other));
		wrong += q != p || !port_test_and_clear_pending(q);
		wrong += evtchn_send(q) != 0 || port_is_pending(q);
		wrong += !port_test_and_clear_pending(other);
		wrong += evtchn_close(q) != 0 || evtchn_send(other) != 0;
		/* And one that cannot be sent to. */
		wrong += evtchn_bind_virq(VIRQ_TIMER, 0) != (long)p;
		wrong += evtchn_send(p) != -XEN_EINVAL || port_is_pending(p);
		wrong += evtchn_close(p) != 0;
	}
	CHECK(!wrong, "%u things went wrong in %u lives of a port", wrong, ROUNDS);
	CHECK_EQ(evtchn_close(other), 0);
}

static void polled(void)
{
	evtchn_port_t p = bound(evtchn_bind_ipi(0)), late;
	struct sched_poll arg = {.nr_ports = 1, .timeout = clock_now() + 5 * MS};

	arg.ports.p = &p;
	port_set_mask(p, true);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &arg), 0);
	CHECK(port_test_and_clear_pending(p), "the polled port is not pending");
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &arg), 0);
	CHECK(clock_now() >= arg.timeout, "the poll did not wait");
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(port_test_and_clear_pending(p), "no events after a poll");
	late = bound(evtchn_bind_ipi(0));
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(evtchn_send(late), 0);
	CHECK(port_test_and_clear_pending(p), "no events to an old port");
	CHECK(port_test_and_clear_pending(late), "no events to a new port");
	CHECK_EQ(evtchn_close(late), 0);
	CHECK_EQ(evtchn_close(p), 0);
}

static void reset(void)
{
	struct evtchn_reset arg = {.dom = DOMID_SELF};
	evtchn_port_t p = bound(evtchn_bind_ipi(0)), q;

	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &arg), 0);
	CHECK(!port_is_pending(p), "still pending after a reset");
	CHECK_EQ(evtchn_send(p), -XEN_EINVAL);
	q = bound(evtchn_bind_ipi(0));
	upcall();
	CHECK_EQ(evtchn_send(q), 0);
	CHECK_EQ(upcall(), 1);
	CHECK(port_test_and_clear_pending(q), "no events after a reset");
	CHECK_EQ(evtchn_close(q), 0);
}

/* What is pending comes along, and what is sent afterwards is not put where it was before. */
static void turned_into_fifo(void)
{
	evtchn_port_t p = bound(evtchn_bind_ipi(0)), q = bound(evtchn_bind_ipi(0));

	CHECK_EQ(evtchn_send(p), 0);
	fifo_start(1);
	port_test_and_clear_pending(p);
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK_EQ(evtchn_unmask(q), 0);
	CHECK_EQ(fifo_next(), p);
	CHECK_EQ(fifo_next(), 0);
	CHECK_EQ(evtchn_send(q), 0);
	CHECK(!port_is_pending(q), "a FIFO event set a 2-level bit");
	CHECK_EQ(fifo_next(), q);
}

void test_main(void)
{
	/* With interrupts off: it is not to be taken, but there is a way to interrupt. */
	CHECK_EQ(set_callback_vector(VECTOR), 0);
	many_to_an_ipi_port();
	many_to_a_loopback();
	masked();
	closed_and_bound_again();
	polled();
	reset();
	turned_into_fifo();
	printf("sends: at least %u\n", 3 * SENDS);
	test_success();
}
