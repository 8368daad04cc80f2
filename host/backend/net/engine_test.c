// SPDX-License-Identifier: BSD-2-Clause
/*
 * The protocol between a frontend and a link, both in memory, with real grants and event channels.
 * The test is the device's thread: it says when a round is, and what time it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

static void attach(struct subject *s)
{
	struct problem p = {""};

	s->engine = net_engine_attach(&s->fake->domain, &s->link->link, &s->front.guest, s->credit,
				      1000000, &s->stats, s->report_fd, &p);
	if (!s->engine)
		fail_msg("%s", p.text);
}

/* With other properties of the guest's (in s->front.guest) than before. */
static void attach_again(struct subject *s)
{
	net_engine_detach(s->engine);
	attach(s);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	if (!s || !(s->fake = fake_create(true)) || !(s->link = fake_link_create()))
		return -1;
	fake_front_init(&s->front, s->fake, FRONT_QUEUES);
	s->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->now = 1000000000;
	attach(s);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	if (s->engine)
		net_engine_detach(s->engine);
	assert_false(fake_grant_status(s->fake, s->front.guest.queues[0].tx_ref));
	net_link_close(&s->link->link);
	close(s->report_fd);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

/* Rounds until nothing is left to do, as the thread makes them. */
static void serve(struct subject *s)
{
	for (int i = 0; i < 100; i++) {
		if (!net_engine_serve(s->engine, s->now) &&
		    (s->engine->failed || !net_engine_arm(s->engine)))
			return;
	}
	fail_msg("the engine never rests");
}

static void push(struct subject *s)
{
	if (front_push(&s->front.queues[0].tx))
		fake_send(s->fake, s->front.guest.queues[0].tx_port);
	serve(s);
}

static void assert_failed(struct subject *s, const char *why)
{
	uint64_t count;

	assert_true(s->engine->failed);
	if (!strstr(s->engine->failure, why))
		fail_msg("failed because \"%s\"", s->engine->failure);
	assert_int_equal(read(s->report_fd, &count, sizeof(count)), sizeof(count));
	/* Nothing more happens. */
	assert_false(net_engine_serve(s->engine, s->now));
}

static unsigned slots_of(uint32_t len)
{
	return (len + NET_PAGE - 1) / NET_PAGE;
}

/*
 * From the guest.
 */

static void a_frame_goes_out(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 900}, s->data);

	front_put_frame(&s->front, 0, s->data, len, NETTXF_data_validated, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
	assert_int_equal(s->link->out_nr, 1);
	assert_int_equal(s->link->out[0].frame.len, len);
	assert_true(s->link->out[0].frame.validated);
	assert_memory_equal(s->link->out[0].data, s->data, len);
	assert_int_equal(s->stats.tx_packets, 1);
	assert_int_equal(s->stats.tx_bytes, len);
	assert_int_equal(s->stats.grants_copied, 1);
	assert_true(fake_pending(s->fake, s->front.guest.queues[0].tx_port));
}

static void frames_of_many_slots(void **state)
{
	struct subject *s = *state;

	for (uint32_t payload = 1; payload < 65000; payload += 3001) {
		uint32_t len = test_frame_build(&(struct test_frame){.payload = payload}, s->data);

		s->link->out_nr = 0;
		front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
		push(s);
		assert_int_equal(front_status(&s->front, 0, slots_of(len)), NETIF_RSP_OKAY);
		assert_int_equal(s->link->out_nr, 1);
		assert_int_equal(s->link->out[0].frame.len, len);
		assert_memory_equal(s->link->out[0].data, s->data, len);
	}
	assert_int_equal(s->stats.tx_errors, 0);
}

/* The guest is told when it has asked for it, and not for every frame. */
static void the_guest_is_told_once(void **state)
{
	struct subject *s = *state;
	evtchn_port_t port = s->front.guest.queues[0].tx_port;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9}, s->data);

	for (int i = 0; i < 30; i++)
		front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_true(fake_pending(s->fake, port));
	assert_int_equal(s->stats.events_out, 1);
	assert_int_equal(s->stats.events_in, 1);
	fake_clear_pending(s->fake, port);
	/* rsp_event stands where it was: it does not look. */
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_false(fake_pending(s->fake, port));
	/* All taken, and one more wanted. */
	assert_int_equal(front_status(&s->front, 0, 31), NETIF_RSP_OKAY);
	assert_int_equal(front_status(&s->front, 0, 1), -100);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_true(fake_pending(s->fake, port));
}

static void blank_checksums_are_completed(void **state)
{
	struct subject *s = *state;

	for (int kind = 0; kind < 4; kind++) {
		const struct test_frame t = {
			.ipv6 = kind & 1, .udp = kind & 2, .payload = 5000, .blank = true};
		uint32_t len = test_frame_build(&t, s->data);

		front_put_frame(&s->front, 0, s->data, len, NETTXF_csum_blank, 0, 0);
		push(s);
		assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_OKAY);
		assert_true(test_frame_is_right(s->link->out[kind].data, len));
	}
}

