// SPDX-License-Identifier: BSD-2-Clause
/*
 * Areas of any length and alignment, in any slots: pieces, copies whole or not at all, and dirty in
 * all places together.
 */
#include "shim/gpc/gpc_test.h"

/* The pieces of the area are these, in this order. */
static void assert_pieces(struct world *w, const struct gpc_piece *expected, unsigned nr_expected)
{
	unsigned nr = 0;
	const struct gpc_piece *p = gpc_lock_pieces(&w->gpc, &nr);

	assert_non_null(p);
	assert_int_equal(nr, nr_expected);
	for (unsigned i = 0; i < nr; i++) {
		assert_ptr_equal(p[i].hva, expected[i].hva);
		assert_int_equal(p[i].len, expected[i].len);
	}
	gpc_unlock_pieces(&w->gpc, false);
	assert_false(rcu_inside());
}

static void assert_no_pieces(struct world *w)
{
	unsigned nr;

	assert_null(gpc_lock_pieces(&w->gpc, &nr));
	assert_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
	assert_false(rcu_inside());
	/* The cache's lock has not been kept. */
	assert_int_equal(pthread_mutex_trylock(&w->gpc.lock), 0);
	pthread_mutex_unlock(&w->gpc.lock);
}

/* Write a pattern through the cache, read it back. */
static void assert_holds_data(struct world *w, uint32_t len)
{
	uint8_t *in = malloc(len), *out = calloc(1, len);

	for (uint32_t i = 0; i < len; i++)
		in[i] = i * 7 + i / 251;
	assert_true(gpc_write(&w->gpc, 0, in, len));
	assert_true(gpc_read(&w->gpc, 0, out, len));
	assert_memory_equal(in, out, len);
	/* Any part of it is that part. */
	for (uint32_t from = 0; from < len; from += len / 7 + 1) {
		uint32_t n = len - from < 5000 ? len - from : 5000;

		memset(out, 0, len);
		assert_true(gpc_read(&w->gpc, from, out, n));
		assert_memory_equal(in + from, out, n);
	}
	free(in);
	free(out);
}

static void nothing_without_memory(void **state)
{
	struct world *w = *state;
	char c = 'c';

	assert_no_pieces(w);
	assert_false(gpc_read(&w->gpc, 0, &c, 1));
	assert_false(gpc_write(&w->gpc, 0, &c, 1));
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	assert_no_pieces(w);
	assert_false(gpc_read(&w->gpc, 0, &c, 1));
	assert_false(gpc_write(&w->gpc, 0, &c, 1));
	assert_false(rcu_inside());
}

/* Pages that lie one behind the other in host memory are one piece, whatever slots they are in. */
static void pages_of_one_slot_are_one_piece(void **state)
{
	struct world *w = *state;
	struct gpc_piece whole = {at_page(w, 0) + 0xff0, 0x2020};

	create(w, 0, 4, 4, 0, 0);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4ff0), 0x2020), 0);
	assert_pieces(w, &whole, 1);
	assert_ptr_equal(target(w), whole.hva);
	assert_holds_data(w, 0x2020);
}

static void adjacent_slots_with_adjacent_memory_are_one_piece(void **state)
{
	struct world *w = *state;
	struct gpc_piece whole = {at_page(w, 0) + 0xff0, 32};

	create(w, 0, 4, 1, 0, 0);
	create(w, 1, 5, 1, 1, 0);
	gpc_activate(&w->gpc, gpa(0x4ff0), 32);
	assert_pieces(w, &whole, 1);
	assert_ptr_equal(target(w), whole.hva);
}

static void two_slots_with_unrelated_memory(void **state)
{
	struct world *w = *state;
	const struct gpc_piece pieces[] = {{at_page(w, 9) + 0xff0, 16}, {at_page(w, 3), 16}};

	create(w, 0, 4, 1, 9, 0);
	create(w, 1, 5, 1, 3, 0);
	gpc_activate(&w->gpc, gpa(0x4ff0), 32);
	assert_null(target(w)); /* there is no one pointer */
	assert_false(rcu_inside());
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), 0);
	assert_null(gpc_lock_nosleep(&w->gpc));
	assert_false(rcu_inside());
	assert_pieces(w, pieces, 2);
	assert_holds_data(w, 32);
	assert_true(gpc_write(&w->gpc, 14, "abcd", 4));
	assert_memory_equal(at_page(w, 9) + 0xffe, "ab", 2);
	assert_memory_equal(at_page(w, 3), "cd", 2);
}

/* Host memory in the wrong order is not mistaken for one piece. */
static void backwards(void **state)
{
	struct world *w = *state;
	const struct gpc_piece pieces[] = {{at_page(w, 2), 0x1000}, {at_page(w, 1), 0x1000}};

	create(w, 0, 4, 1, 2, 0);
	create(w, 1, 5, 1, 1, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 0x2000);
	assert_pieces(w, pieces, 2);
	assert_holds_data(w, 0x2000);
}

