// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules of gpc.h for areas in one piece: what makes a cache find its memory and lose it. Areas
 * in pieces: gpc_area_test.c; many threads: gpc_threads_test.c.
 */
#include "shim/gpc/gpc_test.h"
#include "shim/memslot/fail_alloc.h"

#include "shim/memslot/overlay.h"

static void inactive_says_null(void **state)
{
	struct world *w = *state;
	struct gpa at;

	assert_null(gpc_lock(&w->gpc));
	assert_false(rcu_inside());
	assert_null(gpc_lock_nosleep(&w->gpc));
	assert_false(rcu_inside());
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), -EINVAL);
	assert_false(gpc_is_active(&w->gpc));
	assert_false(gpc_gpa(&w->gpc, &at));
	/* Nor does a change of the slots wake it. */
	create(w, 0, 4, 1, 0, 0);
	assert_null(target(w));
}

static void points_to_memory_until_unlocked(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 1, 0, 0);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4040), 64), 0);
	assert_ptr_equal(gpc_lock(&w->gpc), at_page(w, 0) + 0x40);
	assert_true(rcu_inside());
	gpc_unlock(&w->gpc);
	assert_false(rcu_inside());
}

static void memory_appears_later(void **state)
{
	struct world *w = *state;

	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4000), 64), 0);
	assert_true(gpc_is_active(&w->gpc));
	assert_null(gpc_lock(&w->gpc));
	assert_false(rcu_inside());
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), -EFAULT);
	create(w, 0, 4, 1, 0, 0);
	assert_ptr_equal(target(w), at_page(w, 0));
	assert_int_equal(delete (w, 0), 0);
	assert_null(target(w));
	create(w, 0, 4, 1, 1, 0);
	assert_ptr_equal(target(w), at_page(w, 1));
}

/* The length is the area's: every use gets all of it, or nothing. */
static void all_of_the_length_must_have_memory(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 1, 0, 0);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4ff0), 17), 0);
	assert_null(target(w));
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4ff0), 16), 0);
	assert_ptr_equal(target(w), at_page(w, 0) + 0xff0);
	/* Nor may it begin before the slot. */
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x3fff), 2), 0);
	assert_null(target(w));
}

static void activation_again_moves(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_ptr_equal(target(w), at_page(w, 0));
	gpc_activate(&w->gpc, gpa(0x4010), 8); /* in the same page */
	assert_ptr_equal(target(w), at_page(w, 0) + 0x10);
	gpc_activate(&w->gpc, gpa(0x5008), 8);
	assert_ptr_equal(target(w), at_page(w, 1) + 8);
	gpc_activate(&w->gpc, gpa(0x9000), 8); /* to where there is nothing */
	assert_null(target(w));
}

static void assert_unchanged(struct world *w)
{
	struct gpa at;

	assert_ptr_equal(target(w), at_page(w, 0));
	assert_true(gpc_gpa(&w->gpc, &at));
	assert_int_equal(at.v, 0x4000);
	assert_int_equal(w->gpc.len, 8);
}

static void refused_activation_leaves_it_as_it_was(void **state)
{
	struct world *w = *state;
	const struct gpc_part empty_part[] = {{gpa(0x5000), 8}, {gpa(0x5000), 0}};
	const struct gpc_part too_long[] = {{gpa(0x5000), UINT32_MAX}, {gpa(0x5000), 1}};
	const struct gpc_part many[] = {{gpa(0x4000), 1}, {gpa(0x4100), 1}, {gpa(0x4200), 1}};

	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x5000), 0), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate(&w->gpc, gpa(UINT64_MAX - 6), 8), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate(&w->gpc, gpa(UINT64_MAX - UINT32_MAX + 1), UINT32_MAX),
			 -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate_parts(&w->gpc, empty_part, 2), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate_parts(&w->gpc, too_long, 2), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate_parts(&w->gpc, many, 0), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate_hva(&w->gpc, NULL, 8), -EINVAL);
	assert_unchanged(w);
	assert_int_equal(gpc_activate_hva(&w->gpc, at_page(w, 1), 0), -EINVAL);
	assert_unchanged(w);
	/* Neither of the two allocations that an activation may make. */
	for (int nth = 1; nth <= 2; nth++) {
		const struct gpc_part parts[] = {
			{gpa(0x4000), 0x2000}, {gpa(0x4000), 0x2000}, {gpa(0x4000), 0x2000}};

		fail_alloc(nth);
		assert_int_equal(gpc_activate_parts(&w->gpc, parts, 3), -ENOMEM);
		fail_alloc(0);
		assert_unchanged(w);
	}
	/* One page, or two, need no memory. */
	fail_alloc(1);
	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4ffc), 8), 0);
	fail_alloc(0);
	assert_ptr_equal(target(w), at_page(w, 0) + 0xffc);
}

