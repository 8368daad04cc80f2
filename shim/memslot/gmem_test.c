// SPDX-License-Identifier: BSD-2-Clause
/* Allocation of private memory: what is prepared is undone, once each, and when. */
#include "shim/memslot/gmem_fake.h"

#include <errno.h>

static void put(struct gmem_fake_domain *d, struct gmem_fake *f)
{
	unsigned destroyed = d->calls[FAKE_DESTROY];

	gmem_put(f->g);
	assert_int_equal(d->calls[FAKE_DESTROY], destroyed + 1);
}

static void empty_file(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 1);

	put(d, f);
	assert_int_equal(d->calls[FAKE_PUNCH], 0);
	assert_prepared(d, 0, 0);
	assert_null(gmem_create(&d->slots, 0, NULL, NULL));
	/* More bytes than a file can have. */
	assert_null(gmem_create(&d->slots, 1ull << 52, NULL, NULL));
	assert_null(gmem_create(&d->slots, UINT64_MAX, NULL, NULL));
}

static void one_preparation_for_each_unit(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 3 * G1);

	assert_int_equal(gmem_allocate(f->g, 0, G1, PAGE_1G), 0);
	assert_prepared(d, 1, 0);
	assert_int_equal(gmem_allocate(f->g, G1, 3 * M2, PAGE_2M), 0);
	assert_prepared(d, 4, 0);
	assert_int_equal(gmem_allocate(f->g, G1 + 4 * M2 + 3, 5, PAGE_4K), 0);
	assert_prepared(d, 9, 0);
	assert_int_equal(d->calls[FAKE_ALLOCATE], 3);
	assert_int_equal(d->calls[FAKE_PUNCH], 0);

	assert_int_equal(gmem_free(f->g, 0, G1 + 3 * M2), 0);
	assert_prepared(d, 9, 4);
	assert_int_equal(gmem_free(f->g, G1 + 4 * M2 + 3, 5), 0);
	assert_prepared(d, 9, 9);
	assert_int_equal(d->calls[FAKE_PUNCH], 2);
	put(d, f);
	assert_prepared(d, 9, 9);
}

/* A unit is undone when its last page is freed, not with its first; then its memory goes back. */
static void undo_with_the_last_page(struct gmem_fake_domain *d, enum page_level unit)
{
	const uint64_t pages = 1ull << page_level_shift(unit), start = pages;
	struct gmem_fake *f = gmem_fake_create(d, 3 * pages);

	assert_int_equal(gmem_allocate(f->g, start, pages, unit), 0);
	assert_int_equal(gmem_free(f->g, start + 1, pages - 2), 0);
	assert_int_equal(gmem_free(f->g, start + pages - 1, 1), 0);
	assert_prepared(d, 1, 0);
	assert_int_equal(d->calls[FAKE_PUNCH], 0);
	/* What has been freed of it is not there, but cannot be had again alone. */
	assert_int_equal(gmem_free(f->g, start + 1, 1), -ENOENT);
	assert_int_equal(gmem_allocate(f->g, start + 1, 1, PAGE_4K), -EEXIST);
	assert_int_equal(gmem_allocate(f->g, start, pages, unit), -EEXIST);
	assert_prepared(d, 1, 0);

	assert_int_equal(gmem_free(f->g, start, 1), 0);
	assert_prepared(d, 1, 1);
	assert_last(d, FAKE_UNDO, start, pages);
	assert_int_equal(d->calls[FAKE_PUNCH], 1);
	assert_last(d, FAKE_PUNCH, start, pages);

	assert_int_equal(gmem_allocate(f->g, start + 1, 1, PAGE_4K), 0);
	assert_int_equal(gmem_free(f->g, start + 1, 1), 0);
	assert_prepared(d, 2, 2);
	put(d, f);
}

static void undo_with_the_last_page_2m(void **state)
{
	undo_with_the_last_page(*state, PAGE_2M);
}

static void undo_with_the_last_page_1g(void **state)
{
	undo_with_the_last_page(*state, PAGE_1G);
}

/* One free that ends in the middle of units on both sides; and then takes their rest. */
static void free_across_units(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 8 * M2);

	assert_int_equal(gmem_allocate(f->g, 1, M2 - 1, PAGE_4K), 0);
	assert_int_equal(gmem_allocate(f->g, M2, 4 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_allocate(f->g, 5 * M2, 7, PAGE_4K), 0);
	gmem_fake_forget_calls(d);

	assert_int_equal(gmem_free(f->g, M2 + 100, 3 * M2), 0);
	assert_prepared(d, 0, 2);
	assert_last(d, FAKE_PUNCH, 2 * M2, 2 * M2);
	assert_int_equal(gmem_free(f->g, 100, M2), 0);
	assert_prepared(d, 0, 2 + (M2 - 100) + 1);
	assert_last(d, FAKE_PUNCH, 100, 2 * M2 - 100);
	/* From the rest of the last unit to the single pages behind it. */
	assert_int_equal(gmem_free(f->g, 4 * M2 + 100, M2 - 100 + 2), 0);
	assert_prepared(d, 0, 2 + (M2 - 100) + 1 + 1 + 2);
	assert_last(d, FAKE_PUNCH, 4 * M2, M2 + 2);
	assert_int_equal(d->calls[FAKE_PUNCH], 3);

	put(d, f);
	assert_prepared(d, 0, 2 + (M2 - 100) + 1 + 1 + 2 + 99 + 5);
}

