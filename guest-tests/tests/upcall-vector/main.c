// SPDX-License-Identifier: BSD-2-Clause
/*
 * The upcall by callback vector: a thousand times in a row, and no EOI.
 *
 * With HVM_PARAM_CALLBACK_IRQ of type "vector" Xen injects the vector past the local APIC: the
 * guest never says EOI, and an implementation that sends it through a LAPIC delivers exactly one.
 * Here the vCPU sends itself an event, takes the interrupt, handles it as kernels do, a thousand
 * times. Before, the ways in which an event must wait: masked, interrupts off, callback not set
 * yet. A PVH guest, which has no I/O APIC, cannot have its callback any other way, nor without it.
 * The per-vCPU upcall mask is a PV thing that an HVM guest's hypervisor ignores.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "upcalls by callback vector, 1000 in a row without EOI";

#define VECTOR 0xf3
#define MS     1000000ULL

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	upcall_take();
}

static void waits_for_the_callback(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 0);
	CHECK_EQ(set_callback_vector(VECTOR), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
}

static void waits_for_sti(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(upcall_seen(), 0);
	CHECK(READ_ONCE(vcpu_info()->evtchn_upcall_pending), "no upcall is pending");
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
}

static void waits_for_unmask(evtchn_port_t p)
{
	port_set_mask(p, true);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 0);
	CHECK(port_is_pending(p), "a masked port must become pending");
	CHECK_EQ(evtchn_unmask(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
}

static void ignores_the_upcall_mask(evtchn_port_t p)
{
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 1);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
}

/* The interrupt of an unmasked port ends SCHEDOP_poll, whatever port was polled. */
static void wakes_from_poll(evtchn_port_t polled)
{
	struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = clock_now() + 20 * MS};
	struct sched_poll poll = {.nr_ports = 1, .timeout = clock_now() + 1000 * MS};

	poll.ports.p = &polled;
	port_set_mask(polled, true);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer), 0);
	__asm__ volatile("sti" ::: "memory");
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
	__asm__ volatile("cli" ::: "memory");
	CHECK_EQ(upcall_seen(), 101);
	CHECK(clock_now() >= timer.timeout_abs_ns, "woke before the time");
	CHECK(clock_now() < poll.timeout, "the timeout ended the poll, not the interrupt");
	CHECK(!port_is_pending(polled), "the polled port is pending");
}

/* Xen, hvm_set_callback_via: it keeps the value as a parameter, and the callback as it was. */
static void nothing_but_a_vector(evtchn_port_t p)
{
	const uint64_t values[] = {
		0,
		(uint64_t)HVM_PARAM_CALLBACK_TYPE_GSI << 56 | 9,
		(uint64_t)HVM_PARAM_CALLBACK_TYPE_PCI_INTX << 56 | 1 << 11,
		(uint64_t)3 << 56 | 0xf4,
	};
	uint64_t value;

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		CHECK_EQ(hvm_set_param(HVM_PARAM_CALLBACK_IRQ, values[i]), 0);
		CHECK_EQ(evtchn_send(p), 0);
		irq_window();
		CHECK_EQ(upcall_seen(), 101);
		CHECK_EQ(hvm_get_param(HVM_PARAM_CALLBACK_IRQ, &value), 0);
		CHECK_EQ(value, values[i]);
	}
}

void test_main(void)
{
	evtchn_port_t p = upcall_begin();

	irq_set_handler(VECTOR, upcall);
	evtchn_drain(NULL);
	CHECK_EQ(evtchn_unmask(p), 0);
	waits_for_the_callback(p);
	waits_for_sti(p);
	waits_for_unmask(p);
	ignores_the_upcall_mask(p);
	upcall_from_within(p);
	nothing_but_a_vector(p);
	upcall_in_a_row(p, "the callback vector");
	upcall_wakes_from_hlt();
	wakes_from_poll(p);
	test_success();
}