static void inactive_stays_so_when_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(gpc_activate(&w->gpc, gpa(0x4000), 0), -EINVAL);
	assert_false(gpc_is_active(&w->gpc));
}

static void deactivation_is_idempotent(void **state)
{
	struct world *w = *state;
	struct gpa at;

	gpc_deactivate(&w->gpc);
	create(w, 0, 4, 1, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	for (unsigned i = 0; i < 2; i++) {
		gpc_deactivate(&w->gpc);
		assert_false(gpc_is_active(&w->gpc));
		assert_false(gpc_gpa(&w->gpc, &at));
		assert_null(target(w));
		assert_int_equal(gpc_refresh_maysleep(&w->gpc), -EINVAL);
	}
	/* A change of the slots does not bring it back. */
	create(w, 1, 1, 1, 1, 0);
	assert_null(target(w));
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_ptr_equal(target(w), at_page(w, 0));
}

static void says_where_it_is(void **state)
{
	struct world *w = *state;
	const struct gpc_part parts[] = {{gpa(0x7123), 8}, {gpa(0x4000), 8}};
	struct gpa at;

	gpc_activate(&w->gpc, gpa(0x4321), 8);
	assert_true(gpc_gpa(&w->gpc, &at));
	assert_int_equal(at.v, 0x4321);
	gpc_activate_parts(&w->gpc, parts, 2);
	assert_true(gpc_gpa(&w->gpc, &at));
	assert_int_equal(at.v, 0x7123);
	gpc_activate_hva(&w->gpc, at_page(w, 0), 8);
	assert_true(gpc_is_active(&w->gpc));
	assert_false(gpc_gpa(&w->gpc, &at));
}

/*
 * By host address.
 */

static void by_host_address_slots_do_not_matter(void **state)
{
	struct world *w = *state;

	assert_int_equal(gpc_activate_hva(&w->gpc, at_page(w, 2) + 8, 64), 0);
	assert_ptr_equal(target(w), at_page(w, 2) + 8);
	create(w, 0, 4, 4, 0, 0);
	assert_ptr_equal(target(w), at_page(w, 2) + 8);
	assert_int_equal(delete (w, 0), 0);
	assert_ptr_equal(target(w), at_page(w, 2) + 8);
}

static void by_host_address_crosses_pages(void **state)
{
	struct world *w = *state;
	unsigned nr;

	assert_int_equal(gpc_activate_hva(&w->gpc, at_page(w, 2) + 0xff8, 0x3000), 0);
	assert_non_null(gpc_lock_pieces(&w->gpc, &nr));
	assert_int_equal(nr, 1);
	gpc_unlock_pieces(&w->gpc, false);
	assert_ptr_equal(target(w), at_page(w, 2) + 0xff8);
}

/* Of remappings it does care, and of those of its own bytes only. */
static void by_host_address_waits_for_remapping(void **state)
{
	struct world *w = *state;

	gpc_activate_hva(&w->gpc, at_page(w, 2) + 0xff8, 16);
	for (unsigned page = 1; page <= 4; page++) {
		bool mine = page == 2 || page == 3;

		assert_int_equal(memslots_remap_begin(&w->slots, at_page(w, page), 0x1000), 0);
		rcu_enter(); /* nobody waits in a section */
		assert_int_equal(gpc_refresh_maysleep(&w->gpc), mine ? -EAGAIN : 0);
		assert_ptr_equal(target(w), mine ? NULL : at_page(w, 2) + 0xff8);
		rcu_leave();
		memslots_remap_end(&w->slots, true);
		assert_ptr_equal(target(w), at_page(w, 2) + 0xff8);
	}
}

/*
 * What a cache remembers, and for how long.
 */

/* With another pointer in the cache, who looks things up again is found out. */
static void in_steady_state_nothing_is_looked_up(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_ptr_equal(target(w), at_page(w, 0));
	assert_int_equal(w->gpc.generation, w->slots.set->generation);
	w->gpc.hva = at_page(w, 5);
	assert_ptr_equal(target(w), at_page(w, 5));
	assert_ptr_equal(gpc_lock_nosleep(&w->gpc), at_page(w, 5));
	gpc_unlock(&w->gpc);
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), 0);
	assert_ptr_equal(target(w), at_page(w, 5));
	/* The same request again, and one that is refused, are no changes. */
	create(w, 0, 4, 2, 0, 0);
	assert_ptr_equal(target(w), at_page(w, 5));
	assert_int_equal(request(w, 1, 5, 1, 6, 0), -EEXIST);
	assert_ptr_equal(target(w), at_page(w, 5));
	w->memory.fail = ENOMEM;
	assert_int_equal(request(w, 1, 8, 1, 6, 0), -ENOMEM);
	w->memory.fail = 0;
	assert_ptr_equal(target(w), at_page(w, 5));
}

