// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/memslot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xen-abi/xen.h"

#define MAX_GFN (UINT64_MAX >> GUEST_PAGE_SHIFT)

/* Never dereferenced: the table hands out addresses and no more. */
static uint8_t *const hva = (uint8_t *)0x100000;

static int setup(void **state)
{
	*state = malloc(sizeof(struct memslots));
	memslots_init(*state);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void empty_has_no_memory(void **state)
{
	struct memslots *slots = *state;

	assert_null(memslots_hva(slots, gpa(0), 1));
	assert_null(memslots_hva(slots, gpa(UINT64_MAX), 1));
	assert_null(memslots_hva(slots, gpa(0), 0));
	assert_int_equal(slots->generation, 0);
}

static void create_and_look_up(void **state)
{
	struct memslots *slots = *state;

	assert_int_equal(memslot_create(slots, gfn(2), 3, hva), 0);
	assert_ptr_equal(memslots_hva(slots, gpa(0x2000), 1), hva);
	assert_ptr_equal(memslots_hva(slots, gpa(0x2123), 0x100), hva + 0x123);
	assert_ptr_equal(memslots_hva(slots, gpa(0x2000), 0x3000), hva);
	assert_ptr_equal(memslots_hva(slots, gpa(0x4fff), 1), hva + 0x2fff);
	assert_null(memslots_hva(slots, gpa(0x1fff), 1));
	assert_null(memslots_hva(slots, gpa(0x5000), 1));
}

static void length_must_lie_in_one_slot(void **state)
{
	struct memslots *slots = *state;

	memslot_create(slots, gfn(2), 1, hva);
	memslot_create(slots, gfn(3), 1, hva + 0x1000);
	assert_null(memslots_hva(slots, gpa(0x2fff), 2));
	assert_null(memslots_hva(slots, gpa(0x2000), 0x1001));
	assert_null(memslots_hva(slots, gpa(0x3001), UINT64_MAX));
	assert_ptr_equal(memslots_hva(slots, gpa(0x3000), 0x1000), hva + 0x1000);
}

static void refuses_empty_and_wrapping(void **state)
{
	struct memslots *slots = *state;

	assert_int_equal(memslot_create(slots, gfn(0), 0, hva), -XEN_EINVAL);
	assert_int_equal(memslot_create(slots, gfn(MAX_GFN + 1), 1, hva), -XEN_EINVAL);
	assert_int_equal(memslot_create(slots, gfn(UINT64_MAX), 1, hva), -XEN_EINVAL);
	assert_int_equal(memslot_create(slots, gfn(1), MAX_GFN, hva), -XEN_EINVAL);
	assert_int_equal(memslot_create(slots, gfn(1), UINT64_MAX, hva), -XEN_EINVAL);
	assert_int_equal(slots->count, 0);
	assert_int_equal(slots->generation, 0);
	assert_int_equal(memslot_create(slots, gfn(MAX_GFN - 1), 1, hva), 0);
	assert_ptr_equal(memslots_hva(slots, gpa((MAX_GFN - 1) << GUEST_PAGE_SHIFT), 4096), hva);
}

static void refuses_overlap(void **state)
{
	struct memslots *slots = *state;

	assert_int_equal(memslot_create(slots, gfn(10), 10, hva), 0);
	assert_int_equal(memslot_create(slots, gfn(10), 10, hva), -XEN_EEXIST);
	assert_int_equal(memslot_create(slots, gfn(5), 6, hva), -XEN_EEXIST);
	assert_int_equal(memslot_create(slots, gfn(19), 1, hva), -XEN_EEXIST);
	assert_int_equal(memslot_create(slots, gfn(12), 2, hva), -XEN_EEXIST);
	assert_int_equal(memslot_create(slots, gfn(0), 100, hva), -XEN_EEXIST);
	assert_int_equal(slots->generation, 1);
	assert_int_equal(memslot_create(slots, gfn(5), 5, hva), 0);
	assert_int_equal(memslot_create(slots, gfn(20), 1, hva), 0);
	assert_int_equal(slots->generation, 3);
}

static void stays_sorted(void **state)
{
	static const uint64_t order[] = {50, 10, 90, 30, 70};
	struct memslots *slots = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(memslot_create(slots, gfn(order[i]), 5, hva + order[i]), 0);
	for (unsigned i = 0; i + 1 < slots->count; i++)
		assert_true(slots->slot[i].start.v < slots->slot[i + 1].start.v);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		assert_ptr_equal(memslots_hva(slots, gfn_to_gpa(gfn(order[i])), 1), hva + order[i]);
}

static void limit(void **state)
{
	struct memslots *slots = *state;

	for (unsigned i = 0; i < MEMSLOTS_MAX; i++)
		assert_int_equal(memslot_create(slots, gfn(2 * i), 1, hva), 0);
	assert_int_equal(memslot_create(slots, gfn(1), 1, hva), -XEN_ENOMEM);
	/* What overlaps is told so even when the table is full. */
	assert_int_equal(memslot_create(slots, gfn(2), 1, hva), -XEN_EEXIST);
	assert_int_equal(memslot_delete(slots, gfn(0)), 0);
	assert_int_equal(memslot_create(slots, gfn(1), 1, hva), 0);
}

static void deletes(void **state)
{
	struct memslots *slots = *state;

	memslot_create(slots, gfn(1), 1, hva);
	memslot_create(slots, gfn(2), 2, hva);
	memslot_create(slots, gfn(9), 1, hva);
	assert_int_equal(memslot_delete(slots, gfn(3)), -XEN_EINVAL);
	assert_int_equal(memslot_delete(slots, gfn(5)), -XEN_EINVAL);
	assert_int_equal(slots->generation, 3);
	assert_int_equal(memslot_delete(slots, gfn(2)), 0);
	assert_int_equal(slots->generation, 4);
	assert_int_equal(slots->count, 2);
	assert_null(memslots_hva(slots, gpa(0x2000), 1));
	assert_ptr_equal(memslots_hva(slots, gpa(0x1000), 1), hva);
	assert_ptr_equal(memslots_hva(slots, gpa(0x9000), 1), hva);
	assert_int_equal(memslot_delete(slots, gfn(2)), -XEN_EINVAL);
	assert_int_equal(memslot_create(slots, gfn(2), 3, hva), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_has_no_memory),
		TEST(create_and_look_up),
		TEST(length_must_lie_in_one_slot),
		TEST(refuses_empty_and_wrapping),
		TEST(refuses_overlap),
		TEST(stays_sorted),
		TEST(limit),
		TEST(deletes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
