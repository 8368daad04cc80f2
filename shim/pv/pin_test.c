// SPDX-License-Identifier: BSD-2-Clause
/* MMUEXT_PIN_*_TABLE and MMUEXT_UNPIN_TABLE, and what they do to frames. */
#include "shim/pv/fake_test.h"

static void a_free_page(void **state)
{
	struct fake_machine *m = *state;
	const struct pv_frame *f = &m->frames[FAKE_FREE];

	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), 0);
	assert_int_equal(f->type, PV_TYPE_L1);
	assert_int_equal(f->type_refs, 1);
	assert_int_equal(f->refs, 3); /* the domain's, the mapping's, the pin's */
	assert_true(f->flags & PV_FRAME_PINNED);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE, 0), 0);
	assert_int_equal(f->type_refs, 0);
	assert_int_equal(f->refs, 2);
	assert_false(f->flags & (PV_FRAME_PINNED | PV_FRAME_VALIDATED));
}

static void each_level(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned level = 1; level <= 4; level++) {
		assert_int_equal(
			fake_mmuext(m, MMUEXT_PIN_L1_TABLE + level - 1, FAKE_FREE + level, 0), 0);
		assert_int_equal(m->frames[FAKE_FREE + level].type, level);
	}
}

static void twice(void **state)
{
	struct fake_machine *m = *state;

	fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), -XEN_EINVAL);
	assert_int_equal(m->frames[FAKE_FREE].type_refs, 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L2_TABLE, FAKE_FREE, 0), -XEN_EINVAL);
}

static void not_the_domains(void **state)
{
	static const uint64_t mfns[] = {0,     FAKE_UNALLOCATED, FAKE_HOLE, FAKE_FRAMES,
					~0ull, 1ull << 40};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(mfns) / sizeof(mfns[0]); i++) {
		assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, mfns[i], 0), -XEN_EINVAL);
		assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, mfns[i], 0), -XEN_EINVAL);
	}
}

static void in_use_as_data(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned cmd = MMUEXT_PIN_L1_TABLE; cmd <= MMUEXT_PIN_L4_TABLE; cmd++) {
		assert_int_equal(fake_mmuext(m, cmd, FAKE_WRITABLE, 0), -XEN_EINVAL);
		assert_int_equal(fake_mmuext(m, cmd, FAKE_SHARED, 0), -XEN_EINVAL);
	}
	assert_int_equal(m->frames[FAKE_WRITABLE].type_refs, 1);
}

static void not_pinned(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE, 0), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_L3, 0), -XEN_EINVAL);
}

static void the_current_base_pointer(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_L4, 0), 0);
	assert_int_equal(m->frames[FAKE_L4].type, PV_TYPE_L4);
	assert_int_equal(m->frames[FAKE_L4].type_refs, 2); /* two vCPUs */
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_L4, 0), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, FAKE_L4, 0), 0);
}

/* A tree of four tables: one pin holds it all. */
static void a_tree(void **state)
{
	struct fake_machine *m = *state;

	fake_build_tree(m, FAKE_FREE, FAKE_RW, FAKE_FREE + 10);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, FAKE_FREE, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(m->frames[FAKE_FREE + i].type, PV_TYPE_L4 - i);
		assert_int_equal(m->frames[FAKE_FREE + i].type_refs, 1);
	}
	assert_int_equal(m->frames[FAKE_FREE + 10].type, PV_TYPE_WRITABLE);
	fake_check(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE, 0), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(m->frames[FAKE_FREE + i].type_refs, 0);
	assert_int_equal(m->frames[FAKE_FREE + 10].type_refs, 0);
}

/* What fails below is undone above, with the errno of the entry. */
static void a_tree_with_a_bad_page(void **state)
{
	struct fake_machine *m = *state;

	fake_build_tree(m, FAKE_FREE, FAKE_RW, FAKE_L1);
	fake_table(m, FAKE_FREE + 3)[0] = pv_pte_make(FAKE_WRITABLE, FAKE_RW);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, FAKE_FREE, 0), -XEN_EBUSY);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(m->frames[FAKE_FREE + i].refs, 2);
	assert_int_equal(m->frames[FAKE_WRITABLE].type_refs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_free_page),
		PV_TEST(each_level),
		PV_TEST(twice),
		PV_TEST(not_the_domains),
		PV_TEST(in_use_as_data),
		PV_TEST(not_pinned),
		PV_TEST(the_current_base_pointer),
		PV_TEST(a_tree),
		PV_TEST(a_tree_with_a_bad_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