/* Each kind of change makes it look again; `expected` is where the area is then (NULL: nowhere). */
static void look_again(struct world *w, int rc, const void *expected)
{
	assert_int_equal(rc, 0);
	assert_int_not_equal(w->gpc.generation, w->slots.set->generation);
	w->gpc.hva = at_page(w, 20); /* must not be believed any more */
	assert_null(gpc_lock_nosleep(&w->gpc));
	assert_ptr_equal(target(w), expected);
	assert_int_equal(w->gpc.generation, w->slots.set->generation);
}

static void every_change_makes_it_look_again(void **state)
{
	struct world *w = *state;
	const uint8_t *here = at_page(w, 1) + 0x10;

	gpc_activate(&w->gpc, gpa(0x5010), 16);
	look_again(w, request(w, 0, 4, 2, 0, 0), here);                        /* create */
	look_again(w, request(w, 1, 1, 1, 3, 0), here);                        /* another */
	look_again(w, request(w, 0, 4, 2, 0, MEMSLOT_LOG_DIRTY), here);        /* flags */
	look_again(w, request(w, 0, 5, 2, 0, MEMSLOT_LOG_DIRTY), here - 4096); /* move, both */
	look_again(w, request(w, 0, 16, 2, 0, MEMSLOT_LOG_DIRTY), NULL);       /* away */
	look_again(w, request(w, 0, 4, 2, 0, 0), here);                        /* back */
	look_again(w, overlay_show(&w->slots, 1, gfn(5)), here);               /* over it */
	look_again(w, overlay_hide(&w->slots, gfn(5)), here);
	look_again(w, delete (w, 0), NULL);
	assert_int_equal(overlay_show(&w->slots, 1, gfn(5)), 0); /* in a slot of its own */
	assert_non_null(target(w));
	look_again(w, overlay_hide(&w->slots, gfn(5)), NULL);
}

/* In the other address space nothing is for us. */
static void address_space_1_is_not_looked_at(void **state)
{
	struct world *w = *state;

	gpc_activate(&w->gpc, gpa(0x4000), 16);
	assert_int_equal(request(w, 1 << 16, 4, 1, 0, 0), 0);
	assert_null(target(w));
}

static void overlay_shows_through(void **state)
{
	struct world *w = *state;
	uint8_t *p;

	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x5000), 16);
	p = gpc_lock(&w->gpc);
	p[0] = 'r';
	gpc_unlock(&w->gpc);
	overlay_show(&w->slots, 3, gfn(5));
	p = gpc_lock(&w->gpc);
	assert_int_equal(p[0], 0);
	p[0] = 'o';
	gpc_unlock(&w->gpc);
	assert_int_equal(*test_memory_shown(&w->memory, 3), 'o');
	overlay_hide(&w->slots, gfn(5));
	p = gpc_lock(&w->gpc);
	assert_int_equal(p[0], 'r');
	gpc_unlock(&w->gpc);
}

