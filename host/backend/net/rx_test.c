// SPDX-License-Identifier: BSD-2-Clause
/* From the link to the guest. */
#include "host/backend/net/test_engine.h"
#include "shim/memslot/dirty_log.h"

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

/* The data, and the ring: what is pinned may begin to be logged. */
static void both_are_in_the_dirty_log(void **state)
{
	struct subject *s = *state;
	const struct memslot_request request = {.slot = 0,
						.flags = MEMSLOT_LOG_DIRTY,
						.size = FAKE_RAM_SIZE,
						.hva = (uintptr_t)s->fake->ram};
	uint32_t len = test_frame_build(&(struct test_frame){.payload = 900}, s->data);
	uint64_t bits[FAKE_RAM_SIZE / NET_PAGE / 64];
	grant_ref_t ring, data;

	s->front.guest.nr_queues = 1;
	attach_again(s);
	offer(s, 10);
	serve(s);
	assert_int_equal(memslots_set_slot(&s->fake->domain.memslots, &request), 0);
	assert_int_equal(dirty_log_get(&s->fake->domain.memslots, 0, bits), 0);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len);
	assert_int_equal(dirty_log_get(&s->fake->domain.memslots, 0, bits), 0);
	ring = s->front.guest.queues[0].rx_ref; /* a grant's reference is its frame */
	assert_true(bits[ring / 64] >> ring % 64 & 1);
	data = s->front.queues[0].rx_refs[0];
	assert_true(bits[data / 64] >> data % 64 & 1);
	ring = s->front.guest.queues[0].tx_ref;
	assert_false(bits[ring / 64] >> ring % 64 & 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(a_frame_comes_in),
		NET_TEST(frames_of_all_sizes_come_in),
		NET_TEST(both_are_in_the_dirty_log),
		NET_TEST(large_segments_come_in),
		NET_TEST(large_segments_are_cut_for_the_guest),
		NET_TEST(checksums_are_completed_for_the_guest),
		NET_TEST(guest_without_sg),
		NET_TEST(frames_that_are_none),
		NET_TEST(page_that_cannot_be_written),
		NET_TEST(waits_for_room),
		NET_TEST(drops_when_stalled),
		NET_TEST(polls_without_rx_notify),
		NET_TEST(queues_work_apart),
		NET_TEST(one_channel_for_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
