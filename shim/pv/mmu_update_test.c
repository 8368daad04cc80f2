// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_mmu_update: commands, whose tables and frames, how much of a list is done. */
#include "shim/pv/fake_test.h"

#include <string.h>

#define LIST_MAX 8
#define GOES_ON  0x80000000u

static uint64_t at(uint64_t table, unsigned index)
{
	return table * PV_PAGE_SIZE + index * sizeof(uint64_t);
}

/* What is outside: a list, and after it the number that are done. */
static struct mmu_update *list(struct fake_machine *m)
{
	return (struct mmu_update *)(void *)m->outside;
}

#define DONE_OFFSET (LIST_MAX * sizeof(struct mmu_update))

static unsigned *done(struct fake_machine *m)
{
	return (unsigned *)(void *)(m->outside + DONE_OFFSET);
}

static long call(struct fake_machine *m, uint64_t where, unsigned count, uint64_t foreign)
{
	const uint64_t args[6] = {where, count, FAKE_OUTSIDE + DONE_OFFSET, foreign};

	return pv_op_mmu_update(&m->vcpus[0], args);
}

static long call_list(struct fake_machine *m, unsigned count, uint64_t foreign)
{
	*done(m) = 77;
	return call(m, FAKE_OUTSIDE, count, foreign);
}

static void a_list(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < 3; i++)
		list(m)[i] = (struct mmu_update){at(FAKE_L1, 110 + i),
						 pv_pte_make(FAKE_FREE + i, FAKE_RW)};
	assert_int_equal(call_list(m, 3, DOMID_SELF), 0);
	assert_int_equal(*done(m), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_frame(m, FAKE_FREE + i, PV_TYPE_WRITABLE, 3, 1);
}

static void a_list_with_a_bad_one(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < 3; i++)
		list(m)[i] = (struct mmu_update){at(FAKE_L1, 110 + i),
						 pv_pte_make(FAKE_FREE + i, FAKE_RW)};
	list(m)[1].val = pv_pte_make(FAKE_L1, FAKE_RW);
	assert_int_equal(call_list(m, 3, DOMID_SELF), -XEN_EBUSY);
	assert_int_equal(*done(m), 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 3, 1);
	assert_frame(m, FAKE_FREE + 2, PV_TYPE_NONE, 2, 0);
}

static void an_empty_list(void **state)
{
	assert_int_equal(call_list(*state, 0, DOMID_SELF), 0);
	assert_int_equal(*done(*state), 0);
}

static void nobody_wants_to_know(void **state)
{
	const uint64_t args[6] = {FAKE_OUTSIDE, 1, 0, DOMID_SELF};

	list(*state)[0] = (struct mmu_update){at(FAKE_L1, 110), 0};
	assert_int_equal(pv_op_mmu_update(&((struct fake_machine *)*state)->vcpus[0], args), 0);
}

/* A call of Xen's own that goes on: it counts from where it was. */
static void a_list_that_goes_on(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t last[6] = {0, GOES_ON, 0, (uint32_t)-XEN_EBUSY};

	list(m)[0] = (struct mmu_update){at(FAKE_L1, 110), 0};
	*done(m) = 5;
	assert_int_equal(call(m, FAKE_OUTSIDE, 1 | GOES_ON, DOMID_SELF), 0);
	assert_int_equal(*done(m), 6);
	assert_int_equal(pv_op_mmu_update(&m->vcpus[0], last), -XEN_EBUSY);
}

static void lists_that_cannot_be_read(void **state)
{
	static const uint64_t bad[] = {PV_HYPER_START, PV_HYPER_END - 16, 1ull << 47, 1ull << 63};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		*done(m) = 77;
		assert_int_equal(call(m, bad[i], 1, DOMID_SELF), -XEN_EFAULT);
		assert_int_equal(*done(m), 77);
	}
	/* An address of the guest's with nothing there: none is done. */
	assert_int_equal(call(m, fake_va(FAKE_HOLE), 1, DOMID_SELF), -XEN_EFAULT);
	assert_int_equal(*done(m), 0);
}

