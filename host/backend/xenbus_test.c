// SPDX-License-Identifier: BSD-2-Clause
/* A device's life in the store, against a real store, with a frontend that the test plays. */
#include "host/backend/xenbus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/xenstore/test_loop.h"
#include "shim/fake_platform.h"

#define FRONT "/local/domain/7/device/vbd/51712"
#define BACK  "/local/domain/0/backend/vbd/7/51712"

struct subject {
	struct loop loop;
	struct store *store;
	struct fake *fake;
	struct xenbus_device dev;
	unsigned advertised, connects, disconnects, removals, changes;
	bool refuses; /* to connect */
	char changed[64];
};

static struct subject *subject_of(struct xenbus_device *dev)
{
	return (struct subject *)((char *)dev - offsetof(struct subject, dev));
}

static void advertise(struct xenbus_device *dev)
{
	subject_of(dev)->advertised++;
	assert_int_equal(xenbus_write_back(dev, "feature-x", "%d", 1), 0);
}

static int connect(struct xenbus_device *dev, struct problem *p)
{
	uint64_t ring;

	if (subject_of(dev)->refuses)
		return problem(p, "I will not");
	if (xenbus_read_front(dev, "ring-ref", 100, &ring))
		return problem(p, "no ring");
	subject_of(dev)->connects++;
	return 0;
}

static void disconnect(struct xenbus_device *dev)
{
	subject_of(dev)->disconnects++;
}

static void front_changed(struct xenbus_device *dev, const char *name)
{
	struct subject *s = subject_of(dev);

	s->changes++;
	snprintf(s->changed, sizeof(s->changed), "%s", name);
}

static void removed(struct xenbus_device *dev)
{
	subject_of(dev)->removals++;
}

static const struct xenbus_ops ops = {"vbd", advertise, connect, disconnect, front_changed};

static void run(struct subject *s)
{
	test_loop_settle(&s->loop);
}

static void front_writes(struct subject *s, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	assert_int_equal(store_write(s->store, path, value), 0);
	run(s);
}

static void front_state(struct subject *s, enum xenbus_state state)
{
	char value[4];

	snprintf(value, sizeof(value), "%d", state);
	front_writes(s, "state", value);
}

static void check_node(struct subject *s, const char *path, const char *value)
{
	char *is = store_read(s->store, path, NULL);

	assert_non_null(is);
	assert_string_equal(is, value);
	free(is);
}

static void check_state(struct subject *s, enum xenbus_state state)
{
	uint64_t is;

	assert_int_equal(store_read_uint(s->store, BACK "/state", &is), 0);
	assert_int_equal(is, state);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || loop_init(&s->loop))
		return -1;
	s->fake = fake_create(true);
	s->store = store_create(&s->loop, &p);
	if (!s->fake || !s->store ||
	    xenbus_add(&s->dev, &ops, s->store, &s->fake->domain, 51712, &p))
		return -1;
	run(s);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	store_destroy(s->store);
	loop_destroy(&s->loop);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void connects(struct subject *s)
{
	front_writes(s, "ring-ref", "8");
	front_state(s, XenbusStateInitialised);
	check_state(s, XenbusStateConnected);
	assert_true(s->dev.connected);
}

static void shown_as_libxl_does(void **state)
{
	struct subject *s = *state;

	check_node(s, FRONT "/backend", BACK);
	check_node(s, FRONT "/backend-id", "0");
	check_node(s, FRONT "/state", "1");
	check_node(s, BACK "/frontend", FRONT);
	check_node(s, BACK "/frontend-id", "7");
	check_node(s, BACK "/online", "1");
	check_node(s, BACK "/feature-x", "1");
	check_state(s, XenbusStateInitWait);
	assert_int_equal(s->advertised, 1);
}

static void twice_is_refused(void **state)
{
	struct subject *s = *state;
	struct xenbus_device other;
	struct problem p;

	assert_int_equal(xenbus_add(&other, &ops, s->store, &s->fake->domain, 51712, &p), -1);
	assert_non_null(strstr(p.text, "already"));
	check_state(s, XenbusStateInitWait);
}

static void whole_life(void **state)
{
	struct subject *s = *state;

	connects(s);
	front_state(s, XenbusStateConnected);
	assert_int_equal(s->connects, 1); /* and no second time */
	front_state(s, XenbusStateClosing);
	assert_int_equal(s->disconnects, 1);
	check_state(s, XenbusStateClosing);
	front_state(s, XenbusStateClosed);
	check_state(s, XenbusStateClosed);
	assert_int_equal(s->disconnects, 1);
	/* Its driver comes back. */
	front_state(s, XenbusStateInitialising);
	check_state(s, XenbusStateInitWait);
	assert_int_equal(s->advertised, 2);
	connects(s);
	assert_int_equal(s->connects, 2);
}

static void connect_waits_for_the_frontend(void **state)
{
	struct subject *s = *state;

	front_state(s, XenbusStateInitWait);
	assert_int_equal(s->connects, 0);
	check_state(s, XenbusStateInitWait);
	/* In a state that is none of the protocol's nothing happens either. */
	front_writes(s, "state", "99");
	assert_int_equal(s->connects, 0);
}