static void blank_checksums_are_left_to_a_link_that_can(void **state)
{
	struct subject *s = *state;
	const struct test_frame t = {.payload = 50, .blank = true};
	uint32_t len = test_frame_build(&t, s->data);

	s->link->link.can = ALL;
	front_put_frame(&s->front, 0, s->data, len, NETTXF_csum_blank, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
	assert_true(s->link->out[0].frame.csum_blank);
	assert_int_equal(s->link->out[0].frame.csum_start, 34);
	assert_int_equal(s->link->out[0].frame.csum_offset, 16);
}

static uint32_t put_large(struct subject *s, bool ipv6, uint32_t payload)
{
	const struct test_frame t = {.ipv6 = ipv6, .payload = payload, .blank = true};
	uint32_t len = test_frame_build(&t, s->data);

	front_put_frame(&s->front, 0, s->data, len, NETTXF_csum_blank | NETTXF_data_validated,
			ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4, 1448);
	push(s);
	assert_int_equal(front_status(&s->front, 0, slots_of(len) + 1), NETIF_RSP_OKAY);
	return len;
}

static void large_segments_are_passed_on(void **state)
{
	struct subject *s = *state;

	s->link->link.can = ALL;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct net_frame *f = &s->link->out[ipv6].frame;
		uint32_t len = put_large(s, ipv6, 60000);

		assert_int_equal(f->len, len);
		assert_int_equal(f->gso, ipv6 ? 2 : 1);
		assert_int_equal(f->gso_size, 1448);
		assert_true(f->csum_blank);
	}
}

static void large_segments_as_large_frames(void **state)
{
	struct subject *s = *state;

	s->link->link.frame_max = NET_FRAME_MAX;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint32_t len = put_large(s, ipv6, 60000);

		assert_int_equal(s->link->out[ipv6].frame.len, len);
		assert_int_equal(s->link->out[ipv6].frame.gso, 0);
		assert_true(test_frame_is_right(s->link->out[ipv6].data, len));
	}
}

/* Frames as long as the link takes them. */
static void large_segments_in_few_frames(void **state)
{
	struct subject *s = *state;
	uint32_t payload = 0;

	s->link->link.frame_max = 32764;
	put_large(s, false, 65400);
	assert_int_equal(s->link->out_nr, 2);
	for (unsigned i = 0; i < s->link->out_nr; i++) {
		const struct net_frame *f = &s->link->out[i].frame;

		assert_true(f->len <= 32764);
		assert_int_equal(f->gso, 0);
		assert_true(test_frame_is_right(s->link->out[i].data, f->len));
		payload += f->len - TEST_HEADERS_4;
	}
	assert_int_equal(payload, 65400);
}

static void large_segments_are_cut(void **state)
{
	struct subject *s = *state;
	unsigned pieces = 0;

	put_large(s, false, 60000);
	for (unsigned i = 0; i < s->link->out_nr; i++) {
		assert_true(s->link->out[i].frame.len <= TEST_HEADERS_4 + 1448);
		assert_true(test_frame_is_right(s->link->out[i].data, s->link->out[i].frame.len));
		pieces++;
	}
	assert_int_equal(pieces, (60000 + 1447) / 1448);
	assert_int_equal(s->stats.tx_packets, 1);
}

/* What calls itself a large segment and is none: an error, and the next frame passes. */
static void false_large_segments(void **state)
{
	struct subject *s = *state;
	const struct test_frame t = {.udp = true, .payload = 3000};
	uint32_t len = test_frame_build(&t, s->data);

	for (unsigned way = 0; way < 3; way++) {
		s->link->link.can = way == 0 ? ALL : 0;
		s->link->link.frame_max = way == 1 ? NET_FRAME_MAX : 0;
		front_put_frame(&s->front, 0, s->data, len, NETTXF_csum_blank,
				XEN_NETIF_GSO_TYPE_TCPV4, 1448);
		push(s);
		assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_ERROR);
	}
	assert_int_equal(s->link->out_nr, 0);
	assert_int_equal(s->stats.tx_errors, 3);
	put_large(s, true, 2000);
}

