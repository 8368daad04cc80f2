// SPDX-License-Identifier: BSD-2-Clause
/* Transactions: what they see, what collides, what their commit does and tells. */
#include <stdio.h>
#include <string.h>

#include "host/xenstore/test_conn.h"

static void commit(struct conn *c, uint32_t tx)
{
	ok(c, XS_TRANSACTION_END, tx, Z("T"));
}

static void errors(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx = begin(&t->tool);

	assert_int_not_equal(tx, 0);
	refused(&t->tool, XS_TRANSACTION_START, tx, Z(""), "EBUSY");
	refused(&t->tool, XS_TRANSACTION_START, tx + 1, Z(""), "ENOENT");
	refused(&t->tool, XS_READ, tx + 1, Z("/"), "ENOENT");
	refused(&t->one, XS_READ, tx, Z("/"), "ENOENT"); /* another's */
	refused(&t->tool, XS_TRANSACTION_END, 0, Z("T"), "ENOENT");
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("X"), "EINVAL");
	refused(&t->tool, XS_TRANSACTION_END, tx, B("T"), "EINVAL");
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("TF"), "EINVAL");
	commit(&t->tool, tx);
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("T"), "ENOENT");
}

static void a_world_of_its_own(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/a\0old"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_WRITE, tx, B("/a\0new"));
	ok(&t->tool, XS_WRITE, tx, B("/b/c\0x"));
	get(&t->tool, XS_READ, tx, Z("/a"), B("new"));
	get(&t->tool, XS_READ, 0, Z("/a"), B("old"));
	refused(&t->tool, XS_READ, 0, Z("/b/c"), "ENOENT");
	commit(&t->tool, tx);
	get(&t->tool, XS_READ, 0, Z("/a"), B("new"));
	get(&t->tool, XS_READ, 0, Z("/b/c"), B("x"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_RM, tx, Z("/b"));
	refused(&t->tool, XS_READ, tx, Z("/b/c"), "ENOENT");
	ok(&t->tool, XS_TRANSACTION_END, tx, Z("F"));
	get(&t->tool, XS_READ, 0, Z("/b/c"), B("x"));
}

/* It sees the store as it was when it began, all of it. */
static void snapshot(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/a\0old"));
	ok(&t->tool, XS_WRITE, 0, B("/b\0old"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_WRITE, 0, B("/a\0new"));
	ok(&t->tool, XS_WRITE, 0, B("/b\0new"));
	get(&t->tool, XS_READ, tx, Z("/a"), B("old"));
	get(&t->tool, XS_READ, tx, Z("/b"), B("old"));
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("T"), "EAGAIN");
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("T"), "ENOENT"); /* it is over */
}

struct collision {
	size_t inside; /* a command of the transaction's */
	const char *inside_bytes;
	size_t inside_len;
	size_t outside; /* what happens in the store meanwhile */
	const char *outside_bytes;
	size_t outside_len;
};

/* Each pair on /a/b (value "v", with a child c) and /a/x, which is not there. */
static void run_pair(struct test_conns *t, const struct collision *c, bool collides)
{
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t tx, type;

	ok(&t->tool, XS_RM, 0, Z("/a"));
	ok(&t->tool, XS_WRITE, 0, B("/a/b\0v"));
	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0w"));
	ok(&t->tool, XS_WRITE, 0, B("/a/other\0w"));
	tx = begin(&t->tool);
	ask(&t->tool, c->inside, tx, c->inside_bytes, c->inside_len);
	take(&t->tool, &type, got);
	ok(&t->tool, c->outside, 0, c->outside_bytes, c->outside_len);
	if (collides)
		refused(&t->tool, XS_TRANSACTION_END, tx, Z("T"), "EAGAIN");
	else
		commit(&t->tool, tx);
	assert_true(tree_check(&t->store->tree));
}

