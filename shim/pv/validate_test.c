// SPDX-License-Identifier: BSD-2-Clause
/* What may be in entries of page tables, level by level, and what is made of it. */
#include "shim/pv/fake_test.h"

#include <stdlib.h>
#include <string.h>

/* A table of each level that is pinned, empty but for what fake_build_tree() does. */
enum { L4 = FAKE_FREE, L3, L2, L1, PAGE };

static void pin_tree(struct fake_machine *m)
{
	fake_build_tree(m, L4, FAKE_RO, PAGE);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, L4, 0), 0);
}

static uint64_t entry(struct fake_machine *m, uint64_t table, unsigned index)
{
	return fake_table(m, table)[index];
}

/* An entry of an L1 table on its own, in a pin and in an update: both answer the same. */
static void page_entry_answers(struct fake_machine *m, uint64_t value, long answer)
{
	const uint64_t table = FAKE_FREE + 20;

	memset(fake_table(m, table), 0, PV_PAGE_SIZE);
	fake_table(m, table)[7] = value;
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, table, 0), answer);
	if (!answer) {
		assert_int_equal(fake_update(m, table, 7, 0), 0);
		assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, table, 0), 0);
	}
	fake_table(m, table)[7] = 0;
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, table, 0), 0);
	assert_int_equal(fake_update(m, table, 7, value), answer);
	if (answer)
		assert_int_equal(entry(m, table, 7), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, table, 0), 0);
}

static void flags_of_pages(void **state)
{
	static const uint64_t bad[] = {PV_PTE_PWT, PV_PTE_PCD, PV_PTE_PSE, PV_PTE_PWT | PV_PTE_PCD};
	static const uint64_t good[] = {
		0,
		PV_PTE_RW,
		PV_PTE_USER,
		PV_PTE_AD,
		PV_PTE_GLOBAL,
		PV_PTE_AVAIL,
		PV_PTE_AVAIL_HIGH,
		PV_PTE_NX,
		1ull << 62,
	};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		page_entry_answers(m, pv_pte_make(PAGE, FAKE_RO | bad[i]), -XEN_EINVAL);
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		page_entry_answers(m, pv_pte_make(PAGE, PV_PTE_PRESENT | good[i]), 0);
}

static void frames_of_pages(void **state)
{
	struct fake_machine *m = *state;

	page_entry_answers(m, pv_pte_make(FAKE_WRITABLE, FAKE_RW), 0);
	page_entry_answers(m, pv_pte_make(FAKE_SHARED, FAKE_RW), 0);
	page_entry_answers(m, pv_pte_make(FAKE_L1, FAKE_RO), 0);
	page_entry_answers(m, pv_pte_make(0, FAKE_RO), -XEN_EBUSY);
	page_entry_answers(m, pv_pte_make(FAKE_HOLE, FAKE_RO), -XEN_EBUSY);
	page_entry_answers(m, pv_pte_make(FAKE_FRAMES, FAKE_RO), -XEN_EPERM);
	page_entry_answers(m, pv_pte_make(PV_PTE_MFN_NONE - 1, FAKE_RO), -XEN_EPERM);
	page_entry_answers(m, pv_pte_make(PV_PTE_MFN_NONE, FAKE_RO), -XEN_EINVAL);
	page_entry_answers(m, pv_pte_make(FAKE_UNALLOCATED, FAKE_RO), -XEN_EBUSY);
}