static void checksum_of_what_is_no_packet(void **state)
{
	struct subject *s = *state;

	memset(s->data, 0, 100);
	front_put_frame(&s->front, 0, s->data, 100, NETTXF_csum_blank, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_ERROR);
	front_put_frame(&s->front, 0, s->data, 100, 0, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
}

static void short_frames(void **state)
{
	struct subject *s = *state;

	for (uint32_t len = 0; len < 15; len++) {
		front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
		push(s);
		assert_int_equal(front_status(&s->front, 0, 1),
				 len < 14 ? NETIF_RSP_ERROR : NETIF_RSP_OKAY);
	}
	assert_int_equal(s->link->out_nr, 1);
}

static struct netif_tx_request slot(uint16_t size, uint16_t flags)
{
	return (struct netif_tx_request){.gref = 0x60, .size = size, .flags = flags, .id = 5};
}

static void put_slot(struct subject *s, uint16_t size, uint16_t flags)
{
	struct netif_tx_request r = slot(size, flags);

	front_put(&s->front.queues[0].tx, &r, sizeof(r));
}

/* An empty slot is no harm. */
static void empty_slots(void **state)
{
	struct subject *s = *state;

	put_slot(s, 100, NETTXF_more_data);
	put_slot(s, 0, NETTXF_more_data);
	put_slot(s, 0, 0);
	put_slot(s, 100, NETTXF_more_data); /* all of it is in the second */
	put_slot(s, 100, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 5), NETIF_RSP_OKAY);
	assert_int_equal(s->link->out[0].frame.len, 100);
	assert_int_equal(s->link->out[1].frame.len, 100);
	assert_int_equal(s->stats.grants_copied, 2);
}

static void grants_that_are_none(void **state)
{
	static const grant_ref_t refs[] = {FRONT_BAD_REF, 0x7fffffff, UINT32_MAX};
	struct subject *s = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct netif_tx_request r = slot(100, 0);

		r.gref = refs[i];
		front_put(&s->front.queues[0].tx, &r, sizeof(r));
		push(s);
		assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_ERROR);
	}
	/* In the middle of a packet: all of it has failed. */
	put_slot(s, 300, NETTXF_more_data);
	front_put(&s->front.queues[0].tx,
		  &(struct netif_tx_request){FRONT_BAD_REF, 0, NETTXF_more_data, 1, 100},
		  sizeof(struct netif_tx_request));
	put_slot(s, 100, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 3), NETIF_RSP_ERROR);
	assert_int_equal(s->link->out_nr, 0);
}

/* 18 slots besides the first are taken, 19 and 20 are an error, more ends the connection. */
static void slots_are_limited(void **state)
{
	struct subject *s = *state;

	for (unsigned frags = 17; frags <= 21; frags++) {
		put_slot(s, (uint16_t)(100 + frags), NETTXF_more_data);
		for (unsigned i = 1; i <= frags; i++)
			put_slot(s, 1, i < frags ? NETTXF_more_data : 0);
		push(s);
		if (frags <= 20)
			assert_int_equal(front_status(&s->front, 0, frags + 1),
					 frags <= 18 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
	assert_int_equal(s->link->out_nr, 2);
	assert_failed(s, "more than 20 slots");
}

/* As some frontends send what is larger than 64 KiB. */
static void slots_larger_than_the_packet(void **state)
{
	struct subject *s = *state;

	put_slot(s, 100, NETTXF_more_data);
	put_slot(s, 101, 0);
	put_slot(s, 60, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_ERROR);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
}

static void the_ring_wraps(void **state)
{
	struct subject *s = *state;

	for (unsigned round = 0; round < 1000; round++) {
		uint32_t len = test_frame_build(&(struct test_frame){.payload = round * 13 % 9000},
						s->data);

		s->link->out_nr = 0;
		s->link->room = 10;
		front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
		push(s);
		assert_int_equal(front_status(&s->front, 0, slots_of(len)), NETIF_RSP_OKAY);
		assert_memory_equal(s->link->out[0].data, s->data, len);
	}
}

static void a_full_link(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9}, s->data);

	s->link->room = 1;
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
	assert_int_equal(front_status(&s->front, 0, 1), -100);
	assert_int_equal(net_engine_deadline(s->engine, s->now), 0); /* the link will tell */
	s->link->room = 1;
	serve(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
}

static void a_link_that_has_ended(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9}, s->data);
	uint64_t count;

	s->link->ended = -EPIPE;
	serve(s);
	assert_true(s->engine->link_ended);
	assert_int_equal(read(s->report_fd, &count, sizeof(count)), sizeof(count));
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_DROPPED);
	assert_int_equal(s->stats.tx_errors, 1);
}

static void the_rate_is_limited(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 546}, s->data);

	assert_int_equal(len, 600);
	s->credit = 1000; /* a second */
	s->now = 1;
	attach_again(s);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
	s->now = net_engine_deadline(s->engine, s->now);
	assert_int_not_equal(s->now, 0);
	s->now--;
	serve(s);
	assert_int_equal(front_status(&s->front, 0, 1), -100);
	s->now++;
	serve(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
}

/*
 * From a guest that cannot be served.
 */

static void impossible_producer(void **state)
{
	struct subject *s = *state;

	s->front.queues[0].tx.req_prod += 257;
	push(s);
	assert_failed(s, "257 requests");
}

static void chain_without_end(void **state)
{
	struct subject *s = *state;

	put_slot(s, 100, NETTXF_more_data);
	put_slot(s, 10, NETTXF_more_data);
	push(s);
	assert_failed(s, "no end");
}

