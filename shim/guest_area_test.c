// SPDX-License-Identifier: BSD-2-Clause
/* Areas named by virtual address, in one part or two. */
#include "shim/guest_area.h"

#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define VIRT 0x600000ull
#define ONE  0xa2000ull
#define TWO  0xa0000ull

static const uint8_t text[32] = "not one byte beside the area...";

/* An area of 32 bytes at addr; the two pages at VIRT are ONE and TWO. */
static struct gpc *area_at(struct fake *f, uint64_t addr)
{
	struct gpc *a = &fake_current(f)->runstate_area;
	struct fake_tables t = fake_paging_identity(f);
	struct gpc_part parts[GUEST_AREA_PARTS];
	int nr;

	memset(f->ram + TWO, 0x77, 0x4000);
	fake_map(&t, VIRT, ONE, PTE_RW);
	fake_map(&t, VIRT + 0x1000, TWO, PTE_RW);
	nr = guest_area_find(fake_current(f), gva(addr), sizeof(text), parts);
	assert_int_equal(nr, addr % 0x1000 > 0x1000 - sizeof(text) ? 2 : 1);
	assert_int_equal(gpc_activate_parts(a, parts, nr), 0);
	assert_int_equal(a->len, sizeof(text));
	return a;
}

/* [from, from+len) of the area has the text's bytes, and nothing else has changed. */
static void check(struct fake *f, uint64_t addr, uint32_t from, uint32_t len)
{
	for (unsigned i = 0; i < 0x2000; i++) {
		uint64_t phys = i < 0x1000 ? ONE + i : TWO + i - 0x1000;
		uint64_t in = VIRT + i - addr; /* wraps below the area */

		if (in >= from && in - from < len)
			assert_int_equal(f->ram[phys], text[in]);
		else
			assert_int_equal(f->ram[phys], 0x77);
	}
}

static void every_stretch(void **state)
{
	static const uint64_t addrs[] = {VIRT,
					 VIRT + 0x1000 - 32,
					 VIRT + 0x1000 - 31,
					 VIRT + 0x1000 - 9,
					 VIRT + 0x1000 - 1,
					 VIRT + 0x1000};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
		for (uint32_t from = 0; from <= 32; from += 4) {
			for (uint32_t len = 0; from + len <= 32; len += 4) {
				struct gpc *a = area_at(f, addrs[i]);

				assert_true(gpc_write(a, from, text + from, len));
				check(f, addrs[i], from, len);
			}
		}
	}
}

static void beyond_the_end(void **state)
{
	struct fake *f = *state;
	struct gpc *a = area_at(f, VIRT + 0x1000 - 9);

	assert_false(gpc_write(a, 0, text, 33));
	assert_false(gpc_write(a, 31, text, 2));
	assert_false(gpc_write(a, 32, text, 1));
	assert_false(gpc_write(a, UINT32_MAX, text, 2));
	check(f, VIRT + 0x1000 - 9, 0, 0);
}

static void inactive(void **state)
{
	struct fake *f = *state;
	struct gpc *a = area_at(f, VIRT + 0x1000 - 9);

	gpc_deactivate(a);
	assert_false(gpc_write(a, 0, text, 1));
	gpc_deactivate(a);
	assert_false(gpc_write(&fake_current(f)->time_area, 0, text, 1)); /* never was active */
	check(f, VIRT, 0, 0);
}

/* An area in one part has no second one left over from before. */
static void from_two_parts_to_one(void **state)
{
	struct fake *f = *state;
	struct gpc *a = area_at(f, VIRT + 0x1000 - 9);
	struct gpc_part parts[GUEST_AREA_PARTS];

	assert_int_equal(guest_area_find(fake_current(f), gva(VIRT), 16, parts), 1);
	assert_int_equal(gpc_activate_parts(a, parts, 1), 0);
	assert_false(gpc_write(a, 0, text, 17));
	assert_true(gpc_write(a, 0, text, 16));
	check(f, VIRT, 0, 16);
}

static void memory_goes_and_comes(void **state)
{
	struct fake *f = *state;
	struct gpc *a = area_at(f, VIRT + 0x1000 - 9);

	fake_remove_memory(f, 0);
	assert_false(gpc_write(a, 0, text, 1));
	fake_add_memory(f, 0, 0, TWO, f->ram);
	assert_false(gpc_write(a, 0, text, 32));
	fake_add_memory(f, 2, TWO, GUEST_PAGE_SIZE, f->ram + TWO);
	/* Its second part alone: not even the bytes that could be. */
	assert_false(gpc_write(a, 0, text, 32));
	check(f, VIRT, 0, 0);
	fake_add_memory(f, 3, ONE, GUEST_PAGE_SIZE, f->ram + ONE);
	assert_true(gpc_write(a, 0, text, 32));
	check(f, VIRT + 0x1000 - 9, 0, 32);
}

static void found_only_if_writable(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);
	struct gpc_part parts[GUEST_AREA_PARTS];

	fake_map(&t, VIRT, ONE, PTE_RW);
	fake_map(&t, VIRT + 0x1000, TWO, PTE_P);
	assert_int_equal(guest_area_find(fake_current(f), gva(VIRT + 0xfe0), 32, parts), 1);
	assert_int_equal(guest_area_find(fake_current(f), gva(VIRT + 0xfe1), 32, parts),
			 -XEN_EFAULT);
	assert_int_equal(guest_area_find(fake_current(f), gva(VIRT + 0x1000), 1, parts),
			 -XEN_EFAULT);
	assert_int_equal(guest_area_find(fake_current(f), gva(VIRT + 0x2000), 1, parts),
			 -XEN_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(every_stretch),
		TEST_64(beyond_the_end),
		TEST_64(inactive),
		TEST_64(from_two_parts_to_one),
		TEST_64(memory_goes_and_comes),
		TEST_64(found_only_if_writable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
