// SPDX-License-Identifier: BSD-2-Clause
/* The dirty log with writers and a getter at once, as in a live migration: nothing is lost. */
#include "shim/memslot/dirty_log.h"

#include "shim/memslot/fake_memory_test.h"

#include <sched.h>

#define PAGES 256
#define WORDS (PAGES / 64)

/* The getter takes and forgets what is dirty. Pages that are in `bits` are to be copied now. */
static void take(struct fake_memory *m, uint64_t *bits)
{
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), 0);
	if (m->slots.features & MEMSLOTS_MANUAL_PROTECT)
		assert_int_equal(dirty_log_clear(&m->slots, 0, 0, PAGES, bits), 0);
}

static bool has(const uint64_t *bits, unsigned page)
{
	return bits[page / 64] >> page % 64 & 1;
}

static void mark(struct fake_memory *m, unsigned page)
{
	memslots_written(memslots_enter(&m->slots), gfn_to_gpa(gfn(page)), 1);
	memslots_leave();
}

/*
 * Each page is written once, two of three by us, every third by the guest; neighbours share words.
 */

#define WRITERS 3

struct writer {
	struct fake_memory *m;
	unsigned nr;
	unsigned *done; /* atomic */
};

static void *write_each_page_once(void *opaque)
{
	const struct writer *w = opaque;

	for (unsigned page = w->nr; page < PAGES; page += WRITERS) {
		if (w->nr)
			mark(w->m, page);
		else
			fake_memory_guest_writes(w->m, 0, page);
		if (page % 16 == w->nr)
			sched_yield();
	}
	__atomic_fetch_add(w->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void count_dirty(struct fake_memory *m, unsigned *times)
{
	uint64_t bits[WORDS];

	take(m, bits);
	for (unsigned page = 0; page < PAGES; page++)
		times[page] += has(bits, page);
}

static void each_write_is_seen_in_one_get(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(fake_memory_set_ram(m, MEMSLOT_LOG_DIRTY), 0);
	for (unsigned round = 0; round < 100; round++) {
		unsigned times[PAGES] = {0}, done = 0;
		struct writer w[WRITERS];
		pthread_t thread[WRITERS];

		for (unsigned i = 0; i < WRITERS; i++) {
			w[i] = (struct writer){m, i, &done};
			assert_int_equal(
				pthread_create(&thread[i], NULL, write_each_page_once, &w[i]), 0);
		}
		while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < WRITERS)
			count_dirty(m, times);
		for (unsigned i = 0; i < WRITERS; i++)
			pthread_join(thread[i], NULL);
		count_dirty(m, times);
		for (unsigned page = 0; page < PAGES; page++)
			assert_int_equal(times[page], 1);
	}
}

/*
 * Pages are written over and over, and copied when they were dirty: the copy is complete in the
 * end. The write that a getter could miss is one that finds its page marked already.
 */

/* ThreadSanitizer is slow, and what it looks for, accesses without an order, is in every round. */
#ifdef __SANITIZE_THREAD__
#define ROUNDS 2000
#else
#define ROUNDS 8000
#endif

struct migration {
	struct page_content {
		uint64_t value; /* atomic */
	} __attribute__((aligned(64))) page[PAGES];
	struct fake_memory *m;
	unsigned started, ended; /* rounds. Atomic */
};

static void wait_until(const unsigned *counter, unsigned value)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) != value)
		sched_yield();
}

static void write_page(struct migration *g, unsigned page, uint64_t value)
{
	const struct memslot_set *set = memslots_enter(&g->m->slots);

	__atomic_store_n(&g->page[page].value, value, __ATOMIC_RELAXED);
	memslots_written(set, gfn_to_gpa(gfn(page)), 1);
	memslots_leave();
}

static void *write_over_and_over(void *opaque)
{
	struct migration *g = opaque;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		wait_until(&g->started, round);
		for (unsigned page = 0; page < PAGES; page++) {
			write_page(g, page, 2 * round);
			write_page(g, page, 2 * round + 1);
		}
		__atomic_store_n(&g->ended, round, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void copy_dirty(struct migration *g, uint64_t *copy)
{
	uint64_t bits[WORDS];

	take(g->m, bits);
	for (unsigned page = 0; page < PAGES; page++)
		if (has(bits, page))
			copy[page] = __atomic_load_n(&g->page[page].value, __ATOMIC_RELAXED);
}

static void copy_is_complete_in_the_end(void **state)
{
	struct migration g = {.m = *state};
	uint64_t copy[PAGES] = {0};
	unsigned lost = 0;
	pthread_t writer;

	assert_int_equal(fake_memory_set_ram(g.m, MEMSLOT_LOG_DIRTY), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_over_and_over, &g), 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		__atomic_store_n(&g.started, round, __ATOMIC_RELEASE);
		do
			copy_dirty(&g, copy);
		while (__atomic_load_n(&g.ended, __ATOMIC_ACQUIRE) != round);
		copy_dirty(&g, copy);
		for (unsigned page = 0; page < PAGES; page++)
			lost += copy[page] != 2 * round + 1;
	}
	pthread_join(writer, NULL);
	assert_int_equal(lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH(each_write_is_seen_in_one_get, plain),
		TEST_WITH(each_write_is_seen_in_one_get, manual),
		TEST_WITH(copy_is_complete_in_the_end, plain),
		TEST_WITH(copy_is_complete_in_the_end, manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
