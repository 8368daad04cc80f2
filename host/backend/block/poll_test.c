// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/poll.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* When it comes: after so many looks; 0: never. */
struct source {
	unsigned looks, comes_at;
};

static bool has_come(void *opaque)
{
	struct source *s = opaque;

	return ++s->looks >= s->comes_at && s->comes_at;
}

/* On a busy machine others may take the CPU just then: what counts is that it comes at all. */
static void comes(struct block_poll *p, unsigned at)
{
	for (int tries = 0; tries < 1000; tries++) {
		struct source s = {.comes_at = at};

		p->skip = 0;
		if (!block_poll(p, has_come, &s))
			continue;
		assert_int_equal(s.looks, at);
		assert_int_equal(p->skip, 0);
		return;
	}
	fail_msg("it has never come in time");
}

static void test_comes(void **state)
{
	struct block_poll p = {.one_cpu = false};

	(void)state;
	comes(&p, 1);
	comes(&p, 20);
	/* Long of use, and what was before is forgotten. */
	p.penalty = 64;
	for (int i = 0; i < 64; i++)
		comes(&p, 1);
	assert_int_equal(p.penalty, 0);
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

/* What is of no use is tried ever more rarely, but never given up. */
static void test_never(void **state)
{
	struct block_poll p = {.one_cpu = false};
	struct source s = {0};

	(void)state;
	assert_false(block_poll(&p, has_come, &s));
	assert_int_equal(calls_that_look(&p, &s, 1), 0);
	assert_int_equal(calls_that_look(&p, &s, 1 + 2), 1);
	assert_int_equal(calls_that_look(&p, &s, 1 + 4), 1);
	assert_true(calls_that_look(&p, &s, 100000) < 100000 / 256 + 20);
	assert_int_equal(calls_that_look(&p, &s, 257), 1);
	comes(&p, 1);
}

static int policy(void)
{
	return sched_getscheduler(0);
}

/* On one CPU nothing is looked for, and the guest goes first unless that keeps us waiting. */
static void one_cpu(void)
{
	struct source s = {.comes_at = 1};
	struct block_poll p;

	block_poll_init(&p);
	assert_true(p.one_cpu);
	assert_int_equal(policy(), SCHED_BATCH);
	assert_false(block_poll(&p, has_come, &s));
	assert_int_equal(s.looks, 0);
	block_poll_woken(&p, 100000);
	assert_int_equal(policy(), SCHED_BATCH);
	block_poll_woken(&p, 3000000);
	assert_int_equal(policy(), SCHED_OTHER);
	block_poll_woken(&p, 10);
	assert_int_equal(policy(), SCHED_BATCH);
	/* Again, and it takes longer. */
	block_poll_woken(&p, 3000000);
	block_poll_woken(&p, 10);
	assert_int_equal(policy(), SCHED_OTHER);
	block_poll_woken(&p, 10);
	assert_int_equal(policy(), SCHED_BATCH);
}

static void test_by_cpus(void **state)
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
	one_cpu();
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	block_poll_init(&p);
	assert_int_equal(p.one_cpu, CPU_COUNT(&all) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_by_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