static void a_list_that_ends_early(void **state)
{
	struct fake_machine *m = *state;
	uint64_t last = fake_va(FAKE_WRITABLE + 1) - sizeof(struct mmu_update);
	struct mmu_update u = {at(FAKE_L1, 110), 0};

	fake_remap(m, FAKE_WRITABLE + 1, 0);
	memcpy((uint8_t *)fake_table(m, FAKE_WRITABLE + 1) - sizeof(u), &u, sizeof(u));
	*done(m) = 77;
	assert_int_equal(call(m, last, 2, DOMID_SELF), -XEN_EFAULT);
	assert_int_equal(*done(m), 1);
}

static void commands(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned command = 4; command < 8; command++)
		assert_int_equal(fake_mmu_update(m, at(FAKE_L1, 110) | command, 0), -XEN_ENOSYS);
	assert_int_equal(fake_mmu_update(m, at(FAKE_L1, 110) | MMU_PT_UPDATE_NO_TRANSLATE,
					 pv_pte_make(FAKE_FREE, FAKE_RO)),
			 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 3, 0);
}

static void accessed_and_dirty(void **state)
{
	struct fake_machine *m = *state;
	uint64_t *entry = &fake_table(m, FAKE_L1)[FAKE_WRITABLE];

	*entry |= PV_PTE_AD;
	assert_int_equal(fake_mmu_update(m, at(FAKE_L1, FAKE_WRITABLE) | MMU_PT_UPDATE_PRESERVE_AD,
					 pv_pte_make(FAKE_WRITABLE, PV_PTE_PRESENT | PV_PTE_RW)),
			 0);
	assert_int_equal(*entry & PV_PTE_AD, PV_PTE_AD);
	assert_int_equal(fake_mmu_update(m, at(FAKE_L1, FAKE_WRITABLE),
					 pv_pte_make(FAKE_WRITABLE, PV_PTE_PRESENT | PV_PTE_RW)),
			 0);
	assert_int_equal(*entry & PV_PTE_AD, 0);
}

/* Flags that mean nothing to the counts change although a new reference could not be had. */
static void flags_change_without_a_new_reference(void **state)
{
	struct fake_machine *m = *state;

	fake_give_up(m, FAKE_WRITABLE);
	assert_int_equal(m->frames[FAKE_WRITABLE].refs, 1);
	m->frames[FAKE_WRITABLE].refs = UINT32_MAX;
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RW | PV_PTE_NX | PV_PTE_AVAIL), 0);
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RO), -XEN_EBUSY);
	m->frames[FAKE_WRITABLE].refs = 1;
}

static void frames_that_are_not_the_domains(void **state)
{
	static const uint64_t bad[] = {0, FAKE_UNALLOCATED, FAKE_HOLE, FAKE_FRAMES, 1ull << 40};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fake_mmu_update(m, at(bad[i], 0), 0), -XEN_EINVAL);
		assert_int_equal(fake_mmu_update(m, at(bad[i], 0) | MMU_MACHPHYS_UPDATE, 0),
				 -XEN_EINVAL);
	}
}

static void data(void **state)
{
	struct fake_machine *m = *state;

	/* Mapped writable, read-only, and the hypervisor's: any value is right. */
	assert_int_equal(fake_update(m, FAKE_WRITABLE, 3, ~0ull), 0);
	assert_int_equal(fake_table(m, FAKE_WRITABLE)[3], ~0ull);
	assert_int_equal(fake_update(m, FAKE_FREE, 3, ~0ull), 0);
	assert_int_equal(fake_table(m, FAKE_FREE)[3], ~0ull);
	assert_frame(m, FAKE_FREE, PV_TYPE_WRITABLE, 2, 0);
	assert_int_equal(fake_update(m, FAKE_SHARED, 3, 1), 0);
}

static void descriptors_are_no_data(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(pv_set_gdt(&m->vcpus[0], (uint64_t[]){FAKE_FREE}, 1), 0);
	assert_int_equal(fake_update(m, FAKE_FREE, 3, 0), -XEN_EINVAL);
	assert_int_equal(pv_set_gdt(&m->vcpus[0], NULL, 0), 0);
	assert_int_equal(fake_update(m, FAKE_FREE, 3, 0), 0);
}

static void machine_to_physical(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_mmu_update(m, at(FAKE_FREE, 0) | MMU_MACHPHYS_UPDATE, 0x1234567), 0);
	assert_int_equal(m->m2p[FAKE_FREE], 0x1234567);
	assert_int_equal(fake_mmu_update(m, at(FAKE_SHARED, 0) | MMU_MACHPHYS_UPDATE, 1), 0);
}