static void extra_missing(void **state)
{
	struct subject *s = *state;

	put_slot(s, 100, NETTXF_extra_info);
	push(s);
	assert_failed(s, "extra info is missing");
}

static void extra_of_type(struct subject *s, uint8_t type, uint16_t size, uint8_t gso,
			  const char *why)
{
	struct netif_extra_info extra = {.type = type};

	extra.u.gso.size = size;
	extra.u.gso.type = gso;
	put_slot(s, 100, NETTXF_extra_info);
	front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
	push(s);
	assert_failed(s, why);
}

static void extra_of_no_type(void **state)
{
	extra_of_type(*state, XEN_NETIF_EXTRA_TYPE_NONE, 0, 0, "unknown type 0");
}

/* XDP headroom, newer than our header. */
static void extra_of_new_type(void **state)
{
	extra_of_type(*state, XEN_NETIF_EXTRA_TYPE_MAX, 0, 0, "unknown type 5");
}

static void gso_without_size(void **state)
{
	extra_of_type(*state, XEN_NETIF_EXTRA_TYPE_GSO, 0, 1, "no size");
}

static void gso_of_no_type(void **state)
{
	extra_of_type(*state, XEN_NETIF_EXTRA_TYPE_GSO, 1448, 3, "unknown type 3");
}

static void first_slot_crosses_a_page(void **state)
{
	struct subject *s = *state;
	struct netif_tx_request r = slot(97, 0);

	r.offset = 4000;
	front_put(&s->front.queues[0].tx, &r, sizeof(r));
	push(s);
	assert_failed(s, "crosses its page");
}

static void later_slot_crosses_a_page(void **state)
{
	struct subject *s = *state;
	struct netif_tx_request r = slot(1, 0);

	r.offset = 0xffff;
	put_slot(s, 100, NETTXF_more_data);
	front_put(&s->front.queues[0].tx, &r, sizeof(r));
	push(s);
	assert_failed(s, "crosses its page");
}

static void impossible_rx_producer(void **state)
{
	struct subject *s = *state;

	fake_link_put(s->link, &(struct net_frame){0}, s->data, 60);
	s->front.queues[0].rx.req_prod = s->front.queues[1].rx.req_prod = 300;
	front_push(&s->front.queues[0].rx);
	front_push(&s->front.queues[1].rx);
	serve(s);
	assert_failed(s, "300 requests");
}

static void impossible_ctrl_producer(void **state)
{
	struct subject *s = *state;

	s->front.ctrl.req_prod = 129;
	front_push(&s->front.ctrl);
	serve(s);
	assert_failed(s, "129 requests");
}

static void refused_with(struct subject *s, const char *why)
{
	struct problem p = {""};

	net_engine_detach(s->engine);
	s->engine = net_engine_attach(&s->fake->domain, &s->link->link, &s->front.guest, 0, 0,
				      &s->stats, s->report_fd, &p);
	assert_null(s->engine);
	if (!strstr(p.text, why))
		fail_msg("refused because \"%s\"", p.text);
	/* All that was begun is undone. */
	assert_false(fake_grant_status(s->fake, s->front.guest.queues[0].tx_ref));
	assert_false(fake_grant_status(s->fake, s->front.guest.queues[0].rx_ref));
}

static void ring_that_is_no_grant(void **state)
{
	struct subject *s = *state;

	s->front.guest.queues[1].rx_ref = FRONT_BAD_REF;
	refused_with(s, "rx ring's grant 496 cannot be mapped");
}

static void ring_that_cannot_be_written(void **state)
{
	struct subject *s = *state;

	s->front.guest.queues[1].tx_ref = FRONT_READONLY;
	refused_with(s, "tx ring's grant 82 cannot be mapped");
}

static void ring_without_sense(void **state)
{
	struct subject *s = *state;

	s->front.queues[1].tx.head->req_prod = 1000;
	refused_with(s, "tx ring's indexes");
}

static void port_that_is_none(void **state)
{
	struct subject *s = *state;

	s->front.guest.ctrl_port = 4000;
	refused_with(s, "event channel 4000");
}

/* Where another backend has stopped: requests that it has not answered are still there. */
static void goes_on_where_another_stopped(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9}, s->data);

	for (int i = 0; i < 5; i++)
		front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_int_equal(front_status(&s->front, 0, 5), NETIF_RSP_OKAY);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	front_push(&s->front.queues[0].tx);
	attach_again(s);
	serve(s);
	assert_int_equal(front_status(&s->front, 0, 1), NETIF_RSP_OKAY);
	assert_int_equal(s->link->out_nr, 6);
}

/*
 * To the guest.
 */

static bool received(struct subject *s)
{
	return front_receive(&s->front, 0, &s->packet) || front_receive(&s->front, 1, &s->packet);
}

static void assert_received(struct subject *s, uint32_t len)
{
	assert_true(received(s));
	assert_int_equal(s->packet.error, 0);
	assert_int_equal(s->packet.len, len);
	assert_memory_equal(s->packet.data, s->data, len);
}

