// SPDX-License-Identifier: BSD-2-Clause
/* The dirty log: the kernel's bits and ours in one bitmap, got, cleared and kept. */
#include "shim/memslot/dirty_log.h"

#include "shim/memslot/fake_memory_test.h"

#include <errno.h>

#define LOG   MEMSLOT_LOG_DIRTY
#define PAGES 200 /* 3 words and 8 bits */
#define WORDS 4
#define BASE  gfn(0x100)

/* With slot 0: PAGES at BASE, logged. */
static int setup_logged(void **state)
{
	if (fake_memory_setup(state))
		return -1;
	return fake_memory_set(*state, 0, LOG, BASE, PAGES, ((struct fake_memory *)*state)->ram);
}

static void we_write(struct fake_memory *m, uint64_t first_page, uint64_t npages)
{
	memslots_written(memslots_enter(&m->slots), gfn_to_gpa(gfn(BASE.v + first_page)),
			 npages << GUEST_PAGE_SHIFT);
	memslots_leave();
}

static void assert_log(struct fake_memory *m, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	const uint64_t expected[WORDS] = {w0, w1, w2, w3};
	uint64_t bits[WORDS];

	memset(bits, 0xaa, sizeof(bits));
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), 0);
	for (unsigned i = 0; i < WORDS; i++)
		assert_int_equal(bits[i], expected[i]);
}

static void words_hold_64_pages(void **state)
{
	(void)state;
	assert_int_equal(dirty_log_words(1), 1);
	assert_int_equal(dirty_log_words(64), 1);
	assert_int_equal(dirty_log_words(65), 2);
	assert_int_equal(dirty_log_words(MEMSLOT_MAX_PAGES), 1ull << 25);
}

static void guests_and_our_writes_are_in_one_log(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_guest_writes(m, 0, 0);
	fake_memory_guest_writes(m, 0, 199);
	we_write(m, 1, 1);
	we_write(m, 0, 1);
	assert_log(m, 3, 0, 0, 1ull << 7);
}

static void marks_go_across_words(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 63, 2);
	assert_log(m, 1ull << 63, 1, 0, 0);
	we_write(m, 64, 64);
	assert_log(m, 0, UINT64_MAX, 0, 0);
	we_write(m, 60, 80);
	assert_log(m, 0xfull << 60, UINT64_MAX, 0xfff, 0);
	we_write(m, 63, 1);
	we_write(m, 128, 1);
	assert_log(m, 1ull << 63, 0, 1, 0);
	we_write(m, 0, PAGES);
	assert_log(m, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xff);
}

static void part_of_a_page_is_the_page(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot_set *set = memslots_enter(&m->slots);
	uint64_t start = gfn_to_gpa(BASE).v;

	memslots_written(set, gpa(start + 0xfff), 1);
	memslots_written(set, gpa(start + 0x2fff), 2);
	memslots_written(set, gpa(start + 0x5000), 0);
	memslots_leave();
	assert_log(m, 1 | 3 << 2, 0, 0, 0);
}

static void writes_outside_are_nobodys(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot_set *set = memslots_enter(&m->slots);
	uint64_t start = gfn_to_gpa(BASE).v, end = start + (PAGES << GUEST_PAGE_SHIFT);

	memslots_written(set, gpa(start - 4096), 4096);
	memslots_written(set, gpa(end), 4096);
	memslots_written(set, gpa(end - 1), 4096);
	memslots_written(set, gpa(start - 4096), 4097);
	memslots_leave();
	assert_log(m, 1, 0, 0, 1 << 7);
}

static void writes_by_host_address_are_of_all_slots(void **state)
{
	struct fake_memory *m = *state;
	uint64_t bits[WORDS] = {0};

	fake_memory_set(m, 1, LOG, gfn(0x1000), 64, m->ram + 2 * GUEST_PAGE_SIZE);
	fake_memory_set(m, 1 << 16, LOG, gfn(0x1000), 64, m->ram);
	memslots_written_hva(memslots_enter(&m->slots), m->ram + 2 * GUEST_PAGE_SIZE + 5, 1);
	memslots_leave();
	assert_log(m, 1 << 2, 0, 0, 0);
	assert_int_equal(dirty_log_get(&m->slots, 1, bits), 0);
	assert_int_equal(bits[0], 1);
	assert_int_equal(dirty_log_get(&m->slots, 1 << 16, bits), 0);
	assert_int_equal(bits[0], 1 << 2);
}

