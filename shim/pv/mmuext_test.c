// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_mmuext_op: what is not pins (pin_test.c), base pointers (roots_test.c), the LDT. */
#include "shim/pv/fake_test.h"

#include <string.h>

static long call(struct fake_machine *m, uint64_t where, unsigned count, uint64_t done,
		 uint64_t foreign)
{
	const uint64_t args[6] = {where, count, done, foreign};

	return pv_op_mmuext(&m->vcpus[0], args);
}

static void a_list(void **state)
{
	struct fake_machine *m = *state;
	struct mmuext_op ops[3] = {
		{.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = FAKE_FREE},
		{.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = FAKE_HOLE},
		{.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = FAKE_FREE + 1},
	};
	unsigned *done = (unsigned *)(void *)(m->outside + 1024);

	memcpy(m->outside, ops, sizeof(ops));
	assert_int_equal(call(m, FAKE_OUTSIDE, 3, FAKE_OUTSIDE + 1024, DOMID_SELF), -XEN_EINVAL);
	assert_int_equal(*done, 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_L1, 3, 1);
	assert_frame(m, FAKE_FREE + 1, PV_TYPE_NONE, 2, 0);
	assert_int_equal(call(m, FAKE_OUTSIDE, 0, FAKE_OUTSIDE + 1024, DOMID_SELF), 0);
	assert_int_equal(*done, 0);
	*done = 3;
	ops[0].cmd = MMUEXT_UNPIN_TABLE;
	memcpy(m->outside, ops, sizeof(ops[0]));
	assert_int_equal(call(m, FAKE_OUTSIDE, 0x80000001u, FAKE_OUTSIDE + 1024, DOMID_SELF), 0);
	assert_int_equal(*done, 4);
	assert_int_equal(call(m, 0, 0x80000000u, 0, (uint32_t)-XEN_EINVAL), -XEN_EINVAL);
}

static void lists_that_cannot_be_read(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(call(m, PV_HYPER_START, 1, 0, DOMID_SELF), -XEN_EFAULT);
	assert_int_equal(call(m, 1ull << 47, 1, 0, DOMID_SELF), -XEN_EFAULT);
	assert_int_equal(call(m, fake_va(FAKE_HOLE), 1, 0, DOMID_SELF), -XEN_EFAULT);
}

static void whose_frames(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(call(m, FAKE_OUTSIDE, 0, 0, FAKE_DOMID), -XEN_ESRCH);
	assert_int_equal(call(m, FAKE_OUTSIDE, 0, 0, 7), -XEN_ESRCH);
	assert_int_equal(call(m, FAKE_OUTSIDE, 0, 0, 0), -XEN_EPERM);
	assert_int_equal(call(m, FAKE_OUTSIDE, 0, 0, DOMID_IO), -XEN_EPERM);
	assert_int_equal(call(m, FAKE_OUTSIDE, 0, 0, DOMID_XEN), -XEN_EPERM);
}

static void operations_that_are_refused(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_mmuext(m, MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
	assert_int_equal(fake_mmuext(m, MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_MARK_SUPER, FAKE_FREE, 0), -XEN_EOPNOTSUPP);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNMARK_SUPER, FAKE_FREE, 0), -XEN_EOPNOTSUPP);
	assert_int_equal(fake_mmuext(m, 14, 0, 0), -XEN_ENOSYS);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNMARK_SUPER + 1, 0, 0), -XEN_ENOSYS);
	assert_int_equal(fake_mmuext(m, ~0u, 0, 0), -XEN_ENOSYS);
	assert_int_equal(m->asked[0].caches, 0);
}

static void all_translations(void **state)
{
	struct fake_machine *m = *state;
	const struct fake_asked *a = m->asked;

	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	assert_int_equal(a[0].flush_all, 1);
	assert_int_equal(a[1].flush_all, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	assert_int_equal(a[0].flush_all, 2);
	assert_int_equal(a[1].flush_all, 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_MULTI, 0, fake_mask(m, ~1ull)), 0);
	assert_int_equal(a[0].flush_all, 2);
	assert_int_equal(a[1].flush_all, 2);
	assert_int_equal(a[2].flush_all, 0); /* not up */
	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_MULTI, 0, 0), -XEN_EINVAL);
	assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_MULTI, 0, PV_HYPER_START), -XEN_EINVAL);
}

static void translations_of_a_page(void **state)
{
	struct fake_machine *m = *state;
	const struct fake_asked *a = m->asked;

	assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_LOCAL, 0x1000, 0), 0);
	assert_int_equal(a[0].flush_page, 1);
	assert_int_equal(a[0].va, 0x1000);
	assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_ALL, 0x2000, 0), 0);
	assert_int_equal(a[1].va, 0x2000);
	assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_MULTI, 0x3000, fake_mask(m, 2)), 0);
	assert_int_equal(a[0].va, 0x2000);
	assert_int_equal(a[1].va, 0x3000);
	assert_int_equal(a[0].flush_page, 2);
}

/* Addresses that are none are not an error. */
static void translations_of_no_page(void **state)
{
	static const uint64_t bad[] = {1ull << 47, PV_HYPER_START - 1};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_LOCAL, bad[i], 0), 0);
		assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_ALL, bad[i], 0), 0);
		assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_MULTI, bad[i], fake_mask(m, 3)), 0);
	}
	assert_int_equal(fake_mmuext(m, MMUEXT_INVLPG_ALL, PV_HYPER_START, 0), 0);
	assert_int_equal(m->asked[0].flush_page + m->asked[1].flush_page, 0);
}

static void whole_pages(void **state)
{
	struct fake_machine *m = *state;

	memset(fake_table(m, FAKE_FREE), 0x55, PV_PAGE_SIZE);
	assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, FAKE_WRITABLE, FAKE_FREE), 0);
	assert_memory_equal(fake_table(m, FAKE_WRITABLE), fake_table(m, FAKE_FREE), PV_PAGE_SIZE);
	assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, FAKE_FREE, FAKE_FREE), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_CLEAR_PAGE, FAKE_FREE, 0), 0);
	assert_int_equal(fake_table(m, FAKE_FREE)[511], 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 2, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, FAKE_FREE, FAKE_L1), 0);
	assert_memory_equal(fake_table(m, FAKE_FREE), fake_table(m, FAKE_L1), PV_PAGE_SIZE);
}

static void whole_pages_that_are_not_to_be_had(void **state)
{
	static const uint64_t bad[] = {0, FAKE_L1, FAKE_UNALLOCATED, FAKE_HOLE, ~0ull};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fake_mmuext(m, MMUEXT_CLEAR_PAGE, bad[i], 0), -XEN_EINVAL);
		assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, bad[i], FAKE_FREE), -XEN_EINVAL);
		if (bad[i] != FAKE_L1)
			assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, FAKE_FREE, bad[i]),
					 -XEN_EINVAL);
	}
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_list),
		PV_TEST(lists_that_cannot_be_read),
		PV_TEST(whose_frames),
		PV_TEST(operations_that_are_refused),
		PV_TEST(all_translations),
		PV_TEST(translations_of_a_page),
		PV_TEST(translations_of_no_page),
		PV_TEST(whole_pages),
		PV_TEST(whole_pages_that_are_not_to_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
