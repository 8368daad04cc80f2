// SPDX-License-Identifier: BSD-2-Clause
/*
 * The upcall by a vector of the vCPU's own: through the local APIC, with EOI, a thousand times.
 *
 * HVMOP_set_evtchn_upcall_vector makes an event raise an ordinary LAPIC interrupt, edge triggered;
 * Linux prefers it where CPUID offers it. The guest says EOI, and until it does the next one waits
 * in the LAPIC. Vectors below 16 are not for interrupts: -EINVAL; a vCPU that is not there:
 * -ENOENT.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "upcalls by the vCPU's own vector, 1000 in a row with EOI";

#define VECTOR          0xf4
#define CALLBACK_VECTOR 0xf3

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	upcall_take();
	lapic_eoi();
}

static void refused(void)
{
	CHECK_EQ(set_upcall_vector(0, 0), -XEN_EINVAL);
	CHECK_EQ(set_upcall_vector(0, 15), -XEN_EINVAL);
	CHECK_EQ(set_upcall_vector(77, VECTOR), -XEN_ENOENT);
}

static void waits(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(upcall_seen(), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
	port_set_mask(p, true);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 0);
	CHECK_EQ(evtchn_unmask(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
}

/* One bit of the LAPIC's 256-bit registers. */
static bool lapic_bit(unsigned int reg, unsigned int vector)
{
	return lapic_read(reg + vector / 32 * 16) >> vector % 32 & 1;
}

static void is_an_ordinary_interrupt(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(lapic_bit(LAPIC_IRR, VECTOR), "the vector is not in the LAPIC's request register");
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
	CHECK(!lapic_bit(LAPIC_IRR, VECTOR) && !lapic_bit(LAPIC_ISR, VECTOR),
	      "the vector is still in the LAPIC after EOI");
}

static unsigned int of_the_domain;

static void wrong_upcall(struct trap_frame *frame)
{
	(void)frame;
	of_the_domain++;
	evtchn_drain(NULL);
}

/* A vCPU with a vector of its own is not interrupted by the domain's, which has no EOI. */
static void not_by_the_callback_vector(evtchn_port_t p)
{
	irq_set_handler(CALLBACK_VECTOR, wrong_upcall);
	CHECK_EQ(set_callback_vector(CALLBACK_VECTOR), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
	CHECK_EQ(of_the_domain, 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CALLBACK_IRQ, 0), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(upcall_seen(), 101);
}

void test_main(void)
{
	evtchn_port_t p = upcall_begin();

	irq_set_handler(VECTOR, upcall);
	refused();
	CHECK_EQ(set_upcall_vector(0, VECTOR), 0);
	irq_window();
	evtchn_drain(NULL);
	upcall_seen();
	CHECK_EQ(evtchn_unmask(p), 0);
	waits(p);
	is_an_ordinary_interrupt(p);
	upcall_in_a_row(p, "the vCPU's vector");
	not_by_the_callback_vector(p);
	upcall_wakes_from_hlt();
	test_success();
}