/* Below 4 GiB, where memory has a hole with the hypervisor's frames in it. */
static void frames_of_the_hole(void **state)
{
	const uint64_t hole = PV_LOW_RAM_MAX / PV_PAGE_SIZE,
		       above = PV_HIGH_RAM_START / PV_PAGE_SIZE;
	struct fake_machine *m = *state;
	struct pv_frame *frames = calloc(above + 1, sizeof(*frames));
	struct pv_mm *mm = fake_mm(m);

	memcpy(frames, m->frames, sizeof(m->frames));
	mm->frames = frames;
	mm->max_mfn = above + 1;
	assert_int_equal(pv_get_page_entry(mm, pv_pte_make(hole - 1, FAKE_RO), false), -XEN_EBUSY);
	assert_int_equal(pv_get_page_entry(mm, pv_pte_make(hole, FAKE_RO), false), -XEN_EPERM);
	assert_int_equal(pv_get_page_entry(mm, pv_pte_make(above - 1, FAKE_RO), false), -XEN_EPERM);
	assert_int_equal(pv_get_page_entry(mm, pv_pte_make(above, FAKE_RO), false), -XEN_EBUSY);
	pv_frame_become(&frames[hole], PV_FRAME_SHARED);
	assert_int_equal(pv_get_page_entry(mm, pv_pte_make(hole, FAKE_RW), false), 0);
	assert_int_equal(frames[hole].type_refs, 2);
	mm->frames = m->frames;
	mm->max_mfn = FAKE_FRAMES;
	free(frames);
}

/* No memory, but to be mapped, in any way: nothing is counted of it. */
static void the_page_of_registers(void **state)
{
	const uint64_t io = PV_IO_PAGE / PV_PAGE_SIZE;
	struct fake_machine *m = *state;

	page_entry_answers(m, pv_pte_make(io, FAKE_RO), 0);
	page_entry_answers(m, pv_pte_make(io, FAKE_RW | PV_PTE_PCD), 0);
	page_entry_answers(m, pv_pte_make(io, FAKE_RW | PV_PTE_PWT | PV_PTE_PSE), 0);
	page_entry_answers(m, pv_pte_make(io, FAKE_RW | 1ull << 51), -XEN_EPERM);
	page_entry_answers(m, pv_pte_make(io - 1, FAKE_RO), -XEN_EPERM);
	page_entry_answers(m, pv_pte_make(io + 1, FAKE_RO), -XEN_EPERM);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, io, 0), -XEN_EINVAL);
}

/* Entries that are not present may hold anything. */
static void not_present(void **state)
{
	page_entry_answers(*state, ~PV_PTE_PRESENT, 0);
}

static void a_writable_mapping_of_a_table(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned mfn = FAKE_L4; mfn <= FAKE_L1; mfn++) {
		page_entry_answers(m, pv_pte_make(mfn, FAKE_RW), -XEN_EBUSY);
		assert_int_equal(fake_remap(m, mfn, FAKE_RW), -XEN_EBUSY);
	}
}

static void a_writable_mapping_of_itself(void **state)
{
	struct fake_machine *m = *state;

	fake_table(m, FAKE_FREE)[0] = pv_pte_make(FAKE_FREE, FAKE_RW);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), -XEN_EBUSY);
	fake_table(m, FAKE_FREE)[0] = pv_pte_make(FAKE_FREE, FAKE_RO);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), 0);
}

/* Large pages, caching, global: for no table. */
static void flags_of_tables(void **state)
{
	static const uint64_t bad[] = {PV_PTE_PSE, PV_PTE_PWT, PV_PTE_PCD, PV_PTE_GLOBAL};
	struct fake_machine *m = *state;

	pin_tree(m);
	for (uint64_t table = L4; table < L1; table++)
		for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			uint64_t value = pv_pte_make(table + 1, FAKE_TABLE_FLAGS | bad[i]);

			assert_int_equal(fake_update(m, table, 1, value), -XEN_EINVAL);
			assert_int_equal(entry(m, table, 1), 0);
		}
}

static void frames_of_tables(void **state)
{
	static const uint64_t bad[] = {0,           FAKE_HOLE,       FAKE_UNALLOCATED, FAKE_FRAMES,
				       FAKE_SHARED, PV_PTE_MFN_NONE, FAKE_WRITABLE};
	struct fake_machine *m = *state;

	pin_tree(m);
	for (uint64_t table = L4; table < L1; table++)
		for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			assert_int_equal(
				fake_update(m, table, 1, pv_pte_make(bad[i], FAKE_TABLE_FLAGS)),
				-XEN_EINVAL);
}

