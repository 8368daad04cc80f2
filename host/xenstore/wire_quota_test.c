// SPDX-License-Identifier: BSD-2-Clause
/* What a domain may have, and what it is told when it wants more. Domain 0 may have anything. */
#include <stdio.h>
#include <string.h>

#include "host/xenstore/test_conn.h"

/* /home, where domain 1 may do what it likes. */
static int setup(void **state)
{
	struct test_conns *t;

	if (test_conns_setup(state))
		return -1;
	t = *state;
	ok(&t->tool, XS_MKDIR, 0, Z("/home"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/home\0b0"));
	return 0;
}

/* Nodes in directories of a few: the names of a node's children count for its size. */
static size_t nth_node(char path[64], unsigned i)
{
	return snprintf(path, 64, "/home/%u/%u", i / 100, i % 100) + 1;
}

static void nodes(void **state)
{
	struct test_conns *t = *state;
	char path[64];
	unsigned made = 0;
	uint32_t tx;

	t->store->quotas.nodes = 50;
	for (; made < 49; made++) { /* one more for /home/0 */
		size_t len = nth_node(path, made);

		ok(&t->one, XS_MKDIR, 0, path, len);
	}
	assert_int_equal(tree_owned(&t->store->tree, 1).nodes, 50);
	refused(&t->one, XS_MKDIR, 0, Z("/home/more"), "ENOSPC");
	refused(&t->one, XS_WRITE, 0, B("/home/more\0x"), "ENOSPC");
	ok(&t->one, XS_WRITE, 0, B("/home/0/7\0x")); /* is there already */
	ok(&t->tool, XS_MKDIR, 0, Z("/home/more"));
	ok(&t->one, XS_RM, 0, Z("/home/0/7"));
	refused(&t->one, XS_MKDIR, 0, Z("/home/a/b"), "ENOSPC"); /* would be two */
	tx = begin(&t->one);
	ok(&t->one, XS_MKDIR, tx, Z("/home/a"));
	refused(&t->one, XS_MKDIR, tx, Z("/home/b"), "ENOSPC");
	ok(&t->one, XS_TRANSACTION_END, tx, Z("T"));
	assert_int_equal(tree_owned(&t->store->tree, 1).nodes, 50);
	ok(&t->two, XS_MKDIR, 0, Z("/home/another"));
}

/* Each of two transactions has room, both together have not. */
static void nodes_at_commit(void **state)
{
	struct test_conns *t = *state;
	uint32_t a, b;

	ok(&t->one, XS_MKDIR, 0, Z("/home/a"));
	ok(&t->one, XS_MKDIR, 0, Z("/home/b"));
	t->store->quotas.nodes = 3;
	a = begin(&t->one);
	b = begin(&t->one);
	ok(&t->one, XS_MKDIR, a, Z("/home/a/x"));
	ok(&t->one, XS_MKDIR, b, Z("/home/b/x"));
	ok(&t->one, XS_TRANSACTION_END, a, Z("T"));
	refused(&t->one, XS_TRANSACTION_END, b, Z("T"), "ENOSPC");
	assert_int_equal(tree_owned(&t->store->tree, 1).nodes, 3);
	assert_true(tree_check(&t->store->tree));
}

static void default_quotas(void **state)
{
	struct test_conns *t = *state;
	char path[64];

	for (unsigned i = 0; i < 990; i++) { /* and ten directories */
		size_t len = nth_node(path, i);

		ok(&t->one, XS_MKDIR, 0, path, len);
	}
	refused(&t->one, XS_MKDIR, 0, Z("/home/x"), "ENOSPC");
}

static void size_of_a_node(void **state)
{
	struct test_conns *t = *state;
	char request[3000];
	const size_t fits = 2047 - node_size_of(0, 1, 0), head = sizeof("/home/x");

	memset(request, 'v', sizeof(request));
	memcpy(request, "/home/x", head);
	refused(&t->one, XS_WRITE, 0, request, head + fits + 1, "ENOSPC");
	ok(&t->one, XS_WRITE, 0, request, head + fits);
	refused(&t->one, XS_WRITE, 0, request, head + fits + 1, "ENOSPC");
	refused(&t->one, XS_MKDIR, 0, Z("/home/x/y"), "ENOSPC"); /* its name counts */
	refused(&t->one, XS_SET_PERMS, 0, Z("/home/x\0n1\0r2"), "ENOSPC");
	ok(&t->tool, XS_WRITE, 0, request, sizeof(request));
	ok(&t->one, XS_WRITE, 0, request, head);
	ok(&t->one, XS_MKDIR, 0, Z("/home/x/y"));
}

static void perms(void **state)
{
	struct test_conns *t = *state;

	ok(&t->one, XS_MKDIR, 0, Z("/home/x"));
	ok(&t->one, XS_SET_PERMS, 0, Z("/home/x\0n1\0r2\0r2\0r2\0r2"));
	refused(&t->one, XS_SET_PERMS, 0, Z("/home/x\0n1\0r2\0r2\0r2\0r2\0r2"), "ENOSPC");
	ok(&t->tool, XS_SET_PERMS, 0, Z("/home/x\0n1\0r2\0r2\0r2\0r2\0r2"));
}

static void watches(void **state)
{
	struct test_conns *t = *state;
	char request[64];

	for (int i = 0; i <= 128; i++) {
		size_t len = snprintf(request, sizeof(request), "/home/%d%ct", i, 0) + 1;

		if (i == 128)
			refused(&t->one, XS_WATCH, 0, request, len, "E2BIG");
		else
			ok(&t->one, XS_WATCH, 0, request, len);
		ok(&t->tool, XS_WATCH, 0, request, len);
		if (i < 128)
			expect(&t->one, XS_WATCH_EVENT, request, len);
		expect(&t->tool, XS_WATCH_EVENT, request, len);
	}
	ok(&t->one, XS_UNWATCH, 0, Z("/home/0\0t"));
	ok(&t->one, XS_WATCH, 0, Z("/home/0\0t"));
}

static void transactions(void **state)
{
	struct test_conns *t = *state;
	uint32_t last = 0;

	for (int i = 0; i < 10; i++)
		last = begin(&t->one);
	refused(&t->one, XS_TRANSACTION_START, 0, Z(""), "ENOSPC");
	ok(&t->one, XS_TRANSACTION_END, last, Z("F"));
	begin(&t->one);
	for (int i = 0; i < 20; i++)
		begin(&t->tool);
}

/* A transaction that looks at too many nodes cannot end well. */
static void transaction_nodes(void **state)
{
	struct test_conns *t = *state;
	char path[64];
	uint32_t tx = begin(&t->one), of_tool = begin(&t->tool);

	for (unsigned i = 0; i < 1100; i++) {
		size_t len = snprintf(path, sizeof(path), "/home/%u", i) + 1;

		ask(&t->one, XS_READ, tx, path, len);
		/* The node above, which says what he may know, is one of them. */
		expect_error(&t->one, i < 1023 ? "ENOENT" : "ENOSPC");
		refused(&t->tool, XS_READ, of_tool, path, len, "ENOENT");
	}
	ok(&t->tool, XS_TRANSACTION_END, of_tool, Z("T"));
	refused(&t->one, XS_TRANSACTION_END, tx, Z("T"), "ENOMEM");
	assert_int_equal(t->one.who.held, 0);
}

/* Who does not take his answers is asked nothing more. */
static void outstanding(void **state)
{
	struct test_conns *t = *state;
	struct xsd_sockmsg header = {
		.type = XS_GET_DOMAIN_PATH, .req_id = XS_GET_DOMAIN_PATH + 1000, .len = 2};
	char requests[30][sizeof(header) + 2];
	size_t taken;

	for (int i = 0; i < 30; i++) {
		memcpy(requests[i], &header, sizeof(header));
		memcpy(requests[i] + sizeof(header), "7", 2);
	}
	taken = conn_input(&t->one, requests[0], sizeof(requests));
	assert_int_equal(taken, 20 * sizeof(requests[0]));
	assert_false(conn_wants_input(&t->one));
	assert_int_equal(conn_input(&t->one, requests[0] + taken, sizeof(requests) - taken), 0);
	expect(&t->one, XS_GET_DOMAIN_PATH, Z("/local/domain/7"));
	taken += conn_input(&t->one, requests[0] + taken, sizeof(requests) - taken);
	assert_int_equal(taken, 21 * sizeof(requests[0]));
}

static void memory(void **state)
{
	struct test_conns *t = *state;
	char request[1000];
	char path[64];

	t->store->quotas.memory = 4096;
	memset(request, 'v', sizeof(request));
	for (int i = 0; i < 4; i++) {
		request[6] = '0' + i;
		memcpy(request, "/home/", 6);
		request[7] = '\0';
		if (i < 3)
			ok(&t->one, XS_WRITE, 0, request, sizeof(request));
		else
			refused(&t->one, XS_WRITE, 0, request, sizeof(request), "ENOMEM");
		ok(&t->tool, XS_WRITE, 0, B("/home/tools\0x"));
	}
	for (int i = 0; i < 20; i++) {
		size_t len = snprintf(path, sizeof(path), "/home/x%d%ct", i, 0) + 1;
		uint32_t type;
		char got[XENSTORE_PAYLOAD_MAX + 1];

		ask(&t->one, XS_WATCH, 0, path, len);
		take(&t->one, &type, got);
		if (type == XS_ERROR) {
			assert_string_equal(got, "ENOMEM");
			assert_true(i > 2);
			return;
		}
		take(&t->one, &type, got);
	}
	fail_msg("watches take no memory");
}

/* Events that nobody takes are lost when they are too many; answers never. */
static void events_nobody_takes(void **state)
{
	struct test_conns *t = *state;
	char path[64];

	ok(&t->one, XS_WATCH, 0, Z("/home\0t"));
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/home/%d", i);
		assert_int_equal(store_write(t->store, path, ""), 0);
		assert_int_equal(store_rm(t->store, path), 0);
	}
	assert_true(t->one.who.held < t->store->quotas.memory);
	t->store->quotas.memory = 1024;
	assert_int_equal(store_write(t->store, "/home/lost", ""), 0);
	ask(&t->one, XS_GET_DOMAIN_PATH, 0, Z("7"));
	expect_event(&t->one, "/home", "t");
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/home/%d", i);
		expect_event(&t->one, path, "t");
	}
	expect(&t->one, XS_GET_DOMAIN_PATH, Z("/local/domain/7"));
	expect_nothing(&t->one);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, test_conns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nodes),
		TEST(nodes_at_commit),
		TEST(default_quotas),
		TEST(size_of_a_node),
		TEST(perms),
		TEST(watches),
		TEST(transactions),
		TEST(transaction_nodes),
		TEST(outstanding),
		TEST(memory),
		TEST(events_nobody_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
