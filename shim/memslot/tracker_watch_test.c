// SPDX-License-Identifier: BSD-2-Clause
/* Watched pages: their counts, and the writes that are told. */
#include "shim/memslot/tracker.h"

#include "shim/memslot/fake_memory_test.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#define PAGES 16
#define SIZE  ((uint64_t)PAGES * GUEST_PAGE_SIZE)

/* A tracker that writes down which writes it is told of. */
struct spy {
	struct tracker t;
	char log[512];
};

static void written(struct tracker *t, struct gpa addr, uint64_t len)
{
	struct spy *s = (struct spy *)t;
	size_t used = strlen(s->log);

	snprintf(s->log + used, sizeof(s->log) - used, "%" PRIx64 " %" PRIx64 ";", addr.v, len);
}

/* Registered, with slot 0: PAGES at frame 0x10. */
static void spy_on_slot_0(struct spy *s, struct fake_memory *m)
{
	*s = (struct spy){.t = {.written = written}};
	assert_int_equal(tracker_register(&m->slots, &s->t), 0);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram), 0);
}

/* What it was told since it was last asked. */
#define assert_told(s, what)                         \
	do {                                         \
		assert_string_equal((s)->log, what); \
		(s)->log[0] = '\0';                  \
	} while (0)

/*
 * Counts.
 */

static void watching_needs_a_slot_and_a_tracker(void **state)
{
	struct fake_memory *m = *state;
	struct spy s = {.t = {.written = written}};

	fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram);
	fake_memory_set(m, 1 << 16, 0, gfn(0x100), PAGES, m->ram);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x10)), -EINVAL);
	assert_int_equal(tracker_unwatch(&m->slots, gfn(0x10)), -EINVAL);
	tracker_register(&m->slots, &s.t);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x0f)), -EINVAL);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x20)), -EINVAL);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x100)), -EINVAL);
	assert_int_equal(tracker_watch(&m->slots, gfn(UINT64_MAX)), -EINVAL);
	assert_int_equal(tracker_watch(&m->slots, gfn((1ull << 52) + 0x10)), -EINVAL);
	assert_int_equal(tracker_watched(&m->slots, gfn((1ull << 52) + 0x10)), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x20)), 0);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x1f)), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x1f)), 1);
	tracker_unregister(&m->slots, &s.t);
	assert_int_equal(tracker_watch(&m->slots, gfn(0x10)), -EINVAL);
}

static void counts_go_from_0_to_65535(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m);
	assert_int_equal(tracker_unwatch(&m->slots, gfn(0x10)), -ERANGE);
	for (unsigned i = 1; i <= 65535; i++) {
		assert_int_equal(tracker_watch(&m->slots, gfn(0x10)), 0);
		assert_int_equal(tracker_watched(&m->slots, gfn(0x10)), i);
	}
	assert_int_equal(tracker_watch(&m->slots, gfn(0x10)), -ERANGE);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x10)), 65535);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x11)), 0);
	for (unsigned i = 0; i < 65535; i++)
		assert_int_equal(tracker_unwatch(&m->slots, gfn(0x10)), 0);
	assert_int_equal(tracker_unwatch(&m->slots, gfn(0x10)), -ERANGE);
}

static void counts_move_with_their_slot_and_end_with_it(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m);
	tracker_watch(&m->slots, gfn(0x12));
	tracker_watch(&m->slots, gfn(0x12));
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0x10), PAGES, m->ram), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x12)), 2);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x11), PAGES, m->ram), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x12)), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x13)), 2);
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x11), PAGES, m->ram), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(0x13)), 0);
}

/*
 * Writes.
 */

static void write_at(struct fake_memory *m, uint64_t addr, uint64_t len)
{
	memslots_written(memslots_enter(&m->slots), gpa(addr), len);
	memslots_leave();
}

static void writes_to_watched_pages_are_told_page_by_page(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m);
	tracker_watch(&m->slots, gfn(0x12));
	write_at(m, 0x11000, 0x1000);
	write_at(m, 0x13000, 1);
	write_at(m, 0x12000, 0);
	assert_told(&s, "");
	write_at(m, 0x12345, 0x10);
	assert_told(&s, "12345 10;");
	write_at(m, 0x11ff0, 0x20);
	assert_told(&s, "12000 10;");
	write_at(m, 0x10001, SIZE - 1);
	assert_told(&s, "12000 1000;");
	tracker_watch(&m->slots, gfn(0x13));
	write_at(m, 0x12ffe, 4);
	assert_told(&s, "12ffe 2;13000 2;");
	tracker_unwatch(&m->slots, gfn(0x12));
	write_at(m, 0x12ffe, 4);
	assert_told(&s, "13000 2;");
}

static void writes_by_host_address_are_told_of_all_that_show_it(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m);
	fake_memory_set(m, 1, 0, gfn(0x40), PAGES, m->ram);
	fake_memory_set(m, 1 << 16, 0, gfn(0x80), PAGES, m->ram);
	tracker_watch(&m->slots, gfn(0x11));
	tracker_watch(&m->slots, gfn(0x41));
	memslots_written_hva(memslots_enter(&m->slots), m->ram + 0x1010, 8);
	memslots_leave();
	assert_non_null(strstr(s.log, "11010 8;"));
	assert_non_null(strstr(s.log, "41010 8;"));
	assert_null(strstr(s.log, "81010"));
}

/*
 * A writer who did not see that the page is watched.
 */

struct under_way {
	struct fake_memory *m;
	bool entered, left; /* the writer's section. Atomic */
	bool left_first;    /* before the watcher returned */
};

static void *write_under_way(void *opaque)
{
	struct under_way *u = opaque;

	memslots_enter(&u->m->slots);
	__atomic_store_n(&u->entered, true, __ATOMIC_RELEASE);
	while (!tracker_watched(&u->m->slots, gfn(0x10)))
		sched_yield();
	for (unsigned i = 0; i < 1000; i++) /* every chance to return too early */
		sched_yield();
	__atomic_store_n(&u->left, true, __ATOMIC_RELEASE);
	memslots_leave();
	return NULL;
}

/* What is read of the page after that has the write, and of all others one is told. */
static void watching_waits_for_writes_under_way(void **state)
{
	struct under_way u = {.m = *state};
	pthread_t writer;
	struct spy s;

	spy_on_slot_0(&s, u.m);
	assert_int_equal(pthread_create(&writer, NULL, write_under_way, &u), 0);
	while (!__atomic_load_n(&u.entered, __ATOMIC_ACQUIRE))
		sched_yield();
	assert_int_equal(tracker_watch(&u.m->slots, gfn(0x10)), 0);
	u.left_first = __atomic_load_n(&u.left, __ATOMIC_ACQUIRE);
	pthread_join(writer, NULL);
	assert_true(u.left_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watching_needs_a_slot_and_a_tracker),
		TEST(counts_go_from_0_to_65535),
		TEST(counts_move_with_their_slot_and_end_with_it),
		TEST(writes_to_watched_pages_are_told_page_by_page),
		TEST(writes_by_host_address_are_told_of_all_that_show_it),
		TEST(watching_waits_for_writes_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