static void getting_clears(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_guest_writes(m, 0, 5);
	we_write(m, 70, 1);
	assert_log(m, 1 << 5, 1 << 6, 0, 0);
	assert_log(m, 0, 0, 0, 0);
}

static void getting_does_not_clear_with_manual_protect(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_guest_writes(m, 0, 5);
	we_write(m, 70, 1);
	assert_log(m, 1 << 5, 1 << 6, 0, 0);
	assert_log(m, 1 << 5, 1 << 6, 0, 0);
}

static void get_errnos(void **state)
{
	struct fake_memory *m = *state;
	uint64_t bits[WORDS];

	fake_memory_set(m, 1, 0, gfn(0x1000), 1, m->ram);
	assert_int_equal(dirty_log_get(&m->slots, MEMSLOTS_MAX, bits), -EINVAL);
	assert_int_equal(dirty_log_get(&m->slots, MEMSLOT_ADDRESS_SPACES << 16, bits), -EINVAL);
	assert_int_equal(dirty_log_get(&m->slots, UINT32_MAX, bits), -EINVAL);
	assert_int_equal(dirty_log_get(&m->slots, 2, bits), -ENOENT);
	assert_int_equal(dirty_log_get(&m->slots, 1 << 16, bits), -ENOENT);
	assert_int_equal(dirty_log_get(&m->slots, MEMSLOTS_MAX - 1, bits), -ENOENT);
	assert_int_equal(dirty_log_get(&m->slots, 1, bits), -ENOENT);
	assert_int_equal(m->calls[FAKE_OP_LOG_GET], 0);
}

static void kernel_failing_to_get_forgets_nothing(void **state)
{
	struct fake_memory *m = *state;
	uint64_t bits[WORDS];

	fake_memory_guest_writes(m, 0, 5);
	we_write(m, 6, 1);
	fake_memory_fail(m, FAKE_OP_LOG_GET, 1, EIO);
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), -EIO);
	assert_log(m, 3 << 5, 0, 0, 0);
}

/*
 * Clearing.
 */

static int clear(struct fake_memory *m, uint64_t first, uint64_t npages)
{
	const uint64_t all[WORDS] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

	return dirty_log_clear(&m->slots, 0, first, npages, all);
}

static void clear_forgets_a_range(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 0, 100);
	for (unsigned i = 100; i < PAGES; i++)
		fake_memory_guest_writes(m, 0, i);
	assert_int_equal(clear(m, 64, 64), 0);
	assert_log(m, UINT64_MAX, 0, UINT64_MAX, 0xff);
	assert_int_equal(clear(m, 128, PAGES - 128), 0);
	assert_log(m, UINT64_MAX, 0, 0, 0);
	assert_int_equal(clear(m, 0, PAGES), 0);
	assert_log(m, 0, 0, 0, 0);
}

static void clear_forgets_only_bits_that_are_set(void **state)
{
	struct fake_memory *m = *state;
	const uint64_t some[WORDS] = {0xf0, 1, 0, 0};

	we_write(m, 64, 8);
	for (unsigned i = 64; i < 80; i++)
		fake_memory_guest_writes(m, 0, i + 64);
	assert_int_equal(dirty_log_clear(&m->slots, 0, 64, 128, some), 0);
	assert_log(m, 0, 0x0f, 0xfffe, 0);
}

/* A later write is seen, also by the kernel. */
static void cleared_page_is_logged_again(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 3, 1);
	fake_memory_guest_writes(m, 0, 4);
	clear(m, 0, PAGES);
	we_write(m, 4, 1);
	fake_memory_guest_writes(m, 0, 3);
	assert_log(m, 3 << 3, 0, 0, 0);
}

