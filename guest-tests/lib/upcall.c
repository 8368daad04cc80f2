// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/upcall.h"

#include "guest-tests/lib/test.h"

#define TIMES 1000U
#define MS    1000000ULL

static unsigned int upcalls, events;
static evtchn_port_t again; /* to be sent by the next handler */

/*
 * The beds' emulated CPU delivers one interrupt of tens of thousands twice, and fewer only after
 * the next exit (docs/design-notes.md, "What beds lose"). More than that is the subject's.
 */
#define SLIPS_MAX 2U
static unsigned int slips;

void upcall_leave(void)
{
	upcalls++;
}

void upcall_take(void)
{
	evtchn_port_t p = again;

	if (!READ_ONCE(vcpu_info()->evtchn_upcall_pending)) {
		slips++;
		return;
	}
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

void upcall_in_a_row(evtchn_port_t port, const char *how)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < TIMES; i++) {
		unsigned int seen;

		evtchn_send(port);
		irq_window();
		seen = upcall_seen();
		if (!seen) {
			slips++;
			hypercall_xen_version(XENVER_version, NULL);
			irq_window();
			seen = upcall_seen();
		}
		wrong += seen != 101;
	}
	CHECK(!wrong, "%u of %u sends did not give exactly one upcall with one event by %s", wrong,
	      TIMES, how);
	CHECK(slips <= SLIPS_MAX, "%u upcalls came twice, or only after another exit", slips);
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
