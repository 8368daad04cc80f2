// SPDX-License-Identifier: BSD-2-Clause
/* Overlays: what a guest sees where a page of the hypervisor's is shown, and afterwards. */
#include "shim/memslot/overlay.h"

#include "shim/memslot/fake_memory_test.h"

#include <errno.h>

#include "shim/memslot/dirty_log.h"

#define OUTSIDE gfn(FAKE_RAM_PAGES + 7) /* no RAM there */

/* With slot 0: the whole RAM from 0 on. */
static int setup_ram(void **state)
{
	return fake_memory_setup(state) || fake_memory_set_ram(*state, 0);
}

/* The byte of which a frame is full, or NOTHING: there is no memory. */
#define NOTHING (-1)

static int byte_at(struct fake_memory *m, struct gfn at)
{
	struct memslot_hint hint = {0};
	const uint8_t *p = memslots_hva(memslots_enter(&m->slots), &hint, gfn_to_gpa(at),
					GUEST_PAGE_SIZE, false);
	int byte = p ? *p : NOTHING;

	if (p)
		assert_memory_equal(p, p + 1, GUEST_PAGE_SIZE - 1);
	memslots_leave();
	return byte;
}

/* Page `page` of the hypervisor's is full of these. */
static int byte_of(unsigned page)
{
	return 0xf0 + (int)page;
}

static void over_ram_it_hides_the_ram(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_show(&m->slots, 3, gfn(5)), 0);
	assert_int_equal(byte_at(m, gfn(5)), byte_of(3));
	assert_int_equal(byte_at(m, gfn(4)), 4);
	assert_int_equal(byte_at(m, gfn(6)), 6);
	assert_int_equal(overlay_at(&m->slots, gfn(5)), 3);
	assert_int_equal(overlay_at(&m->slots, gfn(4)), -ENOENT);
}

static void over_ram_no_slot_changes(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot *slot = fake_memory_slot(m, 0);
	unsigned calls = m->calls[FAKE_OP_SET_SLOT];

	overlay_show(&m->slots, 3, gfn(5));
	assert_ptr_equal(fake_memory_slot(m, 0), slot);
	assert_int_equal(m->calls[FAKE_OP_SET_SLOT], calls);
	assert_int_equal(m->calls[FAKE_OP_PAGE_MAP], 0);
}

static void ram_is_seen_again_as_it_was(void **state)
{
	struct fake_memory *m = *state;

	memset(m->ram + 5 * GUEST_PAGE_SIZE, 0x77, GUEST_PAGE_SIZE);
	overlay_show(&m->slots, 3, gfn(5));
	assert_int_equal(overlay_hide(&m->slots, gfn(5)), 0);
	assert_int_equal(byte_at(m, gfn(5)), 0x77);
	assert_int_equal(overlay_at(&m->slots, gfn(5)), -ENOENT);
	assert_int_equal(overlay_hide(&m->slots, gfn(5)), -ENOENT);
}

static void each_change_over_ram_is_a_new_generation(void **state)
{
	struct fake_memory *m = *state;
	uint64_t before = fake_memory_generation(m), shown;

	overlay_show(&m->slots, 3, gfn(5));
	shown = fake_memory_generation(m);
	assert_true(shown > before);
	overlay_hide(&m->slots, gfn(5));
	assert_true(fake_memory_generation(m) > shown);
}

static void outside_ram_it_is_a_slot_of_one_page(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_show(&m->slots, 3, OUTSIDE), 0);
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(3));
	assert_int_equal(byte_at(m, gfn(OUTSIDE.v - 1)), NOTHING);
	assert_int_equal(byte_at(m, gfn(OUTSIDE.v + 1)), NOTHING);
	assert_int_equal(overlay_at(&m->slots, OUTSIDE), 3);
	assert_int_equal(m->nr[0], 2);
	assert_int_equal(overlay_hide(&m->slots, OUTSIDE), 0);
	assert_int_equal(byte_at(m, OUTSIDE), NOTHING);
	assert_int_equal(overlay_at(&m->slots, OUTSIDE), -ENOENT);
	assert_int_equal(m->nr[0], 1);
	assert_null(m->mapping[0].hva);
}

