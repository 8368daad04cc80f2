// SPDX-License-Identifier: BSD-2-Clause
/*
 * All ports taken.
 *
 * Ports are given out from the lowest free one until there is none: -ENOSPC, and the 2-level ABI
 * has 32 * 32 for a 32-bit guest and 64 * 64 for a 64-bit one (the toolstack may allow fewer). The
 * last one works as the first, its bits are the last in their arrays; and all come back when
 * closed. A table that is one too short or too long shows here and nowhere else.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "event channels until -ENOSPC, the last port works";

#define LIMIT (8 * sizeof(xen_ulong_t) * 8 * sizeof(xen_ulong_t))

static evtchn_port_t first, last;

static void take_all(void)
{
	unsigned int unordered = 0;
	long port;

	first = last = 0;
	for (unsigned int i = 0; i <= LIMIT; i++) {
		port = evtchn_bind_ipi(0);
		if (port <= 0)
			break;
		unordered += (evtchn_port_t)port <= last;
		last = (evtchn_port_t)port;
		if (!first)
			first = last;
	}
	CHECK(port == -XEN_ENOSPC, "after port %u of at most %u: %ld", last, (unsigned int)LIMIT,
	      port);
	CHECK(!unordered, "%u times not the lowest free port", unordered);
	CHECK(last >= 900 && last < LIMIT, "the last port is %u", last);
}

static void last_works(void)
{
	struct vcpu_info *v = vcpu_info();
	unsigned int bits = 8 * sizeof(xen_ulong_t);

	evtchn_drain(NULL);
	port_set_mask(last, true);
	CHECK_EQ(evtchn_send(last), 0);
	CHECK(port_is_pending(last), "the last port does not become pending");
	CHECK_EQ(evtchn_unmask(last), 0);
	CHECK_EQ(READ_ONCE(v->evtchn_pending_sel), (xen_ulong_t)1 << last / bits);
	CHECK_EQ(evtchn_drain(NULL), 1);
	CHECK_EQ(evtchn_send(last + 1), -XEN_EINVAL);
}

static void the_one_gap_is_found(void)
{
	evtchn_port_t middle = first + (last - first) / 2;
	struct evtchn_bind_pirq pirq = {.pirq = 9};

	CHECK_EQ(evtchn_close(middle), 0);
	CHECK_EQ(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF), middle);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, 0), -XEN_ENOSPC);
#ifdef PV /* which has no physical interrupts to name */
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_pirq, &pirq), -XEN_EPERM);
#else
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_pirq, &pirq), -XEN_ENOSPC);
#endif
	CHECK_EQ(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF), -XEN_ENOSPC);
	CHECK_EQ(evtchn_bind_interdomain(DOMID_SELF, middle), -XEN_ENOSPC);
}

static void give_all_back(void)
{
	unsigned int failed = 0;

	for (evtchn_port_t p = first; p <= last; p++)
		failed += evtchn_close(p) != 0;
	/* ports of the console and the store may lie in between, and are not ours to close twice */
	CHECK(failed <= 2, "%u ports could not be closed", failed);
}

void test_main(void)
{
	evtchn_port_t before;

	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	take_all();
	last_works();
	the_one_gap_is_found();
	before = first;
	give_all_back();
	take_all();
	CHECK_EQ(first, before);
	give_all_back();
	test_success();
}
