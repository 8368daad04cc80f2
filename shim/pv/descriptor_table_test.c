// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_set_gdt; MMUEXT_SET_LDT, and the pages of an LDT as they are used. */
#include "shim/pv/fake_test.h"

#include <string.h>

static long set_gdt(struct fake_machine *m, unsigned count, const uint64_t *frames,
		    unsigned entries)
{
	const uint64_t args[6] = {FAKE_OUTSIDE, entries};

	memcpy(m->outside, frames, count * sizeof(*frames));
	return pv_op_set_gdt(&m->vcpus[0], args);
}

static void a_gdt(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t frames[] = {FAKE_FREE, FAKE_FREE + 1};

	assert_int_equal(set_gdt(m, 2, frames, 513), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 3, 1);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_DESCRIPTORS, 3, 1);
	assert_int_equal(m->vcpus[0].gdt_entries, 513);
	assert_int_equal(m->vcpus[0].gdt_frames[1], FAKE_FREE + 1);
	assert_int_equal(m->asked[0].gdt, 1);
	/* Another one, with a frame of the first. */
	assert_int_equal(set_gdt(m, 1, frames + 1, 512), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 2, 0);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_DESCRIPTORS, 3, 1);
	assert_int_equal(m->vcpus[0].gdt_frames[1], 0);
	fake_check(m);
	assert_int_equal(set_gdt(m, 0, frames, 0), 0);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_DESCRIPTORS, 2, 0);
	assert_int_equal(m->asked[0].gdt, 3);
}

static void the_largest_gdt(void **state)
{
	struct fake_machine *m = *state;
	uint64_t frames[FIRST_RESERVED_GDT_PAGE];

	for (unsigned i = 0; i < FIRST_RESERVED_GDT_PAGE; i++)
		frames[i] = FAKE_FREE + i % 2;
	assert_int_equal(set_gdt(m, FIRST_RESERVED_GDT_PAGE, frames, FIRST_RESERVED_GDT_ENTRY), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 9, 7);
	assert_int_equal(set_gdt(m, 0, frames, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
	assert_int_equal(set_gdt(m, 0, frames, ~0u), -XEN_EINVAL);
	assert_int_equal(m->vcpus[0].gdt_entries, FIRST_RESERVED_GDT_ENTRY);
}

static void gdts_that_are_refused(void **state)
{
	static const uint64_t bad[] = {0,         FAKE_L1,     FAKE_WRITABLE, FAKE_SHARED,
				       FAKE_HOLE, FAKE_FRAMES, ~0ull};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint64_t frames[] = {FAKE_FREE, bad[i]};

		assert_int_equal(set_gdt(m, 2, frames, 1024), -XEN_EINVAL);
		assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 2, 0);
	}
	assert_int_equal(m->asked[0].gdt, 0);
	assert_int_equal(pv_op_set_gdt(&m->vcpus[0], (uint64_t[6]){fake_va(FAKE_HOLE), 1}),
			 -XEN_EFAULT);
	assert_int_equal(pv_op_set_gdt(&m->vcpus[0], (uint64_t[6]){fake_va(FAKE_HOLE), 0}), 0);
}

static void a_gdt_is_not_written(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t frames[] = {FAKE_FREE};

	assert_int_equal(set_gdt(m, 1, frames, 1), 0);
	assert_int_equal(fake_remap(m, FAKE_FREE, FAKE_RW), -XEN_EBUSY);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_CLEAR_PAGE, FAKE_FREE, 0), -XEN_EINVAL);
	assert_int_equal(set_gdt(m, 0, frames, 0), 0);
	assert_int_equal(fake_remap(m, FAKE_FREE, FAKE_RW), 0);
	/* It is looked at again. */
	fake_table(m, FAKE_FREE)[0] = 1ull << 47 | 1ull << 40;
	assert_int_equal(fake_remap(m, FAKE_FREE, FAKE_RO), 0);
	assert_int_equal(set_gdt(m, 1, frames, 1), -XEN_EINVAL);
}

static void an_ldt(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_FREE), 1000), 0);
	assert_int_equal(v->ldt_base, fake_va(FAKE_FREE));
	assert_int_equal(v->ldt_entries, 1000);
	assert_int_equal(m->asked[0].ldt, 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 2, 0);
	/* The same again is nothing. */
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_FREE), 1000), 0);
	assert_int_equal(m->asked[0].ldt, 1);
	assert_true(pv_map_ldt_page(v, 999 * 8));
	assert_int_equal(v->ldt_mapped, 2);
	assert_int_equal(v->ldt_frames[1], FAKE_FREE + 1);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_DESCRIPTORS, 3, 1);
	assert_int_equal(m->asked[0].ldt, 2);
	assert_false(pv_map_ldt_page(v, 999 * 8));
	assert_false(pv_map_ldt_page(v, 1000 * 8));
	assert_true(pv_map_ldt_page(v, 0));
	fake_check(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_FREE), 0), 0);
	assert_int_equal(v->ldt_mapped, 0);
	assert_int_equal(v->ldt_base, 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 2, 0);
	assert_false(pv_map_ldt_page(v, 0));
}

static void ldts_that_are_refused(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(0), 8193), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(0) + 8, 1), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, 1ull << 47, 1), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, PV_HYPER_START, 1), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(0), 8192), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, 1ull << 47 | 1, 0), 0);
}

static void pages_that_are_no_ldt(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	fake_table(m, FAKE_FREE)[5] = 1ull << 47 | 14ull << 40;
	fake_remap(m, FAKE_FREE + 1, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_FREE), 1024), 0);
	assert_false(pv_map_ldt_page(v, 0));
	assert_false(pv_map_ldt_page(v, PV_PAGE_SIZE));
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_L1), 512), 0);
	assert_false(pv_map_ldt_page(v, 0));
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, 1ull << 46, 512), 0);
	assert_false(pv_map_ldt_page(v, 0));
	/* An LDT that goes on where there are no addresses. */
	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, (1ull << 47) - PV_PAGE_SIZE, 1024), 0);
	assert_false(pv_map_ldt_page(v, PV_PAGE_SIZE));
	assert_int_equal(v->ldt_mapped, 0);
}

static void an_ldt_goes_with_the_base_pointer(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	assert_int_equal(fake_mmuext(m, MMUEXT_SET_LDT, fake_va(FAKE_FREE + 20), 1), 0);
	assert_true(pv_map_ldt_page(v, 0));
	assert_int_equal(fake_mmuext(m, MMUEXT_NEW_BASEPTR, FAKE_L4, 0), 0);
	assert_int_equal(v->ldt_mapped, 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_NEW_BASEPTR, FAKE_FREE, 0), 0);
	assert_int_equal(v->ldt_mapped, 0);
	assert_int_equal(v->ldt_entries, 1);
	assert_frame(m, FAKE_FREE + 20, PV_TYPE_DESCRIPTORS, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_gdt),
		PV_TEST(the_largest_gdt),
		PV_TEST(gdts_that_are_refused),
		PV_TEST(a_gdt_is_not_written),
		PV_TEST(an_ldt),
		PV_TEST(ldts_that_are_refused),
		PV_TEST(pages_that_are_no_ldt),
		PV_TEST(an_ldt_goes_with_the_base_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
