// SPDX-License-Identifier: BSD-2-Clause
/* The store as the program's own backends and toolstack use it. */
#include "host/xenstore/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/xenstore/test_loop.h"

struct subject;

/* A watch that writes down what it is told: paths, each followed by a space. */
struct listener {
	struct store_watch watch;
	struct subject *s;
	char heard[512];
	struct listener *kills; /* unwatched when we hear something */
	const char *writes;     /* written to when we hear something, this many times */
	int times;
};

struct subject {
	struct loop loop;
	struct store *store;
	struct listener a, b;
};

static void heard(void *opaque, const char *path)
{
	struct listener *l = opaque;
	size_t len = strlen(l->heard);

	snprintf(l->heard + len, sizeof(l->heard) - len, "%s ", path);
	if (l->kills)
		store_unwatch(l->s->store, &l->kills->watch);
	if (l->writes && l->times-- > 0)
		store_write(l->s->store, l->writes, "again");
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || loop_init(&s->loop))
		return -1;
	s->store = store_create(&s->loop, &p);
	s->a = (struct listener){.watch = {heard, &s->a, NULL}, .s = s};
	s->b = (struct listener){.watch = {heard, &s->b, NULL}, .s = s};
	alarm(20); /* a loop that does not stop is a failure */
	return s->store ? 0 : -1;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	free(s);
	return 0;
}

static void assert_value(struct subject *s, const char *path, const char *value)
{
	size_t len;
	char *read = store_read(s->store, path, &len);

	assert_non_null(read);
	assert_int_equal(len, strlen(value));
	assert_string_equal(read, value);
	free(read);
}

static void assert_heard(struct listener *l, const char *what)
{
	test_loop_settle(&l->s->loop);
	assert_string_equal(l->heard, what);
	l->heard[0] = '\0';
}

static void begins_as_xens(void **state)
{
	struct subject *s = *state;

	assert_value(s, "/", "");
	assert_value(s, "/tool/xenstored", "");
	assert_true(store_exists(s->store, "/local/domain"));
	assert_false(store_exists(s->store, "/local/domain/0"));
}

static void reads_and_writes(void **state)
{
	struct subject *s = *state;
	char big[XENSTORE_PAYLOAD_MAX + 2];

	assert_int_equal(store_write(s->store, "/a/b/c", "value"), 0);
	assert_value(s, "/a/b/c", "value");
	assert_value(s, "/a/b", "");
	assert_int_equal(store_writef(s->store, "/a/n", "%u-%s", 42, "x"), 0);
	assert_value(s, "/a/n", "42-x");
	assert_int_equal(store_mkdir(s->store, "/a/n"), 0);
	assert_value(s, "/a/n", "42-x");
	assert_int_equal(store_mkdir(s->store, "/a/new"), 0);
	assert_value(s, "/a/new", "");
	memset(big, 'x', sizeof(big));
	big[XENSTORE_PAYLOAD_MAX] = '\0';
	assert_int_equal(store_writef(s->store, "/big", "%s", big), 0);
	assert_value(s, "/big", big);
	big[XENSTORE_PAYLOAD_MAX] = 'x';
	big[XENSTORE_PAYLOAD_MAX + 1] = '\0';
	assert_int_equal(store_write(s->store, "/big", big), -E2BIG);
	assert_int_equal(store_writef(s->store, "/big", "%sy", big), -E2BIG);
}