static void offer(struct subject *s, unsigned n)
{
	front_offer(&s->front, 0, n);
	front_offer(&s->front, 1, n);
}

static void a_frame_comes_in(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 900}, s->data);

	offer(s, 10);
	fake_link_put(s->link, &(struct net_frame){.validated = true}, s->data, len);
	serve(s);
	assert_received(s, len);
	assert_int_equal(s->packet.slots, 1);
	assert_int_equal(s->packet.flags, NETRXF_data_validated);
	assert_int_equal(s->stats.rx_packets, 1);
	assert_int_equal(s->stats.rx_bytes, len);
	assert_false(received(s));
}

static void frames_of_all_sizes_come_in(void **state)
{
	struct subject *s = *state;

	s->front.guest.nr_queues = 1;
	attach_again(s);
	front_offer(&s->front, 0, 60);
	for (uint32_t payload = 1; payload < 65000; payload += 2777) {
		uint32_t len = test_frame_build(&(struct test_frame){.payload = payload}, s->data);

		fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
		serve(s);
		assert_received(s, len);
		assert_int_equal(s->packet.slots, slots_of(len));
		assert_int_equal(s->packet.flags & ~NETRXF_more_data, 0);
		front_offer(&s->front, 0, s->packet.slots);
	}
}

static struct net_frame large_frame(struct subject *s, bool ipv6, uint32_t payload, uint32_t *len)
{
	const struct test_frame t = {.ipv6 = ipv6, .payload = payload, .blank = true};

	*len = test_frame_build(&t, s->data);
	return (struct net_frame){
		.csum_blank = true, .gso = ipv6 ? 2 : 1, .gso_size = 1448, .validated = true};
}

static void large_segments_come_in(void **state)
{
	struct subject *s = *state;

	offer(s, 60);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint32_t len;
		struct net_frame f = large_frame(s, ipv6, 60000, &len);

		fake_link_put(s->link, &f, s->data, len);
		serve(s);
		assert_received(s, len);
		assert_int_equal(s->packet.slots, slots_of(len) + 1);
		assert_int_equal(s->packet.flags, NETRXF_csum_blank | NETRXF_data_validated |
							  NETRXF_more_data | NETRXF_extra_info);
		assert_int_equal(s->packet.extra[XEN_NETIF_EXTRA_TYPE_GSO].u.gso.type, f.gso);
		assert_int_equal(s->packet.extra[XEN_NETIF_EXTRA_TYPE_GSO].u.gso.size, 1448);
		assert_int_equal(s->packet.extra[XEN_NETIF_EXTRA_TYPE_GSO].flags, 0);
	}
}

/* To a guest that does not take them, they come in pieces, also where room comes bit by bit. */
static void large_segments_are_cut_for_the_guest(void **state)
{
	struct subject *s = *state;
	unsigned pieces = 0;
	uint32_t len;
	struct net_frame f = large_frame(s, false, 60000, &len);

	s->front.guest.can = 0;
	attach_again(s);
	assert_int_equal(s->link->receiver_can, 0);
	fake_link_put(s->link, &f, s->data, len);
	for (int i = 0; i < 20; i++) {
		offer(s, 5);
		serve(s);
		while (received(s)) {
			assert_true(test_frame_is_right(s->packet.data, s->packet.len));
			assert_int_equal(s->packet.flags, NETRXF_data_validated);
			pieces++;
		}
	}
	assert_int_equal(pieces, (60000 + 1447) / 1448);
	assert_int_equal(s->stats.rx_dropped, 0);
}

static void checksums_are_completed_for_the_guest(void **state)
{
	struct subject *s = *state;

	s->front.guest.can = NET_CAN_CSUM4;
	attach_again(s);
	offer(s, 10);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct test_frame t = {.ipv6 = ipv6, .payload = 100, .blank = true};
		uint32_t len = test_frame_build(&t, s->data);

		fake_link_put(s->link, &(struct net_frame){.csum_blank = true}, s->data, len);
		serve(s);
		assert_true(received(s));
		assert_int_equal(s->packet.len, len);
		assert_int_equal(test_frame_is_right(s->packet.data, len), ipv6);
		assert_int_equal(s->packet.flags & NETRXF_csum_blank, ipv6 ? 0 : NETRXF_csum_blank);
	}
}

/* A frontend of the first days: one page for each frame. */
static void guest_without_sg(void **state)
{
	struct subject *s = *state;
	uint32_t len;
	struct net_frame f = large_frame(s, false, 4000, &len);

	s->front.guest.sg = false;
	attach_again(s);
	assert_int_equal(s->link->receiver_can, NET_CAN_CSUM4 | NET_CAN_CSUM6);
	offer(s, 10);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, 4097);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, 4096);
	serve(s);
	assert_received(s, 4096);
	assert_false(received(s));
	assert_int_equal(s->stats.rx_dropped, 1);
	fake_link_put(s->link, &f, s->data, len);
	serve(s);
	for (int i = 0; i < 3; i++) {
		assert_true(received(s));
		assert_int_equal(s->packet.slots, 1);
	}
	assert_false(received(s));
}

