// SPDX-License-Identifier: BSD-2-Clause
/* From the guest to the link. */
#include <errno.h>
#include <unistd.h>

#include "host/backend/net/test_engine.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
