// SPDX-License-Identifier: BSD-2-Clause
/*
 * An event that comes while the local APIC is switched off is not lost.
 *
 * A vCPU with an upcall vector of its own may get an event before its kernel has enabled the APIC
 * by the spurious vector register. Hardware drops an interrupt message then; Xen raises the upcall
 * again when the register is written (vlapic.c), and KVM does since 6.9 (451a707813ae's series).
 * Others may be late, since nobody tells them of that write; a second is the bound here. It is so
 * however the guest's exits fall, by each of which whoever tries again now and then may try, too.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "an upcall raised while the local APIC was off comes when it is on";

#define VECTOR 0xf4
#define TIMES  100U
#define OFF_NS 3000000ULL

static unsigned int upcalls;

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	upcalls++;
	evtchn_drain(NULL);
	lapic_eoi();
}

static void comes_when_on(const char *which, unsigned int i)
{
	lapic_init();
	for (uint64_t until = clock_now() + 1000000000; !upcalls && clock_now() < until;)
		irq_window();
	CHECK(upcalls, "no upcall for the event, %s %u", which, i);
}

/* With the LAPIC off: exits, as fast as can be, for as long as several tries from outside take. */
static void send_and_exit(evtchn_port_t port)
{
	uint64_t until = clock_now() + OFF_NS;

	upcalls = 0;
	lapic_write(LAPIC_SVR, 0xff);
	CHECK_EQ(evtchn_send(port), 0);
	while (clock_now() < until)
		hypercall_xen_version(XENVER_version, NULL);
	irq_window();
	CHECK_EQ(upcalls, 0);
}

void test_main(void)
{
	long port = evtchn_bind_ipi(0);

	CHECK(port > 0, "bind_ipi: %ld", port);
	irq_set_handler(VECTOR, upcall);
	CHECK_EQ(set_upcall_vector(0, VECTOR), 0);
	evtchn_drain(NULL);
	CHECK_EQ(evtchn_unmask((evtchn_port_t)port), 0);
	CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
	irq_window();
	CHECK_EQ(upcalls, 0);
	comes_when_on("out of reset", 0);
	CHECK_EQ(upcalls, 1);
	for (unsigned int i = 0; i < TIMES; i++) {
		send_and_exit((evtchn_port_t)port);
		comes_when_on("time", i);
	}
	test_success();
}
