// SPDX-License-Identifier: BSD-2-Clause
/* Watches on the wire: what they tell, whom, and when. */
#include <stdio.h>
#include <string.h>

#include "host/xenstore/test_conn.h"

/* The answer comes first, then the event that every watch begins with. */
static void watch(struct conn *c, const char *payload, size_t len, const char *path,
		  const char *token)
{
	ok(c, XS_WATCH, 0, payload, len);
	expect_event(c, path, token);
}

static void tells_of_changes(void **state)
{
	struct test_conns *t = *state;

	watch(&t->tool, Z("/a\0token"), "/a", "token");
	watch(&t->tool, Z("/\0root"), "/", "root");
	ask(&t->tool, XS_WRITE, 0, B("/a/b\0x"));
	expect_event(&t->tool, "/a/b", "token");
	expect_event(&t->tool, "/a/b", "root");
	expect(&t->tool, XS_WRITE, Z("OK"));
	ask(&t->tool, XS_SET_PERMS, 0, Z("/a/b\0n1"));
	expect_event(&t->tool, "/a/b", "token");
	expect_event(&t->tool, "/a/b", "root");
	expect(&t->tool, XS_SET_PERMS, Z("OK"));
	ask(&t->tool, XS_MKDIR, 0, Z("/ab"));
	expect_event(&t->tool, "/ab", "root");
	expect(&t->tool, XS_MKDIR, Z("OK"));
	ok(&t->tool, XS_MKDIR, 0, Z("/ab"));
	ok(&t->tool, XS_UNWATCH, 0, Z("/\0root"));
	ask(&t->tool, XS_RM, 0, Z("/a"));
	expect_event(&t->tool, "/a", "token");
	expect(&t->tool, XS_RM, Z("OK"));
	expect_nothing(&t->tool);
}

