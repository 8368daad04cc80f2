// SPDX-License-Identifier: BSD-2-Clause
/* Which sizes of page may map what, before and after a slot moves. */
#include "shim/memslot/levels.h"

#include "shim/memslot/fake_memory_test.h"
#include "shim/memslot/tracker.h"

#define MIB2 512ull /* pages of 4 KiB */
#define GIB1 (512ull * 512)

/* Host addresses that exist only as numbers, congruent to guest-physical 0 up to 1 GiB. */
#define HVA(page) ((const uint8_t *)0x100000000000 + ((uint64_t)(page) << GUEST_PAGE_SHIFT))

static void entries_depend_on_alignment(void **state)
{
	(void)state;
	assert_int_equal(memslot_level_entries(gfn(0), 1, PAGE_2M), 1);
	assert_int_equal(memslot_level_entries(gfn(MIB2), MIB2, PAGE_2M), 1);
	assert_int_equal(memslot_level_entries(gfn(MIB2 + 1), MIB2, PAGE_2M), 2);
	assert_int_equal(memslot_level_entries(gfn(MIB2 - 1), MIB2 + 2, PAGE_2M), 3);
	assert_int_equal(memslot_level_entries(gfn(0), GIB1, PAGE_2M), 512);
	assert_int_equal(memslot_level_entries(gfn(1), GIB1, PAGE_2M), 513);
	assert_int_equal(memslot_level_entries(gfn(0), GIB1, PAGE_1G), 1);
	assert_int_equal(memslot_level_entries(gfn(1), GIB1, PAGE_1G), 2);
	assert_int_equal(memslot_level_entries(gfn(7), 9, PAGE_4K), 9);
}

static enum page_level level_at(struct fake_memory *m, uint32_t id, uint64_t page)
{
	return memslot_max_level(fake_memory_slot(m, id), gfn(page));
}

/* The first and the last page of [first, end) have this largest page, and one in the middle. */
static void assert_level(struct fake_memory *m, uint64_t first, uint64_t end, enum page_level level)
{
	assert_int_equal(level_at(m, 0, first), level);
	assert_int_equal(level_at(m, 0, (first + end) / 2), level);
	assert_int_equal(level_at(m, 0, end - 1), level);
}

static void aligned_slot_takes_large_pages(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(MIB2), 2 * MIB2, HVA(MIB2));
	assert_level(m, MIB2, 3 * MIB2, PAGE_2M);
}

static void whole_gib_takes_the_largest_pages(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(GIB1), 2 * GIB1, HVA(GIB1));
	assert_level(m, GIB1, 2 * GIB1, PAGE_1G);
	assert_level(m, 2 * GIB1, 3 * GIB1, PAGE_1G);
}

static void parts_of_large_pages_at_both_ends_take_none(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(MIB2 + 1), 3 * MIB2, HVA(MIB2 + 1));
	assert_level(m, MIB2 + 1, 2 * MIB2, PAGE_4K);
	assert_level(m, 2 * MIB2, 4 * MIB2, PAGE_2M);
	assert_level(m, 4 * MIB2, 4 * MIB2 + 1, PAGE_4K);
}

static void parts_of_gibs_at_both_ends_take_2_mib(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(GIB1 - MIB2), GIB1 + 2 * MIB2, HVA(GIB1 - MIB2));
	assert_level(m, GIB1 - MIB2, GIB1, PAGE_2M);
	assert_level(m, GIB1, 2 * GIB1, PAGE_1G);
	assert_level(m, 2 * GIB1, 2 * GIB1 + MIB2, PAGE_2M);
}

static void slot_within_one_large_page_takes_none(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(MIB2 + 7), 9, HVA(7));
	assert_level(m, MIB2 + 7, MIB2 + 16, PAGE_4K);
}

static void incongruent_host_address_takes_none(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(GIB1), GIB1, HVA(1));
	assert_level(m, GIB1, 2 * GIB1, PAGE_4K);
}

static void host_address_congruent_to_2_mib_only(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(GIB1), GIB1, HVA(MIB2));
	assert_level(m, GIB1, 2 * GIB1, PAGE_2M);
}

/* KVM's old wound: 512 pages touch one large page when aligned, and two when not. */
static void move_by_a_page_has_one_entry_more(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(MIB2), MIB2, HVA(MIB2));
	assert_level(m, MIB2, 2 * MIB2, PAGE_2M);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(MIB2 + 1), MIB2, HVA(MIB2)), 0);
	assert_int_equal(memslot_level_entries(gfn(MIB2 + 1), MIB2, PAGE_2M), 2);
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(level_at(m, 0, MIB2 + 1 + i), PAGE_4K);
}

static void move_back_takes_large_pages_again(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(1), 3 * MIB2, HVA(0));
	assert_level(m, 1, 3 * MIB2, PAGE_4K);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(MIB2), 3 * MIB2, HVA(0)), 0);
	assert_level(m, MIB2, 4 * MIB2, PAGE_2M);
}

/*
 * Watched pages.
 */

static int setup_watched(void **state)
{
	static struct tracker t;
	const uint32_t none = 0;
	struct fake_memory *m;

	*state = (void *)(uintptr_t)&none;
	if (fake_memory_setup(state))
		return -1;
	m = *state;
	return fake_memory_set(m, 0, 0, gfn(0), GIB1, HVA(0)) || tracker_register(&m->slots, &t);
}