static void three_slots_and_a_hole(void **state)
{
	struct world *w = *state;
	const struct gpc_piece pieces[] = {
		{at_page(w, 9) + 0x800, 0x800}, {at_page(w, 3), 0x1000}, {at_page(w, 6), 0x10}};
	const char old[4] = "old", new[4] = "new";
	char got[4] = "";

	create(w, 0, 4, 1, 9, 0);
	create(w, 1, 5, 1, 3, 0);
	gpc_activate(&w->gpc, gpa(0x4800), 0x1810);
	assert_no_pieces(w); /* the third is missing */
	create(w, 2, 6, 1, 6, 0);
	assert_pieces(w, pieces, 3);
	assert_holds_data(w, 0x1810);
	assert_true(gpc_write(&w->gpc, 0, old, sizeof(old)));

	/* The one in the middle goes: nothing is written, not even where there is memory. */
	assert_int_equal(delete (w, 1), 0);
	assert_no_pieces(w);
	assert_false(gpc_write(&w->gpc, 0, new, sizeof(new)));
	memcpy(got, new, sizeof(got));
	assert_false(gpc_read(&w->gpc, 0, got, sizeof(got)));
	assert_memory_equal(got, new, sizeof(got));
	assert_memory_equal(at_page(w, 9) + 0x800, old, sizeof(old));
	create(w, 1, 5, 1, 3, 0);
	assert_pieces(w, pieces, 3);
	assert_true(gpc_read(&w->gpc, 0, got, sizeof(got)));
	assert_memory_equal(got, old, sizeof(got));
	/* ROM in the middle is a hole, too. */
	assert_int_equal(delete (w, 1), 0);
	create(w, 1, 5, 1, 3, MEMSLOT_READONLY);
	assert_no_pieces(w);
}

/* Each page in a slot of its own, in no order; begin and end unaligned. */
static void many_pages(void **state)
{
	struct world *w = *state;
	struct gpc_piece pieces[32];

	for (unsigned i = 0; i < 32; i++)
		create(w, i, 8 + i, 1, i * 13 % 32, 0);
	for (unsigned i = 0; i < 32; i++)
		pieces[i] = (struct gpc_piece){at_page(w, i * 13 % 32), 0x1000};
	pieces[0].hva += 0xfff;
	pieces[0].len = 1;
	pieces[31].len = 3;
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x8fff), 30 * 0x1000 + 4), 0);
	assert_pieces(w, pieces, 32);
	assert_holds_data(w, 30 * 0x1000 + 4);
	/* As one that needs no memory of its own, and back. */
	gpc_activate(&w->gpc, gpa(0x8fff), 2);
	assert_pieces(w, (struct gpc_piece[]){{at_page(w, 0) + 0xfff, 1}, {at_page(w, 13), 1}}, 2);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x8fff), 30 * 0x1000 + 4), 0);
	assert_pieces(w, pieces, 32);
}

static void parts_anywhere(void **state)
{
	struct world *w = *state;
	const struct gpc_part parts[] = {
		{gpa(0x5ffe), 4}, {gpa(0x4000), 1}, {gpa(0x4001), 7}, {gpa(0x20000), 16}};
	const struct gpc_piece pieces[] = {{at_page(w, 1) + 0xffe, 2},
					   {at_page(w, 7), 2},
					   {at_page(w, 0), 8}, /* two parts, one piece */
					   {at_page(w, 30), 16}};

	create(w, 0, 4, 2, 0, 0);
	create(w, 1, 6, 1, 7, 0);
	assert_int_equal(gpc_activate_parts(&w->gpc, parts, 4), 0);
	assert_no_pieces(w);
	create(w, 2, 32, 1, 30, 0);
	assert_pieces(w, pieces, 4);
	assert_holds_data(w, 28);
	assert_true(gpc_write(&w->gpc, 11, "ab", 2));
	assert_int_equal(at_page(w, 0)[7], 'a');
	assert_int_equal(at_page(w, 30)[0], 'b');
}

/* The same place twice: both parts show it. */
static void parts_may_overlap(void **state)
{
	struct world *w = *state;
	const struct gpc_part parts[] = {{gpa(0x4000), 8}, {gpa(0x4004), 8}};
	char got[4];

	create(w, 0, 4, 1, 0, 0);
	assert_int_equal(gpc_activate_parts(&w->gpc, parts, 2), 0);
	assert_true(gpc_write(&w->gpc, 4, "abcd", 4));
	assert_true(gpc_read(&w->gpc, 8, got, 4));
	assert_memory_equal(got, "abcd", 4);
}

static void copies_stay_within(void **state)
{
	struct world *w = *state;
	char c[32] = "0123456789abcdef0123456789abcde";

	create(w, 0, 4, 1, 0, 0);
	memset(at_page(w, 0), '.', 0x1000);
	gpc_activate(&w->gpc, gpa(0x4010), 16);
	assert_false(gpc_write(&w->gpc, 0, c, 17));
	assert_false(gpc_write(&w->gpc, 1, c, 16));
	assert_false(gpc_write(&w->gpc, 17, c, 0));
	assert_false(gpc_write(&w->gpc, UINT32_MAX, c, 2)); /* wraps */
	assert_false(gpc_write(&w->gpc, 2, c, UINT32_MAX));
	assert_false(gpc_read(&w->gpc, 0, c, 17));
	assert_false(gpc_read(&w->gpc, UINT32_MAX, c, 2));
	assert_memory_equal(at_page(w, 0) + 0x10, "................", 16);
	assert_true(gpc_write(&w->gpc, 16, c, 0));
	assert_true(gpc_write(&w->gpc, 15, c, 1));
	assert_true(gpc_write(&w->gpc, 0, c + 1, 2));
	assert_memory_equal(at_page(w, 0) + 0xf, ".12.............0.", 18);
}

