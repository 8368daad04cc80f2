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

static void no_maps(void **state)
{
	struct gnttab_map_grant_ref map = {.flags = GNTMAP_host_map, .dom = FAKE_DOMID, .ref = 8};
	struct gnttab_unmap_grant_ref unmap = {.handle = 0};
	struct gnttab_unmap_and_replace replace = {.handle = 0};
	struct fake *f = *state;

	fake_grant(f, 8, GTF_permit_access, FAKE_DOMID, DEST);
	assert_int_equal(fake_grant_op(f, GNTTABOP_map_grant_ref, &map, sizeof(map)), 0);
	assert_int_equal(map.status, GNTST_general_error);
	assert_int_equal(fake_grant_status(f, 8), 0);
	map.dom = 99;
	assert_int_equal(fake_grant_op(f, GNTTABOP_map_grant_ref, &map, sizeof(map)), 0);
	assert_int_equal(map.status, GNTST_bad_domain);
	map.flags = GNTMAP_readonly;
	assert_int_equal(fake_grant_op(f, GNTTABOP_map_grant_ref, &map, sizeof(map)), 0);
	assert_int_equal(map.status, GNTST_bad_gntref);
	assert_int_equal(fake_grant_op(f, GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap)), 0);
	assert_int_equal(unmap.status, GNTST_bad_handle);
	assert_int_equal(fake_grant_op(f, GNTTABOP_unmap_and_replace, &replace, sizeof(replace)),
			 0);
	assert_int_equal(replace.status, GNTST_bad_handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PV(frames_of_the_machine),
		TEST_PV(statuses),
		TEST_PV(back_to_version_1),
		TEST_PV(copies),
		TEST_PV(no_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