static void one_page_at_several_frames(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_show(&m->slots, 2, gfn(5)), 0);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(9)), 0);
	assert_int_equal(overlay_show(&m->slots, 2, OUTSIDE), 0);
	assert_int_equal(byte_at(m, gfn(5)), byte_of(2));
	assert_int_equal(byte_at(m, gfn(9)), byte_of(2));
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(2));
	assert_int_equal(overlay_hide(&m->slots, gfn(5)), 0);
	assert_int_equal(byte_at(m, gfn(5)), 5);
	assert_int_equal(byte_at(m, gfn(9)), byte_of(2));
	assert_int_equal(overlay_hide(&m->slots, OUTSIDE), 0);
	assert_int_equal(byte_at(m, gfn(9)), byte_of(2));
}

static void frame_shows_the_last_page_that_was_put_there(void **state)
{
	struct fake_memory *m = *state;
	const struct gfn places[] = {gfn(5), OUTSIDE};
	const int below[] = {5, NOTHING};

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(overlay_show(&m->slots, 2, places[i]), 0);
		assert_int_equal(overlay_show(&m->slots, 4, places[i]), 0);
		assert_int_equal(byte_at(m, places[i]), byte_of(4));
		assert_int_equal(overlay_at(&m->slots, places[i]), 4);
		assert_int_equal(overlay_hide(&m->slots, places[i]), 0);
		assert_int_equal(byte_at(m, places[i]), below[i]);
		assert_int_equal(overlay_hide(&m->slots, places[i]), -ENOENT);
	}
}

static void same_page_again_is_nothing(void **state)
{
	struct fake_memory *m = *state;
	unsigned calls;

	overlay_show(&m->slots, 2, gfn(5));
	overlay_show(&m->slots, 2, OUTSIDE);
	calls = fake_memory_calls(m);
	assert_without_trace(m, overlay_show(&m->slots, 2, gfn(5)), 0);
	assert_without_trace(m, overlay_show(&m->slots, 2, OUTSIDE), 0);
	assert_int_equal(fake_memory_calls(m), calls);
}

static void hide_all_hides_all(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_hide_all(&m->slots), 0);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(overlay_show(&m->slots, i % 3, gfn(10 + 7 * i)), 0);
		assert_int_equal(overlay_show(&m->slots, i % 3, gfn(OUTSIDE.v + i)), 0);
	}
	assert_int_equal(overlay_hide_all(&m->slots), 0);
	for (unsigned i = 0; i < FAKE_RAM_PAGES; i++)
		assert_int_equal(byte_at(m, gfn(i)), i);
	assert_int_equal(m->nr[0], 1);
	assert_int_equal(overlay_at(&m->slots, gfn(10)), -ENOENT);
	assert_int_equal(overlay_hide_all(&m->slots), 0);
}

static void hide_all_goes_on_after_an_error(void **state)
{
	struct fake_memory *m = *state;
	unsigned left = 0;

	for (unsigned i = 0; i < 4; i++)
		overlay_show(&m->slots, i, gfn(i));
	fake_memory_fail(m, FAKE_OP_UNCOVER, 2, EIO);
	assert_int_equal(overlay_hide_all(&m->slots), -EIO);
	for (unsigned i = 0; i < 4; i++)
		left += overlay_at(&m->slots, gfn(i)) >= 0;
	assert_int_equal(left, 1);
	assert_int_equal(overlay_hide_all(&m->slots), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(byte_at(m, gfn(i)), i);
}

static void no_overlay_where_no_memory_can_be(void **state)
{
	struct fake_memory *m = *state;
	uint64_t max = m->slots.max_gfn;

	assert_without_trace(m, overlay_show(&m->slots, 1, gfn(max)), -EINVAL);
	assert_without_trace(m, overlay_show(&m->slots, 1, gfn(UINT64_MAX)), -EINVAL);
	assert_without_trace(m, overlay_show(&m->slots, 1, gfn(1ull << 52)), -EINVAL);
	assert_without_trace(m, overlay_hide(&m->slots, gfn(UINT64_MAX)), -ENOENT);
	assert_int_equal(overlay_show(&m->slots, 1, gfn(max - 1)), 0);
}

static void slot_under_an_overlay_neither_moves_nor_goes(void **state)
{
	struct fake_memory *m = *state;
	const uint32_t log = MEMSLOT_LOG_DIRTY;

	overlay_show(&m->slots, 2, gfn(FAKE_RAM_PAGES - 1));
	assert_without_trace(m, fake_memory_delete(m, 0), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(1), FAKE_RAM_PAGES, m->ram), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 0, log, gfn(1), FAKE_RAM_PAGES, m->ram), -EBUSY);
	assert_int_equal(fake_memory_set_ram(m, log), 0);
	overlay_hide(&m->slots, gfn(FAKE_RAM_PAGES - 1));
	assert_int_equal(fake_memory_delete(m, 0), 0);
}

