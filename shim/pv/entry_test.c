// SPDX-License-Identifier: BSD-2-Clause
/* Plain writes of the guest's to page tables, that the monitor does for it; finding entries. */
#include "shim/pv/fake_test.h"

static uint64_t *entry(struct fake_machine *m)
{
	return &fake_table(m, FAKE_L1)[FAKE_FREE];
}

static int write_entry(struct fake_machine *m, uint64_t *expected, uint64_t value)
{
	return pv_write_entry(&m->vcpus[0], FAKE_L1, FAKE_FREE, expected, value);
}

static void a_write(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(
		write_entry(m, NULL, pv_pte_make(FAKE_FREE + 1, PV_PTE_PRESENT | PV_PTE_RW)), 0);
	assert_int_equal(*entry(m),
			 pv_pte_make(FAKE_FREE + 1, PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER |
							    PV_PTE_GUEST_KERNEL));
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 1, 0);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_WRITABLE, 3, 1);
	assert_int_equal(write_entry(m, NULL, 0x55 << 1), 0);
	assert_int_equal(*entry(m), 0x55 << 1);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_WRITABLE, 2, 0);
}

static void a_compare_and_exchange(void **state)
{
	struct fake_machine *m = *state;
	uint64_t is = *entry(m), expected = is;

	assert_int_equal(write_entry(m, &expected, 0), 0);
	assert_int_equal(*entry(m), 0);
	expected = 1;
	assert_int_equal(write_entry(m, &expected, is), -XEN_EAGAIN);
	assert_int_equal(expected, 0);
	assert_int_equal(*entry(m), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 1, 0);
	assert_int_equal(write_entry(m, &expected, is), 0);
	assert_int_equal(*entry(m), is);
}

static void writes_that_are_the_guests_fault(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];
	uint64_t is = *entry(m);

	assert_int_equal(write_entry(m, NULL, pv_pte_make(FAKE_L1, FAKE_RW)), -XEN_EBUSY);
	assert_int_equal(write_entry(m, NULL, pv_pte_make(FAKE_FRAMES, FAKE_RW)), -XEN_EPERM);
	assert_int_equal(write_entry(m, NULL, pv_pte_make(FAKE_FREE, FAKE_RW | PV_PTE_PSE)),
			 -XEN_EINVAL);
	assert_int_equal(*entry(m), is);
	for (uint64_t table = FAKE_L4; table < FAKE_L1; table++)
		assert_int_equal(pv_write_entry(v, table, 100, NULL, 0), -XEN_EINVAL);
	assert_int_equal(pv_write_entry(v, FAKE_FREE, 100, NULL, 0), -XEN_EINVAL);
	assert_int_equal(pv_write_entry(v, FAKE_WRITABLE, 100, NULL, 0), -XEN_EINVAL);
	assert_int_equal(pv_write_entry(v, FAKE_FRAMES, 100, NULL, 0), -XEN_EINVAL);
}

static void finding(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];
	uint64_t table = 0;
	unsigned index = 0;

	assert_true(pv_find_entry(v, fake_va(FAKE_FREE) + 5, &table, &index));
	assert_int_equal(table, FAKE_L1);
	assert_int_equal(index, FAKE_FREE);
	assert_true(pv_find_entry(v, fake_va(500), &table, &index)); /* an entry that is none */
	assert_int_equal(index, 500);
	assert_false(pv_find_entry(v, fake_va(512), &table, &index));
	assert_false(pv_find_entry(v, PV_M2P_VIRT, &table, &index));
	assert_false(pv_find_entry(v, 1ull << 47, &table, &index));
}

/* It is the kernel's, whatever is in use. */
static void finding_from_user_mode(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];
	uint64_t table;
	unsigned index;

	assert_int_equal(fake_mmuext(m, MMUEXT_NEW_USER_BASEPTR, FAKE_FREE, 0), 0);
	v->kernel_mode = false;
	assert_true(pv_find_entry(v, fake_va(FAKE_FREE), &table, &index));
	assert_int_equal(table, FAKE_L1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_write),
		PV_TEST(a_compare_and_exchange),
		PV_TEST(writes_that_are_the_guests_fault),
		PV_TEST(finding),
		PV_TEST(finding_from_user_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
