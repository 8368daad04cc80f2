// SPDX-License-Identifier: BSD-2-Clause
/* The guest's connection on the fake platform: the test is the guest. */
#include "host/xenstore/store_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/conn.h"
#include "host/xenstore/test_loop.h"
#include "shim/fake_events.h"
#include "shim/fake_test.h"

#define PAGE_AT 0x20000

struct subject {
	struct fake *fake;
	struct loop loop;
	struct store *store;
	struct store_ring *ring;
	struct xenstore_domain_interface *page;
	char got[64 * 1024]; /* all that the guest has been sent */
	unsigned got_len;
};

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || !(s->fake = fake_create(true)) || loop_init(&s->loop))
		return -1;
	s->store = store_create(&s->loop, &p);
	s->page = fake_at(s->fake, PAGE_AT);
	memset(s->page, 0xa5, sizeof(*s->page));
	s->ring = store_ring_open(s->store, &s->loop, &s->fake->domain, gpa(PAGE_AT), &p);
	if (!s->ring || store_introduce(s->store, s->fake->domain.id))
		return -1;
	store_write(s->store, "/a", "value");
	store_set_perms(s->store, "/a", &(struct store_perm){0, STORE_READ_WRITE}, 1);
	alarm(20);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	if (s->ring)
		store_ring_close(s->ring);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void tell(struct subject *s)
{
	assert_int_equal(fake_send(s->fake, store_ring_port(s->ring)), 0);
	test_loop_settle(&s->loop);
}

/* As much as there is room for. */
static size_t put(struct subject *s, const void *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && s->page->req_prod - s->page->req_cons < XENSTORE_RING_SIZE)
		memcpy(&s->page->req[MASK_XENSTORE_IDX(s->page->req_prod++)],
		       (const char *)bytes + n++, 1);
	return n;
}

static void put_all(struct subject *s, const void *bytes, size_t len)
{
	for (size_t n = 0; n < len; tell(s))
		n += put(s, (const char *)bytes + n, len - n);
}

static void ask(struct subject *s, uint32_t type, const char *payload, size_t len)
{
	const struct xsd_sockmsg header = {.type = type, .req_id = 7, .len = len};

	put_all(s, &header, sizeof(header));
	put_all(s, payload, len);
}

/* Take what has been sent; true if there was something. */
static bool listen(struct subject *s)
{
	unsigned before = s->got_len;

	assert_true(s->page->rsp_prod - s->page->rsp_cons <= XENSTORE_RING_SIZE);
	while (s->page->rsp_cons != s->page->rsp_prod) {
		assert_true(s->got_len < sizeof(s->got));
		s->got[s->got_len++] = s->page->rsp[MASK_XENSTORE_IDX(s->page->rsp_cons++)];
	}
	return s->got_len > before;
}

static void listen_to_all(struct subject *s)
{
	while (listen(s))
		tell(s);
}

static void expect(struct subject *s, uint32_t type, const char *payload, size_t len)
{
	struct xsd_sockmsg header;

	listen_to_all(s);
	assert_true(s->got_len >= sizeof(header));
	memcpy(&header, s->got, sizeof(header));
	assert_int_equal(header.type, type);
	assert_int_equal(header.req_id, type == XS_WATCH_EVENT ? 0 : 7);
	assert_int_equal(header.len, len);
	assert_memory_equal(s->got + sizeof(header), payload, len);
	s->got_len -= sizeof(header) + len;
	memmove(s->got, s->got + sizeof(header) + len, s->got_len);
}

static void begins_clean(void **state)
{
	struct subject *s = *state;

	assert_int_equal(s->page->req_prod | s->page->req_cons, 0);
	assert_int_equal(s->page->rsp_prod | s->page->rsp_cons, 0);
	assert_int_equal(s->page->error, XENSTORE_ERROR_NONE);
	assert_int_equal(s->page->connection, XENSTORE_CONNECTED);
	assert_int_equal(s->page->server_features, 7);
}

