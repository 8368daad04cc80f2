// SPDX-License-Identifier: BSD-2-Clause
/* Base pointers: MMUEXT_NEW_BASEPTR, MMUEXT_NEW_USER_BASEPTR, and the previous ones that are kept.
 */
#include "shim/pv/fake_test.h"

/* Roots that are empty but for the hypervisor's slots. */
enum { A = FAKE_FREE + 10, B, C, D, E };

static long base(struct fake_machine *m, uint64_t mfn)
{
	return fake_mmuext(m, MMUEXT_NEW_BASEPTR, mfn, 0);
}

static long user_base(struct fake_machine *m, uint64_t mfn)
{
	return fake_mmuext(m, MMUEXT_NEW_USER_BASEPTR, mfn, 0);
}

static void a_new_base(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	assert_int_equal(base(m, A), 0);
	assert_int_equal(v->roots.kernel, A);
	assert_frame(m, A, PV_TYPE_L4, 3, 1);
	assert_frame(m, FAKE_L4, PV_TYPE_L4, 4, 2);
	assert_int_equal(v->roots.previous[0], 0); /* a pin keeps it */
	assert_int_equal(m->asked[0].base, 1);
	assert_int_equal(m->asked[0].flush_all, 0); /* that forgets, too */
	/* The same again: loaded, not counted. */
	assert_int_equal(base(m, A), 0);
	assert_int_equal(m->asked[0].base, 2);
	assert_frame(m, A, PV_TYPE_L4, 3, 1);
}

static void bases_that_are_refused(void **state)
{
	static const uint64_t bad[] = {0,         FAKE_L3,     FAKE_WRITABLE,    FAKE_SHARED,
				       FAKE_HOLE, FAKE_FRAMES, FAKE_UNALLOCATED, ~0ull};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(base(m, bad[i]), -XEN_EINVAL);
		if (bad[i])
			assert_int_equal(user_base(m, bad[i]), -XEN_EINVAL);
	}
	fake_build_tree(m, A, FAKE_RW, FAKE_L1);
	assert_int_equal(base(m, A), -XEN_EBUSY);
	assert_int_equal(user_base(m, A), -XEN_EBUSY);
	assert_int_equal(m->vcpus[0].roots.kernel, FAKE_L4);
	assert_int_equal(m->vcpus[0].roots.user, 0);
	assert_int_equal(m->asked[0].base, 0);
}

static void a_new_user_base(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	assert_int_equal(user_base(m, A), 0);
	assert_int_equal(v->roots.user, A);
	assert_frame(m, A, PV_TYPE_L4, 3, 1);
	assert_int_equal(user_base(m, A), 0);
	assert_frame(m, A, PV_TYPE_L4, 3, 1);
	assert_int_equal(m->asked[0].base, 0);
	assert_int_equal(user_base(m, 0), 0);
	assert_int_equal(v->roots.user, 0);
	assert_int_equal(v->roots.previous[0], A);
}

static void previous_ones(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	for (uint64_t mfn = A; mfn <= D; mfn++)
		assert_int_equal(base(m, mfn), 0);
	assert_int_equal(v->roots.previous[0], C);
	assert_int_equal(v->roots.previous[1], B);
	assert_int_equal(v->roots.previous[2], A);
	fake_check(m);
	/* Back to one: it comes out, the current one goes to the front. */
	assert_int_equal(base(m, B), 0);
	assert_int_equal(v->roots.previous[0], D);
	assert_int_equal(v->roots.previous[1], C);
	assert_int_equal(v->roots.previous[2], A);
	/* One more: the oldest goes. */
	assert_int_equal(base(m, E), 0);
	assert_int_equal(v->roots.previous[0], B);
	assert_int_equal(v->roots.previous[2], C);
	assert_frame(m, A, PV_TYPE_L4, 2, 0);
	assert_frame(m, B, PV_TYPE_L4, 3, 1);
}

/* The user's go the same way, from one pointer to the other too. */
static void between_kernel_and_user(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];

	assert_int_equal(user_base(m, A), 0);
	assert_int_equal(user_base(m, B), 0);
	assert_int_equal(base(m, A), 0);
	assert_int_equal(v->roots.previous[0], 0);
	assert_int_equal(user_base(m, A), 0); /* in both: B is kept */
	assert_int_equal(v->roots.previous[0], B);
	assert_frame(m, A, PV_TYPE_L4, 4, 2);
	assert_int_equal(base(m, B), 0);
	assert_int_equal(v->roots.previous[0], 0);
}