static void relative(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_MKDIR, 0, Z("/local/domain/1"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/local/domain/1\0n1"));
	watch(&t->one, Z("device\0t"), "device", "t");
	watch(&t->one, Z("/local/domain/1/device\0abs"), "/local/domain/1/device", "abs");
	ok(&t->tool, XS_WRITE, 0, B("/local/domain/1/device/vbd\0x"));
	expect_event(&t->one, "device/vbd", "t");
	expect_event(&t->one, "/local/domain/1/device/vbd", "abs");
	ok(&t->one, XS_UNWATCH, 0, Z("device\0t"));
	ok(&t->one, XS_UNWATCH, 0, Z("device\0abs")); /* it is the same path */
	refused(&t->one, XS_UNWATCH, 0, Z("device\0t"), "ENOENT");
}

static void depths(void **state)
{
	struct test_conns *t = *state;

	watch(&t->tool, Z("/a\0t0\0000"), "/a", "t0");
	watch(&t->tool, Z("/a\0t1\0001"), "/a", "t1");
	watch(&t->tool, Z("/\0r1\0001"), "/", "r1");
	ok(&t->two, XS_RESET_WATCHES, 0, Z(""));
	assert_int_equal(store_write(t->store, "/a/b/c", ""), 0);
	expect_nothing(&t->tool);
	assert_int_equal(store_write(t->store, "/a/b", ""), 0);
	expect_event(&t->tool, "/a/b", "t1");
	assert_int_equal(store_write(t->store, "/a", ""), 0);
	expect_event(&t->tool, "/a", "t0");
	expect_event(&t->tool, "/a", "t1");
	expect_event(&t->tool, "/a", "r1");
	refused(&t->tool, XS_WATCH, 0, Z("/a\0x\0-1"), "EINVAL");
	refused(&t->tool, XS_WATCH, 0, Z("/a\0x\0"), "EINVAL");
	refused(&t->tool, XS_WATCH, 0, Z("/a\0x\0001\0002"), "EINVAL");
}

static void errors(void **state)
{
	struct test_conns *t = *state;
	char path[XENSTORE_REL_PATH_MAX + 4];

	watch(&t->one, Z("/a\0t"), "/a", "t"); /* need not be there, or be readable */
	refused(&t->one, XS_WATCH, 0, Z("/a\0t"), "EEXIST");
	refused(&t->one, XS_WATCH, 0, Z("/a"), "EINVAL");
	refused(&t->one, XS_WATCH, 0, B("/a\0t"), "EINVAL");
	refused(&t->one, XS_WATCH, 0, Z("/a/\0t"), "EINVAL");
	refused(&t->one, XS_UNWATCH, 0, Z("/a"), "EINVAL");
	refused(&t->one, XS_UNWATCH, 0, Z("/a\0other"), "ENOENT");
	refused(&t->one, XS_UNWATCH, 0, Z("/b\0t"), "ENOENT");
	refused(&t->two, XS_UNWATCH, 0, Z("/a\0t"), "ENOENT");
	/* A transaction's number means nothing. */
	ok(&t->one, XS_UNWATCH, 77, Z("/a\0t"));
	ok(&t->one, XS_WATCH, 77, Z("@any thing\0t"));
	expect_event(&t->one, "@any thing", "t");
	memset(path, 'x', sizeof(path));
	path[0] = '@';
	memcpy(path + sizeof(path) - 3, "\0t", 3);
	refused(&t->one, XS_WATCH, 0, path, sizeof(path), "EINVAL");
}

/* Only those are told who may read the node, or the one above. */
static void rights(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a/b\0x"));
	watch(&t->one, Z("/a\0t"), "/a", "t");
	ok(&t->tool, XS_WRITE, 0, B("/a/b\0y"));
	expect_nothing(&t->one);
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b\0n0\0r1"));
	expect_event(&t->one, "/a/b", "t");
	ok(&t->tool, XS_WRITE, 0, B("/a/b\0z"));
	expect_event(&t->one, "/a/b", "t");
	/* To lose the right is the last event. */
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b\0n0"));
	expect_event(&t->one, "/a/b", "t");
	ok(&t->tool, XS_WRITE, 0, B("/a/b\0z"));
	expect_nothing(&t->one);
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0r0"));
	expect_event(&t->one, "/a", "t");
	ok(&t->tool, XS_WRITE, 0, B("/a/b\0z"));
	expect_event(&t->one, "/a/b", "t");
}

/* Of what goes with a node above: each watch is told of its own, if its owner could see it. */
static void removal(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0x"));
	ok(&t->tool, XS_WRITE, 0, B("/a/hidden/c\0x"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b/c\0n0\0r1"));
	watch(&t->one, Z("/a/b/c\0seen"), "/a/b/c", "seen");
	watch(&t->one, Z("/a/hidden/c\0not"), "/a/hidden/c", "not");
	watch(&t->one, Z("/a/b/c/d\0none"), "/a/b/c/d", "none");
	ok(&t->tool, XS_RM, 0, Z("/a"));
	expect_event(&t->one, "/a/b/c", "seen");
	expect_nothing(&t->one);
}

static void special(void **state)
{
	struct test_conns *t = *state;

	watch(&t->one, Z("@introduceDomain\0t"), "@introduceDomain", "t");
	watch(&t->tool, Z("@introduceDomain\0i"), "@introduceDomain", "i");
	watch(&t->tool, Z("@releaseDomain\0d\0001"), "@releaseDomain", "d");
	watch(&t->tool, Z("@releaseDomain/7\0seven"), "@releaseDomain/7", "seven");
	watch(&t->tool, Z("@releaseDomain/8\0eight"), "@releaseDomain/8", "eight");
	watch(&t->tool, Z("/\0root"), "/", "root");
	assert_int_equal(store_introduce(t->store, 7), 0);
	expect_event(&t->tool, "@introduceDomain", "i");
	store_release(t->store, 7);
	expect_event(&t->tool, "@releaseDomain/7", "d");
	expect_event(&t->tool, "@releaseDomain/7", "seven");
	expect_nothing(&t->tool);
	expect_nothing(&t->one);
	/* Others may be let in. */
	refused(&t->one, XS_SET_PERMS, 0, Z("@introduceDomain\0n0\0r1"), "EACCES");
	refused(&t->tool, XS_SET_PERMS, 0, Z("@other\0n0\0r1"), "EINVAL");
	ok(&t->tool, XS_SET_PERMS, 0, Z("@introduceDomain\0n0\0r1"));
	assert_int_equal(store_introduce(t->store, 7), 0);
	expect_event(&t->one, "@introduceDomain", "t");
	expect_event(&t->tool, "@introduceDomain", "i");
	expect_nothing(&t->tool);
}

static void reset(void **state)
{
	struct test_conns *t = *state;

	watch(&t->one, Z("/a\0t"), "/a", "t");
	begin(&t->one);
	ok(&t->one, XS_RESET_WATCHES, 0, Z(""));
	assert_int_equal(t->one.watcher.nr_watches, 0);
	assert_int_equal(t->one.nr_transactions, 0);
	assert_int_equal(t->one.who.held, 0);
	ok(&t->one, XS_WATCH, 0, Z("/a\0t"));
}

/* An event that has not gone out is not said again; one whose sending has begun is. */
static void same_event_once(void **state)
{
	struct test_conns *t = *state;
	size_t len;

	watch(&t->one, Z("/a\0t"), "/a", "t");
	watch(&t->one, Z("@introduceDomain\0s"), "@introduceDomain", "s");
	assert_int_equal(store_mkdir(t->store, "/a"), 0);
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0r0"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("@introduceDomain\0r0"));
	for (int i = 0; i < 5; i++)
		assert_int_equal(store_write(t->store, "/a", "x"), 0);
	assert_non_null(conn_output(&t->one, &len));
	conn_sent(&t->one, 1);
	assert_int_equal(store_write(t->store, "/a", "x"), 0);
	assert_int_equal(store_write(t->store, "/a", "x"), 0);
	conn_sent(&t->one, len - 1);
	expect_event(&t->one, "/a", "t");
	expect_nothing(&t->one);
	/* Each domain is an event of its own. */
	assert_int_equal(store_introduce(t->store, 7), 0);
	assert_int_equal(store_introduce(t->store, 8), 0);
	expect_event(&t->one, "@introduceDomain", "s");
	expect_event(&t->one, "@introduceDomain", "s");
	expect_nothing(&t->one);
}

/* What was on its way when the watch went still goes. */
static void unwatched_with_events_on_their_way(void **state)
{
	struct test_conns *t = *state;

	watch(&t->tool, Z("/a\0t"), "/a", "t");
	assert_int_equal(store_write(t->store, "/a", "x"), 0);
	ask(&t->tool, XS_UNWATCH, 0, Z("/a\0t"));
	ask(&t->tool, XS_WATCH, 0, Z("/a\0t"));
	assert_int_equal(store_write(t->store, "/a", "x"), 0);
	expect_event(&t->tool, "/a", "t");
	expect(&t->tool, XS_UNWATCH, Z("OK"));
	expect(&t->tool, XS_WATCH, Z("OK"));
	expect_event(&t->tool, "/a", "t");
	expect_nothing(&t->tool);
}

/* Path and token together are longer than a message. */
static void event_too_long(void **state)
{
	struct test_conns *t = *state;
	char request[XENSTORE_PAYLOAD_MAX];
	char path[512] = "/a/";

	memset(request, 't', sizeof(request));
	memcpy(request, "/a", 3);
	request[sizeof(request) - 1] = '\0';
	ok(&t->tool, XS_WATCH, 0, request, sizeof(request));
	expect_event(&t->tool, "/a", request + 3);
	memset(path + 3, 'x', sizeof(path) - 4);
	assert_int_equal(store_write(t->store, path, ""), 0);
	expect_nothing(&t->tool);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, test_conns_setup, test_conns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_of_changes), TEST(relative),
		TEST(depths),           TEST(errors),
		TEST(rights),           TEST(removal),
		TEST(special),          TEST(reset),
		TEST(same_event_once),  TEST(unwatched_with_events_on_their_way),
		TEST(event_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