static void slot_beside_an_overlay_may(void **state)
{
	struct fake_memory *m = *state;

	overlay_show(&m->slots, 2, gfn(0));
	overlay_show(&m->slots, 2, OUTSIDE);
	fake_memory_set(m, 9, 0, gfn(OUTSIDE.v + 1), 1, m->ram);
	fake_memory_set(m, 1 << 16, 0, gfn(0), 1, m->ram + GUEST_PAGE_SIZE);
	assert_int_equal(fake_memory_set(m, 9, 0, gfn(OUTSIDE.v - 1), 1, m->ram), 0);
	assert_int_equal(fake_memory_delete(m, 9), 0);
	assert_int_equal(fake_memory_delete(m, 1 << 16), 0);
}

static void slot_of_an_overlay_is_not_the_users(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot *own;

	overlay_show(&m->slots, 2, OUTSIDE);
	own = fake_memory_slot(m, 1);
	assert_non_null(own);
	assert_without_trace(m, fake_memory_delete(m, 1), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x1000), 1, own->hva), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 5, 0, OUTSIDE, 1, m->ram), -EEXIST);
}

static void page_that_changes_is_dirty(void **state)
{
	struct fake_memory *m = *state;
	uint64_t bits[FAKE_RAM_PAGES / 64];

	fake_memory_set_ram(m, MEMSLOT_LOG_DIRTY);
	overlay_show(&m->slots, 2, gfn(70));
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), 0);
	assert_int_equal(bits[1], 1 << 6);
	overlay_hide(&m->slots, gfn(70));
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), 0);
	assert_int_equal(bits[1], 1 << 6);
	assert_int_equal(bits[0] | bits[2] | bits[3], 0);
}

/*
 * Failures of the platform: everything is as before.
 */

static void failed_show_leaves_no_trace(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_fail(m, FAKE_OP_COVER, 1, EIO);
	assert_without_trace(m, overlay_show(&m->slots, 1, gfn(5)), -EIO);
	fake_memory_fail(m, FAKE_OP_PAGE_MAP, 1, 0);
	assert_without_trace(m, overlay_show(&m->slots, 1, OUTSIDE), -ENOMEM);
	fake_memory_fail(m, FAKE_OP_SET_SLOT, 1, EIO);
	assert_without_trace(m, overlay_show(&m->slots, 1, OUTSIDE), -EIO);
	assert_int_equal(overlay_at(&m->slots, gfn(5)), -ENOENT);
	assert_int_equal(overlay_at(&m->slots, OUTSIDE), -ENOENT);
}

static void failed_show_over_another_leaves_the_other(void **state)
{
	struct fake_memory *m = *state;

	overlay_show(&m->slots, 1, gfn(5));
	overlay_show(&m->slots, 1, OUTSIDE);
	fake_memory_fail(m, FAKE_OP_COVER, 1, EIO);
	assert_without_trace(m, overlay_show(&m->slots, 2, gfn(5)), -EIO);
	fake_memory_fail(m, FAKE_OP_COVER, 1, EIO);
	assert_without_trace(m, overlay_show(&m->slots, 2, OUTSIDE), -EIO);
	assert_int_equal(byte_at(m, gfn(5)), byte_of(1));
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(1));
}

static void failed_hide_leaves_it_shown(void **state)
{
	struct fake_memory *m = *state;

	overlay_show(&m->slots, 1, gfn(5));
	overlay_show(&m->slots, 1, OUTSIDE);
	fake_memory_fail(m, FAKE_OP_UNCOVER, 1, EIO);
	assert_without_trace(m, overlay_hide(&m->slots, gfn(5)), -EIO);
	fake_memory_fail(m, FAKE_OP_SET_SLOT, 1, EIO);
	assert_without_trace(m, overlay_hide(&m->slots, OUTSIDE), -EIO);
	assert_int_equal(overlay_at(&m->slots, gfn(5)), 1);
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(1));
	assert_int_equal(overlay_hide_all(&m->slots), 0);
}