static void asks_and_hears(void **state)
{
	struct subject *s = *state;

	ask(s, XS_READ, "/a", 3);
	assert_true(fake_pending(s->fake, store_ring_port(s->ring)));
	expect(s, XS_READ, "value", 5);
	ask(s, XS_READ, "/none", 6);
	expect(s, XS_ERROR, "EACCES", 7);
	ask(s, XS_CONTROL, "help", 5);
	expect(s, XS_ERROR, "EACCES", 7);
}

/* Relative paths are below the domain's own. */
static void has_a_home(void **state)
{
	struct subject *s = *state;
	char path[64];
	const domid_t domid = s->fake->domain.id;

	snprintf(path, sizeof(path), "/local/domain/%u/x", domid);
	assert_int_equal(store_write(s->store, path, "mine"), 0);
	assert_int_equal(store_set_perms(s->store, path, &(struct store_perm){domid, 0}, 1), 0);
	ask(s, XS_READ, "x", 2);
	expect(s, XS_READ, "mine", 4);
}

/* A request, and an answer, longer than the ring, across its end. */
static void longer_than_the_ring(void **state)
{
	struct subject *s = *state;
	char request[4000];

	s->page->req_prod = s->page->req_cons = 0xfffffff0u; /* they run over */
	s->page->rsp_prod = s->page->rsp_cons = 0xfffffe00u;
	memset(request, 'v', sizeof(request));
	memcpy(request, "/a", 3);
	assert_int_equal(
		store_set_perms(s->store, "/a", &(struct store_perm){0, STORE_READ_WRITE}, 1), 0);
	ask(s, XS_WRITE, request, 1900);
	expect(s, XS_WRITE, "OK", 3);
	request[1900] = '\0';
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, request + 3, 1897);
	assert_int_equal(store_write(s->store, "/a", request + 3), 0);
	assert_int_equal(s->got_len, 0);
}

static void watches(void **state)
{
	struct subject *s = *state;

	ask(s, XS_WATCH, "/a\0token", 9);
	expect(s, XS_WATCH, "OK", 3);
	expect(s, XS_WATCH_EVENT, "/a\0token", 9);
	fake_clear_pending(s->fake, store_ring_port(s->ring));
	assert_int_equal(store_write(s->store, "/a/b", "x"), 0);
	test_loop_settle(&s->loop);
	assert_true(fake_pending(s->fake, store_ring_port(s->ring)));
	expect(s, XS_WATCH_EVENT, "/a/b\0token", 11);
}

/* It sends requests, and takes nothing for a long time: then all is there, in order. */
static void slow_reader(void **state)
{
	struct subject *s = *state;
	struct {
		struct xsd_sockmsg header;
		char payload[3];
	} __attribute__((packed)) request = {{XS_READ, 7, 0, 3}, "/a"};
	char value[501];
	unsigned sent = 0;

	memset(value, 'w', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(store_write(s->store, "/a", value), 0);
	while (put(s, &request, sizeof(request)) == sizeof(request)) {
		sent++;
		tell(s);
		assert_true(sent < 1000); /* we are not read on and on */
	}
	assert_true(sent > 20);
	for (unsigned i = 0; i < sent; i++)
		expect(s, XS_READ, value, 500);
}

static void assert_stopped(struct subject *s, uint32_t error)
{
	uint32_t prod = s->page->rsp_prod;

	tell(s);
	assert_int_equal(s->page->error, error);
	s->page->req_prod = s->page->req_cons;
	s->page->rsp_cons = prod;
	assert_true(put(s, &(struct xsd_sockmsg){.type = XS_READ, .len = 3}, 16) == 16);
	put(s, "/a", 3);
	tell(s);
	assert_int_equal(s->page->rsp_prod, prod);
	/* It asks for a new connection, and has one. */
	s->page->connection = XENSTORE_RECONNECT;
	fake_clear_pending(s->fake, store_ring_port(s->ring));
	tell(s);
	assert_true(fake_pending(s->fake, store_ring_port(s->ring)));
	s->got_len = 0;
	begins_clean((void **)&s);
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "value", 5);
}