static void clear_errnos(void **state)
{
	struct fake_memory *m = *state;
	const uint64_t all[WORDS] = {1, 1, 1, 1};

	fake_memory_set(m, 1, 0, gfn(0x1000), 64, m->ram);
	fake_memory_set(m, 2, LOG, gfn(0x2000), 128, m->ram);
	we_write(m, 0, PAGES);
	assert_without_trace(m, dirty_log_clear(&m->slots, MEMSLOTS_MAX, 0, 64, all), -EINVAL);
	assert_without_trace(m, dirty_log_clear(&m->slots, 2 << 16, 0, 64, all), -EINVAL);
	assert_without_trace(m, clear(m, 1, 64), -EINVAL);
	assert_without_trace(m, clear(m, 63, 64), -EINVAL);
	assert_without_trace(m, clear(m, 0, 1), -EINVAL);
	assert_without_trace(m, clear(m, 0, 65), -EINVAL);
	assert_without_trace(m, clear(m, 0, PAGES - 1), -EINVAL);
	assert_without_trace(m, clear(m, 0, PAGES + 1), -EINVAL);
	assert_without_trace(m, clear(m, 0, 256), -EINVAL); /* no multiple of 64 is past the end */
	assert_without_trace(m, clear(m, 192, 64), -EINVAL);
	assert_without_trace(m, clear(m, 256, 64), -EINVAL);
	assert_without_trace(m, clear(m, 64, -64ull), -EINVAL);
	assert_without_trace(m, clear(m, -64ull, 64), -EINVAL);
	assert_without_trace(m, clear(m, -64ull, 128), -EINVAL);
	assert_without_trace(m, dirty_log_clear(&m->slots, 2, 64, 128, all), -EINVAL);
	assert_without_trace(m, dirty_log_clear(&m->slots, 1, 0, 64, all), -ENOENT);
	assert_without_trace(m, dirty_log_clear(&m->slots, 3, 0, 64, all), -ENOENT);
	assert_without_trace(m, dirty_log_clear(&m->slots, 1 << 16, 0, 64, all), -ENOENT);
	assert_int_equal(m->calls[FAKE_OP_LOG_CLEAR], 0);
	fake_memory_fail(m, FAKE_OP_LOG_CLEAR, 1, EIO);
	assert_without_trace(m, clear(m, 0, PAGES), -EIO);
}

static void clear_needs_manual_protect(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 0, 1);
	assert_int_equal(clear(m, 0, PAGES), -ENXIO);
	assert_int_equal(clear(m, 1, PAGES), -ENXIO);
	assert_log(m, 1, 0, 0, 0);
}

static void clear_of_nothing_is_allowed(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 0, 1);
	assert_int_equal(clear(m, 64, 0), 0);
	assert_log(m, 1, 0, 0, 0);
}

/*
 * The life of a log.
 */

static void initially_all_set(void **state)
{
	struct fake_memory *m = *state;

	assert_log(m, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xff);
	assert_int_equal(clear(m, 0, PAGES), 0);
	assert_log(m, 0, 0, 0, 0);
	/* Turned off and on again, it is new. */
	fake_memory_set(m, 0, 0, BASE, PAGES, m->ram);
	fake_memory_set(m, 0, LOG, BASE, PAGES, m->ram);
	assert_log(m, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xff);
	/* It is a new log that begins so, not one that has moved. */
	clear(m, 0, PAGES);
	fake_memory_set(m, 0, LOG, gfn(BASE.v + 1), PAGES, m->ram);
	assert_log(m, 0, 0, 0, 0);
}

static void turned_off_and_on_it_is_empty(void **state)
{
	struct fake_memory *m = *state;
	uint64_t bits[WORDS];

	we_write(m, 0, 3);
	assert_int_equal(fake_memory_set(m, 0, 0, BASE, PAGES, m->ram), 0);
	assert_null(fake_memory_slot(m, 0)->dirty);
	assert_int_equal(dirty_log_get(&m->slots, 0, bits), -ENOENT);
	we_write(m, 7, 1);
	assert_int_equal(fake_memory_set(m, 0, LOG, BASE, PAGES, m->ram), 0);
	assert_log(m, 0, 0, 0, 0);
}

