// SPDX-License-Identifier: BSD-2-Clause
/* What a change of slots does to those who look, before, after and meanwhile. */
#include "shim/memslot/fake_memory_test.h"

#include <errno.h>
#include <sched.h>

#define PAGES 16
#define SIZE  ((uint64_t)PAGES * GUEST_PAGE_SIZE)

/* Look-ups by who has no hint. */
static uint8_t *hva_of(struct fake_memory *m, uint64_t addr, uint64_t len, bool write)
{
	struct memslot_hint hint = {0};
	uint8_t *hva = memslots_hva(memslots_enter(&m->slots), &hint, gpa(addr), len, write);

	memslots_leave();
	return hva;
}

static uint8_t *at(struct fake_memory *m, uint64_t addr)
{
	return hva_of(m, addr, 1, true);
}

#define NOWHERE UINT64_MAX

static uint64_t gpa_of(struct fake_memory *m, const uint8_t *hva)
{
	struct memslot_hint hint = {0};
	const struct memslot_hint *h = memslots_find_hva(memslots_enter(&m->slots), &hint, hva);
	uint64_t addr = h ? h->start + (uint64_t)(hva - h->hva) : NOWHERE;

	memslots_leave();
	return addr;
}

static void empty_has_no_memory(void **state)
{
	struct fake_memory *m = *state;

	assert_null(at(m, 0));
	assert_null(at(m, UINT64_MAX));
	assert_null(hva_of(m, 0, 0, false));
	assert_int_equal(gpa_of(m, m->ram), NOWHERE);
	assert_int_equal(gpa_of(m, NULL), NOWHERE);
	assert_null(fake_memory_slot(m, 0));
	assert_null(fake_memory_slot(m, UINT32_MAX));
	assert_true(fake_memory_generation(m) > 0);
}

static void create_gives_memory(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot *slot;

	assert_int_equal(fake_memory_set(m, 5, 0, gfn(2), 3, m->ram), 0);
	assert_ptr_equal(at(m, 0x2000), m->ram);
	assert_ptr_equal(at(m, 0x4fff), m->ram + 0x2fff);
	assert_null(at(m, 0x1fff));
	assert_null(at(m, 0x5000));
	assert_int_equal(gpa_of(m, m->ram + 0x1234), 0x3234);
	assert_int_equal(gpa_of(m, m->ram + 0x3000), NOWHERE);
	assert_int_equal(gpa_of(m, m->ram - 1), NOWHERE);
	slot = fake_memory_slot(m, 5);
	assert_int_equal(slot->id, 5);
	assert_int_equal(slot->start.v, 0x2000);
	assert_int_equal(slot->npages, 3);
	assert_ptr_equal(slot->hva, m->ram);
	assert_null(slot->dirty);
	assert_null(slot->write_track);
}

static void length_must_lie_in_one_slot(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(2), 1, m->ram);
	fake_memory_set(m, 1, 0, gfn(3), 1, m->ram + GUEST_PAGE_SIZE);
	assert_ptr_equal(hva_of(m, 0x2000, GUEST_PAGE_SIZE, true), m->ram);
	assert_ptr_equal(hva_of(m, 0x2fff, 1, true), m->ram + 0xfff);
	assert_null(hva_of(m, 0x2fff, 2, true));
	assert_null(hva_of(m, 0x2000, GUEST_PAGE_SIZE + 1, true));
	assert_null(hva_of(m, 0x3001, UINT64_MAX, true));
	assert_null(hva_of(m, 0x3001, UINT64_MAX - 0x3000, true));
}

static void rom_is_read_only(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, MEMSLOT_READONLY, gfn(0), 1, m->ram);
	fake_memory_set(m, 1, 0, gfn(1), 1, m->ram + GUEST_PAGE_SIZE);
	assert_ptr_equal(hva_of(m, 0, 8, false), m->ram);
	assert_null(hva_of(m, 0, 8, true));
	assert_non_null(hva_of(m, 0x1000, 8, true));
}

static void delete_takes_memory(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	fake_memory_set(m, 1, 0, gfn(PAGES), PAGES, m->ram + SIZE);
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_null(at(m, 0));
	assert_null(at(m, SIZE - 1));
	assert_int_equal(gpa_of(m, m->ram), NOWHERE);
	assert_null(fake_memory_slot(m, 0));
	assert_ptr_equal(at(m, SIZE), m->ram + SIZE);
	assert_int_equal(gpa_of(m, m->ram + SIZE), SIZE);
	assert_int_equal(m->nr[0], 1);
}

static void move_takes_memory_elsewhere(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x100), PAGES, m->ram), 0);
	assert_null(at(m, 0x10000));
	assert_ptr_equal(at(m, 0x100123), m->ram + 0x123);
	assert_int_equal(gpa_of(m, m->ram + 5), 0x100005);
	assert_int_equal(fake_memory_slot(m, 0)->start.v, 0x100000);
	assert_int_equal(m->kernel[0][0].start, 0x100000);
}

