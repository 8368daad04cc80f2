// SPDX-License-Identifier: BSD-2-Clause
/*
 * Event channels of the FIFO kind, used as Linux's driver does (lib/fifo.h).
 *
 * The order is Xen's (common/event_fifo.c): highest priority first, within one first come first
 * served; an event that is linked stays where it is; a port that is closed while it is in a queue
 * is not given out before it has left it. A lost "ready" bit or a wrong link shows as an event that
 * never comes, in a guest that has nothing else to tell it by.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "FIFO events: init, expand, order by priority, consumption";

#define PORTS 8

static struct evtchn_fifo_control_block *control;
static evtchn_port_t port[PORTS];

static bool take_upcall(void)
{
	return __atomic_exchange_n(&vcpu_info()->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
}

static void start(void)
{
	control = fifo_control(0);
	CHECK_EQ(fifo_expand_array(fifo_word), -XEN_EOPNOTSUPP);
	fifo_start(1);
	for (unsigned int i = 0; i < PORTS; i++) {
		long rc = evtchn_bind_ipi(0);

		CHECK(rc > 0, "bind_ipi: %ld", rc);
		port[i] = (evtchn_port_t)rc;
		CHECK_EQ(evtchn_unmask(port[i]), 0);
		CHECK_EQ(READ_ONCE(fifo_word[port[i]]), 0);
	}
	take_upcall();
}

static void one_event(void)
{
	CHECK_EQ(evtchn_send(port[0]), 0);
	CHECK_EQ(READ_ONCE(fifo_word[port[0]]), FIFO_PENDING | FIFO_LINKED);
	CHECK_EQ(READ_ONCE(control->ready), 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	CHECK_EQ(READ_ONCE(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT]), port[0]);
	CHECK(take_upcall(), "evtchn_upcall_pending is not set");
	CHECK(!port_is_pending(port[0]), "the event shows in shared_info");
	/* Sent again before it is taken: it is one event. */
	CHECK_EQ(evtchn_send(port[0]), 0);
	CHECK(!take_upcall(), "an upcall for what is linked already");
	CHECK_EQ(fifo_next(), port[0]);
	CHECK_EQ(fifo_next(), 0);
}

static void in_order(void)
{
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(evtchn_send(port[PORTS - 1 - i]), 0);
	CHECK(take_upcall(), "no upcall");
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_next(), port[PORTS - 1 - i]);
	CHECK_EQ(fifo_next(), 0);
}

static void by_priority(void)
{
	static const uint8_t priority[PORTS] = {7, 15, 0, 7, 0, 3, 15, 1};
	static const uint8_t expected[PORTS] = {2, 4, 7, 5, 0, 3, 1, 6};

	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_set_priority(port[i], priority[i]), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(evtchn_send(port[i]), 0);
	CHECK(take_upcall(), "no upcall");
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_next(), port[expected[i]]);
	/* A higher one that comes meanwhile is next. */
	CHECK_EQ(evtchn_send(port[1]), 0);
	CHECK_EQ(evtchn_send(port[6]), 0);
	CHECK_EQ(fifo_next(), port[1]);
	CHECK_EQ(evtchn_send(port[2]), 0);
	CHECK_EQ(fifo_next(), port[2]);
	CHECK_EQ(fifo_next(), port[6]);
	/* A linked event stays at its old priority. */
	CHECK_EQ(evtchn_send(port[1]), 0);
	CHECK_EQ(fifo_set_priority(port[1], 0), 0);
	CHECK_EQ(evtchn_send(port[0]), 0);
	CHECK_EQ(fifo_next(), port[0]);
	CHECK_EQ(fifo_next(), port[1]);
	CHECK_EQ(fifo_next(), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_set_priority(port[i], EVTCHN_FIFO_PRIORITY_DEFAULT), 0);
}

static void masks(void)
{
	take_upcall();
	fifo_mask(port[3]);
	CHECK_EQ(evtchn_send(port[3]), 0);
	CHECK_EQ(READ_ONCE(fifo_word[port[3]]), FIFO_PENDING | FIFO_MASKED);
	CHECK(!take_upcall(), "an upcall for a masked port");
	CHECK_EQ(evtchn_unmask(port[3]), 0);
	CHECK(take_upcall(), "no upcall after unmask of a pending port");
	CHECK_EQ(fifo_next(), port[3]);
	/* Masked while linked: the guest passes over it, and unmask links it again. */
	CHECK_EQ(evtchn_send(port[3]), 0);
	CHECK_EQ(evtchn_send(port[4]), 0);
	fifo_mask(port[3]);
	CHECK_EQ(fifo_next(), port[4]);
	CHECK_EQ(fifo_next(), 0);
	CHECK_EQ(evtchn_unmask(port[3]), 0);
	CHECK_EQ(fifo_next(), port[3]);
}

/* A closed port that is still in a queue is not given out. */
static void closed_while_linked(void)
{
	CHECK_EQ(evtchn_send(port[1]), 0);
	CHECK_EQ(evtchn_send(port[2]), 0);
	CHECK_EQ(evtchn_close(port[1]), 0);
	CHECK_EQ(READ_ONCE(fifo_word[port[1]]), FIFO_LINKED | port[2]);
	CHECK(evtchn_bind_ipi(0) != (long)port[1], "a port that is in a queue was given out");
	CHECK_EQ(fifo_next(), port[2]);
	CHECK_EQ(fifo_next(), 0);
	CHECK_EQ(evtchn_bind_ipi(0), port[1]);
}

/* Ports of which there is no page: their events come when there is one. */
static void page_comes_late(void)
{
	evtchn_port_t last = 0;
	long rc = 1;

	while (rc > 0 && rc < 1024) {
		rc = evtchn_bind_ipi(0);
		last = (evtchn_port_t)rc;
	}
	if (rc == -XEN_ENOSPC) {
		printf("this domain may not have more than 1023 ports\n");
		return;
	}
	CHECK_EQ(last, 1024);
	CHECK_EQ(evtchn_send(last), 0);
	CHECK_EQ(fifo_next(), 0);
	fifo_word[1024] = 0;
	CHECK_EQ(fifo_expand_array(fifo_word + 1024), 0);
	CHECK_EQ(fifo_next(), last);
}

void test_main(void)
{
	struct evtchn_reset op = {.dom = DOMID_SELF};

	shared_info_map();
	start();
	one_event();
	in_order();
	by_priority();
	masks();
	closed_while_linked();
	page_comes_late();
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
	CHECK_EQ(fifo_set_priority(port[0], 0), -XEN_ENOSYS);
	test_success();
}