static void no_slot_number_left(void **state)
{
	struct fake_memory *m = *state;

	for (uint32_t i = 1; i < MEMSLOTS_MAX; i++)
		fake_memory_set(m, i, 0, gfn(0x10000 + i), 1,
				(uint8_t *)0x100000000000 + i * (size_t)GUEST_PAGE_SIZE);
	assert_int_equal(overlay_show(&m->slots, 1, OUTSIDE), -ENOMEM);
	assert_null(m->mapping[0].hva);
	assert_int_equal(overlay_show(&m->slots, 1, gfn(1)), 0);
	fake_memory_delete(m, 77);
	assert_int_equal(overlay_show(&m->slots, 1, OUTSIDE), 0);
}

#define TEST_RAM(test)                                        \
	{                                                     \
#test, test, setup_ram, fake_memory_teardown, \
			(void *)(uintptr_t)&fake_memory_plain \
	}

/* RAM that is at two frames is covered for one of them only: the other's overlay would be lost. */
static void ram_is_covered_once(void **state)
{
	struct fake_memory *m = *state;
	struct gfn alias = gfn(FAKE_RAM_PAGES + 5);

	fake_memory_set(m, 1, 0, gfn(FAKE_RAM_PAGES), FAKE_RAM_PAGES, m->ram);
	assert_int_equal(overlay_show(&m->slots, 3, gfn(5)), 0);
	assert_int_equal(overlay_show(&m->slots, 4, alias), -EBUSY);
	assert_int_equal(overlay_at(&m->slots, alias), -ENOENT);
	assert_int_equal(byte_at(m, alias), byte_of(3));
	assert_int_equal(overlay_hide(&m->slots, gfn(5)), 0);
	assert_int_equal(overlay_show(&m->slots, 4, alias), 0);
	assert_int_equal(overlay_hide(&m->slots, alias), 0);
	assert_int_equal(byte_at(m, gfn(5)), 5);
}

/*
 * Pages that are shown once.
 */

static void a_page_moves(void **state)
{
	struct fake_memory *m = *state;
	struct gfn at = gfn(77);

	assert_false(overlay_place(&m->slots, 2, &at));
	assert_int_equal(at.v, 77);
	assert_int_equal(overlay_move(&m->slots, 2, gfn(5)), 0);
	assert_int_equal(overlay_move(&m->slots, 2, OUTSIDE), 0);
	assert_int_equal(byte_at(m, gfn(5)), 5);
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(2));
	assert_true(overlay_place(&m->slots, 2, &at));
	assert_int_equal(at.v, OUTSIDE.v);
	assert_without_trace(m, overlay_move(&m->slots, 2, OUTSIDE), 0);
	assert_int_equal(overlay_show(&m->slots, 3, gfn(6)), 0);
	assert_int_equal(overlay_move(&m->slots, 2, gfn(6)), 0);
	assert_int_equal(byte_at(m, gfn(6)), byte_of(2));
	assert_int_equal(byte_at(m, OUTSIDE), NOTHING);
	assert_false(overlay_place(&m->slots, 3, &at));
}

static void failed_move_leaves_it_where_it_was(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_move(&m->slots, 2, gfn(5)), 0);
	assert_int_equal(overlay_show(&m->slots, 3, gfn(6)), 0);
	fake_memory_fail(m, FAKE_OP_COVER, 1, EIO);
	assert_int_equal(overlay_move(&m->slots, 2, gfn(7)), -EIO);
	assert_int_equal(byte_at(m, gfn(7)), 7);
	fake_memory_fail(m, FAKE_OP_UNCOVER, 1, EIO);
	assert_int_equal(overlay_move(&m->slots, 2, gfn(7)), -EIO);
	assert_int_equal(byte_at(m, gfn(7)), 7);
	fake_memory_fail(m, FAKE_OP_UNCOVER, 1, EIO);
	assert_int_equal(overlay_move(&m->slots, 2, gfn(6)), -EIO);
	assert_int_equal(byte_at(m, gfn(6)), byte_of(3));
	assert_int_equal(byte_at(m, gfn(5)), byte_of(2));
}

