// SPDX-License-Identifier: BSD-2-Clause
/* The grant table of a PV guest: its frames are the machine's, and it maps them itself. */
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"

#define LIST   0x20000ull
#define SOURCE 0x30ull
#define DEST   0x31ull

static uint64_t frame_at(struct fake *f, unsigned i)
{
	uint64_t frame;

	memcpy(&frame, f->ram + LIST + 8 * i, sizeof(frame));
	return frame;
}

static const struct pv_frame *overlay_frame(struct fake *f, unsigned overlay)
{
	return &f->frames[pv_overlay_mfn(overlay)];
}

static int16_t setup_table(struct fake *f, unsigned nr)
{
	struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = nr};

	op.frame_list.p = (void *)LIST;
	assert_int_equal(fake_grant_op(f, GNTTABOP_setup_table, &op, sizeof(op)), 0);
	return op.status;
}

static int16_t get_status_frames(struct fake *f, domid_t dom, unsigned nr)
{
	struct gnttab_get_status_frames op = {.dom = dom, .nr_frames = nr};

	op.frame_list.p = (void *)LIST;
	assert_int_equal(fake_grant_op(f, GNTTABOP_get_status_frames, &op, sizeof(op)), 0);
	return op.status;
}

static void frames_of_the_machine(void **state)
{
	struct fake *f = *state;

	assert_int_equal(setup_table(f, 3), GNTST_okay);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(frame_at(f, i), 0xf0001 + i);
		assert_true(overlay_frame(f, OVERLAY_GRANT_FRAMES + i)->flags & PV_FRAME_SHARED);
		assert_int_equal(overlay_frame(f, OVERLAY_GRANT_FRAMES + i)->refs, 1);
	}
	assert_int_equal(overlay_frame(f, OVERLAY_GRANT_FRAMES + 3)->flags, 0);
	assert_int_equal(setup_table(f, f->domain.grants.max_frames + 1), GNTST_general_error);
}

static void statuses(void **state)
{
	struct fake *f = *state;
	unsigned frames = 10;

	assert_int_equal(get_status_frames(f, DOMID_SELF, 1), GNTST_general_error);
	fake_grant_version(f, 2);
	assert_true(overlay_frame(f, OVERLAY_GRANT_STATUS)->flags & PV_FRAME_SHARED);
	assert_int_equal(get_status_frames(f, DOMID_SELF, 1), GNTST_okay);
	assert_int_equal(frame_at(f, 0), 0xf0000 + OVERLAY_GRANT_STATUS);
	assert_int_equal(get_status_frames(f, DOMID_SELF, 2), GNTST_general_error);
	assert_int_equal(setup_table(f, frames), GNTST_okay);
	assert_int_equal(get_status_frames(f, DOMID_SELF, 2), GNTST_okay);
	assert_int_equal(frame_at(f, 1), 0xf0001 + OVERLAY_GRANT_STATUS);
	assert_int_equal(get_status_frames(f, 99, 1), GNTST_bad_domain);
	assert_int_equal(get_status_frames(f, 0, 1), GNTST_permission_denied);
}

/* Xen takes no frame away that the guest still maps. */
static void back_to_version_1(void **state)
{
	struct gnttab_set_version op = {.version = 1};
	struct fake *f = *state;
	const uint64_t status = pv_overlay_mfn(OVERLAY_GRANT_STATUS);

	fake_grant_version(f, 2);
	f->frames[status].refs = 2;
	assert_int_equal(fake_grant_op(f, GNTTABOP_set_version, &op, sizeof(op)), -XEN_EBUSY);
	assert_int_equal(f->domain.grants.version, 2);
	assert_true(f->frames[status].flags & PV_FRAME_SHARED);
	f->frames[status].refs = 1;
	fake_grant_version(f, 1);
	assert_int_equal(f->frames[status].flags, 0);
	assert_int_equal(f->frames[status].refs, 0);
	fake_grant_version(f, 2);
	assert_int_equal(f->frames[status].refs, 1);
}

static int16_t copy(struct fake *f, uint64_t dest)
{
	struct gnttab_copy op = {
		.source = {.u.gmfn = SOURCE, .domid = DOMID_SELF},
		.dest = {.u.gmfn = dest, .domid = DOMID_SELF},
		.len = 8,
	};

	assert_int_equal(fake_grant_op(f, GNTTABOP_copy, &op, sizeof(op)), 0);
	return op.status;
}

static void copies(void **state)
{
	struct fake *f = *state;

	f->ram[SOURCE * GUEST_PAGE_SIZE] = 7;
	assert_int_equal(copy(f, DEST), GNTST_okay);
	assert_int_equal(f->ram[DEST * GUEST_PAGE_SIZE], 7);
	f->frames[DEST].type = PV_TYPE_L1;
	f->frames[DEST].type_refs = 1;
	f->ram[DEST * GUEST_PAGE_SIZE] = 8;
	assert_int_equal(copy(f, DEST), GNTST_general_error);
	assert_int_equal(f->ram[DEST * GUEST_PAGE_SIZE], 8);
	assert_int_equal(copy(f, FAKE_HOLE >> GUEST_PAGE_SHIFT), GNTST_bad_page);
}