static void whose_frames(void **state)
{
	struct fake_machine *m = *state;

	list(m)[0] = (struct mmu_update){at(FAKE_L1, 110), pv_pte_make(FAKE_FREE, FAKE_RO)};
	assert_int_equal(call_list(m, 1, FAKE_DOMID), -XEN_ESRCH);
	assert_int_equal(*done(m), 0);
	assert_int_equal(call_list(m, 1, 7), -XEN_ESRCH);
	assert_int_equal(call_list(m, 1, 0), -XEN_EPERM);
	assert_int_equal(call_list(m, 1, DOMID_XEN), -XEN_EPERM);
	assert_int_equal(call_list(m, 0, DOMID_XEN), 0);
	list(m)[0].ptr |= 7;
	assert_int_equal(call_list(m, 1, DOMID_XEN), -XEN_ENOSYS);
}

static void nobodys_frames(void **state)
{
	struct fake_machine *m = *state;

	list(m)[0] = (struct mmu_update){at(FAKE_L1, 110), pv_pte_make(FAKE_FREE, FAKE_RO)};
	assert_int_equal(call_list(m, 1, DOMID_IO), -XEN_EBUSY);
	list(m)[0].val = pv_pte_make(FAKE_FRAMES, FAKE_RO);
	assert_int_equal(call_list(m, 1, DOMID_IO), -XEN_EPERM);
	list(m)[0].val = 0;
	assert_int_equal(call_list(m, 1, DOMID_IO), 0);
	list(m)[0].ptr = at(FAKE_L2, 1);
	assert_int_equal(call_list(m, 1, DOMID_IO), -XEN_EINVAL);
	list(m)[0].ptr = at(FAKE_L1, 1) | MMU_MACHPHYS_UPDATE;
	assert_int_equal(call_list(m, 1, DOMID_IO), -XEN_EINVAL);
}

static uint64_t tables_of(uint64_t domid)
{
	return (domid + 1) << 16 | DOMID_SELF;
}

static void whose_tables(void **state)
{
	struct fake_machine *m = *state;

	list(m)[0] = (struct mmu_update){at(FAKE_L1, 110), 0};
	assert_int_equal(call_list(m, 1, tables_of(FAKE_DOMID)), 0);
	assert_int_equal(call_list(m, 1, tables_of(0)), -XEN_EPERM);
	assert_int_equal(*done(m), 0);
	assert_int_equal(call_list(m, 1, tables_of(7)), -XEN_ESRCH);
	assert_int_equal(*done(m), 77);
	assert_int_equal(call_list(m, 1, tables_of(DOMID_SELF)), -XEN_ESRCH);
}

/* What an upper entry held goes with it, and what a new one wants comes. */
static void a_subtree(void **state)
{
	struct fake_machine *m = *state;

	fake_build_tree(m, FAKE_FREE, FAKE_RW, FAKE_FREE + 10);
	assert_int_equal(fake_update(m, FAKE_L4, 3, pv_pte_make(FAKE_FREE + 1, FAKE_TABLE_FLAGS)),
			 0);
	assert_frame(m, FAKE_FREE + 3, PV_TYPE_L1, 3, 1);
	assert_frame(m, FAKE_FREE + 10, PV_TYPE_WRITABLE, 3, 1);
	assert_int_equal(fake_update(m, FAKE_L4, 3, 0), 0);
	assert_frame(m, FAKE_FREE + 3, PV_TYPE_L1, 2, 0);
	assert_frame(m, FAKE_FREE + 10, PV_TYPE_WRITABLE, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_list),
		PV_TEST(a_list_with_a_bad_one),
		PV_TEST(an_empty_list),
		PV_TEST(nobody_wants_to_know),
		PV_TEST(a_list_that_goes_on),
		PV_TEST(lists_that_cannot_be_read),
		PV_TEST(a_list_that_ends_early),
		PV_TEST(commands),
		PV_TEST(accessed_and_dirty),
		PV_TEST(flags_change_without_a_new_reference),
		PV_TEST(frames_that_are_not_the_domains),
		PV_TEST(data),
		PV_TEST(descriptors_are_no_data),
		PV_TEST(machine_to_physical),
		PV_TEST(whose_frames),
		PV_TEST(nobodys_frames),
		PV_TEST(whose_tables),
		PV_TEST(a_subtree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