static void keep_one(struct fake_machine *m)
{
	fake_build_tree(m, A, PV_PTE_PRESENT | PV_PTE_RW, FAKE_FREE);
	assert_int_equal(base(m, A), 0);
	assert_int_equal(base(m, FAKE_L4), 0);
	assert_int_equal(m->vcpus[0].roots.previous[0], A);
	assert_frame(m, A + 3, PV_TYPE_L1, 3, 1);
}

static void assert_forgotten(struct fake_machine *m)
{
	assert_int_equal(fake_mm(m)->idle_roots, 0);
	assert_int_equal(m->frames[A].refs, 2);
	assert_int_equal(m->frames[A].type_refs, 0);
}

/* Each call that could tell. */
static void what_forgets_them(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[0];
	const uint64_t mapping[6] = {fake_va(A), pv_pte_make(A, FAKE_RO), 0};
	const uint64_t descriptor[6] = {FAKE_WRITABLE << 12, 0};
	const uint64_t no_gdt[6] = {0};

	keep_one(m);
	assert_int_equal(fake_update(m, FAKE_L1, 100, 0), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(pv_op_update_va_mapping(v, mapping), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE + 2, 0), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE + 2, 0), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_CLEAR_PAGE, FAKE_FREE, 0), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(fake_mmuext(m, MMUEXT_COPY_PAGE, FAKE_FREE, FAKE_FREE), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(pv_op_update_descriptor(v, descriptor), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(pv_op_set_gdt(v, no_gdt), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_int_equal(pv_write_entry(v, FAKE_L1, 100, NULL, 0), 0);
	assert_forgotten(m);
	keep_one(m);
	assert_true(fake_give_up(m, FAKE_FREE + 20));
	assert_forgotten(m);
}

/* A page of a root that is kept is wanted as another type. */
static void a_frame_of_one_is_wanted(void **state)
{
	struct fake_machine *m = *state;

	keep_one(m);
	assert_int_equal(fake_remap(m, A + 3, FAKE_RW), 0);
	assert_frame(m, A + 3, PV_TYPE_WRITABLE, 2, 1);
	assert_int_equal(fake_remap(m, A + 3, FAKE_RO), 0);
	keep_one(m);
	/* By another root: A's L1 is its L2, A's page its L1. */
	fake_table(m, E)[0] = pv_pte_make(E + 1, FAKE_TABLE_FLAGS);
	fake_table(m, E + 1)[0] = pv_pte_make(A + 3, FAKE_TABLE_FLAGS);
	assert_int_equal(base(m, E), 0);
	assert_frame(m, A + 3, PV_TYPE_L2, 3, 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_L1, 3, 1);
	assert_forgotten(m);
}

/* A root that maps another is made to do without what is kept, and nothing is kept beside it. */
static void with_linear_tables(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t other = FAKE_FREE + 20;

	keep_one(m);
	fake_table(m, E)[300] = pv_pte_make(A, FAKE_RO);
	assert_int_equal(base(m, E), -XEN_EINVAL); /* A is no validated L4 to the guest */
	assert_forgotten(m);
	fake_table(m, E)[300] = pv_pte_make(FAKE_L4, FAKE_RO);
	assert_int_equal(user_base(m, other), 0);
	assert_int_equal(base(m, E), 0);
	assert_int_equal(fake_mm(m)->linear_entries, 1);
	assert_int_equal(user_base(m, 0), 0);
	assert_int_equal(fake_mm(m)->idle_roots, 0);
	assert_int_equal(m->frames[other].type_refs, 0);
}

static uint64_t m2p_slot(struct fake_machine *m, uint64_t mfn)
{
	return fake_table(m, mfn)[PV_L4_FIRST];
}

static void the_m2p_in_user_mode(void **state)
{
	struct fake_machine *m = *state;
	uint64_t slot = fake_mm(m)->l4_slots[0];

	assert_int_equal(m2p_slot(m, FAKE_L4), slot);
	assert_int_equal(user_base(m, A), 0);
	assert_int_equal(m2p_slot(m, A), 0);
	assert_int_equal(base(m, A), 0);
	assert_int_equal(m2p_slot(m, A), slot);
	fake_mm(m)->m2p_strict = true;
	assert_int_equal(base(m, B), 0);
	assert_int_equal(m2p_slot(m, B), slot);
	assert_int_equal(user_base(m, C), 0);
	assert_int_equal(m2p_slot(m, C), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L4_TABLE, D, 0), 0);
	assert_int_equal(m2p_slot(m, D), slot);
	assert_int_equal(user_base(m, D), 0);
	assert_int_equal(m2p_slot(m, D), 0);
}

/* One that is kept is as new when it comes back. */
static void the_m2p_of_one_that_is_kept(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(base(m, A), 0);
	assert_int_equal(base(m, FAKE_L4), 0);
	assert_int_equal(m->vcpus[0].roots.previous[0], A);
	assert_int_equal(user_base(m, A), 0);
	assert_int_equal(m2p_slot(m, A), 0);
}

/* Nor does it matter which vCPU keeps it. */
static void the_m2p_of_one_that_another_vcpu_keeps(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(pv_new_base(&m->vcpus[1], A), 0);
	assert_int_equal(pv_new_base(&m->vcpus[1], FAKE_L4), 0);
	assert_int_equal(m->vcpus[1].roots.previous[0], A);
	assert_int_equal(m2p_slot(m, A), fake_mm(m)->l4_slots[0]);
	assert_int_equal(user_base(m, A), 0);
	assert_int_equal(m2p_slot(m, A), 0);
}

static void a_vcpu_comes_and_goes(void **state)
{
	struct fake_machine *m = *state;
	struct pv_vcpu *v = &m->vcpus[2];

	pv_mm_add_vcpu(fake_mm(m), v);
	assert_int_equal(pv_roots_set(v, FAKE_HOLE, 0), -XEN_EINVAL);
	assert_int_equal(pv_roots_set(v, A, FAKE_HOLE), -XEN_EINVAL);
	assert_int_equal(pv_roots_set(v, 0, 0), -XEN_EINVAL);
	assert_frame(m, A, PV_TYPE_L4, 2, 0);
	assert_int_equal(pv_roots_set(v, A, B), 0);
	assert_int_equal(m2p_slot(m, A), fake_mm(m)->l4_slots[0]);
	assert_int_equal(m2p_slot(m, B), 0);
	pv_mm_vcpu_up(fake_mm(m), 2);
	assert_int_equal(pv_new_base(v, C), 0);
	assert_int_equal(v->roots.previous[0], A);
	assert_int_equal(pv_set_gdt(v, (uint64_t[]){FAKE_FREE}, 1), 0);
	v->ldt_base = fake_va(FAKE_FREE);
	v->ldt_entries = 1;
	fake_check(m);
	pv_mm_vcpu_down(fake_mm(m), 2);
	pv_mm_release_vcpu(v);
	assert_int_equal(fake_mm(m)->idle_roots, 0);
	assert_int_equal(v->roots.kernel + v->roots.user + v->gdt_entries + v->ldt_entries, 0);
	assert_frame(m, C, PV_TYPE_L4, 2, 0);
	assert_frame(m, FAKE_FREE, PV_TYPE_DESCRIPTORS, 2, 0);
	/* It comes again, and what it keeps is forgotten as before. */
	assert_int_equal(pv_roots_set(v, A, 0), 0);
	assert_int_equal(pv_new_base(v, B), 0);
	assert_int_equal(v->roots.previous[0], A);
	pv_roots_forget(fake_mm(m));
	assert_frame(m, A, PV_TYPE_L4, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(a_new_base),
		PV_TEST(bases_that_are_refused),
		PV_TEST(a_new_user_base),
		PV_TEST(previous_ones),
		PV_TEST(between_kernel_and_user),
		PV_TEST(what_forgets_them),
		PV_TEST(a_frame_of_one_is_wanted),
		PV_TEST(with_linear_tables),
		PV_TEST(the_m2p_in_user_mode),
		PV_TEST(the_m2p_of_one_that_is_kept),
		PV_TEST(the_m2p_of_one_that_another_vcpu_keeps),
		PV_TEST(a_vcpu_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