/* As the monitor asks. */
static long step(struct fake *f, enum pv_grant_step which)
{
	return fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, which, 0);
}

static long hold(struct fake *f, domid_t dom, uint32_t ref, uint32_t flags)
{
	f->grant = (struct pv_grant){.dom = dom, .ref = ref, .flags = flags, .handle = 0x5555};
	return step(f, PV_GRANT_HOLD);
}

static long find(struct fake *f, uint32_t handle)
{
	f->grant = (struct pv_grant){.handle = handle};
	return step(f, PV_GRANT_FIND);
}

static long release(struct fake *f, uint32_t handle, uint32_t maps)
{
	f->grant = (struct pv_grant){.handle = handle, .flags = maps};
	return step(f, PV_GRANT_RELEASE);
}

static void a_handle(void **state)
{
	const uint32_t flags = GNTMAP_host_map | GNTMAP_contains_pte | 1u << 16;
	struct fake *f = *state;
	uint32_t handle;

	fake_grant(f, 8, GTF_permit_access, FAKE_DOMID, DEST);
	assert_int_equal(hold(f, FAKE_DOMID, 8, flags), GNTST_okay);
	handle = f->grant.handle;
	assert_int_equal(f->grant.mfn, DEST);
	assert_int_equal(fake_grant_status(f, 8), GTF_reading | GTF_writing);
	assert_int_equal(find(f, handle), GNTST_okay);
	assert_int_equal(f->grant.flags, flags);
	assert_int_equal(f->grant.mfn, DEST);
	assert_int_equal(find(f, handle + 1), GNTST_bad_handle);
	assert_int_equal(release(f, handle + 1, GNTMAP_host_map), GNTST_bad_handle);
	/* Of another kind, which there is not. */
	assert_int_equal(release(f, handle, GNTMAP_device_map | GNTMAP_readonly), GNTST_okay);
	assert_int_equal(fake_grant_status(f, 8), GTF_reading | GTF_writing);
	assert_int_equal(release(f, handle, GNTMAP_host_map), GNTST_okay);
	assert_int_equal(fake_grant_status(f, 8), 0);
	assert_int_equal(find(f, handle), GNTST_bad_handle);
	assert_int_equal(release(f, handle, GNTMAP_host_map), GNTST_bad_handle);
	assert_int_equal(step(f, PV_GRANT_RELEASE + 1), GNTST_general_error);
}

/* Two uses of a grant. */
static void both_kinds_of_map(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	fake_grant(f, 8, GTF_permit_access | GTF_readonly, FAKE_DOMID, DEST);
	assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_host_map | GNTMAP_device_map),
			 GNTST_general_error);
	assert_int_equal(
		hold(f, FAKE_DOMID, 8, GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly),
		GNTST_okay);
	handle = f->grant.handle;
	assert_int_equal(release(f, handle, GNTMAP_host_map), GNTST_okay);
	assert_int_equal(fake_grant_status(f, 8), GTF_reading);
	assert_int_equal(find(f, handle), GNTST_okay);
	assert_int_equal(f->grant.flags, GNTMAP_device_map | GNTMAP_readonly);
	assert_int_equal(release(f, handle, GNTMAP_host_map | GNTMAP_device_map), GNTST_okay);
	assert_int_equal(fake_grant_status(f, 8), 0);
	/* One use is left: not enough. */
	for (unsigned i = 0; i < GRANT_USES_MAX - 1; i++)
		assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_host_map | GNTMAP_readonly),
				 GNTST_okay);
	assert_int_equal(
		hold(f, FAKE_DOMID, 8, GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly),
		GNTST_general_error);
	assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_device_map | GNTMAP_readonly), GNTST_okay);
	assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_device_map | GNTMAP_readonly),
			 GNTST_general_error);
}

static void no_handle(void **state)
{
	struct fake *f = *state;

	fake_grant(f, 8, GTF_permit_access, FAKE_DOMID, DEST);
	fake_grant(f, 9, GTF_permit_access, 0, DEST);
	f->domain.grants.max_maptrack_frames = 0;
	assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_host_map), GNTST_no_space);
	f->domain.grants.max_maptrack_frames = 1;
	assert_int_equal(hold(f, FAKE_DOMID, 8, GNTMAP_readonly), GNTST_bad_gntref);
	assert_int_equal(hold(f, 99, 8, GNTMAP_host_map), GNTST_bad_domain);
	assert_int_equal(hold(f, DOMID_SELF, 8, GNTMAP_host_map), GNTST_bad_domain);
	assert_int_equal(hold(f, 0, 8, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(hold(f, 0, 512, GNTMAP_host_map), GNTST_bad_gntref);
	assert_int_equal(hold(f, FAKE_DOMID, 9, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(hold(f, FAKE_DOMID, 512, GNTMAP_host_map), GNTST_bad_gntref);
	assert_int_equal(f->grant.handle, 0x5555);
	assert_int_equal(fake_grant_status(f, 8), 0);
	assert_int_equal(find(f, 0), GNTST_bad_handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PV(frames_of_the_machine),
		TEST_PV(statuses),
		TEST_PV(back_to_version_1),
		TEST_PV(copies),
		TEST_PV(a_handle),
		TEST_PV(both_kinds_of_map),
		TEST_PV(no_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
