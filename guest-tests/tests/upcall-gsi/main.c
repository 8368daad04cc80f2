// SPDX-License-Identifier: BSD-2-Clause
/*
 * The upcall by a line into the I/O APIC: HVM_PARAM_CALLBACK_IRQ of type GSI or PCI INTx.
 *
 * evtchn_upcall_pending of vCPU 0 holds the line up (Xen, hvm_set_callback_irq_level). An input
 * that is triggered by level interrupts until the guest has taken its events: an EOI before that
 * brings the interrupt back, and masked it waits. One that is triggered by an edge interrupts once
 * and forgets what comes while it is masked. The line goes with the callback when that changes.
 *
 * Who gives the machine no I/O APIC gives it none of this (upcall-vector has that rule).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "upcalls through the I/O APIC, 1000 in a row by level and by edge";

#define IOAPIC   0xfec00000UL
#define SELECT   0x00
#define WINDOW   0x10
#define VERSION  1
#define ENTRY(n) (0x10 + 2 * (n))

#define REMOTE_IRR (1U << 14)
#define LEVEL      (1U << 15)
#define MASKED     (1U << 16)

#define GSI          9
#define OTHER_GSI    10
#define VECTOR       0x51
#define OTHER_VECTOR 0x52
#define DIRECT       0x53

static uint32_t ioapic_get(uint32_t reg)
{
	*(volatile uint32_t *)(IOAPIC + SELECT) = reg;
	return *(volatile uint32_t *)(IOAPIC + WINDOW);
}

static void ioapic_put(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(IOAPIC + SELECT) = reg;
	*(volatile uint32_t *)(IOAPIC + WINDOW) = value;
}

static long set_callback(unsigned int type, unsigned int where)
{
	return hvm_set_param(HVM_PARAM_CALLBACK_IRQ, (uint64_t)type << 56 | where);
}

static long set_callback_gsi(unsigned int gsi)
{
	return set_callback(HVM_PARAM_CALLBACK_TYPE_GSI, gsi);
}

static unsigned int others;

/* For so many upcalls, EOI comes before the events are taken. */
static unsigned int too_early;

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	if (too_early) {
		too_early--;
		upcall_leave();
	} else {
		upcall_take();
	}
	lapic_eoi();
}

static void other_upcall(struct trap_frame *frame)
{
	(void)frame;
	others++;
	upcall_take();
	lapic_eoi();
}

/* By callback vector. It has no EOI, but where KVM has no way for that: then it is in service. */
static void direct_upcall(struct trap_frame *frame)
{
	(void)frame;
	others++;
	upcall_take();
	if (lapic_read(LAPIC_ISR + DIRECT / 32 * 16) >> DIRECT % 32 & 1)
		lapic_eoi();
}

/* upcall_seen(), and in the ten thousands how many were by another vector. */
static unsigned int seen(void)
{
	unsigned int n = others * 10000 + upcall_seen();

	others = 0;
	return n;
}

static void registers(void)
{
	CHECK_EQ(ioapic_get(VERSION), 0x002f0011);
	for (unsigned int pin = 0; pin < 48; pin++)
		CHECK_EQ(ioapic_get(ENTRY(pin)), MASKED);
	ioapic_put(0, 0x05000000);
	CHECK_EQ(ioapic_get(0), 0x05000000);
	ioapic_put(0, 0);
}

static void waits_for_sti(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(seen(), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 101);
	irq_window();
	CHECK_EQ(seen(), 0);
}

static void in_a_row(evtchn_port_t p, const char *how)
{
	upcall_in_a_row(p, how);
	CHECK_EQ(seen(), 0);
	CHECK_EQ(ioapic_get(ENTRY(GSI)) & REMOTE_IRR, 0);
}

static void eoi_while_pending(evtchn_port_t p)
{
	too_early = 3;
	CHECK_EQ(evtchn_send(p), 0);
	for (unsigned int i = 0; i < 5; i++)
		irq_window();
	CHECK_EQ(seen(), 401);
	CHECK_EQ(ioapic_get(ENTRY(GSI)) & REMOTE_IRR, 0);
}

static void remote_irr_until_eoi(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(ioapic_get(ENTRY(GSI)), LEVEL | REMOTE_IRR | VECTOR);
	irq_window();
	CHECK_EQ(ioapic_get(ENTRY(GSI)), LEVEL | VECTOR);
	CHECK_EQ(seen(), 101);
}