/* A table where another level's belongs. */
static void levels_do_not_mix(void **state)
{
	struct fake_machine *m = *state;

	pin_tree(m);
	assert_int_equal(fake_update(m, L4, 1, pv_pte_make(L2, FAKE_TABLE_FLAGS)), -XEN_EINVAL);
	assert_int_equal(fake_update(m, L3, 1, pv_pte_make(L4, FAKE_TABLE_FLAGS)), -XEN_EINVAL);
	assert_int_equal(fake_update(m, L2, 1, pv_pte_make(L3, FAKE_TABLE_FLAGS)), -XEN_EINVAL);
	assert_int_equal(fake_update(m, L4, 1, pv_pte_make(L3, FAKE_TABLE_FLAGS)), 0);
	assert_frame(m, L3, PV_TYPE_L3, 4, 2);
}

static void what_is_added(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t kernel = PV_PTE_GUEST_KERNEL | PV_PTE_USER;

	fake_table(m, L4)[0] = pv_pte_make(L3, PV_PTE_PRESENT);
	fake_table(m, L3)[0] = pv_pte_make(L2, PV_PTE_PRESENT);
	fake_table(m, L2)[0] = pv_pte_make(L1, PV_PTE_PRESENT);
	fake_table(m, L1)[0] = pv_pte_make(PAGE, PV_PTE_PRESENT);
	fake_table(m, L1)[1] = pv_pte_make(PAGE, PV_PTE_PRESENT | PV_PTE_USER);
	fake_table(m, L1)[2] = pv_pte_make(PAGE, PV_PTE_PRESENT | kernel);
	fake_table(m, L1)[3] = pv_pte_make(PAGE, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, L4, 0), 0);
	assert_int_equal(entry(m, L4, 0),
			 pv_pte_make(L3, PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_ACCESSED));
	assert_int_equal(entry(m, L3, 0), pv_pte_make(L2, PV_PTE_PRESENT | PV_PTE_USER));
	assert_int_equal(entry(m, L2, 0), pv_pte_make(L1, PV_PTE_PRESENT | PV_PTE_USER));
	assert_int_equal(entry(m, L1, 0), pv_pte_make(PAGE, PV_PTE_PRESENT | kernel));
	assert_int_equal(entry(m, L1, 1),
			 pv_pte_make(PAGE, PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_GLOBAL));
	assert_int_equal(entry(m, L1, 2), pv_pte_make(PAGE, PV_PTE_PRESENT | kernel));
	assert_int_equal(entry(m, L1, 3), pv_pte_make(PAGE, 0));
}

static void slots_of_the_hypervisor(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t *slots = fake_mm(m)->l4_slots;

	/* What the guest has there is not looked at. */
	for (unsigned i = PV_L4_FIRST; i <= PV_L4_LAST; i++)
		fake_table(m, L4)[i] = ~0ull;
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, L4, 0), 0);
	assert_int_equal(entry(m, L4, PV_L4_FIRST), 0);
	for (unsigned i = PV_L4_FIRST + 1; i <= PV_L4_LAST; i++)
		assert_int_equal(entry(m, L4, i), slots[i - PV_L4_FIRST]);
	assert_int_equal(entry(m, L4, PV_L4_FIRST - 1), 0);
	assert_int_equal(entry(m, L4, PV_L4_LAST + 1), 0);
	for (unsigned i = PV_L4_FIRST; i <= PV_L4_LAST; i++) {
		assert_int_equal(fake_update(m, L4, i, 0), -XEN_EINVAL);
		assert_int_equal(fake_update(m, L4, i, pv_pte_make(L3, FAKE_TABLE_FLAGS)),
				 -XEN_EINVAL);
	}
	assert_int_equal(fake_update(m, L4, PV_L4_LAST + 1, pv_pte_make(L3, FAKE_TABLE_FLAGS)), 0);
}

/* They are only an L4's. */
static void slots_of_other_tables(void **state)
{
	struct fake_machine *m = *state;

	pin_tree(m);
	for (uint64_t table = L3; table <= L1; table++)
		assert_int_equal(
			fake_update(m, table, PV_L4_FIRST, pv_pte_make(table + 1, FAKE_RO)), 0);
}

