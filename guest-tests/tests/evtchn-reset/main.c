// SPDX-License-Identifier: BSD-2-Clause
/*
 * EVTCHNOP_reset: a guest that begins anew closes all its ports at once, and is back with 2-level
 * events, whatever it had before.
 *
 * Drivers that reset first (Windows has such) look up the far ends of the console's and the store's
 * ports before, and bind them again afterwards: the far end of a port that has been closed waits
 * for that. What stays closed must not have been heard of again.
 */
#include "guest-tests/lib/test.h"

const char test_title[] =
	"EVTCHNOP_reset closes all ports and ends FIFO; console and store are found again";

static uint8_t control[PAGE_SIZE] PAGE_ALIGNED;
static event_word_t word[PAGE_SIZE / sizeof(event_word_t)] PAGE_ALIGNED;

static long reset(void)
{
	struct evtchn_reset op = {.dom = DOMID_SELF};

	return hypercall_event_channel_op(EVTCHNOP_reset, &op);
}

static long status_of(evtchn_port_t port)
{
	struct evtchn_status s;

	return evtchn_status(DOMID_SELF, port, &s) ?: (long)s.status;
}

static long start_fifo(void)
{
	struct evtchn_init_control init = {.control_gfn = (unsigned long)control / PAGE_SIZE};
	struct evtchn_expand_array expand = {.array_gfn = (unsigned long)word / PAGE_SIZE};

	memset(control, 0, sizeof(control));
	memset(word, 0, sizeof(word));
	return hypercall_event_channel_op(EVTCHNOP_init_control, &init)
		       ?: hypercall_event_channel_op(EVTCHNOP_expand_array, &expand);
}

static void everything_is_closed(void)
{
	evtchn_port_t last = 0;

	for (unsigned int i = 0; i < 100; i++) {
		long port = i == 50   ? evtchn_bind_virq(VIRQ_TIMER, 0)
			    : i == 60 ? evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF)
				      : evtchn_bind_ipi(0);

		CHECK(port > 0, "no port: %ld", port);
		last = (evtchn_port_t)port;
		if (i == 60)
			CHECK(evtchn_bind_interdomain(DOMID_SELF, last) > 0, "no loopback");
	}
	port_set_mask(last, true);
	CHECK_EQ(evtchn_send(last), 0);
	CHECK_EQ(reset(), 0);
	for (evtchn_port_t port = 1; port <= last; port++)
		CHECK(status_of(port) == EVTCHNSTAT_closed, "port %u has status %ld", port,
		      status_of(port));
	CHECK(!port_is_pending(last), "a closed port is pending");
	CHECK(port_is_masked(last), "a mask has gone");
	CHECK_EQ(evtchn_send(last), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, 0), 1);
	CHECK_EQ(evtchn_bind_ipi(0), 2);
}

static void fifo_is_over(void)
{
	struct evtchn_expand_array expand = {.array_gfn = (unsigned long)word / PAGE_SIZE};
	long port;

	CHECK_EQ(reset(), 0);
	for (unsigned int round = 0; round < 2; round++) {
		CHECK_EQ(start_fifo(), 0);
		port = evtchn_bind_ipi(0);
		CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
		CHECK_EQ(word[port], 1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_LINKED);
		CHECK_EQ(reset(), 0);
		CHECK_EQ(word[port], 1u << EVTCHN_FIFO_LINKED);
		CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_expand_array, &expand),
			 -XEN_EOPNOTSUPP);
	}
	memset(word, 0, sizeof(word));
	port = evtchn_bind_ipi(0);
	CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
	CHECK(port_is_pending((evtchn_port_t)port), "no event in shared_info");
	CHECK_EQ(word[port], 0);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), 0);
}

/* First of all, while it is connected. */
static void the_console(void)
{
	uint64_t value;
	struct evtchn_status s;
	evtchn_port_t port, far;
	long again;

	if (hvm_get_param(HVM_PARAM_CONSOLE_EVTCHN, &value) || !value)
		return;
	port = (evtchn_port_t)value;
	CHECK_EQ(evtchn_status(DOMID_SELF, port, &s), 0);
	if (s.status != EVTCHNSTAT_interdomain) {
		printf("nobody is at the other end of the console\n");
		return;
	}
	far = s.u.interdomain.port;
	CHECK_EQ(s.u.interdomain.dom, 0);
	CHECK_EQ(evtchn_bind_interdomain(0, far), -XEN_EINVAL);
	CHECK_EQ(reset(), 0);
	CHECK_EQ(status_of(port), EVTCHNSTAT_closed);
	again = evtchn_bind_interdomain(0, far);
	CHECK(again > 0, "the console's far end: %ld", again);
	CHECK(port_is_pending((evtchn_port_t)again), "binding must set the new end pending");
	CHECK_EQ(status_of((evtchn_port_t)again), EVTCHNSTAT_interdomain);
	CHECK_EQ(evtchn_send((evtchn_port_t)again), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CONSOLE_EVTCHN, (uint64_t)again), 0);
}

void test_main(void)
{
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	the_console();
	CHECK_EQ(reset(), 0);
	everything_is_closed();
	fifo_is_over();
	test_success();
}