static void masked_level_waits(evtchn_port_t p)
{
	ioapic_put(ENTRY(GSI), LEVEL | MASKED | VECTOR);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 0);
	ioapic_put(ENTRY(GSI), LEVEL | VECTOR);
	irq_window();
	CHECK_EQ(seen(), 101);
}

static void masked_edge_is_forgotten(evtchn_port_t p)
{
	ioapic_put(ENTRY(GSI), MASKED | VECTOR);
	CHECK_EQ(evtchn_send(p), 0);
	ioapic_put(ENTRY(GSI), VECTOR);
	irq_window();
	CHECK_EQ(seen(), 0);
	CHECK_EQ(evtchn_drain(NULL), 1);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 101);
}

/* Taken by a guest that looks, without an exit in between: the next event is an edge of its own. */
static void edge_after_a_silent_drain(evtchn_port_t p)
{
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 101);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(evtchn_drain(NULL), 1);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	irq_window();
	/* The two may have become one in the local APIC, or the first came for nothing. */
	CHECK_EQ(seen() % 100, 1);
}

/* Up behind a mask, so that it is seen where the line goes; and then the callback comes back. */
static void away_while_up(evtchn_port_t p, long (*away)(unsigned int where), unsigned int where)
{
	ioapic_put(ENTRY(GSI), LEVEL | MASKED | VECTOR);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK_EQ(away(where), 0);
	ioapic_put(ENTRY(GSI), LEVEL | VECTOR);
	irq_window();
	irq_window();
	CHECK_EQ(seen(), 10101);
	CHECK_EQ(set_callback_gsi(GSI), 0);
	irq_window();
	CHECK_EQ(seen(), 0);
}

static void change_while_up(evtchn_port_t p)
{
	ioapic_put(ENTRY(OTHER_GSI), LEVEL | OTHER_VECTOR);
	away_while_up(p, set_callback_gsi, OTHER_GSI);
	ioapic_put(ENTRY(OTHER_GSI), MASKED);
	/* To a vector the line falls, though nobody has taken the event. */
	away_while_up(p, set_callback_vector, DIRECT);
}

static void off_and_on(evtchn_port_t p)
{
	CHECK_EQ(set_callback_gsi(0), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 0);
	CHECK_EQ(set_callback_gsi(48), 0); /* which is not there */
	irq_window();
	CHECK_EQ(seen(), 0);
	CHECK_EQ(set_callback_gsi(GSI), 0);
	irq_window();
	CHECK_EQ(seen(), 101);
}

/* Device 1, INTA; Xen's own wiring makes it GSI 20. */
static void pci_intx(evtchn_port_t p)
{
	ioapic_put(ENTRY(20), LEVEL | OTHER_VECTOR);
	CHECK_EQ(set_callback(HVM_PARAM_CALLBACK_TYPE_PCI_INTX, 1 << 11), 0);
	CHECK_EQ(evtchn_send(p), 0);
	irq_window();
	CHECK_EQ(seen(), 10101);
	CHECK_EQ(set_callback_gsi(GSI), 0);
	ioapic_put(ENTRY(20), MASKED);
}

static void by_level(evtchn_port_t p)
{
	ioapic_put(ENTRY(GSI), LEVEL | VECTOR);
	waits_for_sti(p);
	remote_irr_until_eoi(p);
	upcall_from_within(p);
	eoi_while_pending(p);
	masked_level_waits(p);
	change_while_up(p);
	off_and_on(p);
	pci_intx(p);
	in_a_row(p, "level");
	CHECK_EQ(evtchn_close(upcall_wakes_from_hlt()), 0);
}

static void by_edge(evtchn_port_t p)
{
	ioapic_put(ENTRY(GSI), VECTOR);
	waits_for_sti(p);
	upcall_from_within(p);
	masked_edge_is_forgotten(p);
	edge_after_a_silent_drain(p);
	in_a_row(p, "edge");
	CHECK_EQ(evtchn_close(upcall_wakes_from_hlt()), 0);
}

void test_main(void)
{
	evtchn_port_t p;

	if (ioapic_get(VERSION) == UINT32_MAX) {
		test_skip("this machine has no I/O APIC");
		return;
	}
	registers();
	p = upcall_begin();
	irq_set_handler(VECTOR, upcall);
	irq_set_handler(OTHER_VECTOR, other_upcall);
	irq_set_handler(DIRECT, direct_upcall);
	evtchn_drain(NULL);
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK_EQ(set_callback_gsi(GSI), 0);
	by_level(p);
	by_edge(p);
	test_success();
}