static void bad_ranges(void **state)
{
	static const struct {
		uint64_t first, npages;
		enum page_level unit;
	} bad[] = {
		{0, 0, PAGE_4K},          {0, 4 * M2 + 1, PAGE_4K}, {4 * M2, 1, PAGE_4K},
		{4 * M2 - 1, 2, PAGE_4K}, {UINT64_MAX, 2, PAGE_4K}, {2, UINT64_MAX, PAGE_4K},
		{1, M2, PAGE_2M},         {0, M2 + 1, PAGE_2M},     {0, M2, PAGE_1G},
		{0, 1, PAGE_LEVELS},
	};
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 4 * M2);

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(gmem_allocate(f->g, bad[i].first, bad[i].npages, bad[i].unit),
				 -EINVAL);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(gmem_free(f->g, bad[i].first, bad[i].npages), -EINVAL);
	for (unsigned i = 0; i < FAKE_OPS; i++)
		assert_int_equal(d->calls[i], 0);
	put(d, f);
}

static void taken_and_missing_pages(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 4 * M2);

	assert_int_equal(gmem_allocate(f->g, M2 + 511, 1, PAGE_4K), 0);
	assert_int_equal(gmem_allocate(f->g, 2 * M2, M2, PAGE_2M), 0);
	gmem_fake_forget_calls(d);
	assert_int_equal(gmem_allocate(f->g, M2 + 510, 2, PAGE_4K), -EEXIST);
	assert_int_equal(gmem_allocate(f->g, M2, M2, PAGE_2M), -EEXIST);
	assert_int_equal(gmem_allocate(f->g, M2, 2 * M2, PAGE_2M), -EEXIST);
	assert_int_equal(gmem_allocate(f->g, 3 * M2 - 1, 2, PAGE_4K), -EEXIST);
	assert_int_equal(gmem_free(f->g, M2 + 510, 2), -ENOENT);
	assert_int_equal(gmem_free(f->g, M2 + 511, M2 + 2), -ENOENT);
	for (unsigned i = 0; i < FAKE_OPS; i++)
		assert_int_equal(d->calls[i], 0);
	/* Right beside them is free. */
	assert_int_equal(gmem_allocate(f->g, M2, 511, PAGE_4K), 0);
	assert_int_equal(gmem_allocate(f->g, 3 * M2, M2, PAGE_2M), 0);
	put(d, f);
}

/* The machinery refuses: nothing is allocated and what has been prepared is undone. */
static void refused_allocation(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 8 * M2);

	d->fail_with = -ENOSPC;
	d->fail_at[FAKE_ALLOCATE] = 1;
	assert_int_equal(gmem_allocate(f->g, 0, 8 * M2, PAGE_2M), -ENOSPC);
	assert_prepared(d, 0, 0);
	for (unsigned k = 1; k <= 8; k++) {
		gmem_fake_forget_calls(d);
		d->fail_with = -EIO;
		d->fail_at[FAKE_PREPARE] = k;
		assert_int_equal(gmem_allocate(f->g, 0, 8 * M2, PAGE_2M), -EIO);
		assert_prepared(d, k, k - 1);
		assert_int_equal(d->calls[FAKE_PUNCH], 1);
		assert_last(d, FAKE_PUNCH, 0, 8 * M2);
		for (uint64_t i = 0; i < f->npages; i++)
			assert_false(f->memory[i] || f->prepared[i]);
		assert_int_equal(gmem_free(f->g, 0, 1), -ENOENT);
	}
	assert_int_equal(gmem_allocate(f->g, 0, 8 * M2, PAGE_2M), 0);
	put(d, f);
}

/* What cannot be punched is free nevertheless, undone once, and goes back with the file. */
static void refused_punch(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 2 * M2);

	assert_int_equal(gmem_allocate(f->g, 0, M2, PAGE_2M), 0);
	d->fail_with = -EIO;
	d->fail_at[FAKE_PUNCH] = 1;
	assert_int_equal(gmem_free(f->g, 0, M2), -EIO);
	assert_prepared(d, 1, 1);
	assert_int_equal(gmem_free(f->g, 0, M2), -ENOENT);
	assert_true(f->memory[0]);
	put(d, f); /* its destroy() finds no memory left */
	assert_prepared(d, 1, 1);
}

static void last_reference_frees_all(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 2 * G1);

	assert_int_equal(gmem_allocate(f->g, 0, G1, PAGE_1G), 0);
	assert_int_equal(gmem_allocate(f->g, G1 + 2 * M2, 3 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_allocate(f->g, G1 + 7 * M2 - 3, 6, PAGE_4K), 0);
	assert_int_equal(gmem_free(f->g, 1, G1 - 1), 0);
	assert_int_equal(gmem_free(f->g, G1 + 7 * M2, 1), 0);
	assert_prepared(d, 10, 1);
	put(d, f);
	assert_prepared(d, 10, 10);
	assert_int_equal(d->calls[FAKE_PUNCH], 2);
}

/* Where there is nothing to prepare, nothing is called; all else is the same. */
static void nothing_to_prepare(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create_plain(d, 3 * M2);

	assert_int_equal(gmem_allocate(f->g, 0, 2 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_free(f->g, 0, M2 + 1), 0);
	assert_last(d, FAKE_PUNCH, 0, M2);
	assert_true(f->memory[M2]);
	put(d, f);
	assert_prepared(d, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_file, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(one_preparation_for_each_unit, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(undo_with_the_last_page_2m, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(undo_with_the_last_page_1g, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(free_across_units, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(bad_ranges, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(taken_and_missing_pages, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(refused_allocation, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(refused_punch, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(last_reference_frees_all, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(nothing_to_prepare, gmem_fake_setup,
						gmem_fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
