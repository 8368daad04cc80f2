// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_update_va_mapping, and whose translations it has forgotten. */
#include "shim/pv/fake_test.h"

static long update(struct fake_machine *m, uint64_t va, uint64_t value, uint64_t flags)
{
	const uint64_t args[6] = {va, value, flags};

	return pv_op_update_va_mapping(&m->vcpus[0], args);
}

static long update_free(struct fake_machine *m, uint64_t flags)
{
	return update(m, fake_va(FAKE_FREE), pv_pte_make(FAKE_FREE, FAKE_RO), flags);
}

static long update_of(struct fake_machine *m, uint64_t domid)
{
	const uint64_t args[6] = {fake_va(FAKE_FREE), pv_pte_make(FAKE_FREE, FAKE_RO), 0, domid};

	return pv_op_update_va_mapping_otherdomain(&m->vcpus[0], args);
}

static void a_mapping(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(update(m, fake_va(FAKE_FREE), pv_pte_make(FAKE_FREE, FAKE_RW), 0), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 2, 1);
	assert_int_equal(fake_table(m, FAKE_L1)[FAKE_FREE],
			 pv_pte_make(FAKE_FREE, FAKE_RW | PV_PTE_GLOBAL));
	assert_int_equal(update(m, fake_va(FAKE_FREE) + 0x123, 0, 0), 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 1, 0);
}

static void errnos_of_the_entry(void **state)
{
	struct fake_machine *m = *state;
	uint64_t va = fake_va(FAKE_FREE);

	assert_int_equal(update(m, va, pv_pte_make(FAKE_L1, FAKE_RW), 0), -XEN_EBUSY);
	assert_int_equal(update(m, va, pv_pte_make(FAKE_FRAMES, FAKE_RW), 0), -XEN_EPERM);
	assert_int_equal(update(m, va, pv_pte_make(FAKE_FREE, FAKE_RW | PV_PTE_PCD), 0),
			 -XEN_EINVAL);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 2, 0);
}

static void addresses_without_a_table(void **state)
{
	static const uint64_t bad[] = {
		0,
		1ull << 47,
		PV_HYPER_START - 1,
		PV_HYPER_START,
		PV_M2P_VIRT,
		PV_HYPER_END - 1,
		PV_HYPER_END,
		FAKE_BASE + (1ull << 21),
		FAKE_BASE + (1ull << 30),
		FAKE_BASE + (1ull << 39),
		~0ull,
		1ull << 63,
	};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(update(m, bad[i], 0, UVMF_TLB_FLUSH | UVMF_ALL), -XEN_EINVAL);
		assert_int_equal(m->asked[0].flush_all, 0);
	}
}

/* By a root that maps itself, upper tables are found where L1 tables are: these are not changed. */
static void through_a_linear_table(void **state)
{
	struct fake_machine *m = *state;
	uint64_t self = 300, va = 0xffffull << 48 | self << 39;

	assert_int_equal(fake_update(m, FAKE_L4, self, pv_pte_make(FAKE_L4, FAKE_RO)), 0);
	assert_int_equal(update(m, va | self << 30 | self << 21 | 273ull << 12, 0, 0), -XEN_EINVAL);
	assert_int_equal(update(m, va | self << 30 | 273ull << 21, 0, 0), -XEN_EINVAL);
	assert_int_equal(update(m, va | self << 30 | self << 21 | 256ull << 12, 0, 0), -XEN_EINVAL);
	/* The hypervisor's slots as upper tables, wherever they lead: nothing of the guest's. */
	for (uint64_t i = PV_L4_FIRST; i <= PV_L4_LAST; i++) {
		fake_table(m, FAKE_HOLE + i - PV_L4_FIRST)[0] =
			pv_pte_make(FAKE_L1, FAKE_TABLE_FLAGS);
		assert_int_equal(update(m, va | self << 30 | i << 21, 0, 0), -XEN_EINVAL);
		assert_int_equal(update(m, va | i << 30, 0, 0), -XEN_EINVAL);
	}
}

static void whose_translations(void **state)
{
	struct fake_machine *m = *state;
	const struct fake_asked *a = m->asked;
	uint64_t mask = fake_mask(m, 6);

	assert_int_equal(update_free(m, UVMF_NONE), 0);
	assert_int_equal(update_free(m, UVMF_NONE | UVMF_ALL), 0);
	assert_int_equal(update_free(m, UVMF_FLUSHTYPE_MASK), 0);
	assert_int_equal(a[0].flush_all + a[0].flush_page + a[1].flush_all + a[1].flush_page, 0);
	assert_int_equal(update_free(m, UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
	assert_int_equal(a[0].flush_all, 1);
	assert_int_equal(a[1].flush_all, 0);
	assert_int_equal(update_free(m, UVMF_TLB_FLUSH | UVMF_ALL), 0);
	assert_int_equal(a[0].flush_all, 2);
	assert_int_equal(a[1].flush_all, 1);
	assert_int_equal(a[2].flush_all, 0); /* not up */
	assert_int_equal(update_free(m, UVMF_TLB_FLUSH | UVMF_MULTI | mask), 0);
	assert_int_equal(a[0].flush_all, 2);
	assert_int_equal(a[1].flush_all, 2);
	assert_int_equal(a[2].flush_all, 0);
	assert_int_equal(update_free(m, UVMF_INVLPG | UVMF_LOCAL), 0);
	assert_int_equal(a[0].flush_page, 1);
	assert_int_equal(a[0].va, fake_va(FAKE_FREE));
	assert_int_equal(update_free(m, UVMF_INVLPG | UVMF_ALL), 0);
	assert_int_equal(update_free(m, UVMF_INVLPG | UVMF_MULTI | mask), 0);
	assert_int_equal(a[0].flush_page, 2);
	assert_int_equal(a[1].flush_page, 2);
	assert_int_equal(a[2].flush_page, 0);
}

/* The mapping has changed all the same. */
static void a_mask_that_cannot_be_read(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(update(m, fake_va(FAKE_FREE), 0, UVMF_INVLPG | fake_va(FAKE_HOLE)),
			 -XEN_EFAULT);
	assert_int_equal(update_free(m, UVMF_TLB_FLUSH | PV_HYPER_START), -XEN_EFAULT);
	assert_int_equal(m->asked[0].flush_all + m->asked[0].flush_page, 0);
	assert_int_equal(fake_table(m, FAKE_L1)[FAKE_FREE],
			 pv_pte_make(FAKE_FREE, FAKE_RO | PV_PTE_GLOBAL));
}

static void whose_frames(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(update_of(m, DOMID_SELF), 0);
	assert_int_equal(update_of(m, FAKE_DOMID), -XEN_ESRCH);
	assert_int_equal(update_of(m, 7), -XEN_ESRCH);
	assert_int_equal(update_of(m, 0), -XEN_EPERM);
	assert_int_equal(update_of(m, DOMID_IO), -XEN_EPERM);
	assert_int_equal(update_of(m, DOMID_XEN), -XEN_EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_mapping),
		PV_TEST(errnos_of_the_entry),
		PV_TEST(addresses_without_a_table),
		PV_TEST(through_a_linear_table),
		PV_TEST(whose_translations),
		PV_TEST(a_mask_that_cannot_be_read),
		PV_TEST(whose_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