static void watched_page_forbids_large_pages_around_it(void **state)
{
	struct fake_memory *m = *state;

	assert_level(m, 0, GIB1, PAGE_1G);
	assert_int_equal(tracker_watch(&m->slots, gfn(MIB2 + 5)), 0);
	assert_level(m, MIB2, 2 * MIB2, PAGE_4K);
	assert_level(m, 0, MIB2, PAGE_2M);
	assert_level(m, 2 * MIB2, GIB1, PAGE_2M);
	assert_int_equal(tracker_unwatch(&m->slots, gfn(MIB2 + 5)), 0);
	assert_level(m, 0, GIB1, PAGE_1G);
}

static void last_watch_of_several_counts(void **state)
{
	struct fake_memory *m = *state;

	tracker_watch(&m->slots, gfn(5));
	tracker_watch(&m->slots, gfn(5));
	tracker_watch(&m->slots, gfn(6));
	tracker_unwatch(&m->slots, gfn(5));
	assert_level(m, 0, MIB2, PAGE_4K);
	tracker_unwatch(&m->slots, gfn(5));
	assert_level(m, 0, MIB2, PAGE_4K);
	tracker_unwatch(&m->slots, gfn(6));
	assert_level(m, 0, GIB1, PAGE_1G);
}

static void watched_page_stays_so_where_the_slot_moves(void **state)
{
	struct fake_memory *m = *state;

	tracker_watch(&m->slots, gfn(MIB2 + 5));
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(GIB1 + MIB2), GIB1, HVA(0)), 0);
	assert_int_equal(tracker_watched(&m->slots, gfn(GIB1 + 2 * MIB2 + 5)), 1);
	assert_level(m, GIB1 + MIB2, GIB1 + 2 * MIB2, PAGE_2M);
	assert_level(m, GIB1 + 2 * MIB2, GIB1 + 3 * MIB2, PAGE_4K);
	assert_level(m, GIB1 + 3 * MIB2, 2 * GIB1 + MIB2, PAGE_2M);
	assert_int_equal(tracker_unwatch(&m->slots, gfn(GIB1 + 2 * MIB2 + 5)), 0);
	assert_level(m, GIB1 + 2 * MIB2, GIB1 + 3 * MIB2, PAGE_2M);
}

/* Counted once, however often it is watched: also by who makes the levels anew. */
static void watches_of_a_moved_page_end_one_by_one(void **state)
{
	struct fake_memory *m = *state;

	tracker_watch(&m->slots, gfn(5));
	tracker_watch(&m->slots, gfn(5));
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(GIB1), GIB1, HVA(0)), 0);
	assert_level(m, GIB1, GIB1 + MIB2, PAGE_4K);
	tracker_unwatch(&m->slots, gfn(GIB1 + 5));
	assert_level(m, GIB1, GIB1 + MIB2, PAGE_4K);
	tracker_unwatch(&m->slots, gfn(GIB1 + 5));
	assert_level(m, GIB1, 2 * GIB1, PAGE_1G);
}

static void flags_only_keeps_levels(void **state)
{
	struct fake_memory *m = *state;

	tracker_watch(&m->slots, gfn(5));
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0), GIB1, HVA(0)), 0);
	assert_level(m, 0, MIB2, PAGE_4K);
	assert_level(m, MIB2, GIB1, PAGE_2M);
	tracker_unwatch(&m->slots, gfn(5));
	assert_level(m, 0, GIB1, PAGE_1G);
}

static void reason_at_one_level_only(void **state)
{
	struct fake_memory *m = *state;

	memslot_level_count(fake_memory_slot(m, 0), gfn(7), PAGE_1G, 1);
	assert_level(m, 0, GIB1, PAGE_2M);
	memslot_level_count(fake_memory_slot(m, 0), gfn(MIB2 + 7), PAGE_2M, 1);
	assert_level(m, MIB2, 2 * MIB2, PAGE_4K);
	assert_level(m, 0, MIB2, PAGE_2M);
	memslot_level_count(fake_memory_slot(m, 0), gfn(7), PAGE_1G, -1);
	assert_level(m, 2 * MIB2, GIB1, PAGE_1G);
}

#define TEST_WATCHED(test) \
	cmocka_unit_test_setup_teardown(test, setup_watched, fake_memory_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_depend_on_alignment),
		TEST(aligned_slot_takes_large_pages),
		TEST(whole_gib_takes_the_largest_pages),
		TEST(parts_of_large_pages_at_both_ends_take_none),
		TEST(parts_of_gibs_at_both_ends_take_2_mib),
		TEST(slot_within_one_large_page_takes_none),
		TEST(incongruent_host_address_takes_none),
		TEST(host_address_congruent_to_2_mib_only),
		TEST(move_by_a_page_has_one_entry_more),
		TEST(move_back_takes_large_pages_again),
		TEST_WATCHED(watched_page_forbids_large_pages_around_it),
		TEST_WATCHED(last_watch_of_several_counts),
		TEST_WATCHED(watched_page_stays_so_where_the_slot_moves),
		TEST_WATCHED(watches_of_a_moved_page_end_one_by_one),
		TEST_WATCHED(flags_only_keeps_levels),
		TEST_WATCHED(reason_at_one_level_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
