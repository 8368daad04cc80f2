// SPDX-License-Identifier: BSD-2-Clause
/* A guest whose rings make no sense, when it connects and later. */
#include <string.h>

#include "host/backend/net/test_engine.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
