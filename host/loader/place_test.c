// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "host/loader/place.h"

#define RAM      XEN_HVM_MEMMAP_TYPE_RAM
#define RESERVED XEN_HVM_MEMMAP_TYPE_RESERVED
#define PAGES    64

/* Never looked at: places are addresses only. */
static uint8_t backing[PAGES * 4096];

static const struct ram ram = {
	.count = 2,
	.blocks = {{0, 16 * 4096, backing}, {32 * 4096, 32 * 4096, backing + 16 * 4096}},
};

static uint64_t find(struct place *place, uint64_t from, uint64_t size)
{
	uint64_t gpa;

	return place_find(place, from, size, &gpa) ? gpa : UINT64_MAX;
}

static void test_order(void **state)
{
	struct place place = {.ram = &ram};

	(void)state;
	assert_int_equal(find(&place, 0x3001, 0x1800), 0x4000);  /* from there up, page-aligned */
	assert_int_equal(find(&place, 0x3001, 0x1800), 0x6000);  /* behind what is taken */
	assert_int_equal(find(&place, 0x3001, 0xa000), 0x20000); /* past the hole */
	assert_int_equal(find(&place, 0x3f000, 0x2000), 0x1000); /* no room up there: the lowest */
	assert_int_equal(find(&place, 0x3f000, 0x3000), 0x8000);
	assert_int_equal(find(&place, 0x3ffff, 0x11000), 0x2a000);
}

static void test_page_zero_last(void **state)
{
	struct place place = {.ram = &ram};

	(void)state;
	place_take(&place, 0x1000, 0xf000);
	place_take(&place, 0x20000, 0x20000);
	assert_int_equal(find(&place, 0x1000, 4096), 0);
	assert_int_equal(find(&place, 0, 4096), UINT64_MAX);
}

static void test_limits(void **state)
{
	static const struct ram high = {
		.count = 1, .blocks = {{PLACE_LIMIT - 0x3000, sizeof(backing), backing}}};
	struct place place = {.ram = &high};

	(void)state;
	assert_int_equal(find(&place, 0, 0x4000), UINT64_MAX);
	assert_int_equal(find(&place, PLACE_LIMIT, 0x2000), PLACE_LIMIT - 0x3000);
	assert_int_equal(find(&place, UINT64_MAX, 0x1000), PLACE_LIMIT - 0x1000);
	assert_int_equal(find(&place, 0, 0x1000), UINT64_MAX);
	assert_int_equal(find(&place, 0, UINT64_MAX), UINT64_MAX);
}

static void test_memmap(void **state)
{
	const struct hvm_memmap_table_entry map[] = {
		{.addr = 0, .size = 0x3000, .type = RAM},
		{.addr = 0x3000, .size = 0xd000, .type = RAM}, /* side by side: one */
		{.addr = 0x5000, .size = 0x1000, .type = RESERVED},
		{.addr = 0x30000, .size = UINT64_MAX, .type = RAM},
		{.addr = 0x3e000, .size = UINT64_MAX, .type = RESERVED},
	};
	struct place place = {.ram = &ram, .memmap = map, .memmap_entries = 5};

	(void)state;
	assert_true(place_usable(&place, 0x2000, 0x2000));
	assert_true(place_usable(&place, 0x2000, 0x3000));
	assert_false(place_usable(&place, 0x2000, 0x3001));
	assert_false(place_usable(&place, 0xf000, 0x1001));  /* RAM in the map, but no RAM */
	assert_false(place_usable(&place, 0x20000, 0x1000)); /* RAM, but not in the map */
	assert_true(place_usable(&place, 0x30000, 0xe000));
	assert_false(place_usable(&place, 0x30000, 0xe001));
	assert_int_equal(find(&place, 0x2000, 0x4000), 0x6000);
	assert_int_equal(find(&place, 0x2000, 0xe000), 0x30000);
	assert_int_equal(find(&place, 0x2000, 0x7000), UINT64_MAX);
}

/* Against the plainest way to do it: a flag for each page. */
static bool model_find(const bool *free, uint64_t from, uint64_t pages, uint64_t *page)
{
	const uint64_t starts[] = {from, 1, 0};

	for (int i = 0; i < 3; i++) {
		for (uint64_t at = starts[i]; at + pages <= PAGES; at++) {
			uint64_t run = 0;

			while (run < pages && free[at + run])
				run++;
			if (run == pages) {
				*page = at;
				return true;
			}
		}
	}
	return false;
}

static void test_against_model(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		const uint64_t reserved = random() % PAGES, reserved_pages = random() % 8;
		const struct hvm_memmap_table_entry map[] = {
			{.addr = 0, .size = PAGES * 4096, .type = RAM},
			{.addr = reserved * 4096, .size = reserved_pages * 4096, .type = RESERVED},
		};
		struct place place = {.ram = &ram, .memmap = map, .memmap_entries = 2};
		bool free[PAGES];

		for (uint64_t i = 0; i < PAGES; i++)
			free[i] = (i < 16 || i >= 32) &&
				  (i < reserved || i >= reserved + reserved_pages);
		for (int n = 0; n < 12; n++) {
			uint64_t from = random() % (PAGES + 4), pages = 1 + random() % 9;
			uint64_t size = pages * 4096 - random() % 4096;
			uint64_t want = UINT64_MAX, page;

			if (model_find(free, from, pages, &page)) {
				want = page * 4096;
				for (uint64_t i = 0; i < pages; i++)
					free[page + i] = false;
			}
			assert_int_equal(
				find(&place, from * 4096 - random() % (from ? 4096 : 1), size),
				want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),         cmocka_unit_test(test_page_zero_last),
		cmocka_unit_test(test_limits),        cmocka_unit_test(test_memmap),
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