static void a_table_that_maps_itself(void **state)
{
	struct fake_machine *m = *state;

	pin_tree(m);
	for (uint64_t table = L4; table < L1; table++) {
		const struct pv_frame before = m->frames[table];

		assert_int_equal(fake_update(m, table, 9, pv_pte_make(table, FAKE_TABLE_FLAGS)),
				 -XEN_EINVAL);
		assert_int_equal(fake_update(m, table, 9, pv_pte_make(table, FAKE_RO)), 0);
		assert_int_equal(m->frames[table].refs, before.refs);
		assert_int_equal(m->frames[table].type_refs, before.type_refs);
	}
}

static void a_table_that_maps_itself_from_the_start(void **state)
{
	struct fake_machine *m = *state;

	fake_table(m, L4)[300] = pv_pte_make(L4, FAKE_RO);
	pin_tree(m);
	assert_frame(m, L4, PV_TYPE_L4, 3, 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, L4, 0), 0);
	assert_frame(m, L4, PV_TYPE_L4, 2, 0);
}

/* Another root: it must be validated, read-only, and not have such an entry itself. */
static void a_table_that_maps_another_of_its_level(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t other = FAKE_FREE + 20, third = other + 1;

	pin_tree(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, other, 0), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, third, 0), 0);
	assert_int_equal(fake_update(m, other, 5, pv_pte_make(L4, FAKE_TABLE_FLAGS)), -XEN_EINVAL);
	assert_int_equal(fake_update(m, other, 5, pv_pte_make(L4, FAKE_RO)), 0);
	assert_frame(m, L4, PV_TYPE_L4, 4, 2);
	assert_int_equal(m->frames[L4].linear, -1);
	assert_int_equal(m->frames[other].linear, 1);
	assert_int_equal(fake_update(m, third, 5, pv_pte_make(other, FAKE_RO)), -XEN_EINVAL);
	assert_int_equal(fake_update(m, L4, 5, pv_pte_make(third, FAKE_RO)), -XEN_EINVAL);
	fake_check(m);
	/* The mapping keeps it what it is. */
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, L4, 0), 0);
	assert_frame(m, L4, PV_TYPE_L4, 3, 1);
	assert_int_equal(fake_update(m, other, 5, 0), 0);
	assert_frame(m, L4, PV_TYPE_L4, 2, 0);
	assert_frame(m, L1, PV_TYPE_L1, 2, 0);
	assert_int_equal(m->frames[other].linear, 0);
}

static void linear_tables_go_with_what_maps_them(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t other = FAKE_FREE + 20;

	pin_tree(m);
	fake_table(m, other)[1] = pv_pte_make(L2, FAKE_RO);
	fake_table(m, other)[2] = pv_pte_make(L2, FAKE_RO);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L2_TABLE, other, 0), 0);
	assert_int_equal(m->frames[L2].linear, -2);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, L4, 0), 0);
	assert_frame(m, L2, PV_TYPE_L2, 4, 2);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, other, 0), 0);
	assert_frame(m, L2, PV_TYPE_L2, 2, 0);
	assert_int_equal(fake_mm(m)->linear_entries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(flags_of_pages),
		PV_TEST(frames_of_pages),
		PV_TEST(frames_of_the_hole),
		PV_TEST(the_page_of_registers),
		PV_TEST(not_present),
		PV_TEST(a_writable_mapping_of_a_table),
		PV_TEST(a_writable_mapping_of_itself),
		PV_TEST(flags_of_tables),
		PV_TEST(frames_of_tables),
		PV_TEST(levels_do_not_mix),
		PV_TEST(what_is_added),
		PV_TEST(slots_of_the_hypervisor),
		PV_TEST(slots_of_other_tables),
		PV_TEST(a_table_that_maps_itself),
		PV_TEST(a_table_that_maps_itself_from_the_start),
		PV_TEST(a_table_that_maps_another_of_its_level),
		PV_TEST(linear_tables_go_with_what_maps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