static void frames_that_are_none(void **state)
{
	struct subject *s = *state;
	struct net_frame gso = {.gso = 1, .gso_size = 100};

	offer(s, 20);
	s->front.guest.can = 0;
	attach_again(s);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, 13);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, 0);
	fake_link_put(s->link, &gso, s->data, 500);
	fake_link_put(s->link, &(struct net_frame){.csum_blank = true}, s->data, 500);
	serve(s);
	assert_false(received(s));
	assert_int_equal(s->stats.rx_dropped, 4);
}

/* A page that cannot be written: the packet is marked, and those around it are good. */
static void page_that_cannot_be_written(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9000}, s->data);
	const struct netif_rx_request bad = {.id = 1, .gref = FRONT_READONLY};

	s->front.guest.nr_queues = 1;
	attach_again(s);
	front_offer(&s->front, 0, 1);
	front_put(&s->front.queues[0].rx, &bad, sizeof(bad));
	s->front.queues[0].rx_refs[1] = FRONT_READONLY;
	front_offer(&s->front, 0, 4);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_true(received(s));
	assert_int_equal(s->packet.error, NETIF_RSP_ERROR);
	assert_int_equal(s->packet.slots, 3);
	assert_received(s, len);
}

/* Without room a frame waits; then nothing is read from the link. */
static void waits_for_room(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9000}, s->data);
	uint64_t told;

	s->front.guest.nr_queues = 1;
	attach_again(s);
	front_offer(&s->front, 0, 2);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_false(received(s));
	assert_int_equal(s->link->in_next, 1);
	assert_int_equal(net_engine_deadline(s->engine, s->now), s->now + NET_STALL_NS);
	/* It wants to be told of the third page, not of each. */
	assert_int_equal(s->front.queues[0].rx.head->req_event, 3);
	told = s->stats.events_in;
	front_offer(&s->front, 0, 1);
	assert_int_equal(s->stats.events_in, told + 1);
	serve(s);
	assert_received(s, len);
	assert_int_equal(s->stats.rx_dropped, 0);
}

/* A guest that takes nothing for long: frames are dropped, until it takes some again. */
static void drops_when_stalled(void **state)
{
	struct subject *s = *state;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 9000}, s->data);

	s->front.guest.nr_queues = 1;
	attach_again(s);
	for (int i = 0; i < 4; i++)
		fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	s->now += NET_STALL_NS - 1;
	serve(s);
	assert_int_equal(s->stats.rx_dropped, 0);
	s->now++;
	serve(s);
	assert_int_equal(s->stats.rx_dropped, 4);
	assert_int_equal(net_engine_deadline(s->engine, s->now), 0);
	front_offer(&s->front, 0, 3);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len);
	assert_int_equal(s->stats.rx_dropped, 4);
	assert_true(s->engine->held.valid); /* it waits, as at first */
}

/* A guest that does not tell of room is looked after. */
static void polls_without_rx_notify(void **state)
{
	struct subject *s = *state;

	s->front.guest.rx_notify = false;
	attach_again(s);
	assert_int_equal(net_engine_deadline(s->engine, s->now), 0);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, 100);
	serve(s);
	assert_int_equal(net_engine_deadline(s->engine, s->now), s->now + NET_POLL_NS);
}

static void multicast(void **state)
{
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct subject *s = *state;
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD};
	uint32_t len = test_frame_build(&(struct test_frame){.to = group, .payload = 40}, s->data);

	offer(s, 20);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len); /* no filter */
	__atomic_store_n(&s->engine->mcast_control, true, __ATOMIC_RELAXED);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_false(received(s));
	memcpy(extra.u.mcast.addr, group, 6);
	put_slot(s, 0, NETTXF_extra_info);
	front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
	push(s);
	assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_OKAY);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len);
	extra.type = XEN_NETIF_EXTRA_TYPE_MCAST_DEL;
	put_slot(s, 0, NETTXF_extra_info);
	front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
	push(s);
	assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_OKAY);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_false(received(s));
	assert_int_equal(s->link->out_nr, 0);
}