static void hostile_indexes(void **state)
{
	struct subject *s = *state;

	s->page->req_prod = s->page->req_cons + XENSTORE_RING_SIZE + 1;
	assert_stopped(s, XENSTORE_ERROR_RINGIDX);
	s->page->req_cons = s->page->req_prod + 1;
	assert_stopped(s, XENSTORE_ERROR_RINGIDX);
	s->page->rsp_cons = s->page->rsp_prod + 1;
	assert_stopped(s, XENSTORE_ERROR_RINGIDX);
	s->page->rsp_prod = s->page->rsp_cons + XENSTORE_RING_SIZE + 1;
	assert_stopped(s, XENSTORE_ERROR_RINGIDX);
}

static void message_too_long(void **state)
{
	struct subject *s = *state;
	const struct xsd_sockmsg header = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};

	put(s, &header, sizeof(header));
	assert_stopped(s, XENSTORE_ERROR_PROTO);
}

/* Watches, transactions and half a request go. */
static void reconnects(void **state)
{
	struct subject *s = *state;

	ask(s, XS_WATCH, "/a\0t", 5);
	put(s, "half", 4);
	s->page->connection = XENSTORE_RECONNECT;
	tell(s);
	begins_clean(state);
	s->got_len = 0;
	assert_int_equal(store_write(s->store, "/a", "new"), 0);
	test_loop_settle(&s->loop);
	assert_false(listen(s));
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "new", 3);
}

static void soft_reset(void **state)
{
	struct subject *s = *state;

	ask(s, XS_WATCH, "/a\0t", 5);
	put(s, "half", 4);
	memset(s->page, 0x5a, sizeof(*s->page));
	event_channels_soft_reset(&s->fake->domain);
	store_ring_reset(s->ring);
	begins_clean(state);
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "value", 5);
	assert_int_equal(s->got_len, 0);
}

/* Firmware clears the page when it is done; who comes after it goes on. */
static void cleared_page(void **state)
{
	struct subject *s = *state;

	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "value", 5);
	memset(s->page, 0, sizeof(*s->page));
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "value", 5);
}

/* The toolstack's INTRODUCE of one that is there: a new connection on the same page. */
static void introduced_again(void **state)
{
	struct subject *s = *state;
	struct conn *c = conn_of(s->store, s->fake->domain.id);

	ask(s, XS_WATCH, "/a\0t", 5);
	c->reintroduced = true;
	c->wake(c);
	test_loop_settle(&s->loop);
	begins_clean(state);
	assert_int_equal(c->watcher.nr_watches, 0);
	s->got_len = 0;
	ask(s, XS_READ, "/a", 3);
	expect(s, XS_READ, "value", 5);
}

static void released(void **state)
{
	struct subject *s = *state;

	store_release(s->store, s->fake->domain.id);
	put(s, &(struct xsd_sockmsg){.type = XS_READ, .len = 3}, 16);
	put(s, "/a", 3);
	tell(s);
	assert_false(listen(s));
	s->page->connection = XENSTORE_RECONNECT;
	tell(s);
	assert_int_equal(s->page->connection, XENSTORE_RECONNECT);
}

/* Where there is no memory, nobody is served, and nothing breaks. */
static void no_memory_there(void **state)
{
	struct subject *s = *state;
	struct problem p;
	struct store_ring *ring;

	store_ring_close(s->ring);
	s->ring = NULL;
	ring = store_ring_open(s->store, &s->loop, &s->fake->domain, gpa(1ull << 40), &p);
	assert_non_null(ring);
	assert_int_equal(fake_send(s->fake, store_ring_port(ring)), 0);
	test_loop_settle(&s->loop);
	store_ring_reset(ring);
	store_ring_close(ring);
}

static void closes(void **state)
{
	struct subject *s = *state;
	evtchn_port_t port = store_ring_port(s->ring);

	ask(s, XS_WATCH, "/a\0t", 5);
	store_ring_close(s->ring);
	s->ring = NULL;
	fake_send(s->fake, port);
	assert_int_equal(store_write(s->store, "/a", "x"), 0);
	test_loop_settle(&s->loop);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_clean),         TEST(asks_and_hears),   TEST(has_a_home),
		TEST(longer_than_the_ring), TEST(watches),          TEST(slow_reader),
		TEST(hostile_indexes),      TEST(message_too_long), TEST(reconnects),
		TEST(soft_reset),           TEST(cleared_page),     TEST(released),
		TEST(introduced_again),     TEST(no_memory_there),  TEST(closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