static void sets_are_watched_while_some_slot_is_logged(void **state)
{
	struct fake_memory *m = *state;

	assert_true(m->slots.set->watched);
	fake_memory_set(m, 1, LOG, gfn(0x1000), 1, m->ram);
	fake_memory_delete(m, 0);
	assert_true(m->slots.set->watched);
	fake_memory_set(m, 1, 0, gfn(0x1000), 1, m->ram);
	assert_false(m->slots.set->watched);
	fake_memory_set(m, 1, LOG, gfn(0x2000), 1, m->ram);
	assert_true(m->slots.set->watched);
	fake_memory_delete(m, 1);
	assert_false(m->slots.set->watched);
}

/* Bit n is the slot's page n, wherever the slot is. */
static void move_neither_shifts_nor_clears(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 0, 1);
	we_write(m, 70, 1);
	fake_memory_guest_writes(m, 0, 199);
	assert_int_equal(fake_memory_set(m, 0, LOG, gfn(BASE.v + 1), PAGES, m->ram), 0);
	we_write(m, 3, 1); /* at its new address that is page 2 */
	assert_log(m, 1 | 1 << 2, 1 << 6, 0, 1 << 7);
}

static void move_that_turns_the_log_off_ends_it(void **state)
{
	struct fake_memory *m = *state;

	we_write(m, 0, 1);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(BASE.v + 1), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 0, LOG, BASE, PAGES, m->ram), 0);
	assert_log(m, 0, 0, 0, 0);
}

static void rom_is_never_dirty(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_hint hint = {0};
	uint64_t bits[1];

	fake_memory_set(m, 1, LOG | MEMSLOT_READONLY, gfn(0x1000), 64, m->ram + (1 << 19));
	fake_memory_guest_writes(m, 1, 3);
	assert_null(memslots_hva(memslots_enter(&m->slots), &hint, gpa(0x1003000), 1, true));
	memslots_leave();
	assert_int_equal(dirty_log_get(&m->slots, 1, bits), 0);
	assert_int_equal(bits[0], 0);
}

#define TEST_LOGGED(test, features)                                                 \
	{                                                                           \
#test " [" #features "]", test, setup_logged, fake_memory_teardown, \
			(void *)(uintptr_t)&features                                \
	}

static const uint32_t clearing = 0, manual = MEMSLOTS_MANUAL_PROTECT,
		      all_set = MEMSLOTS_MANUAL_PROTECT | MEMSLOTS_INITIALLY_ALL_SET;

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_hold_64_pages),
		TEST_LOGGED(guests_and_our_writes_are_in_one_log, clearing),
		TEST_LOGGED(guests_and_our_writes_are_in_one_log, manual),
		TEST_LOGGED(marks_go_across_words, clearing),
		TEST_LOGGED(part_of_a_page_is_the_page, clearing),
		TEST_LOGGED(writes_outside_are_nobodys, clearing),
		TEST_LOGGED(writes_by_host_address_are_of_all_slots, clearing),
		TEST_LOGGED(getting_clears, clearing),
		TEST_LOGGED(getting_does_not_clear_with_manual_protect, manual),
		TEST_LOGGED(get_errnos, clearing),
		TEST_LOGGED(get_errnos, manual),
		TEST_LOGGED(kernel_failing_to_get_forgets_nothing, clearing),
		TEST_LOGGED(kernel_failing_to_get_forgets_nothing, manual),
		TEST_LOGGED(clear_forgets_a_range, manual),
		TEST_LOGGED(clear_forgets_only_bits_that_are_set, manual),
		TEST_LOGGED(cleared_page_is_logged_again, manual),
		TEST_LOGGED(clear_errnos, manual),
		TEST_LOGGED(clear_needs_manual_protect, clearing),
		TEST_LOGGED(clear_of_nothing_is_allowed, manual),
		TEST_LOGGED(initially_all_set, all_set),
		TEST_LOGGED(turned_off_and_on_it_is_empty, clearing),
		TEST_LOGGED(turned_off_and_on_it_is_empty, manual),
		TEST_LOGGED(sets_are_watched_while_some_slot_is_logged, clearing),
		TEST_LOGGED(move_neither_shifts_nor_clears, clearing),
		TEST_LOGGED(move_neither_shifts_nor_clears, manual),
		TEST_LOGGED(move_that_turns_the_log_off_ends_it, clearing),
		TEST_LOGGED(rom_is_never_dirty, clearing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