static void too_many_multicast_addresses(void **state)
{
	struct subject *s = *state;
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD};

	for (unsigned i = 0; i <= NET_MCAST_MAX; i++) {
		extra.u.mcast.addr[5] = (uint8_t)i;
		put_slot(s, 0, NETTXF_extra_info);
		front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
		push(s);
		assert_int_equal(front_status(&s->front, 0, 2),
				 i < NET_MCAST_MAX ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
}

/*
 * The control ring.
 */

static uint32_t control(struct subject *s, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
			uint32_t *data)
{
	struct xen_netif_ctrl_response r;
	uint16_t id = (uint16_t)s->front.ctrl.req_prod;

	front_control(&s->front, type, a, b, c);
	serve(s);
	assert_true(front_take(&s->front.ctrl, &r, sizeof(r)));
	assert_int_equal(r.id, id);
	assert_int_equal(r.type, type);
	if (data)
		*data = r.data;
	return r.status;
}

#define assert_control(s, status, type, a, b, c)                                \
	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_##type, a, b, c, NULL), \
			 XEN_NETIF_CTRL_STATUS_##status)

static void hash_flags(void **state)
{
	struct subject *s = *state;
	uint32_t data;

	assert_control(s, NOT_SUPPORTED, GET_HASH_FLAGS, 0, 0, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_FLAGS, 1, 0, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_ALGORITHM, 2, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 1, 0, 0);
	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, 0, 0, 0, &data), 0);
	assert_int_equal(data, 0xf);
	assert_control(s, INVALID_PARAMETER, SET_HASH_FLAGS, 0x10, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_FLAGS, 0xf, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 0, 0, 0);
}

static void hash_key(void **state)
{
	struct subject *s = *state;
	uint8_t *page = fake_front_page(&s->front, FRONT_DATA_REF);

	memset(page, 7, 100);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 40, 0);
	assert_int_equal(s->engine->hash.key[39], 7);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 3, 0);
	assert_int_equal(s->engine->hash.key[2], 7);
	assert_int_equal(s->engine->hash.key[3], 0);
	assert_control(s, BUFFER_OVERFLOW, SET_HASH_KEY, FRONT_DATA_REF, 41, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_KEY, FRONT_BAD_REF, 40, 0);
	assert_control(s, SUCCESS, SET_HASH_KEY, 0, 0, 0);
	assert_int_equal(s->engine->hash.key[0], 0);
}

static void hash_mapping(void **state)
{
	struct subject *s = *state;
	uint32_t *page = (uint32_t *)(void *)fake_front_page(&s->front, FRONT_DATA_REF);
	uint32_t data;

	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &data), 0);
	assert_int_equal(data, NET_HASH_MAPPING_MAX);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING_SIZE, data + 1, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_MAPPING_SIZE, 8, 0, 0);
	page[0] = page[2] = 1;
	page[1] = 0;
	assert_control(s, SUCCESS, SET_HASH_MAPPING, FRONT_DATA_REF, 3, 5);
	assert_int_equal(s->engine->hash.mapping[5], 1);
	assert_int_equal(s->engine->hash.mapping[7], 1);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 4, 5);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 2, UINT32_MAX);
	assert_control(s, BUFFER_OVERFLOW, SET_HASH_MAPPING, FRONT_DATA_REF, 129, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_BAD_REF, 1, 0);
	page[1] = FRONT_QUEUES; /* no such queue: nothing is changed */
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 2, 0);
	assert_int_equal(s->engine->hash.mapping[0], 0);
}

/* Kept grants are not offered, so their messages are not supported; nor is one of no type. */
static void other_control_messages(void **state)
{
	struct subject *s = *state;

	assert_control(s, NOT_SUPPORTED, GET_GREF_MAPPING_SIZE, 0, 0, 0);
	assert_control(s, NOT_SUPPORTED, ADD_GREF_MAPPING, 0, FRONT_DATA_REF, 1);
	assert_control(s, NOT_SUPPORTED, DEL_GREF_MAPPING, 0, FRONT_DATA_REF, 1);
	assert_control(s, NOT_SUPPORTED, INVALID, 0, 0, 0);
}

/* The guest's hash decides on the queue, and comes with the frame, beside a GSO's extra info. */
static void frames_are_steered(void **state)
{
	struct subject *s = *state;
	uint8_t *page = fake_front_page(&s->front, FRONT_DATA_REF);
	const struct netif_extra_info *extra = &s->packet.extra[XEN_NETIF_EXTRA_TYPE_HASH];
	uint32_t len, hash;
	struct net_frame f = large_frame(s, false, 9000, &len);

	for (unsigned i = 0; i < 40; i++)
		page[i] = (uint8_t)(i * 29 + 7);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 1, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_FLAGS, 0xf, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 40, 0);
	assert_control(s, SUCCESS, SET_HASH_MAPPING_SIZE, 1, 0, 0);
	offer(s, 20);
	hash = net_hash_toeplitz(page, s->data + 26, 12);
	for (uint32_t queue = 0; queue < FRONT_QUEUES; queue++) {
		page[0] = (uint8_t)queue;
		memset(page + 1, 0, 3);
		assert_control(s, SUCCESS, SET_HASH_MAPPING, FRONT_DATA_REF, 1, 0);
		fake_link_put(s->link, &f, s->data, len);
		serve(s);
		assert_false(front_receive(&s->front, !queue, &s->packet));
		assert_true(front_receive(&s->front, queue, &s->packet));
		assert_int_equal(s->packet.len, len);
		assert_int_equal(s->packet.slots, 3 + 2);
		assert_int_equal(s->packet.extra[XEN_NETIF_EXTRA_TYPE_GSO].flags,
				 XEN_NETIF_EXTRA_FLAG_MORE);
		assert_int_equal(extra->u.hash.type, _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
		assert_int_equal(extra->u.hash.algorithm, 1);
		assert_memory_equal(extra->u.hash.value, &hash, 4);
	}
}

