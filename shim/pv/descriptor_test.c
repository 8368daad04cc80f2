// SPDX-License-Identifier: BSD-2-Clause
/* Descriptors that a guest may have, in a page of them and by HYPERVISOR_update_descriptor. */
#include "shim/pv/fake_test.h"

#define PRESENT (1ull << 47)
#define USER    (1ull << 44)
#define DPL(n)  ((uint64_t)(n) << 45)
#define TYPE(n) ((uint64_t)(n) << 40)
#define LONG    (1ull << 53)

/* A call gate to a selector. */
#define GATE(selector) (PRESENT | TYPE(12) | (uint64_t)(selector) << 16 | 0x1234)

static long update(struct fake_machine *m, uint64_t address, uint64_t d)
{
	const uint64_t args[6] = {address, d};

	return pv_op_update_descriptor(&m->vcpus[0], args);
}

static uint64_t address(uint64_t mfn, unsigned index)
{
	return mfn * PV_PAGE_SIZE + index * 8;
}

static void check(uint64_t d, bool allowed, uint64_t becomes)
{
	assert_int_equal(pv_check_descriptor(&d), allowed);
	if (allowed)
		assert_int_equal(d, becomes);
}

static void code_and_data(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 16; type++)
		for (unsigned dpl = 0; dpl < 4; dpl++)
			check(PRESENT | USER | LONG | TYPE(type) | DPL(dpl), true,
			      PRESENT | USER | LONG | TYPE(type) | DPL(3));
}

static void not_present(void **state)
{
	(void)state;
	check(0, true, 0);
	check(~PRESENT, true, ~PRESENT);
}

static void of_the_system(void **state)
{
	(void)state;
	for (unsigned type = 1; type < 16; type++)
		if (type != 12)
			check(PRESENT | TYPE(type) | DPL(3), false, 0);
	check(PRESENT | DPL(1), true, PRESENT | DPL(1));
}

static void call_gates(void **state)
{
	(void)state;
	check(GATE(0x10) | DPL(3), true, GATE(0x13));
	check(GATE(FIRST_RESERVED_GDT_ENTRY * 8 - 8), true,
	      GATE((FIRST_RESERVED_GDT_ENTRY * 8 - 8) | 3));
	check(GATE(FIRST_RESERVED_GDT_ENTRY * 8), false, 0);
	check(GATE(FLAT_KERNEL_CS), true, GATE(FLAT_KERNEL_CS));
	check(GATE(0xe030), false, 0);
	check(GATE(0xfffc), true, GATE(0xffff)); /* of the LDT */
	check(GATE(0x10) | 1ull << 32, false, 0);
	check(GATE(0x10) | 1ull << 39, false, 0);
}

static void an_update_of_data(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(update(m, address(FAKE_WRITABLE, 2), PRESENT | USER), 0);
	assert_int_equal(fake_table(m, FAKE_WRITABLE)[2], PRESENT | USER | DPL(3));
	assert_int_equal(update(m, address(FAKE_FREE, 511), 0), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 2, 0);
}

static void an_update_of_descriptors(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(pv_set_gdt(&m->vcpus[0], (uint64_t[]){FAKE_FREE}, 1), 0);
	assert_int_equal(update(m, address(FAKE_FREE, 2), PRESENT | USER), 0);
	assert_int_equal(fake_table(m, FAKE_FREE)[2], PRESENT | USER | DPL(3));
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 3, 1);
	assert_int_equal(pv_set_gdt(&m->vcpus[0], NULL, 0), 0);
	assert_int_equal(update(m, address(FAKE_FREE, 2), 0), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 2, 0);
}

static void updates_that_are_refused(void **state)
{
	static const uint64_t bad[] = {0,         FAKE_L1,   FAKE_L4, FAKE_UNALLOCATED,
				       FAKE_HOLE, 1ull << 40};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(update(m, address(bad[i], 2), 0), -XEN_EINVAL);
	assert_int_equal(update(m, address(FAKE_WRITABLE, 2) + 4, 0), -XEN_EINVAL);
	assert_int_equal(update(m, address(FAKE_WRITABLE, 2), PRESENT | TYPE(14)), -XEN_EINVAL);
	assert_int_equal(update(m, address(FAKE_WRITABLE, 2), GATE(0xe030)), -XEN_EINVAL);
}

static void a_page(void **state)
{
	struct fake_machine *m = *state;

	fake_table(m, FAKE_FREE)[511] = PRESENT | USER;
	assert_int_equal(pv_set_gdt(&m->vcpus[0], (uint64_t[]){FAKE_FREE}, 1), 0);
	assert_int_equal(fake_table(m, FAKE_FREE)[511], PRESENT | USER | DPL(3));
	fake_table(m, FAKE_FREE + 1)[511] = PRESENT | TYPE(14);
	assert_int_equal(pv_set_gdt(&m->vcpus[0], (uint64_t[]){FAKE_FREE + 1}, 1), -XEN_EINVAL);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_NONE, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(code_and_data),
		PV_TEST(not_present),
		PV_TEST(of_the_system),
		PV_TEST(call_gates),
		PV_TEST(an_update_of_data),
		PV_TEST(an_update_of_descriptors),
		PV_TEST(updates_that_are_refused),
		PV_TEST(a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
