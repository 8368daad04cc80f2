// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each of many requests is tried with its first allocation failing, then its second, and so on
 * until none fails: as long as one does, nothing has changed, and nothing is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/test_conn.h"
#include "shim/memslot/fail_alloc.h"

/* The tree as one string; what is not in it does not count. */
static size_t say(const struct node *n, char *to, size_t room)
{
	size_t len = snprintf(to, room, "%s=%s", n->name->bytes, n->value->bytes);

	for (unsigned i = 0; i < n->perms->n; i++)
		len += snprintf(to + len, room - len, ",%u:%u", n->perms->list[i].domid,
				n->perms->list[i].right);
	len += snprintf(to + len, room - len, "{");
	for (uint32_t i = 0; i < n->nr_children; i++)
		len += say(n->children[i].node, to + len, room - len);
	return len + snprintf(to + len, room - len, "}");
}

struct request_case {
	uint32_t type;
	const char *payload;
	size_t len;
};

static const struct request_case cases[] = {
	{XS_WRITE, B("/a/b\0new")},
	{XS_WRITE, B("/a/x/y/z\0new")},
	{XS_MKDIR, Z("/q/r/s/t")},
	{XS_RM, Z("/a/b")},
	{XS_SET_PERMS, Z("/a/b\0r2\0b1")},
	{XS_SET_PERMS, Z("@releaseDomain\0n0\0r1")},
	{XS_READ, Z("/a")},
	{XS_DIRECTORY, Z("/a")},
	{XS_DIRECTORY_PART, Z("/a\0000")},
	{XS_GET_PERMS, Z("/a")},
	{XS_WATCH, Z("/a\0t")},
	{XS_CONTROL, Z("quota")},
	{XS_TRANSACTION_START, Z("")},
};

static void send_request(struct conn *c, const struct request_case *r, uint32_t tx)
{
	const struct xsd_sockmsg header = {
		.type = r->type, .req_id = r->type + 1000, .tx_id = tx, .len = r->len};

	conn_input(c, (const char *)&header, sizeof(header));
	conn_input(c, r->payload, r->len);
}

/* Did it go well? Its answers are thrown away. */
static bool went_well(struct conn *c)
{
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t type;
	size_t len;
	bool well = !c->failed;

	while (well && conn_output(c, &len)) {
		take(c, &type, got);
		if (type == XS_ERROR) {
			assert_string_equal(got, "ENOMEM");
			well = false;
		}
	}
	return well;
}

static void populate(struct test_conns *t)
{
	ok(&t->tool, XS_RM, 0, Z("/a"));
	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0v"));
	for (char name[] = "/a/b1"; name[4] < '9'; name[4]++) /* so that there is no room left */
		ok(&t->tool, XS_MKDIR, 0, name, sizeof(name));
}

/* held: somebody has a snapshot, so that what changes must be copied. */
static void run_case(struct test_conns *t, const struct request_case *r, bool held)
{
	static char before[65536], after[65536];

	for (unsigned n = 1;; n++) {
		bool well;

		populate(t);
		if (held)
			begin(&t->two);
		say(t->store->tree.root, before, sizeof(before));
		fail_alloc(n);
		send_request(&t->tool, r, 0);
		well = fail_alloc_seen() < n;
		fail_alloc(0);
		say(t->store->tree.root, after, sizeof(after));
		assert_true(tree_check(&t->store->tree));
		/* Where only the answer could not be made, what was asked for has been done. */
		if (!t->tool.failed)
			assert_true(went_well(&t->tool) == well);
		if (!well && !t->tool.failed)
			assert_string_equal(before, after);
		conn_reset(&t->tool);
		conn_reset(&t->two);
		if (well)
			return;
	}
}

static void requests(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run_case(*state, &cases[i], false);
		run_case(*state, &cases[i], true);
	}
}

/* The store changes otherwise, so that the commit must merge. */
static void change_meanwhile(struct test_conns *t)
{
	int rc = tree_set_value(&t->store->tree, "/tool", t->store->tree.root->value);

	assert_true(!rc || rc == -ENOMEM);
}

enum outcome {
	COMMITTED,
	REFUSED,
	CUT_OFF, /* before the answer, or where it should have come */
};

static enum outcome try_transaction(struct test_conns *t, bool merged)
{
	static const struct request_case end = {XS_TRANSACTION_END, Z("T")};
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t type;
	size_t len;

	t->tool.next_transaction = 100; /* if it does not begin, this one is nobody's */
	send_request(&t->tool, &cases[sizeof(cases) / sizeof(*cases) - 1], 0);
	for (size_t i = 0; i < 5; i++)
		send_request(&t->tool, &cases[i], t->tool.next_transaction);
	if (merged)
		change_meanwhile(t);
	while (conn_output(&t->tool, &len))
		take(&t->tool, &type, got);
	send_request(&t->tool, &end, t->tool.next_transaction);
	if (!conn_output(&t->tool, &len))
		return CUT_OFF;
	take(&t->tool, &type, got);
	return type == XS_ERROR ? REFUSED : COMMITTED;
}

static void run_transaction(struct test_conns *t, bool merged)
{
	static char before[65536], after[65536];
	bool all = false;

	for (unsigned n = 1; !all; n++) {
		enum outcome outcome;

		ok(&t->tool, XS_RM, 0, Z("/q"));
		populate(t);
		say(t->store->tree.root, before, sizeof(before));
		fail_alloc(n);
		outcome = try_transaction(t, merged);
		all = fail_alloc_seen() < n;
		fail_alloc(0);
		say(t->store->tree.root, after, sizeof(after));
		assert_true(tree_check(&t->store->tree));
		if (outcome == REFUSED)
			assert_string_equal(before, after);
		if (all)
			assert_int_equal(outcome, COMMITTED);
		if (outcome == COMMITTED)
			assert_string_not_equal(before, after);
		conn_reset(&t->tool);
	}
}

static void transactions(void **state)
{
	run_transaction(*state, false);
	run_transaction(*state, true);
}

static long live_before;

static int setup(void **state)
{
	live_before = fail_alloc_live();
	return test_conns_setup(state);
}

static int teardown(void **state)
{
	int rc = test_conns_teardown(state);

	assert_int_equal(fail_alloc_live(), live_before);
	return rc;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests),
		TEST(transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