static void collisions(void **state)
{
	static const struct collision pairs[] = {
		{XS_READ, Z("/a/b"), XS_WRITE, B("/a/b\0new")},
		{XS_READ, Z("/a/b"), XS_WRITE, B("/a/b\0v")}, /* the same value */
		{XS_READ, Z("/a/b"), XS_SET_PERMS, Z("/a/b\0r0")},
		{XS_READ, Z("/a/b"), XS_RM, Z("/a/b")},
		{XS_READ, Z("/a/b"), XS_RM, Z("/a")},
		{XS_READ, Z("/a/x"), XS_MKDIR, Z("/a/x")},
		{XS_READ, Z("/a/x"), XS_MKDIR, Z("/a/x/y")},
		{XS_RM, Z("/a/b/x"), XS_RM, Z("/a/b")}, /* it would be refused now */
		{XS_DIRECTORY, Z("/a/b"), XS_MKDIR, Z("/a/b/new")},
		{XS_DIRECTORY, Z("/a/b"), XS_RM, Z("/a/b/c")},
		{XS_GET_PERMS, Z("/a/b"), XS_SET_PERMS, Z("/a/b\0r0")},
		{XS_WRITE, B("/a/b\0mine"), XS_WRITE, B("/a/b\0yours")},
		{XS_WRITE, B("/a/x\0mine"), XS_WRITE, B("/a/x\0yours")},
		{XS_WRITE, B("/a/x\0mine"), XS_RM, Z("/a")},
		{XS_WRITE, B("/a/x\0mine"), XS_MKDIR, Z("/a/z")}, /* names of the parent's */
		{XS_MKDIR, Z("/a/b"), XS_RM, Z("/a/b")},
		{XS_RM, Z("/a/b"), XS_WRITE, B("/a/b\0x")},
		{XS_RM, Z("/a/b"), XS_WRITE, B("/a/b/c\0x")},
		{XS_RM, Z("/a/b"), XS_MKDIR, Z("/a/b/c/d")},
		{XS_RM, Z("/a/b"), XS_SET_PERMS, Z("/a/b/c\0r0")},
		{XS_SET_PERMS, Z("/a/b\0r0"), XS_WRITE, B("/a/b\0x")},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		run_pair(*state, &pairs[i], true);
}

static void no_collisions(void **state)
{
	static const struct collision pairs[] = {
		{XS_READ, Z("/a/b"), XS_MKDIR, Z("/a/b")},
		{XS_READ, Z("/a/b"), XS_WRITE, B("/a/b/c\0x")},
		{XS_READ, Z("/a/b"), XS_WRITE, B("/a/other\0x")},
		{XS_READ, Z("/a/x"), XS_WRITE, B("/a/y\0x")},
		{XS_WRITE, B("/a/b\0mine"), XS_WRITE, B("/a/b/c\0yours")},
		{XS_WRITE, B("/a/b\0mine"), XS_RM, Z("/a/b/c")},
		{XS_WRITE, B("/a/b/new\0mine"), XS_WRITE, B("/a/other\0yours")},
		{XS_RM, Z("/a/b"), XS_WRITE, B("/a/other\0x")},
		{XS_SET_PERMS, Z("/a/b\0r0"), XS_WRITE, B("/a/b/c\0x")},
	};
	struct test_conns *t = *state;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (i != 5) /* the names of b's children are b's */
			run_pair(t, &pairs[i], false);
	run_pair(t, &pairs[5], true);
}

/* Both sides' changes are there after a commit that did not collide. */
static void merges(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/a/gone/x\0v"));
	ok(&t->tool, XS_WRITE, 0, B("/a/again/old\0v"));
	ok(&t->tool, XS_WRITE, 0, B("/a/value\0v"));
	ok(&t->tool, XS_WRITE, 0, B("/a/value/below\0v"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_RM, tx, Z("/a/gone"));
	ok(&t->tool, XS_WRITE, tx, B("/a/again/old\0changed"));
	ok(&t->tool, XS_RM, tx, Z("/a/again"));
	ok(&t->tool, XS_WRITE, tx, B("/a/again/new/deep\0v"));
	ok(&t->tool, XS_WRITE, tx, B("/a/value\0new"));
	ok(&t->tool, XS_SET_PERMS, tx, Z("/a/value\0r1\0b2"));
	ok(&t->tool, XS_WRITE, tx, B("/a/short/lived\0v"));
	ok(&t->tool, XS_RM, tx, Z("/a/short"));
	ok(&t->tool, XS_WRITE, 0, B("/a/value/below\0theirs"));
	ok(&t->tool, XS_WRITE, 0, B("/elsewhere\0theirs"));
	commit(&t->tool, tx);
	get(&t->tool, XS_DIRECTORY, 0, Z("/a"), Z("again\0value"));
	get(&t->tool, XS_DIRECTORY, 0, Z("/a/again"), Z("new"));
	get(&t->tool, XS_READ, 0, Z("/a/again/new/deep"), B("v"));
	get(&t->tool, XS_READ, 0, Z("/a/value"), B("new"));
	get(&t->tool, XS_GET_PERMS, 0, Z("/a/value"), Z("r1\0b2"));
	get(&t->tool, XS_READ, 0, Z("/a/value/below"), B("theirs"));
	get(&t->tool, XS_READ, 0, Z("/elsewhere"), B("theirs"));
}

/* A node whose value was changed, then removed with the one above, then made again. */
static void removed_and_made_again(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/top/q/x\0v"));
	ok(&t->tool, XS_WRITE, 0, B("/top/q/y\0v"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_WRITE, tx, B("/top/q/x\0one"));
	ok(&t->tool, XS_RM, tx, Z("/top/q"));
	ok(&t->tool, XS_WRITE, tx, B("/top/q/x\0two"));
	ok(&t->tool, XS_WRITE, 0, B("/elsewhere\0x")); /* so that it is merged */
	commit(&t->tool, tx);
	get(&t->tool, XS_DIRECTORY, 0, Z("/top/q"), Z("x"));
	get(&t->tool, XS_READ, 0, Z("/top/q/x"), B("two"));
}

/* Watches fire at the commit, once for each node, in the order of first access. */
static void tells_at_commit(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0x"));
	ok(&t->two, XS_RESET_WATCHES, 0, Z(""));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0r0"));
	ok(&t->one, XS_WATCH, 0, Z("/a\0t"));
	expect_event(&t->one, "/a", "t");
	for (int merged = 0; merged < 2; merged++) {
		tx = begin(&t->tool);
		ok(&t->tool, XS_WRITE, tx, B("/a/z\0x"));
		ok(&t->tool, XS_WRITE, tx, B("/a/z\0y"));
		ok(&t->tool, XS_WRITE, tx, B("/a/k\0y"));
		ok(&t->tool, XS_WRITE, tx, B("/a/never\0y"));
		ok(&t->tool, XS_RM, tx, Z("/a/never"));
		expect_nothing(&t->one);
		if (merged)
			ok(&t->tool, XS_WRITE, 0, B("/elsewhere\0x"));
		commit(&t->tool, tx);
		expect_event(&t->one, "/a/z", "t");
		expect_event(&t->one, "/a/k", "t");
		expect_nothing(&t->one);
	}
	tx = begin(&t->tool);
	ok(&t->tool, XS_WRITE, tx, B("/a/z\0x"));
	ok(&t->tool, XS_TRANSACTION_END, tx, Z("F"));
	tx = begin(&t->tool);
	ok(&t->tool, XS_WRITE, tx, B("/a/b\0x"));
	ok(&t->tool, XS_WRITE, 0, B("/elsewhere\0y"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b\0n0"));
	expect_event(&t->one, "/a/b", "t");
	refused(&t->tool, XS_TRANSACTION_END, tx, Z("T"), "EAGAIN");
	expect_nothing(&t->one);
}

static void tells_of_what_went(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx;

	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0x"));
	ok(&t->one, XS_WATCH, 0, Z("/a/b/c\0t"));
	expect_event(&t->one, "/a/b/c", "t");
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b/c\0n1"));
	expect_event(&t->one, "/a/b/c", "t");
	tx = begin(&t->tool);
	ok(&t->tool, XS_RM, tx, Z("/a"));
	expect_nothing(&t->one);
	commit(&t->tool, tx);
	expect_event(&t->one, "/a/b/c", "t");
	expect_nothing(&t->one);
}

/* Many at once: of those that collide, the first to commit wins. */
static void first_wins(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx[10];

	ok(&t->tool, XS_WRITE, 0, B("/a\0x"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0b0"));
	for (int i = 0; i < 10; i++) {
		tx[i] = begin(&t->one);
		ok(&t->one, XS_WRITE, tx[i], B("/a\0y"));
	}
	commit(&t->one, tx[7]);
	for (int i = 0; i < 10; i++)
		if (i != 7)
			refused(&t->one, XS_TRANSACTION_END, tx[i], Z("T"), "EAGAIN");
	assert_int_equal(t->one.nr_transactions, 0);
	assert_int_equal(t->one.who.held, 0);
}

static void left_open(void **state)
{
	struct test_conns *t = *state;
	uint32_t tx = begin(&t->one);

	ok(&t->tool, XS_WRITE, 0, B("/a\0x"));
	refused(&t->one, XS_READ, tx, Z("/a"), "EACCES");
	begin(&t->one); /* the teardown looks for leaks */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, test_conns_setup, test_conns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(errors),
		TEST(a_world_of_its_own),
		TEST(snapshot),
		TEST(collisions),
		TEST(no_collisions),
		TEST(merges),
		TEST(removed_and_made_again),
		TEST(tells_at_commit),
		TEST(tells_of_what_went),
		TEST(first_wins),
		TEST(left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
