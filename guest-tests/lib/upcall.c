// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/upcall.h"

#include "guest-tests/lib/test.h"

#define TIMES 1000U
#define MS    1000000ULL

static unsigned int upcalls, events;
static evtchn_port_t again; /* to be sent by the next handler */

void upcall_leave(void)
{
	upcalls++;
}

void upcall_take(void)
{
	evtchn_port_t p = again;

	upcalls++;
	events += evtchn_drain(NULL);
	again = 0;
	if (p)
		evtchn_send(p);
}

unsigned int upcall_seen(void)
{
	unsigned int n = upcalls * 100 + events;

	upcalls = events = 0;
	return n;
}

evtchn_port_t upcall_begin(void)
{
	long port = evtchn_bind_ipi(0);

	CHECK(port > 0, "bind_ipi: %ld", port);
	lapic_init();
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	return (evtchn_port_t)port;
}

/*
 * An emulated CPU that forgets, once in a million entries, that somebody waits for the guest to
 * take interrupts (QEMU 7.2: docs/design-notes.md, "What beds lose") is reminded at the next exit.
 */
#define LATE_MAX 1U

void upcall_in_a_row(evtchn_port_t port, const char *how)
{
	unsigned int wrong = 0, late = 0;

	for (unsigned int i = 0; i < TIMES; i++) {
		unsigned int seen;

		evtchn_send(port);
		irq_window();
		seen = upcall_seen();
		if (!seen) {
			late++;
			hypercall_xen_version(XENVER_version, NULL);
			irq_window();
			seen = upcall_seen();
		}
		wrong += seen != 101;
	}
	CHECK(!wrong, "%u of %u sends did not give exactly one upcall with one event by %s", wrong,
	      TIMES, how);
	CHECK(late <= LATE_MAX, "%u of %u upcalls by %s came after another exit only", late, TIMES,
	      how);
}

void upcall_from_within(evtchn_port_t port)
{
	again = port;
	CHECK_EQ(evtchn_send(port), 0);
	irq_window();
	irq_window();
	CHECK_EQ(upcall_seen(), 202);
}

evtchn_port_t upcall_wakes_from_hlt(void)
{
	long port = evtchn_bind_virq(VIRQ_TIMER, 0);
	struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = clock_now() + 20 * MS};

	CHECK(port > 0, "bind_virq: %ld", port);
	CHECK_EQ(evtchn_unmask((evtchn_port_t)port), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer), 0);
	irq_wait();
	CHECK_EQ(upcall_seen(), 101);
	CHECK(clock_now() >= timer.timeout_abs_ns, "woke before the time");
	return (evtchn_port_t)port;
}
