// SPDX-License-Identifier: BSD-2-Clause
#include "host/loop.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

/* A pipe whose reading end is watched; each call counts and reads one byte. */
struct subject {
	struct loop loop;
	struct watch watch;
	int ends[2];
	unsigned calls;
	uint32_t events;
	unsigned stop_at;
	struct subject *other; /* unwatched by our callback */
};

static void ready(void *opaque, uint32_t events)
{
	struct subject *s = opaque;
	char byte;

	s->calls++;
	s->events = events;
	if (events & EPOLLIN)
		assert_int_equal(read(s->watch.fd, &byte, 1), 1);
	if (s->other)
		loop_unwatch(&s->loop, &s->other->watch);
	if (s->calls == s->stop_at)
		loop_stop(&s->loop);
}

static void feed(struct subject *s, const char *bytes, size_t n)
{
	assert_int_equal(write(s->ends[1], bytes, n), n);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	if (!s || loop_init(&s->loop) || pipe(s->ends))
		return -1;
	s->watch = (struct watch){s->ends[0], ready, s};
	alarm(20); /* a loop that does not stop is a failure */
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	loop_destroy(&s->loop);
	close(s->ends[0]);
	if (s->ends[1] >= 0)
		close(s->ends[1]);
	free(s);
	return 0;
}

/* Level-triggered: called until all is read. */
static void watches(void **state)
{
	struct subject *s = *state;

	s->stop_at = 3;
	assert_int_equal(loop_watch(&s->loop, &s->watch, EPOLLIN), 0);
	feed(s, "abc", 3);
	loop_run(&s->loop);
	assert_int_equal(s->calls, 3);
	assert_true(s->events & EPOLLIN);
}

static void stop_before_run(void **state)
{
	struct subject *s = *state;

	loop_stop(&s->loop);
	loop_run(&s->loop);
	assert_int_equal(s->calls, 0);
}

static void *stop_soon(void *opaque)
{
	struct subject *s = opaque;

	usleep(30000);
	loop_stop(&s->loop);
	return NULL;
}

static void run_for_a_moment(struct subject *s)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, stop_soon, s), 0);
	loop_run(&s->loop);
	pthread_join(thread, NULL);
}

static void stop_from_another_thread(void **state)
{
	run_for_a_moment(*state);
}

/* Neither data nor the writer's end reach a paused watch. */
static void paused(void **state)
{
	struct subject *s = *state;

	assert_int_equal(loop_watch(&s->loop, &s->watch, EPOLLIN), 0);
	loop_rearm(&s->loop, &s->watch, 0);
	feed(s, "a", 1);
	close(s->ends[1]);
	s->ends[1] = -1;
	run_for_a_moment(s);
	assert_int_equal(s->calls, 0);
}

static void watched_as_paused(void **state)
{
	struct subject *s = *state;

	assert_int_equal(loop_watch(&s->loop, &s->watch, 0), 0);
	close(s->ends[1]);
	s->ends[1] = -1;
	run_for_a_moment(s);
	assert_int_equal(s->calls, 0);
}

static void rearmed(void **state)
{
	struct subject *s = *state;

	s->stop_at = 1;
	assert_int_equal(loop_watch(&s->loop, &s->watch, 0), 0);
	loop_rearm(&s->loop, &s->watch, EPOLLIN);
	loop_rearm(&s->loop, &s->watch, 0);
	loop_rearm(&s->loop, &s->watch, EPOLLIN);
	feed(s, "a", 1);
	loop_run(&s->loop);
	assert_int_equal(s->calls, 1);
}

static void unwatched(void **state)
{
	struct subject *s = *state;

	assert_int_equal(loop_watch(&s->loop, &s->watch, EPOLLIN), 0);
	feed(s, "a", 1);
	loop_unwatch(&s->loop, &s->watch);
	run_for_a_moment(s);
	assert_int_equal(s->calls, 0);
}

/* Both are ready; whoever comes first unwatches the other, which is not called any more. */
static void unwatched_by_another(void **state)
{
	struct subject *s = *state, other = {.other = s};

	assert_int_equal(pipe(other.ends), 0);
	other.loop = s->loop; /* the same descriptors */
	other.watch = (struct watch){other.ends[0], ready, &other};
	s->other = &other;
	assert_int_equal(loop_watch(&s->loop, &s->watch, EPOLLIN), 0);
	assert_int_equal(loop_watch(&s->loop, &other.watch, EPOLLIN), 0);
	feed(s, "a", 1);
	feed(&other, "b", 1);
	run_for_a_moment(s);
	assert_int_equal(s->calls + other.calls, 1);
	close(other.ends[0]);
	close(other.ends[1]);
}

static void plain_file(void **state)
{
	struct subject *s = *state;
	FILE *file = tmpfile();
	struct watch w = {fileno(file), ready, s};

	assert_int_equal(loop_watch(&s->loop, &w, EPOLLIN), -EPERM);
	fclose(file);
	w.fd = -1;
	assert_int_equal(loop_watch(&s->loop, &w, EPOLLIN), -EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watches),   TEST(stop_before_run),      TEST(stop_from_another_thread),
		TEST(paused),    TEST(watched_as_paused),    TEST(rearmed),
		TEST(unwatched), TEST(unwatched_by_another), TEST(plain_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