/* All pages of all slots are dirty together, and no other. */
static void dirty_in_all_places(void **state)
{
	struct world *w = *state;
	unsigned nr;

	create(w, 0, 4, 3, 0, MEMSLOT_LOG_DIRTY);
	create(w, 1, 7, 4, 16, MEMSLOT_LOG_DIRTY);
	create(w, 2, 11, 1, 9, 0); /* not logged */
	create(w, 3, 12, 2, 32, MEMSLOT_LOG_DIRTY);
	gpc_activate(&w->gpc, gpa(0x6ff0), 0x6000 - 0xff0 + 1);
	assert_holds_data(w, 0x5011);
	assert_int_equal(dirty(w, 0), 1 << 2);
	assert_int_equal(dirty(w, 1), 0xf);
	assert_int_equal(dirty_log_get(&w->slots, 2, (uint64_t[1]){0}), -ENOENT);
	assert_int_equal(dirty(w, 3), 1);

	/* By pieces: when it is said that they have been written. */
	assert_non_null(gpc_lock_pieces(&w->gpc, &nr));
	gpc_unlock_pieces(&w->gpc, false);
	assert_int_equal(dirty(w, 0) | dirty(w, 1) | dirty(w, 3), 0);
	assert_non_null(gpc_lock_pieces(&w->gpc, &nr));
	gpc_unlock_pieces(&w->gpc, true);
	assert_int_equal(dirty(w, 0), 1 << 2);
	assert_int_equal(dirty(w, 1), 0xf);
	assert_int_equal(dirty(w, 3), 1);

	/* A part of the area: its pages. */
	assert_true(gpc_write(&w->gpc, 0x1010 - 1, "ab", 2));
	assert_int_equal(dirty(w, 0), 0);
	assert_int_equal(dirty(w, 1), 0x3);
	assert_int_equal(dirty(w, 3), 0);
}

/* What was not written is not dirty. */
static void refused_copies_are_not_dirty(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 1, 0, MEMSLOT_LOG_DIRTY);
	gpc_activate(&w->gpc, gpa(0x4ff0), 32);
	assert_false(gpc_write(&w->gpc, 0, "a", 1));
	gpc_activate(&w->gpc, gpa(0x4ff0), 16);
	assert_false(gpc_write(&w->gpc, 0, "0123456789abcdefg", 17));
	assert_true(gpc_write(&w->gpc, 0, "", 0));
	assert_int_equal(dirty(w, 0), 0);
}

static void pieces_nosleep_never_looks_up(void **state)
{
	struct world *w = *state;
	unsigned nr = 99;

	create(w, 0, 4, 1, 9, 0);
	create(w, 1, 5, 1, 3, 0);
	gpc_activate(&w->gpc, gpa(0x4ff0), 32);
	assert_non_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
	assert_int_equal(nr, 2);
	gpc_unlock_pieces(&w->gpc, false);
	create(w, 2, 1, 1, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
		assert_int_not_equal(w->gpc.generation, w->slots.set->generation);
	}
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), 0);
	assert_non_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
	/* While they are held another who may not wait gets none. */
	assert_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
	gpc_unlock_pieces(&w->gpc, false);
	assert_false(rcu_inside());
}

static void pieces_nosleep_does_not_wait_for_a_remapping(void **state)
{
	struct world *w = *state;
	unsigned nr;

	create(w, 0, 4, 1, 9, 0);
	create(w, 1, 5, 1, 3, 0);
	gpc_activate(&w->gpc, gpa(0x4ff0), 32);
	assert_int_equal(memslots_remap_begin(&w->slots, at_page(w, 3), 0x1000), 0);
	assert_null(gpc_lock_pieces_nosleep(&w->gpc, &nr));
	rcu_enter();
	assert_null(gpc_lock_pieces(&w->gpc, &nr));
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), -EAGAIN);
	rcu_leave();
	memslots_remap_end(&w->slots, false);
	assert_non_null(gpc_lock_pieces(&w->gpc, &nr));
	gpc_unlock_pieces(&w->gpc, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_without_memory),
		TEST(pages_of_one_slot_are_one_piece),
		TEST(adjacent_slots_with_adjacent_memory_are_one_piece),
		TEST(two_slots_with_unrelated_memory),
		TEST(backwards),
		TEST(three_slots_and_a_hole),
		TEST(many_pages),
		TEST(parts_anywhere),
		TEST(parts_may_overlap),
		TEST(copies_stay_within),
		TEST(dirty_in_all_places),
		TEST(refused_copies_are_not_dirty),
		TEST(pieces_nosleep_never_looks_up),
		TEST(pieces_nosleep_does_not_wait_for_a_remapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