static void move_by_one_page_over_itself(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x11), PAGES, m->ram), 0);
	assert_null(at(m, 0x10000));
	assert_ptr_equal(at(m, 0x11000), m->ram);
	assert_ptr_equal(at(m, 0x20000), m->ram + SIZE - GUEST_PAGE_SIZE);
	assert_null(at(m, 0x21000));
}

static void move_and_flags_at_once(void **state)
{
	struct fake_memory *m = *state;
	uint64_t generation;

	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	generation = fake_memory_generation(m);
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(PAGES), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_generation(m), generation + 1);
	assert_ptr_equal(at(m, SIZE), m->ram);
	assert_int_equal(fake_memory_slot(m, 0)->flags, MEMSLOT_LOG_DIRTY);
	assert_non_null(fake_memory_slot(m, 0)->dirty);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram), 0);
	assert_null(fake_memory_slot(m, 0)->dirty);
	assert_ptr_equal(at(m, 0), m->ram);
}

static void flags_only_leaves_memory_where_it_is(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(1), PAGES, m->ram);
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(1), PAGES, m->ram), 0);
	assert_ptr_equal(at(m, 0x1000), m->ram);
	assert_int_equal(gpa_of(m, m->ram), 0x1000);
	assert_int_equal(m->kernel[0][0].flags, MEMSLOT_LOG_DIRTY);
	assert_int_equal(fake_memory_slot(m, 0)->flags, MEMSLOT_LOG_DIRTY);
}

static void each_change_is_one_generation_and_one_call(void **state)
{
	struct fake_memory *m = *state;
	const struct {
		uint32_t flags, base, npages;
	} change[] = {
		{0, 0, PAGES},                 /* CREATE */
		{MEMSLOT_LOG_DIRTY, 0, PAGES}, /* FLAGS_ONLY */
		{MEMSLOT_LOG_DIRTY, 1, PAGES}, /* MOVE */
		{0, 2, PAGES},                 /* both */
		{0, 0, 0},                     /* DELETE */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		uint64_t generation = fake_memory_generation(m);

		assert_int_equal(fake_memory_set(m, 3, change[i].flags, gfn(change[i].base),
						 change[i].npages, m->ram),
				 0);
		assert_int_equal(fake_memory_generation(m), generation + 1);
		assert_int_equal(m->calls[FAKE_OP_SET_SLOT], i + 1);
		assert_false(m->slots.changing);
	}
}

/* What a generation was given for is given to no other set, even if the kernel refused between. */
static void generations_are_never_given_twice(void **state)
{
	struct fake_memory *m = *state;
	uint64_t last = fake_memory_generation(m);

	for (unsigned i = 0; i < 20; i++) {
		fake_memory_fail(m, FAKE_OP_SET_SLOT, 1 + i % 3, ENOMEM);
		fake_memory_set(m, i % 4, 0, gfn(PAGES * (i + 1)), PAGES, m->ram);
		if (memslots_remap_begin(&m->slots, m->ram, 1) == 0) {
			assert_true(memslots_current(&m->slots)->generation != last);
			memslots_remap_end(&m->slots, i % 2);
		}
		assert_true(fake_memory_generation(m) >= last);
		last = fake_memory_generation(m);
	}
}

static void hint_does_not_outlive_its_slot(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_hint by_gpa = {0}, by_hva = {0};

	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	assert_non_null(memslots_find(memslots_enter(&m->slots), &by_gpa, gpa(0)));
	assert_non_null(memslots_find_hva(memslots_current(&m->slots), &by_hva, m->ram));
	memslots_leave();

	assert_int_equal(fake_memory_set(m, 0, 0, gfn(PAGES), PAGES, m->ram), 0);
	assert_null(memslots_find(memslots_enter(&m->slots), &by_gpa, gpa(0)));
	assert_int_equal(memslots_find_hva(memslots_current(&m->slots), &by_hva, m->ram)->start,
			 SIZE);
	assert_non_null(memslots_find(memslots_current(&m->slots), &by_gpa, gpa(SIZE)));
	memslots_leave();

	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_null(memslots_find(memslots_enter(&m->slots), &by_gpa, gpa(SIZE)));
	assert_null(memslots_find_hva(memslots_current(&m->slots), &by_hva, m->ram));
	memslots_leave();
}

static void hint_is_used_only_where_it_fits(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_hint hint = {0};
	const struct memslot_set *set;

	fake_memory_set(m, 0, 0, gfn(1), 1, m->ram);
	fake_memory_set(m, 1, 0, gfn(2), 1, m->ram + 0x5000);
	set = memslots_enter(&m->slots);
	assert_ptr_equal(memslots_hva(set, &hint, gpa(0x1000), 1, true), m->ram);
	assert_ptr_equal(memslots_hva(set, &hint, gpa(0x2000), 1, true), m->ram + 0x5000);
	assert_null(memslots_hva(set, &hint, gpa(0xfff), 1, true));
	assert_ptr_equal(memslots_hva(set, &hint, gpa(0x1fff), 1, true), m->ram + 0xfff);
	assert_null(memslots_hva(set, &hint, gpa(0x3000), 1, true));
	memslots_leave();
}

