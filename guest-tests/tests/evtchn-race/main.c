// SPDX-License-Identifier: BSD-2-Clause
/*
 * One vCPU sends all the time, by a port that the other closes, binds as something else, moves to
 * another vCPU, and has delivered to a shared_info that moves and to FIFO words in the end.
 *
 * An event that was under way when its port was closed must not show at the port that has the
 * number next (Xen: evtchn_close() waits for nobody, because its senders hold the port's lock); one
 * that was sent to a living port must show, wherever its bit is by then. What sends may be KVM,
 * which once used a shared_info that was no longer there (its selftest xen_shinfo_test).
 */
#include "guest-tests/lib/test.h"

const char test_title[] =
	"one vCPU sends while the other closes, moves and turns the port into another";

#define ROUNDS 40U
#define SEC    1000000000ULL

static uint32_t port, sends, refusals, stop;

static uint32_t load(const uint32_t *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void send_all_the_time(void *unused)
{
	(void)unused;
	while (!load(&stop)) {
		if (evtchn_send(load(&port)))
			__atomic_add_fetch(&refusals, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&sends, 1, __ATOMIC_SEQ_CST);
	}
}

/* Until it has begun and ended another send. */
static void let_it_send(void)
{
	uint32_t before = load(&sends);
	uint64_t until = clock_now() + 5 * SEC;

	while (load(&sends) - before < 2 && clock_now() < until)
		smp_relax();
	CHECK(load(&sends) - before >= 2, "the other vCPU sends no more");
}

static evtchn_port_t bound(long rc)
{
	CHECK(rc > 0, "no port: %ld", rc);
	return (evtchn_port_t)rc;
}

static bool comes(evtchn_port_t p)
{
	return port_wait(p, clock_now() + 5 * SEC) != 0;
}

static void closed_and_bound_again(void)
{
	unsigned int lost = 0, wrong = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		evtchn_port_t p = bound(evtchn_bind_ipi(0));

		__atomic_store_n(&port, p, __ATOMIC_SEQ_CST);
		lost += !comes(p);
		wrong += evtchn_close(p) != 0;
		wrong += bound(evtchn_bind_virq(VIRQ_DEBUG, 0)) != p;
		wrong += port_is_pending(p);
		let_it_send();
		wrong += port_is_pending(p);
		wrong += evtchn_close(p) != 0;
	}
	CHECK(!lost, "%u of %u new ports heard nothing", lost, ROUNDS);
	CHECK(!wrong, "%u things went wrong in %u rounds of closing", wrong, ROUNDS);
}

/* Either end of the loopback, while events pass through it. */
static void moved_and_closed(void)
{
	evtchn_port_t from = bound(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF));
	unsigned int lost = 0, wrong = 0;

	__atomic_store_n(&port, from, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		evtchn_port_t to = bound(evtchn_bind_interdomain(DOMID_SELF, from));

		lost += !comes(to);
		wrong += evtchn_bind_vcpu(to, 1) != 0;
		lost += !comes(to);
		wrong += evtchn_bind_vcpu(to, 0) != 0;
		lost += !comes(to);
		wrong += evtchn_close(to) != 0;
		wrong += bound(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF)) != to;
		let_it_send();
		wrong += port_is_pending(to) || port_is_pending(from);
		wrong += evtchn_close(to) != 0;
	}
	CHECK(!lost, "%u of %u events did not pass the loopback", lost, 3 * ROUNDS);
	CHECK(!wrong, "%u things went wrong in %u rounds of moving", wrong, ROUNDS);
}

static uint8_t elsewhere[PAGE_SIZE] PAGE_ALIGNED;

static long map_at(const void *page)
{
	struct xen_add_to_physmap arg = {.domid = DOMID_SELF,
					 .space = XENMAPSPACE_shared_info,
					 .gpfn = (unsigned long)page / PAGE_SIZE};

	return hypercall_memory_op(XENMEM_add_to_physmap, &arg);
}

/*
 * Anything but the other vCPU's copy of the time, of which the last may be late: it is written in
 * its own time, and to the page where it was.
 */
static unsigned int events_in(const uint8_t *page)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (i < sizeof(struct vcpu_info) ||
		    i >= sizeof(struct vcpu_info) + sizeof(struct vcpu_info))
			n += page[i] != 0;
	for (unsigned int i = 0; i < offsetof(struct vcpu_info, time); i++)
		n += page[sizeof(struct vcpu_info) + i] != 0;
	return n;
}

static void shared_info_moves(void)
{
	const void *home = shared_info_map();
	evtchn_port_t p = bound(evtchn_bind_ipi(0));
	unsigned int lost = 0, wrong = 0;

	__atomic_store_n(&port, p, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		wrong += map_at(elsewhere) != 0;
		let_it_send();
		wrong += map_at(home) != 0;
		lost += !comes(p);
		lost += !comes(p);
	}
	CHECK(!lost, "%u events did not come after shared_info had moved", lost);
	CHECK(!wrong, "shared_info was not moved %u times of %u", wrong, 2 * ROUNDS);
	CHECK(!events_in(elsewhere), "an event has changed the RAM below shared_info");
	CHECK_EQ(evtchn_close(p), 0);
}

static void turned_into_fifo(void)
{
	evtchn_port_t p = bound(evtchn_bind_ipi(0)), other = 0;
	uint64_t until;

	__atomic_store_n(&port, p, __ATOMIC_SEQ_CST);
	let_it_send();
	fifo_start(2);
	port_test_and_clear_pending(p);
	CHECK_EQ(evtchn_unmask(p), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		until = clock_now() + 5 * SEC;
		for (other = fifo_next(); !other && clock_now() < until; other = fifo_next())
			smp_relax();
		CHECK(other == p, "FIFO event %u is of port %u, not %u", i, other, p);
	}
	CHECK(!port_is_pending(p), "a FIFO event has set a 2-level bit");
}

void test_main(void)
{
	/* Interrupts stay off, but there is a way to interrupt. */
	CHECK_EQ(set_callback_vector(0xf3), 0);
	if (!smp_start_all(SMP_BY_CONTEXT))
		return;
	smp_run(1, send_all_the_time, NULL);
	closed_and_bound_again();
	CHECK(load(&refusals), "no send was ever refused");
	moved_and_closed();
	shared_info_moves();
	turned_into_fifo();
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	CHECK(smp_wait(1, 5000), "the other vCPU does not stop");
	test_success();
}