static void remapping_hides_it_meanwhile(void **state)
{
	struct world *w = *state;
	uint64_t before;
	char c;

	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	assert_true(gpc_write(&w->gpc, 0, "a", 1));
	assert_int_equal(memslots_remap_begin(&w->slots, at_page(w, 1), 0x1000), 0);
	assert_null(gpc_lock_nosleep(&w->gpc));
	assert_false(rcu_inside());
	rcu_enter();
	assert_null(gpc_lock(&w->gpc));
	assert_false(gpc_read(&w->gpc, 0, &c, 1));
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), -EAGAIN);
	rcu_leave();
	memslots_remap_end(&w->slots, true);
	look_again(w, 0, at_page(w, 0));
	/* A remapping that has not happened: what was known is known. */
	before = w->gpc.generation;
	assert_int_equal(memslots_remap_begin(&w->slots, at_page(w, 0), 0x1000), 0);
	assert_null(gpc_lock_nosleep(&w->gpc));
	memslots_remap_end(&w->slots, false);
	assert_int_equal(w->gpc.generation, before);
	assert_ptr_equal(gpc_lock_nosleep(&w->gpc), at_page(w, 0));
	gpc_unlock(&w->gpc);
}

static void rom_is_no_memory(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 1, 0, MEMSLOT_READONLY);
	create(w, 1, 5, 1, 1, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	assert_null(target(w));
	gpc_activate(&w->gpc, gpa(0x4ff8), 16);
	assert_null(target(w));
	assert_false(gpc_write(&w->gpc, 8, "x", 1));
	assert_int_equal(delete (w, 0), 0);
	create(w, 0, 4, 1, 0, 0);
	assert_true(gpc_write(&w->gpc, 8, "x", 1));
}

/*
 * For who may not sleep.
 */

static void nosleep_never_looks_up(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 1, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	create(w, 1, 5, 1, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_null(gpc_lock_nosleep(&w->gpc));
		assert_int_not_equal(w->gpc.generation, w->slots.set->generation);
	}
	assert_int_equal(gpc_refresh_maysleep(&w->gpc), 0);
	assert_ptr_equal(gpc_lock_nosleep(&w->gpc), at_page(w, 0));
	assert_true(rcu_inside());
	gpc_unlock(&w->gpc);
}

/* Locks may be held one in another, the second without waiting. */
static void second_lock_nosleep(void **state)
{
	struct world *w = *state;
	struct gpc other;

	gpc_init(&other, &w->slots);
	create(w, 0, 4, 2, 0, 0);
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	gpc_activate(&other, gpa(0x5000), 16);
	assert_ptr_equal(gpc_lock(&w->gpc), at_page(w, 0));
	assert_ptr_equal(gpc_lock_nosleep(&other), at_page(w, 1));
	gpc_unlock(&other);
	assert_true(rcu_inside());
	gpc_unlock(&w->gpc);
	assert_false(rcu_inside());
	gpc_destroy(&other);
}

/*
 * Dirty.
 */

static void written_marks_its_page_only(void **state)
{
	struct world *w = *state;
	uint8_t *p;

	create(w, 0, 4, 4, 0, MEMSLOT_LOG_DIRTY);
	gpc_activate(&w->gpc, gpa(0x5ff0), 16);
	assert_non_null(target(w)); /* looking is not writing */
	assert_int_equal(dirty(w, 0), 0);
	p = gpc_lock(&w->gpc);
	gpc_written(&w->gpc, p + 8, 8);
	gpc_unlock(&w->gpc);
	assert_int_equal(dirty(w, 0), 1 << 1);
	assert_int_equal(dirty(w, 0), 0);
	assert_true(gpc_read(&w->gpc, 0, p, 0));
	assert_int_equal(dirty(w, 0), 0);
}

/* Host memory that two slots show is dirty in both. */
static void written_marks_all_slots_that_show_it(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 4, 0, MEMSLOT_LOG_DIRTY);
	create(w, 1, 32, 2, 1, MEMSLOT_LOG_DIRTY);
	assert_int_equal(request(w, 1 << 16 | 7, 4, 8, 0, MEMSLOT_LOG_DIRTY), 0);
	gpc_activate(&w->gpc, gpa(0x6000), 16);
	assert_true(gpc_write(&w->gpc, 4, "abcd", 4));
	assert_int_equal(dirty(w, 0), 1 << 2);
	assert_int_equal(dirty(w, 1), 1 << 1);
	assert_int_equal(dirty(w, 1 << 16 | 7), 1 << 2);
}