static void read_only_outside_ram(void **state)
{
	struct memslot_hint hint = {0};
	struct fake_memory *m = *state;
	const struct memslot_set *set;

	assert_int_equal(overlay_show_readonly(&m->slots, 2, OUTSIDE), 0);
	assert_int_equal(byte_at(m, OUTSIDE), byte_of(2));
	set = memslots_enter(&m->slots);
	assert_null(memslots_hva(set, &hint, gfn_to_gpa(OUTSIDE), 1, true));
	memslots_leave();
	assert_int_equal(overlay_hide(&m->slots, OUTSIDE), 0);
	assert_int_equal(overlay_show(&m->slots, 2, OUTSIDE), 0);
	set = memslots_enter(&m->slots);
	assert_non_null(memslots_hva(set, &hint, gfn_to_gpa(OUTSIDE), 1, true));
	memslots_leave();
}

/*
 * RAM that is lent.
 */

static void lent_ram_keeps_its_contents(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(overlay_lend(&m->slots, 3, gfn(5)), 0);
	assert_int_equal(overlay_at(&m->slots, gfn(5)), 3);
	assert_int_equal(byte_at(m, gfn(5)), 5);
	memset(m->ram + 5 * GUEST_PAGE_SIZE, 0x55, GUEST_PAGE_SIZE);
	assert_int_equal(overlay_show(&m->slots, 3, OUTSIDE), 0);
	assert_int_equal(overlay_hide(&m->slots, OUTSIDE), 0);
	assert_int_equal(overlay_hide(&m->slots, gfn(5)), 0);
	assert_int_equal(byte_at(m, gfn(5)), 0x55);
	assert_int_equal(m->calls[FAKE_OP_TAKE_BACK], 1);
	assert_int_equal(m->calls[FAKE_OP_UNCOVER], 0);
}

static void what_cannot_be_lent(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(fake_memory_set(m, 1, MEMSLOT_READONLY, gfn(0x1000), 1, m->ram + 4096), 0);
	assert_int_equal(fake_memory_set(m, 2, 0, gfn(0x2000), 1, m->ram + 5 * 4096), 0);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(4)), 0);
	assert_int_equal(overlay_lend(&m->slots, 3, gfn(5)), 0);
	assert_without_trace(m, overlay_lend(&m->slots, 3, OUTSIDE), -ENOENT);
	assert_without_trace(m, overlay_lend(&m->slots, 3, gfn(UINT64_MAX)), -ENOENT);
	assert_without_trace(m, overlay_lend(&m->slots, 3, gfn(0x1000)), -ENOENT);
	assert_without_trace(m, overlay_lend(&m->slots, 3, gfn(4)), -EBUSY);
	assert_without_trace(m, overlay_lend(&m->slots, 3, gfn(5)), -EBUSY);
	assert_without_trace(m, overlay_lend(&m->slots, 3, gfn(0x2000)), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_RAM(over_ram_it_hides_the_ram),
		TEST_RAM(over_ram_no_slot_changes),
		TEST_RAM(ram_is_seen_again_as_it_was),
		TEST_RAM(ram_is_covered_once),
		TEST_RAM(each_change_over_ram_is_a_new_generation),
		TEST_RAM(outside_ram_it_is_a_slot_of_one_page),
		TEST_RAM(one_page_at_several_frames),
		TEST_RAM(frame_shows_the_last_page_that_was_put_there),
		TEST_RAM(same_page_again_is_nothing),
		TEST_RAM(hide_all_hides_all),
		TEST_RAM(hide_all_goes_on_after_an_error),
		TEST_RAM(no_overlay_where_no_memory_can_be),
		TEST_RAM(slot_under_an_overlay_neither_moves_nor_goes),
		TEST_RAM(slot_beside_an_overlay_may),
		TEST_RAM(slot_of_an_overlay_is_not_the_users),
		TEST_RAM(page_that_changes_is_dirty),
		TEST_RAM(failed_show_leaves_no_trace),
		TEST_RAM(failed_show_over_another_leaves_the_other),
		TEST_RAM(failed_hide_leaves_it_shown),
		TEST_RAM(no_slot_number_left),
		TEST_RAM(a_page_moves),
		TEST_RAM(failed_move_leaves_it_where_it_was),
		TEST_RAM(read_only_outside_ram),
		TEST_RAM(lent_ram_keeps_its_contents),
		TEST_RAM(what_cannot_be_lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
