// SPDX-License-Identifier: BSD-2-Clause
/*
 * A connection's own thread between a guest and a network that are threads, too: streams both ways
 * at full speed, rings and sockets full and empty by turns. All arrives, whole and in order, and
 * the connection may end at any moment.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/backend/net/fake_front.h"
#include "host/backend/net/test_frame.h"
#include "shim/fake_test.h"

#define FRAMES 3000u
#define WINDOW 64u   /* frames on their way at once */
#define MIX    7919u /* a prime: lengths in no order */

struct subject {
	struct fake *fake;
	struct fake_front front;
	struct net_link *link;
	struct net_engine *engine;
	struct net_stats stats;
	int report_fd, far;
	pthread_t network;
	uint8_t data[NET_FRAME_MAX];
	struct front_packet packet;
};

/* The network's end sends everything back. */
static void *echo(void *opaque)
{
	const struct subject *s = opaque;
	uint8_t *frame = malloc(4 + NET_FRAME_MAX);
	uint32_t len;

	while (frame && recv(s->far, frame, 4, MSG_WAITALL) == 4) {
		len = net_get32(frame);
		if (recv(s->far, frame + 4, len, MSG_WAITALL) != (ssize_t)len ||
		    send(s->far, frame, (size_t)4 + len, MSG_NOSIGNAL) != (ssize_t)len + 4)
			break;
	}
	free(frame);
	return NULL;
}

static void start(struct subject *s)
{
	struct problem p = {""};

	s->engine = net_engine_start(&s->fake->domain, s->link, &s->front.guest, 0, 0, &s->stats,
				     s->report_fd, &p);
	if (!s->engine)
		fail_msg("%s", p.text);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;
	int ends[2];

	*state = s;
	if (!s || !(s->fake = fake_create(true)) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	fake_front_init(&s->front, s->fake, FRONT_QUEUES);
	s->far = ends[1];
	s->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->link = net_link_stream(ends[0], 0, &p);
	return s->link && !pthread_create(&s->network, NULL, echo, s) ? 0 : -1;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	if (s->engine)
		net_engine_stop(s->engine);
	shutdown(s->far, SHUT_RDWR);
	pthread_join(s->network, NULL);
	net_link_close(s->link);
	close(s->far);
	close(s->report_fd);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

/* One of the guest's queues, with a stream of its own. */
struct flow {
	unsigned queue;
	uint32_t sent, echoed, free_pages;
};

/* A TCP frame whose length and bytes come from its number, on a port that its queue's hash takes.
 */
static uint32_t build(struct subject *s, const struct flow *f, uint32_t n)
{
	const struct test_frame t = {.source_port = (uint16_t)(f->queue * 1000),
				     .seq = n,
				     .payload = n * MIX % 9000,
				     .first = (uint8_t)n,
				     .blank = true};

	return test_frame_build(&t, s->data);
}

static uint32_t pages_of(uint32_t len)
{
	return (len + NET_PAGE - 1) / NET_PAGE;
}

static bool send_some(struct subject *s, struct flow *f)
{
	bool moved = false;

	while (f->sent < FRAMES && f->sent - f->echoed < WINDOW) {
		uint32_t len = build(s, f, f->sent);

		if (f->free_pages < pages_of(len))
			break;
		f->free_pages -= pages_of(len);
		front_put_frame(&s->front, f->queue, s->data, len, 0, 0, 0);
		f->sent++;
		moved = true;
	}
	if (moved && front_push(&s->front.queues[f->queue].tx))
		fake_send(s->fake, s->front.guest.queues[f->queue].tx_port);
	return moved;
}

static bool take_answers(struct subject *s, struct flow *f)
{
	struct netif_tx_response r;
	bool moved = false;

	while (front_take(&s->front.queues[f->queue].tx, &r, sizeof(r))) {
		assert_int_equal(r.status, NETIF_RSP_OKAY);
		f->free_pages++;
		moved = true;
	}
	return moved;
}

/* Whose stream a frame belongs to shows in its port; the backend chooses the queue it comes by. */
static bool receive_some(struct subject *s, struct flow *flows, unsigned queue)
{
	bool moved = false;

	while (front_receive(&s->front, queue, &s->packet)) {
		unsigned owner = net_get16(s->packet.data + 34) / 1000;
		struct flow *f = &flows[owner];

		assert_true(owner < FRONT_QUEUES);
		assert_int_equal(s->packet.error, 0);
		assert_int_equal(s->packet.len, build(s, f, f->echoed++));
		assert_memory_equal(s->packet.data, s->data, s->packet.len);
		front_offer(&s->front, queue, s->packet.slots);
		moved = true;
	}
	return moved;
}

static void stream(struct subject *s, unsigned queues, unsigned room)
{
	const struct timespec step = {.tv_nsec = 100000};
	struct flow flows[FRONT_QUEUES] = {{.queue = 0, .free_pages = FRONT_TX_PAGES},
					   {.queue = 1, .free_pages = FRONT_TX_PAGES}};
	bool done = false;

	s->front.guest.nr_queues = queues;
	for (unsigned q = 0; q < queues; q++)
		front_offer(&s->front, q, room);
	start(s);
	for (int idle = 0; !done; idle++) {
		bool moved = false;

		done = true;
		for (unsigned q = 0; q < queues; q++) {
			moved |= send_some(s, &flows[q]);
			moved |= take_answers(s, &flows[q]);
			moved |= receive_some(s, flows, q);
			done &= flows[q].echoed == FRAMES;
		}
		if (moved)
			idle = 0;
		else
			nanosleep(&step, NULL);
		assert_true(idle < 50000);
	}
	assert_int_equal(s->stats.rx_dropped, 0);
	assert_int_equal(s->stats.tx_errors, 0);
}

static void one_queue(void **state)
{
	stream(*state, 1, 60);
}

/* Barely more room than the longest frame takes. */
static void little_room(void **state)
{
	stream(*state, 1, 4);
}

static void two_queues(void **state)
{
	stream(*state, 2, 40);
}

/* The connection ends and begins while frames are on their way: each is answered, none twice. */
static void ends_at_any_moment(void **state)
{
	struct subject *s = *state;
	struct flow f = {.free_pages = FRONT_TX_PAGES};
	const struct timespec step = {.tv_nsec = 300000};

	s->front.guest.nr_queues = 1;
	front_offer(&s->front, 0, 60);
	for (int round = 0; round < 50; round++) {
		start(s);
		for (int i = 0; i < 20; i++) {
			send_some(s, &f);
			take_answers(s, &f);
			/* Frames in a connection's hands are lost with it; the rest is whole. */
			while (front_receive(&s->front, 0, &s->packet)) {
				assert_int_equal(s->packet.error, 0);
				f.echoed = net_get32(s->packet.data + 38) + 1;
				assert_int_equal(s->packet.len, build(s, &f, f.echoed - 1));
				assert_memory_equal(s->packet.data, s->data, s->packet.len);
				front_offer(&s->front, 0, s->packet.slots);
			}
		}
		nanosleep(&step, NULL);
		net_engine_stop(s->engine);
		s->engine = NULL;
	}
	assert_true(f.echoed > 0);
}

#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREAD_TEST(one_queue),
		THREAD_TEST(little_room),
		THREAD_TEST(two_queues),
		THREAD_TEST(ends_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
