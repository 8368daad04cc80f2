// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/test_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void attach(struct subject *s)
{
	struct problem p = {""};

	s->engine = net_engine_attach(&s->fake->domain, &s->link->link, &s->front.guest, s->credit,
				      1000000, &s->stats, s->report_fd, &p);
	if (!s->engine)
		fail_msg("%s", p.text);
}

/* With other properties of the guest's (in s->front.guest) than before. */
void attach_again(struct subject *s)
{
	net_engine_detach(s->engine);
	attach(s);
}

int setup(void **state)
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

int teardown(void **state)
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
void serve(struct subject *s)
{
	for (int i = 0; i < 100; i++) {
		if (!net_engine_serve(s->engine, s->now) &&
		    (s->engine->failed || !net_engine_arm(s->engine)))
			return;
	}
	fail_msg("the engine never rests");
}

void push(struct subject *s)
{
	if (front_push(&s->front.queues[0].tx))
		fake_send(s->fake, s->front.guest.queues[0].tx_port);
	serve(s);
}

void assert_failed(struct subject *s, const char *why)
{
	uint64_t count;

	assert_true(s->engine->failed);
	if (!strstr(s->engine->failure, why))
		fail_msg("failed because \"%s\"", s->engine->failure);
	assert_int_equal(read(s->report_fd, &count, sizeof(count)), sizeof(count));
	/* Nothing more happens. */
	assert_false(net_engine_serve(s->engine, s->now));
}

unsigned slots_of(uint32_t len)
{
	return (len + NET_PAGE - 1) / NET_PAGE;
}

struct netif_tx_request slot(uint16_t size, uint16_t flags)
{
	return (struct netif_tx_request){.gref = 0x60, .size = size, .flags = flags, .id = 5};
}

void put_slot(struct subject *s, uint16_t size, uint16_t flags)
{
	struct netif_tx_request r = slot(size, flags);

	front_put(&s->front.queues[0].tx, &r, sizeof(r));
}

bool received(struct subject *s)
{
	return front_receive(&s->front, 0, &s->packet) || front_receive(&s->front, 1, &s->packet);
}

void assert_received(struct subject *s, uint32_t len)
{
	assert_true(received(s));
	assert_int_equal(s->packet.error, 0);
	assert_int_equal(s->packet.len, len);
	assert_memory_equal(s->packet.data, s->data, len);
}

void offer(struct subject *s, unsigned n)
{
	front_offer(&s->front, 0, n);
	front_offer(&s->front, 1, n);
}

struct net_frame large_frame(struct subject *s, bool ipv6, uint32_t payload, uint32_t *len)
{
	const struct test_frame t = {.ipv6 = ipv6, .payload = payload, .blank = true};

	*len = test_frame_build(&t, s->data);
	return (struct net_frame){
		.csum_blank = true, .gso = ipv6 ? 2 : 1, .gso_size = 1448, .validated = true};
}
