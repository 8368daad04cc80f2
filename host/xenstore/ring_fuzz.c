// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that does what it likes with its page: indexes, requests, the wish for a new connection,
 * in any order, while others change what it watches. The loop must come to rest after each step (or
 * libFuzzer's timeout ends it), what is between the indexes that we write must fit into the ring,
 * and an error must stay until the guest asks for a new connection.
 */
#include "host/xenstore/conn.h"
#include "host/xenstore/state.h"
#include "host/xenstore/store_ring.h"
#include "host/xenstore/test_loop.h"
#include "shim/fake_events.h"
#include "shim/fuzz_input.h"

#define PAGE_AT 0x20000

struct subject {
	struct fake *fake;
	struct loop loop;
	struct store *store;
	struct store_ring *ring;
	struct conn *conn;
	struct xenstore_domain_interface *page;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(struct subject *s)
{
	struct problem p;

	s->fake = fake_create(true);
	if (!s->fake || loop_init(&s->loop) || !(s->store = store_create(&s->loop, &p)))
		fail("no store\n");
	s->page = fake_at(s->fake, PAGE_AT);
	s->ring = store_ring_open(s->store, &s->loop, &s->fake->domain, gpa(PAGE_AT), &p);
	if (!s->ring)
		fail("no ring: %s\n", p.text);
	store_introduce(s->store, s->fake->domain.id);
	s->conn = conn_of(s->store, s->fake->domain.id);
	store_write(s->store, "/a", "value");
	store_set_perms(s->store, "/a", &(struct store_perm){0, STORE_READ_WRITE}, 1);
}

static void end(struct subject *s)
{
	store_ring_close(s->ring);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	fake_destroy(s->fake);
}

/* A whole request, so that there is something to answer. */
static void put_request(struct subject *s, struct input *in)
{
	struct {
		struct xsd_sockmsg header;
		char payload[16];
	} r = {.header = {.type = take(in, 1) % XS_TYPE_COUNT, .len = 5}, .payload = "/a\0t"};

	if (s->page->req_prod - s->page->req_cons > XENSTORE_RING_SIZE - sizeof(r))
		return;
	for (size_t i = 0; i < sizeof(r.header) + 5; i++)
		memcpy(&s->page->req[MASK_XENSTORE_IDX(s->page->req_prod++)], (char *)&r + i, 1);
}

static void put_bytes(struct subject *s, struct input *in)
{
	for (unsigned n = take(in, 1) % 64; n; n--)
		s->page->req[MASK_XENSTORE_IDX(s->page->req_prod++)] = take(in, 1);
}

static void spoil_index(struct subject *s, struct input *in)
{
	uint32_t *const indexes[] = {&s->page->req_cons, &s->page->req_prod, &s->page->rsp_cons,
				     &s->page->rsp_prod};
	uint32_t *index = indexes[take(in, 1) % 4];

	*index = take(in, 1) % 2 ? *index + take(in, 2) : take(in, 4);
}

static void change_something(struct subject *s, struct input *in)
{
	for (unsigned n = take(in, 1) % 40; n; n--)
		store_writef(s->store, "/a", "%u", n);
	store_writef(s->store, "/a/b", "x");
}

static void settle(struct subject *s)
{
	uint32_t was = s->conn->failed;
	bool asked = s->page->connection == XENSTORE_RECONNECT;

	fake_send(s->fake, store_ring_port(s->ring));
	test_loop_settle(&s->loop);
	if (was && !s->conn->failed && !asked)
		fail("an error has gone by itself\n");
	if (!was && s->conn->failed && s->page->error != s->conn->failed)
		fail("the guest is not told of an error\n");
	if (!s->conn->closed && !s->conn->failed &&
	    s->page->rsp_prod - s->page->rsp_cons > XENSTORE_RING_SIZE)
		fail("more than the ring holds\n");
	if (!s->conn->closed && s->page->connection == XENSTORE_RECONNECT)
		fail("it asks for a new connection and gets none\n");
	if (!tree_check(&s->store->tree))
		fail("the tree is broken\n");
}

static void step(struct subject *s, struct input *in)
{
	switch (take(in, 1) % 10) {
	case 0:
		spoil_index(s, in);
		break;
	case 1:
		s->page->connection = take(in, 1) % 3;
		break;
	case 2:
		put_bytes(s, in);
		break;
	case 3:
		change_something(s, in);
		break;
	case 4:
		s->page->rsp_cons = s->page->rsp_prod;
		break;
	case 5:
		s->page->error = take(in, 1);
		break;
	case 6:
		if (take(in, 1) % 8 == 0)
			memset(s->page, take(in, 1), sizeof(*s->page));
		break;
	case 7:
		if (take(in, 1) % 8 == 0)
			store_ring_reset(s->ring);
		break;
	default:
		put_request(s, in);
		return; /* some at a time */
	}
	settle(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct subject s;

	start(&s);
	while (in.left)
		step(&s, &in);
	end(&s);
	return 0;
}