static void refused(void **state)
{
	struct subject *s = *state;

	s->refuses = true;
	front_state(s, XenbusStateInitialised);
	check_state(s, XenbusStateClosing);
	check_node(s, "/local/domain/0/error/backend/vbd/7/51712/error", "I will not");
	assert_int_equal(s->disconnects, 0);
	/* A frontend that has heard of it begins anew. */
	s->refuses = false;
	front_state(s, XenbusStateClosed);
	front_state(s, XenbusStateInitialising);
	connects(s);
}

static void fatal(void **state)
{
	struct subject *s = *state;

	connects(s);
	xenbus_fatal(&s->dev, "request %d makes no sense", 5);
	assert_int_equal(s->disconnects, 1);
	check_state(s, XenbusStateClosing);
	check_node(s, "/local/domain/0/error/backend/vbd/7/51712/error",
		   "request 5 makes no sense");
}

static void frontend_vanishes(void **state)
{
	struct subject *s = *state;

	connects(s);
	assert_int_equal(store_rm(s->store, FRONT), 0);
	run(s);
	assert_int_equal(s->disconnects, 1);
	check_state(s, XenbusStateClosed);
}

static void frontend_begins_anew_unasked(void **state)
{
	struct subject *s = *state;

	connects(s);
	front_state(s, XenbusStateInitialising);
	assert_int_equal(s->disconnects, 1);
	check_state(s, XenbusStateInitWait);
}

static void changes_are_told(void **state)
{
	struct subject *s = *state;

	front_writes(s, "request-rx-copy", "1");
	assert_int_equal(s->changes, 0); /* not connected yet */
	connects(s);
	s->changes = 0;
	front_writes(s, "mac/filter", "1");
	assert_int_equal(s->changes, 1);
	assert_string_equal(s->changed, "mac/filter");
}

static void detached_with_the_frontends_help(void **state)
{
	struct subject *s = *state;

	connects(s);
	xenbus_detach(&s->dev, removed);
	check_node(s, BACK "/online", "0");
	check_state(s, XenbusStateClosing);
	front_state(s, XenbusStateClosing);
	assert_int_equal(s->removals, 0);
	front_state(s, XenbusStateClosed);
	assert_int_equal(s->removals, 1);
	assert_int_equal(s->disconnects, 1);
	assert_false(store_exists(s->store, FRONT));
	assert_false(store_exists(s->store, BACK));
}

static void detached_without_a_frontend(void **state)
{
	struct subject *s = *state;

	xenbus_detach(&s->dev, removed);
	assert_int_equal(s->removals, 1);
	assert_false(store_exists(s->store, BACK));
}

static void removed_at_once(void **state)
{
	struct subject *s = *state;

	connects(s);
	xenbus_remove(&s->dev);
	assert_int_equal(s->disconnects, 1);
	assert_false(store_exists(s->store, FRONT));
	assert_false(store_exists(s->store, BACK));
	run(s); /* nothing fires any more */
	assert_int_equal(s->removals, 0);
}

static void offered_again_after_a_reset(void **state)
{
	struct subject *s = *state;

	connects(s);
	xenbus_reset(&s->dev);
	run(s);
	assert_int_equal(s->disconnects, 1);
	assert_int_equal(s->advertised, 2);
	check_node(s, FRONT "/state", "1");
	assert_false(store_exists(s->store, FRONT "/ring-ref"));
	check_state(s, XenbusStateInitWait);
	connects(s);
}

/* Whoever was asked to let go is no more: as good as an answer. */
static void not_offered_again_while_detached(void **state)
{
	struct subject *s = *state;

	connects(s);
	xenbus_detach(&s->dev, removed);
	assert_int_equal(s->removals, 0);
	xenbus_reset(&s->dev);
	run(s);
	assert_int_equal(s->removals, 1);
	assert_int_equal(s->disconnects, 1);
	assert_int_equal(s->advertised, 1);
	assert_false(store_exists(s->store, FRONT));
	assert_false(store_exists(s->store, BACK));
}

static void reads_are_checked(void **state)
{
	struct subject *s = *state;
	uint64_t value = 5;
	char *text;

	assert_int_equal(xenbus_read_front(&s->dev, "ring-ref", 100, &value), -ENOENT);
	front_writes(s, "ring-ref", "101");
	assert_int_equal(xenbus_read_front(&s->dev, "ring-ref", 100, &value), -EINVAL);
	front_writes(s, "ring-ref", "-1");
	assert_int_equal(xenbus_read_front(&s->dev, "ring-ref", 100, &value), -EINVAL);
	assert_int_equal(value, 5);
	front_writes(s, "ring-ref", "100");
	assert_int_equal(xenbus_read_front(&s->dev, "ring-ref", 100, &value), 0);
	assert_int_equal(value, 100);
	text = xenbus_read_front_string(&s->dev, "ring-ref");
	assert_string_equal(text, "100");
	free(text);
	assert_null(xenbus_read_front_string(&s->dev, "nothing"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shown_as_libxl_does),
		TEST(twice_is_refused),
		TEST(whole_life),
		TEST(connect_waits_for_the_frontend),
		TEST(refused),
		TEST(fatal),
		TEST(frontend_vanishes),
		TEST(frontend_begins_anew_unasked),
		TEST(changes_are_told),
		TEST(detached_with_the_frontends_help),
		TEST(detached_without_a_frontend),
		TEST(removed_at_once),
		TEST(offered_again_after_a_reset),
		TEST(not_offered_again_while_detached),
		TEST(reads_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