static void by_host_address_marks_the_slots_that_show_it(void **state)
{
	struct world *w = *state;

	create(w, 0, 4, 4, 0, MEMSLOT_LOG_DIRTY);
	gpc_activate_hva(&w->gpc, at_page(w, 2), 16);
	assert_true(gpc_write(&w->gpc, 4, "abcd", 4));
	assert_int_equal(dirty(w, 0), 1 << 2);
}

/* Who holds a lock and writes while the page is to be remapped: it is dirty. */
static void *begin_remap(void *opaque)
{
	struct world *w = opaque;
	int rc = memslots_remap_begin(&w->slots, at_page(w, 3), 0x1000);

	if (!rc)
		memslots_remap_end(&w->slots, false);
	return w;
}

static void written_while_a_remapping_waits(void **state)
{
	struct world *w = *state;
	unsigned nr;

	create(w, 0, 4, 4, 0, MEMSLOT_LOG_DIRTY);
	gpc_activate(&w->gpc, gpa(0x5000), 16);
	for (unsigned by_pieces = 0; by_pieces < 2; by_pieces++) {
		uint64_t generation = w->slots.set->generation;
		pthread_t thread;
		uint8_t *p = by_pieces ? gpc_lock_pieces(&w->gpc, &nr)[0].hva : gpc_lock(&w->gpc);

		assert_int_equal(pthread_create(&thread, NULL, begin_remap, w), 0);
		while (memslots_current(&w->slots)->generation == generation)
			sched_yield();
		p[0] = 'x';
		if (by_pieces) {
			gpc_unlock_pieces(&w->gpc, true);
		} else {
			gpc_written(&w->gpc, p, 1);
			gpc_unlock(&w->gpc);
		}
		pthread_join(thread, NULL);
		assert_int_equal(dirty(w, 0), 1 << 1);
	}
}

/*
 * Generations do not end: beyond the greatest comes the smallest, but GPC_NEVER.
 */
static void generations_wrap(void **state)
{
	struct world *w = *state;
	bool seen[8] = {false};

	w->slots.last_generation = UINT64_MAX - 2;
	w->slots.set->generation = UINT64_MAX - 2;
	gpc_activate(&w->gpc, gpa(0x4000), 16);
	assert_null(target(w));
	for (unsigned i = 0; i < 8; i++) {
		create(w, 0, 4, 1, i, 0);
		assert_int_not_equal(w->slots.set->generation, GPC_NEVER);
		seen[i] = w->gpc.generation != w->slots.set->generation;
		assert_true(seen[i]);
		assert_ptr_equal(target(w), at_page(w, i));
		assert_ptr_equal(gpc_lock_nosleep(&w->gpc), at_page(w, i));
		gpc_unlock(&w->gpc);
		assert_int_equal(memslots_remap_begin(&w->slots, at_page(w, i), 0x1000), 0);
		assert_int_not_equal(w->slots.set->generation, GPC_NEVER);
		assert_null(gpc_lock_nosleep(&w->gpc));
		memslots_remap_end(&w->slots, true);
		assert_int_not_equal(w->slots.set->generation, GPC_NEVER);
		assert_ptr_equal(target(w), at_page(w, i));
		assert_int_equal(delete (w, 0), 0);
		assert_null(target(w));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inactive_says_null),
		TEST(points_to_memory_until_unlocked),
		TEST(memory_appears_later),
		TEST(all_of_the_length_must_have_memory),
		TEST(activation_again_moves),
		TEST(refused_activation_leaves_it_as_it_was),
		TEST(inactive_stays_so_when_refused),
		TEST(deactivation_is_idempotent),
		TEST(says_where_it_is),
		TEST(by_host_address_slots_do_not_matter),
		TEST(by_host_address_crosses_pages),
		TEST(by_host_address_waits_for_remapping),
		TEST(in_steady_state_nothing_is_looked_up),
		TEST(every_change_makes_it_look_again),
		TEST(address_space_1_is_not_looked_at),
		TEST(overlay_shows_through),
		TEST(remapping_hides_it_meanwhile),
		TEST(rom_is_no_memory),
		TEST(nosleep_never_looks_up),
		TEST(second_lock_nosleep),
		TEST(written_marks_its_page_only),
		TEST(written_marks_all_slots_that_show_it),
		TEST(by_host_address_marks_the_slots_that_show_it),
		TEST(written_while_a_remapping_waits),
		TEST(generations_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
