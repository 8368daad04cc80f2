// SPDX-License-Identifier: BSD-2-Clause
/* Frames on a stream socket: framing, back-pressure, what is done for TCP. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/backend/net/link.h"
#include "host/backend/net/test_frame.h"

struct pair {
	struct net_link *link;
	int far;
};

static int setup_pair(void **state)
{
	struct pair *s = calloc(1, sizeof(*s));
	struct problem p;
	int ends[2];

	*state = s;
	if (!s || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	s->far = ends[1];
	s->link = net_link_stream(ends[0], 0, &p);
	return s->link ? 0 : -1;
}

static int teardown_pair(void **state)
{
	struct pair *s = *state;

	net_link_close(s->link);
	if (s->far >= 0)
		close(s->far);
	free(s);
	return 0;
}

static void far_writes(struct pair *s, const void *bytes, size_t len)
{
	assert_int_equal(write(s->far, bytes, len), len);
}

/* As the engine, which has had an event. */
static int receive(struct net_link *link, struct net_frame *f)
{
	link->readable = true;
	return link->ops->receive(link, f);
}

static void frames_are_put_together(void **state)
{
	static const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 1, 'd'};
	struct pair *s = *state;
	struct net_frame f;

	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(receive(s->link, &f), 0);
		far_writes(s, bytes + i, 1);
	}
	assert_int_equal(receive(s->link, &f), 0);
	far_writes(s, bytes + 6, sizeof(bytes) - 6);
	assert_int_equal(receive(s->link, &f), 1);
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.data, "abc", 3);
	assert_int_equal(receive(s->link, &f), 1);
	assert_int_equal(f.len, 0);
	assert_int_equal(receive(s->link, &f), 1);
	assert_memory_equal(f.data, "d", 1);
	assert_int_equal(receive(s->link, &f), 0);
}

static void a_frame_too_long(void **state)
{
	const uint8_t head[4] = {0, 1, 0, 0x20};
	struct pair *s = *state;
	struct net_frame f;

	far_writes(s, head, sizeof(head));
	assert_int_equal(receive(s->link, &f), -EPROTO);
}

static void the_far_end_is_closed(void **state)
{
	struct pair *s = *state;
	struct net_frame f = {.len = 100};

	f.data = s->link->ops->reserve(s->link, 1);
	close(s->far);
	s->far = -1;
	memset(f.data, 0, f.len);
	assert_int_equal(receive(s->link, &f), -EPIPE);
	f.len = 100;
	assert_true(s->link->ops->commit(s->link, &f));
	assert_int_equal(s->link->ops->flush(s->link), -EPIPE);
}

/* Three segments that come at once are one to a receiver that takes such; a fourth that is not here
 * yet is not waited for. */
static void segments_are_merged(void **state)
{
	struct pair *s = *state;
	struct test_frame t = {.payload = 100, .tcp_flags = 0x10};
	uint8_t bytes[4 * 200];
	struct net_frame f;
	uint32_t n = 0, one;

	for (int i = 0; i < 4; i++, t.seq += 100) {
		one = test_frame_build(&t, bytes + n + 4);
		net_put32(bytes + n, one);
		n += 4 + one;
	}
	far_writes(s, bytes, n - 1);
	s->link->ops->receiver(s->link, NET_CAN_GSO4 | NET_CAN_CSUM4);
	assert_int_equal(receive(s->link, &f), 1);
	assert_int_equal(f.gso, 1);
	assert_int_equal(f.gso_size, 100);
	assert_int_equal(f.len, TEST_HEADERS_4 + 300);
	assert_int_equal(receive(s->link, &f), 0);
	far_writes(s, bytes + n - 1, 1);
	assert_int_equal(receive(s->link, &f), 1);
	assert_int_equal(f.gso, 0);
	assert_int_equal(f.len, one);
	assert_true(test_frame_is_right(f.data, f.len));
}

static unsigned frames_received(struct pair *s, const struct test_frame *t, unsigned times)
{
	uint8_t bytes[200];
	struct net_frame f;
	uint32_t len = test_frame_build(t, bytes + 4);
	unsigned n = 0;

	net_put32(bytes, len);
	for (unsigned i = 0; i < times; i++)
		far_writes(s, bytes, 4 + len);
	while (receive(s->link, &f) > 0) {
		assert_int_equal(f.len, len);
		assert_memory_equal(f.data, bytes + 4, len);
		n++;
	}
	return n;
}

/* What passt says twice at once, to be taken for a loss, is said often enough. */
static void repeated_acknowledgements(void **state)
{
	struct test_frame t = {.tcp_flags = 0x10};

	assert_int_equal(frames_received(*state, &t, 1), 1);
	assert_int_equal(frames_received(*state, &t, 2), 3);
	t.ipv6 = true;
	assert_int_equal(frames_received(*state, &t, 2), 3);
	t.payload = 1;
	assert_int_equal(frames_received(*state, &t, 2), 2);
	t = (struct test_frame){.tcp_flags = 0x11};
	assert_int_equal(frames_received(*state, &t, 2), 2);
	t = (struct test_frame){.udp = true};
	assert_int_equal(frames_received(*state, &t, 2), 2);
}

static bool send_numbered(struct net_link *link, uint32_t number, uint32_t len)
{
	struct net_frame f = {.data = link->ops->reserve(link, 1), .len = len};

	if (!f.data)
		return false;
	memset(f.data, (int)(number & 0xff), len);
	return link->ops->commit(link, &f);
}

/* More than the socket takes: nothing is lost, and all comes in order. */
static void the_socket_is_full(void **state)
{
	struct pair *s = *state;
	uint32_t sent = 0, got = 0, in_frame = 0;
	uint8_t part[70000];
	ssize_t n;

	while (send_numbered(s->link, sent, 60000))
		sent++;
	assert_int_equal(s->link->ops->flush(s->link), -EAGAIN);
	assert_true(sent > 2);
	while (got < sent) {
		uint32_t want = 4 + 60000 - in_frame;

		s->link->ops->flush(s->link);
		n = recv(s->far, part, want, MSG_DONTWAIT);
		assert_true(n > 0);
		assert_int_equal(part[n - 1], got & 0xff);
		in_frame += (uint32_t)n;
		if (in_frame == 4 + 60000) {
			in_frame = 0;
			got++;
		}
	}
	assert_int_equal(s->link->ops->flush(s->link), 0);
	assert_int_equal(recv(s->far, part, 1, MSG_DONTWAIT), -1);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup_pair, teardown_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(frames_are_put_together),   PAIR_TEST(a_frame_too_long),
		PAIR_TEST(the_far_end_is_closed),     PAIR_TEST(segments_are_merged),
		PAIR_TEST(repeated_acknowledgements), PAIR_TEST(the_socket_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
