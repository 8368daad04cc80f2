/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the protocol share: an engine between a frontend and a link, both in memory,
 * with real grants and event channels. The test is the device's thread: it says when a round is,
 * and what time it is.
 */
#ifndef HOST_BACKEND_NET_TEST_ENGINE_H
#define HOST_BACKEND_NET_TEST_ENGINE_H

#include "host/backend/net/fake_front.h"
#include "host/backend/net/fake_link.h"
#include "host/backend/net/test_frame.h"
#include "shim/fake_test.h"

#define ALL (NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6)

struct subject {
	struct fake *fake;
	struct fake_front front;
	struct fake_link *link;
	struct net_engine *engine;
	struct net_stats stats;
	int report_fd;
	uint64_t now, credit;
	uint8_t data[NET_FRAME_MAX];
	struct front_packet packet;
};

int setup(void **state);
int teardown(void **state);

/* Begin, with what s->front.guest says; again, when that has changed. */
void attach(struct subject *s);
void attach_again(struct subject *s);

/* Rounds until nothing is left to do, as the thread makes them. */
void serve(struct subject *s);

/* Show the first queue's tx requests, and serve. */
void push(struct subject *s);

/* The connection has ended for a reason that contains this. */
void assert_failed(struct subject *s, const char *why);

/* Pages that a frame takes. */
unsigned slots_of(uint32_t len);

/* A tx request of the first buffer, raw; and put into the first queue. */
struct netif_tx_request slot(uint16_t size, uint16_t flags);
void put_slot(struct subject *s, uint16_t size, uint16_t flags);

/* A packet has come by any queue, in s->packet; and it is s->data. */
bool received(struct subject *s);
void assert_received(struct subject *s, uint32_t len);

/* So many rx requests on each queue. */
void offer(struct subject *s, unsigned n);

/* A large segment as a link delivers it, its data in s->data. */
struct net_frame large_frame(struct subject *s, bool ipv6, uint32_t payload, uint32_t *len);

#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
