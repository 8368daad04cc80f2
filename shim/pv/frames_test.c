// SPDX-License-Identifier: BSD-2-Clause
/* The frame table: references, frames that come and go, who forgets translations when. */
#include "shim/pv/fake_test.h"

static void at_the_beginning(void **state)
{
	struct fake_machine *m = *state;

	assert_frame(m, 0, PV_TYPE_NONE, 0, 0);
	assert_frame(m, FAKE_L4, PV_TYPE_L4, 5, 3); /* RAM, its mapping, the pin, two vCPUs */
	assert_frame(m, FAKE_L1, PV_TYPE_L1, 3, 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 2, 0);
	assert_frame(m, FAKE_WRITABLE, PV_TYPE_WRITABLE, 2, 1);
	assert_frame(m, FAKE_SHARED, PV_TYPE_WRITABLE, 2, 2);
	assert_frame(m, FAKE_UNALLOCATED, PV_TYPE_NONE, 0, 0);
	assert_frame(m, FAKE_HOLE, PV_TYPE_NONE, 0, 0);
}

static void counts_do_not_wrap(void **state)
{
	struct fake_machine *m = *state;
	struct pv_frame *f = &m->frames[FAKE_WRITABLE], was = *f;

	f->refs = UINT32_MAX;
	assert_false(pv_get_ref(fake_mm(m), FAKE_WRITABLE));
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RO), -XEN_EBUSY);
	f->refs = was.refs;
	f->type_refs = UINT32_MAX;
	assert_int_equal(pv_get_type(fake_mm(m), FAKE_WRITABLE, PV_TYPE_WRITABLE), -XEN_EINVAL);
	f->type_refs = was.type_refs;
}

static void a_frame_is_given_up(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_remap(m, FAKE_WRITABLE, 0), 0);
	assert_true(fake_give_up(m, FAKE_WRITABLE));
	assert_frame(m, FAKE_WRITABLE, PV_TYPE_NONE, 0, 0);
	assert_false(fake_give_up(m, FAKE_WRITABLE));
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RW), -XEN_EBUSY);
	assert_true(fake_allocate(m, FAKE_WRITABLE));
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RW), 0);
	assert_true(fake_allocate(m, FAKE_UNALLOCATED));
	assert_int_equal(fake_remap(m, FAKE_UNALLOCATED, FAKE_RW), 0);
}

/* It goes with the last mapping. */
static void a_frame_is_given_up_in_use(void **state)
{
	struct fake_machine *m = *state;

	assert_true(fake_give_up(m, FAKE_WRITABLE));
	assert_frame(m, FAKE_WRITABLE, PV_TYPE_WRITABLE, 1, 1);
	assert_false(fake_allocate(m, FAKE_WRITABLE));
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, 0), 0);
	assert_frame(m, FAKE_WRITABLE, PV_TYPE_NONE, 0, 0);
	assert_true(fake_allocate(m, FAKE_WRITABLE));
}

static unsigned flushes(struct fake_machine *m, unsigned vcpu)
{
	return m->asked[vcpu].flush_all;
}

/* A page that was writable becomes a table: vCPUs that run, and have not forgotten since, do. */
static void who_may_know_it_as_writable_forgets(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RO), 0);
	assert_int_equal(fake_remap(m, FAKE_WRITABLE + 1, FAKE_RO), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	assert_int_equal(flushes(m, 0), 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE, 0), 0);
	assert_int_equal(flushes(m, 0), 1);
	assert_int_equal(flushes(m, 1), 1);
	assert_int_equal(flushes(m, 2), 0);
	/* The second has been forgotten with the first. */
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE + 1, 0), 0);
	assert_int_equal(flushes(m, 0), 1);
	assert_int_equal(flushes(m, 1), 1);
}

static void a_table_becomes_writable(void **state)
{
	struct fake_machine *m = *state;

	fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0);
	fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE, 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_FREE, 0), 0);
	assert_int_equal(flushes(m, 0), 0); /* the same again */
	fake_mmuext(m, MMUEXT_UNPIN_TABLE, FAKE_FREE, 0);
	assert_int_equal(fake_remap(m, FAKE_FREE, FAKE_RW), 0);
	assert_int_equal(flushes(m, 0), 1);
	assert_int_equal(flushes(m, 1), 1);
}

/* What it was before it was given up is not forgotten. */
static void a_frame_comes_back_as_a_table(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_remap(m, FAKE_WRITABLE, 0), 0);
	assert_true(fake_give_up(m, FAKE_WRITABLE));
	assert_true(fake_allocate(m, FAKE_WRITABLE));
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE, 0), 0);
	assert_int_equal(flushes(m, 0), 1);
}

static void a_vcpu_that_comes_has_nothing_to_forget(void **state)
{
	struct fake_machine *m = *state;

	pv_mm_vcpu_down(fake_mm(m), 1);
	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RO), 0);
	pv_mm_vcpu_up(fake_mm(m), 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE, 0), 0);
	assert_int_equal(flushes(m, 0), 1);
	assert_int_equal(flushes(m, 1), 0);
}

static void the_clock_begins_again(void **state)
{
	struct fake_machine *m = *state;

	assert_int_equal(fake_remap(m, FAKE_WRITABLE, FAKE_RO), 0);
	fake_mm(m)->clock = UINT32_MAX;
	assert_int_equal(fake_remap(m, FAKE_WRITABLE + 1, FAKE_RO), 0);
	assert_int_equal(m->frames[FAKE_WRITABLE + 1].stamp, UINT32_MAX);
	assert_int_equal(fake_mmuext(m, MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	assert_int_equal(m->frames[FAKE_WRITABLE + 1].stamp, 0);
	assert_int_equal(flushes(m, 1), 1);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE, 0), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE + 1, 0), 0);
	assert_int_equal(flushes(m, 1), 1);
	assert_int_equal(fake_remap(m, FAKE_WRITABLE + 2, FAKE_RO), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, FAKE_WRITABLE + 2, 0), 0);
	assert_int_equal(flushes(m, 1), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(at_the_beginning),
		PV_TEST(counts_do_not_wrap),
		PV_TEST(a_frame_is_given_up),
		PV_TEST(a_frame_is_given_up_in_use),
		PV_TEST(who_may_know_it_as_writable_forgets),
		PV_TEST(a_table_becomes_writable),
		PV_TEST(a_frame_comes_back_as_a_table),
		PV_TEST(a_vcpu_that_comes_has_nothing_to_forget),
		PV_TEST(the_clock_begins_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