/*
 * Several queues.
 */

static void queues_work_apart(void **state)
{
	struct subject *s = *state;
	bool used[FRONT_QUEUES] = {false};
	uint32_t len;

	offer(s, 60);
	for (uint16_t port = 0; port < 32; port++) {
		const struct test_frame t = {.source_port = port, .payload = 60};

		len = test_frame_build(&t, s->data);
		fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
		front_put_frame(&s->front, port % 2, s->data, len, 0, 0, 0);
	}
	for (unsigned q = 0; q < FRONT_QUEUES; q++)
		if (front_push(&s->front.queues[q].tx))
			fake_send(s->fake, s->front.guest.queues[q].tx_port);
	serve(s);
	assert_int_equal(s->link->out_nr, 32);
	for (unsigned q = 0; q < FRONT_QUEUES; q++) {
		assert_int_equal(front_status(&s->front, q, 16), NETIF_RSP_OKAY);
		assert_true(fake_pending(s->fake, s->front.guest.queues[q].tx_port));
		used[q] = front_receive(&s->front, q, &s->packet);
	}
	assert_true(used[0] && used[1]);
}

/* One event channel for both directions. */
static void one_channel_for_both(void **state)
{
	struct subject *s = *state;
	evtchn_port_t port = s->front.guest.queues[0].tx_port;
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 60}, s->data);

	s->front.guest.nr_queues = 1;
	s->front.guest.queues[0].rx_port = port;
	attach_again(s);
	front_offer(&s->front, 0, 5);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_true(fake_pending(s->fake, port));
	fake_clear_pending(s->fake, port);
	front_put_frame(&s->front, 0, s->data, len, 0, 0, 0);
	push(s);
	assert_true(fake_pending(s->fake, port));
}

#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(a_frame_goes_out),
		NET_TEST(frames_of_many_slots),
		NET_TEST(the_guest_is_told_once),
		NET_TEST(blank_checksums_are_completed),
		NET_TEST(blank_checksums_are_left_to_a_link_that_can),
		NET_TEST(large_segments_are_passed_on),
		NET_TEST(large_segments_as_large_frames),
		NET_TEST(large_segments_in_few_frames),
		NET_TEST(large_segments_are_cut),
		NET_TEST(false_large_segments),
		NET_TEST(checksum_of_what_is_no_packet),
		NET_TEST(short_frames),
		NET_TEST(empty_slots),
		NET_TEST(grants_that_are_none),
		NET_TEST(slots_are_limited),
		NET_TEST(slots_larger_than_the_packet),
		NET_TEST(the_ring_wraps),
		NET_TEST(a_full_link),
		NET_TEST(a_link_that_has_ended),
		NET_TEST(the_rate_is_limited),
		NET_TEST(impossible_producer),
		NET_TEST(chain_without_end),
		NET_TEST(extra_missing),
		NET_TEST(extra_of_no_type),
		NET_TEST(extra_of_new_type),
		NET_TEST(gso_without_size),
		NET_TEST(gso_of_no_type),
		NET_TEST(first_slot_crosses_a_page),
		NET_TEST(later_slot_crosses_a_page),
		NET_TEST(impossible_rx_producer),
		NET_TEST(impossible_ctrl_producer),
		NET_TEST(ring_that_is_no_grant),
		NET_TEST(ring_that_cannot_be_written),
		NET_TEST(ring_without_sense),
		NET_TEST(port_that_is_none),
		NET_TEST(goes_on_where_another_stopped),
		NET_TEST(a_frame_comes_in),
		NET_TEST(frames_of_all_sizes_come_in),
		NET_TEST(large_segments_come_in),
		NET_TEST(large_segments_are_cut_for_the_guest),
		NET_TEST(checksums_are_completed_for_the_guest),
		NET_TEST(guest_without_sg),
		NET_TEST(frames_that_are_none),
		NET_TEST(page_that_cannot_be_written),
		NET_TEST(waits_for_room),
		NET_TEST(drops_when_stalled),
		NET_TEST(polls_without_rx_notify),
		NET_TEST(multicast),
		NET_TEST(too_many_multicast_addresses),
		NET_TEST(hash_flags),
		NET_TEST(hash_key),
		NET_TEST(hash_mapping),
		NET_TEST(other_control_messages),
		NET_TEST(frames_are_steered),
		NET_TEST(queues_work_apart),
		NET_TEST(one_channel_for_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