static void errors(void **state)
{
	struct subject *s = *state;
	unsigned count;
	const struct store_perm perm = {.domid = 1};

	assert_null(store_read(s->store, "/none", NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(store_read(s->store, "relative", NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(store_list(s->store, "/none", &count));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_write(s->store, "relative", ""), -EINVAL);
	assert_int_equal(store_write(s->store, "/a//b", ""), -EINVAL);
	assert_int_equal(store_mkdir(s->store, "/a/"), -EINVAL);
	assert_int_equal(store_rm(s->store, "/none"), -ENOENT);
	assert_int_equal(store_rm(s->store, "/"), -EINVAL);
	assert_int_equal(store_set_perms(s->store, "/none", &perm, 1), -ENOENT);
	assert_int_equal(store_set_perms(s->store, "/tool", &perm, 0), -EINVAL);
	assert_int_equal(store_watch(s->store, &s->a.watch, "relative"), -EINVAL);
	store_unwatch(s->store, &s->a.watch);
}

static void numbers(void **state)
{
	struct subject *s = *state;
	static const char *const bad[] = {
		"", " 1", "-1", "0x1", "1 ", "1a", "18446744073709551616"};
	uint64_t value = 7;

	assert_int_equal(store_read_uint(s->store, "/n", &value), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(store_write(s->store, "/n", bad[i]), 0);
		assert_int_equal(store_read_uint(s->store, "/n", &value), -EINVAL);
	}
	assert_int_equal(value, 7);
	assert_int_equal(store_write(s->store, "/n", "18446744073709551615"), 0);
	assert_int_equal(store_read_uint(s->store, "/n", &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(store_write(s->store, "/n", "007"), 0);
	assert_int_equal(store_read_uint(s->store, "/n", &value), 0);
	assert_int_equal(value, 7);
}

static void lists(void **state)
{
	struct subject *s = *state;
	unsigned count;
	char **list;

	assert_int_equal(store_write(s->store, "/d/bb", ""), 0);
	assert_int_equal(store_write(s->store, "/d/a", ""), 0);
	assert_int_equal(store_write(s->store, "/d/a/below", ""), 0);
	list = store_list(s->store, "/d", &count);
	assert_non_null(list);
	assert_int_equal(count, 2);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "bb");
	assert_null(list[2]);
	free(list);
	list = store_list(s->store, "/d/bb", NULL);
	assert_non_null(list);
	assert_null(list[0]);
	free(list);
}

static void watches(void **state)
{
	struct subject *s = *state;

	assert_int_equal(store_watch(s->store, &s->a.watch, "/a"), 0);
	assert_string_equal(s->a.heard, ""); /* never inside the call */
	assert_heard(&s->a, "/a ");
	store_write(s->store, "/a", "");
	store_write(s->store, "/a/b/c", "");
	store_write(s->store, "/ab", "");
	store_mkdir(s->store, "/a/d");
	store_mkdir(s->store, "/a/d"); /* is there: nothing has changed */
	assert_string_equal(s->a.heard, "");
	assert_heard(&s->a, "/a /a/b/c /a/d ");
	store_write(s->store, "/a/b/c", "1");
	store_write(s->store, "/a/b/c", "1");
	assert_heard(&s->a, "/a/b/c /a/b/c ");
	store_set_perms(s->store, "/a/d", &(struct store_perm){1, STORE_READ}, 1);
	assert_heard(&s->a, "/a/d ");
	store_unwatch(s->store, &s->a.watch);
	store_write(s->store, "/a", "");
	assert_heard(&s->a, "");
}

/* Each sees the end of what he watches, under its own name. */
static void watches_of_what_goes(void **state)
{
	struct subject *s = *state;

	store_write(s->store, "/a/b/c", "");
	store_watch(s->store, &s->a.watch, "/a/b/c");
	store_watch(s->store, &s->b.watch, "/");
	assert_heard(&s->a, "/a/b/c ");
	assert_heard(&s->b, "/ ");
	store_rm(s->store, "/a");
	assert_heard(&s->a, "/a/b/c ");
	assert_heard(&s->b, "/a ");
	assert_int_equal(store_rm(s->store, "/a"), -ENOENT);
	store_mkdir(s->store, "/a");
	store_rm(s->store, "/a"); /* c was not there */
	assert_heard(&s->a, "");
	assert_heard(&s->b, "/a /a ");
}

static void unwatched_while_events_wait(void **state)
{
	struct subject *s = *state;

	store_watch(s->store, &s->a.watch, "/a");
	store_watch(s->store, &s->b.watch, "/a");
	s->a.kills = &s->b;
	assert_heard(&s->a, "/a ");
	assert_heard(&s->b, "");
	s->a.kills = &s->a;
	store_write(s->store, "/a", "");
	store_write(s->store, "/a", "");
	assert_heard(&s->a, "/a ");
}

/* Who answers each event with a change hears of it, and lets others have their turn. */
static void changes_from_within(void **state)
{
	struct subject *s = *state;

	s->a.writes = "/a";
	s->a.times = 3;
	store_watch(s->store, &s->a.watch, "/a");
	assert_heard(&s->a, "/a /a /a /a ");
}

static void endless_changes(void **state)
{
	struct subject *s = *state;

	s->a.writes = "/a";
	s->a.times = 1000000;
	store_watch(s->store, &s->a.watch, "/a");
	test_loop_settle(&s->loop); /* comes back */
	assert_true(s->a.times < 1000000);
	assert_true(s->a.times > 999000);
}

static void domains(void **state)
{
	struct subject *s = *state;

	store_watch(s->store, &s->a.watch, "@introduceDomain");
	store_watch(s->store, &s->b.watch, "@releaseDomain");
	assert_heard(&s->a, "@introduceDomain ");
	assert_heard(&s->b, "@releaseDomain ");
	assert_int_equal(store_introduce(s->store, 5), 0);
	assert_int_equal(store_introduce(s->store, 5), -EEXIST);
	assert_int_equal(store_introduce(s->store, 6), 0);
	assert_int_equal(store_introduce(s->store, DOMID_SELF), -EINVAL);
	assert_heard(&s->a, "@introduceDomain @introduceDomain ");
	assert_heard(&s->b, "");
	store_write(s->store, "/local/domain/5/x", "");
	store_domain_stopped(s->store, 5);
	store_domain_stopped(s->store, 9);
	assert_heard(&s->b, "@releaseDomain ");
	store_release(s->store, 5);
	store_release(s->store, 5);
	assert_heard(&s->b, "@releaseDomain ");
	assert_heard(&s->a, "");
	assert_true(store_exists(s->store, "/local/domain/5/x"));
	assert_int_equal(store_introduce(s->store, 5), 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_as_xens),
		TEST(reads_and_writes),
		TEST(errors),
		TEST(numbers),
		TEST(lists),
		TEST(watches),
		TEST(watches_of_what_goes),
		TEST(unwatched_while_events_wait),
		TEST(changes_from_within),
		TEST(endless_changes),
		TEST(domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