static void address_space_1_is_not_looked_at_by_gpa(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 1 << 16, 0, gfn(0), PAGES, m->ram);
	assert_null(at(m, 0));
	assert_int_equal(gpa_of(m, m->ram), 0); /* host addresses are of both */
	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram + SIZE);
	assert_ptr_equal(at(m, 0), m->ram + SIZE);
	assert_int_equal(fake_memory_delete(m, 1 << 16), 0);
	assert_ptr_equal(at(m, 0), m->ram + SIZE);
	assert_int_equal(gpa_of(m, m->ram), NOWHERE);
}

static void two_slots_may_share_host_memory(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	fake_memory_set(m, 1, 0, gfn(0x100), PAGES, m->ram + SIZE / 2);
	assert_ptr_equal(at(m, SIZE / 2), at(m, 0x100000));
	assert_int_equal(gpa_of(m, m->ram), 0);
	assert_int_equal(gpa_of(m, m->ram + SIZE), 0x100000 + SIZE / 2);
	/* Either will do; when one goes the other is left. */
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_int_equal(gpa_of(m, m->ram + SIZE / 2), 0x100000);
	assert_int_equal(gpa_of(m, m->ram), NOWHERE);
	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	assert_int_equal(fake_memory_delete(m, 1), 0);
	assert_int_equal(gpa_of(m, m->ram + SIZE / 2), SIZE / 2);
}

/*
 * A reader who holds a section while slot 0 is changed to `flags`, `base`, `npages`.
 */
struct held {
	struct fake_memory *m;
	uint64_t base, npages;
	uint32_t flags;
	bool entered, left; /* the reader's section. Atomic */
	bool kept;          /* its set answered as before, although there was a new one */
	bool left_first;    /* it left before the change returned */
	int rc;
};

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static void *hold_section(void *opaque)
{
	struct held *h = opaque;
	const struct memslot_set *old = memslots_enter(&h->m->slots);
	struct memslot_hint hint = {0}, none = {0};
	uint8_t *p = memslots_hva(old, &hint, gpa(0), SIZE, true);

	set(&h->entered);
	while (memslots_current(&h->m->slots) == old)
		sched_yield();
	/* The change is published. Give it every chance to return while we read. */
	for (unsigned i = 0; i < 1000; i++)
		sched_yield();
	h->kept = p == h->m->ram && memslots_hva(old, &hint, gpa(0), SIZE, true) == p &&
		  memslots_hva(old, &none, gpa(0), SIZE, true) == p && hint.slot->npages == PAGES;
	set(&h->left);
	memslots_leave();
	return NULL;
}

static void *change_slot(void *opaque)
{
	struct held *h = opaque;

	while (!is_set(&h->entered))
		sched_yield();
	h->rc = fake_memory_set(h->m, 0, h->flags, gfn(h->base), h->npages, h->m->ram);
	h->left_first = is_set(&h->left);
	return NULL;
}

static void change_waits_for_readers(struct fake_memory *m, uint32_t flags, uint64_t base,
				     uint64_t npages)
{
	struct held h = {.m = m, .flags = flags, .base = base, .npages = npages};
	pthread_t reader, changer;

	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(pthread_create(&reader, NULL, hold_section, &h), 0);
	assert_int_equal(pthread_create(&changer, NULL, change_slot, &h), 0);
	pthread_join(reader, NULL);
	pthread_join(changer, NULL);
	assert_int_equal(h.rc, 0);
	assert_true(h.kept);
	assert_true(h.left_first);
}

static void delete_waits_for_readers(void **state)
{
	change_waits_for_readers(*state, 0, 0, 0);
}

static void move_waits_for_readers(void **state)
{
	change_waits_for_readers(*state, 0, 0x100, PAGES);
}

static void flags_only_waits_for_readers(void **state)
{
	change_waits_for_readers(*state, MEMSLOT_LOG_DIRTY, 0, PAGES);
}

static void retry_only_after_a_change_and_outside(void **state)
{
	struct fake_memory *m = *state;
	uint64_t before = fake_memory_generation(m);

	assert_false(memslots_retry(&m->slots, before));
	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	assert_true(memslots_retry(&m->slots, before));
	memslots_enter(&m->slots);
	assert_false(memslots_retry(&m->slots, before));
	memslots_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_has_no_memory),
		TEST(create_gives_memory),
		TEST(length_must_lie_in_one_slot),
		TEST(rom_is_read_only),
		TEST(delete_takes_memory),
		TEST(move_takes_memory_elsewhere),
		TEST(move_by_one_page_over_itself),
		TEST(move_and_flags_at_once),
		TEST(flags_only_leaves_memory_where_it_is),
		TEST(each_change_is_one_generation_and_one_call),
		TEST(generations_are_never_given_twice),
		TEST(hint_does_not_outlive_its_slot),
		TEST(hint_is_used_only_where_it_fits),
		TEST(address_space_1_is_not_looked_at_by_gpa),
		TEST(two_slots_may_share_host_memory),
		TEST(delete_waits_for_readers),
		TEST(move_waits_for_readers),
		TEST(flags_only_waits_for_readers),
		TEST(retry_only_after_a_change_and_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
