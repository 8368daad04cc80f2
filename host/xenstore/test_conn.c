// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/test_conn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void wake(struct conn *c)
{
	struct test_conns *t = (struct test_conns *)c->store->loop;

	t->woken++;
}

int test_conns_setup(void **state)
{
	struct test_conns *t = calloc(1, sizeof(*t));
	struct problem p;

	*state = t;
	if (!t || loop_init(&t->loop))
		return -1;
	t->store = store_create(&t->loop, &p);
	if (!t->store || store_introduce(t->store, 1) || store_introduce(t->store, 2))
		return -1;
	conn_open(&t->tool, t->store, 0, true, wake);
	conn_open(&t->one, t->store, 1, false, wake);
	conn_open(&t->two, t->store, 2, false, wake);
	alarm(30);
	return 0;
}

static void close_one(struct conn *c)
{
	conn_close(c);
	assert_int_equal(c->who.held, 0);
	assert_int_equal(c->answers, 0);
	assert_int_equal(c->nr_transactions, 0);
	assert_int_equal(c->watcher.nr_watches, 0);
}

int test_conns_teardown(void **state)
{
	struct test_conns *t = *state;

	alarm(0);
	close_one(&t->tool);
	close_one(&t->one);
	close_one(&t->two);
	assert_true(tree_check(&t->store->tree));
	store_destroy(t->store);
	loop_destroy(&t->loop);
	free(t);
	return 0;
}

void ask(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	const struct xsd_sockmsg header = {
		.type = type, .req_id = type + 1000, .tx_id = tx, .len = len};

	assert_int_equal(conn_input(c, (const char *)&header, sizeof(header)), sizeof(header));
	assert_int_equal(conn_input(c, payload, len), len);
}

static void take_bytes(struct conn *c, void *to, size_t wanted)
{
	const char *bytes;
	size_t len;

	for (size_t have = 0; have < wanted; have += len) {
		bytes = conn_output(c, &len);
		assert_non_null(bytes);
		if (len > wanted - have)
			len = wanted - have;
		memcpy((char *)to + have, bytes, len);
		conn_sent(c, len);
	}
}

uint32_t take(struct conn *c, uint32_t *type, char payload[XENSTORE_PAYLOAD_MAX + 1])
{
	struct xsd_sockmsg header;

	take_bytes(c, &header, sizeof(header));
	assert_true(header.len <= XENSTORE_PAYLOAD_MAX);
	if (header.type == XS_WATCH_EVENT)
		assert_int_equal(header.req_id | header.tx_id, 0);
	else if (header.type != XS_ERROR)
		assert_int_equal(header.req_id, header.type + 1000);
	take_bytes(c, payload, header.len);
	payload[header.len] = '\0';
	*type = header.type;
	return header.len;
}

void expect(struct conn *c, uint32_t type, const char *payload, size_t len)
{
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t got_type, got_len = take(c, &got_type, got);

	if (got_type == XS_ERROR && type != XS_ERROR)
		fail_msg("error %s", got);
	assert_int_equal(got_type, type);
	assert_int_equal(got_len, len);
	assert_memory_equal(got, payload, len);
}

void expect_error(struct conn *c, const char *name)
{
	expect(c, XS_ERROR, name, strlen(name) + 1);
}

void expect_event(struct conn *c, const char *path, const char *token)
{
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t type, len = take(c, &type, got);

	assert_int_equal(type, XS_WATCH_EVENT);
	assert_string_equal(got, path);
	assert_int_equal(len, strlen(path) + strlen(token) + 2);
	assert_string_equal(got + strlen(path) + 1, token);
}

void expect_nothing(struct conn *c)
{
	size_t len;

	assert_null(conn_output(c, &len));
}

void get(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len,
	 const char *answer, size_t answer_len)
{
	ask(c, type, tx, payload, len);
	expect(c, type, answer, answer_len);
}

void ok(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	get(c, type, tx, payload, len, Z("OK"));
}

void refused(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len,
	     const char *error)
{
	ask(c, type, tx, payload, len);
	expect_error(c, error);
}

uint32_t begin(struct conn *c)
{
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t type;

	ask(c, XS_TRANSACTION_START, 0, Z(""));
	take(c, &type, got);
	assert_int_equal(type, XS_TRANSACTION_START);
	return strtoul(got, NULL, 10);
}
