// SPDX-License-Identifier: BSD-2-Clause
/* A further console, from the store to the bytes: the test is its frontend and its user. */
#include "host/backend/console_device.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/xenstore/test_loop.h"
#include "shim/fake_events.h"
#include "shim/fake_grants.h"

#define FRONT    "/local/domain/7/device/console/1"
#define BACK     "/local/domain/0/backend/console/7/1"
#define RING_AT  0x20000
#define RING_REF 8
#define RING_GFN (RING_AT >> GUEST_PAGE_SHIFT)

struct subject {
	struct fake *fake;
	struct loop loop;
	struct store *store;
	struct console_device device;
	struct xencons_interface *ring;
	evtchn_port_t port;
	int user[2]; /* ours, and the device's */
	unsigned hang_ups;
};

static void hung_up(void *opaque)
{
	struct subject *s = opaque;

	s->hang_ups++;
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || loop_init(&s->loop) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s->user))
		return -1;
	s->fake = fake_create(true);
	s->store = store_create(&s->loop, &p);
	s->ring = fake_at(s->fake, RING_AT);
	fake_grant(s->fake, RING_REF, GTF_permit_access, 0, RING_GFN);
	s->port = fake_alloc_unbound(s->fake, DOMID_SELF, 0);
	s->device = (struct console_device){
		.name = "org.example.agent",
		.connection = "socket",
		.in_fd = s->user[1],
		.out_fd = fcntl(s->user[1], F_DUPFD_CLOEXEC, 0),
		.hung_up = hung_up,
		.opaque = s,
	};
	alarm(20); /* a loop that does not stop is a failure */
	return console_device_add(&s->device, &s->loop, s->store, &s->fake->domain, 1, &p);
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	console_device_remove(&s->device);
	close(s->user[0]);
	close(s->user[1]);
	close(s->device.out_fd);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void front_writes(struct subject *s, const char *name, unsigned value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	assert_int_equal(store_writef(s->store, path, "%u", value), 0);
}

static void connects(struct subject *s)
{
	front_writes(s, "ring-ref", RING_REF);
	front_writes(s, "port", s->port);
	front_writes(s, "state", XenbusStateInitialised);
	test_loop_settle(&s->loop);
}

static void check_node(struct subject *s, const char *path, const char *value)
{
	char *is = store_read(s->store, path, NULL);

	assert_non_null(is);
	assert_string_equal(is, value);
	free(is);
}

static void guest_writes(struct subject *s, const char *text)
{
	for (const char *c = text; *c; c++)
		s->ring->out[s->ring->out_prod++ % sizeof(s->ring->out)] = *c;
	assert_int_equal(fake_send(s->fake, s->port), 0);
	test_loop_settle(&s->loop);
}

static void user_reads(int fd, const char *text)
{
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_int_equal(n, strlen(text));
	assert_memory_equal(bytes, text, n);
}

static void shown_as_libxl_does(void **state)
{
	struct subject *s = *state;

	check_node(s, FRONT "/type", "ioemu");
	check_node(s, FRONT "/name", "org.example.agent");
	check_node(s, FRONT "/connection", "socket");
	check_node(s, FRONT "/protocol", "vt100");
	check_node(s, BACK "/state", "2");
}

static void bytes_both_ways(void **state)
{
	struct subject *s = *state;

	connects(s);
	check_node(s, BACK "/state", "4");
	assert_int_equal(fake_grant_status(s->fake, RING_REF), GTF_reading | GTF_writing);
	guest_writes(s, "hello");
	user_reads(s->user[0], "hello");
	assert_int_equal(write(s->user[0], "hi", 2), 2);
	test_loop_settle(&s->loop);
	assert_int_equal(s->ring->in_prod, 2);
	assert_memory_equal(s->ring->in, "hi", 2);
}

static void gives_all_back(void **state)
{
	struct subject *s = *state;

	connects(s);
	front_writes(s, "state", XenbusStateClosing);
	test_loop_settle(&s->loop);
	assert_int_equal(fake_grant_status(s->fake, RING_REF), 0);
	check_node(s, BACK "/state", "5");
	/* A new driver with the same ring. */
	front_writes(s, "state", XenbusStateInitialising);
	test_loop_settle(&s->loop);
	connects(s);
	guest_writes(s, "again");
	user_reads(s->user[0], "again");
}

static void refuses_what_is_not_granted(void **state)
{
	struct subject *s = *state;

	fake_grant(s->fake, RING_REF, GTF_permit_access | GTF_readonly, 0, RING_GFN);
	connects(s);
	check_node(s, BACK "/state", "5");
	check_node(s, "/local/domain/0/error/backend/console/7/1/error",
		   "the frontend does not grant its ring (ring-ref 8)");
}

static void refuses_a_port_that_is_not_offered(void **state)
{
	struct subject *s = *state;

	s->port = 77;
	connects(s);
	check_node(s, BACK "/state", "5");
	assert_int_equal(fake_grant_status(s->fake, RING_REF), 0);
}

/* Who was connected has gone; the guest goes on, and who comes next reads the last of it. */
static void another_user(void **state)
{
	struct subject *s = *state;
	int next[2], out;

	connects(s);
	close(s->user[0]);
	test_loop_settle(&s->loop);
	assert_int_equal(s->hang_ups, 1);
	console_device_attach(&s->device, -1, -1);
	guest_writes(s, "nobody reads this yet");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, next),
			 0);
	out = fcntl(next[1], F_DUPFD_CLOEXEC, 0);
	console_device_attach(&s->device, next[1], out);
	test_loop_settle(&s->loop);
	user_reads(next[0], "nobody reads this yet");
	console_device_attach(&s->device, -1, -1);
	s->user[0] = next[0];
	close(next[1]);
	close(out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shown_as_libxl_does),
		TEST(bytes_both_ways),
		TEST(gives_all_back),
		TEST(refuses_what_is_not_granted),
		TEST(refuses_a_port_that_is_not_offered),
		TEST(another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
