// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/poll.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

/* When it comes: after so many looks; 0: never. */
struct source {
	unsigned looks, comes_at;
	long slow_ns;
};

static bool has_come(void *opaque)
{
	struct source *s = opaque;
	const struct timespec slow = {.tv_nsec = s->slow_ns};

	if (s->slow_ns)
		nanosleep(&slow, NULL);
	return ++s->looks >= s->comes_at && s->comes_at;
}

/* How often it is looked at in so many calls. */
static unsigned calls_that_look(struct block_poll *p, struct source *s, unsigned calls)
{
	unsigned n = 0;

	while (calls--) {
		unsigned before = s->looks;

		block_poll(p, has_come, s);
		n += s->looks != before;
	}
	return n;
}

/* On a busy machine others may take the CPU just then: what counts is that it comes at all. */
static void comes(struct block_poll *p, unsigned at)
{
	for (int tries = 0; tries < 1000; tries++) {
		struct source s = {.comes_at = at};

		p->skip = 0;
		if (!block_poll(p, has_come, &s) || p->skip)
			continue;
		assert_int_equal(s.looks, at);
		assert_int_equal(p->penalty, 0);
		return;
	}
	fail_msg("it has never come in time");
}

static void test_comes(void **state)
{
	struct block_poll spin = {.one_cpu = false, .penalty = 4}, yield = {.one_cpu = true};

	(void)state;
	comes(&spin, 1);
	comes(&spin, 20);
	comes(&yield, 1);
}

/* What is of no use is tried ever more rarely, but never given up. */
static void never(struct block_poll *p)
{
	struct source s = {0};

	assert_false(block_poll(p, has_come, &s));
	assert_int_equal(calls_that_look(p, &s, 1), 0);
	assert_int_equal(calls_that_look(p, &s, 1 + 2), 1);
	assert_int_equal(calls_that_look(p, &s, 1 + 4), 1);
	assert_true(calls_that_look(p, &s, 100000) < 100000 / 256 + 20);
	assert_int_equal(calls_that_look(p, &s, 257), 1);
	comes(p, 1);
}

static void test_never(void **state)
{
	struct block_poll spin = {.one_cpu = false}, yield = {.one_cpu = true};

	(void)state;
	never(&spin);
	never(&yield);
}

/* Others have taken the CPU for long: the request is taken, but we do not let them go again soon.
 */
static void test_late(void **state)
{
	struct block_poll p = {.one_cpu = true};
	struct source s = {.comes_at = 1, .slow_ns = 2000000};

	(void)state;
	assert_true(block_poll(&p, has_come, &s));
	assert_int_equal(p.skip, 1);
	assert_false(block_poll(&p, has_come, &s));
}

static void test_counts_cpus(void **state)
{
	cpu_set_t all, one;
	struct block_poll p;
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	block_poll_init(&p);
	assert_true(p.one_cpu);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	block_poll_init(&p);
	assert_int_equal(p.one_cpu, CPU_COUNT(&all) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_counts_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
