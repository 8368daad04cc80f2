// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that maps grants of its own: one page at two frames, as long as it is mapped, and nothing
 * is lost by it.
 */
#include <errno.h>
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_handle.h"
#include "shim/grant_map.h"
#include "shim/guest_access.h"
#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/overlay.h"
#include "shim/physmap.h"
#include "shim/shared_info.h"
#include "shim/soft_reset.h"

#define REF     20u
#define HOME    0x30ull /* the granted page's frame */
#define OVER    0x40ull /* a frame with RAM, where it is mapped */
#define OUTSIDE (FAKE_HOLE >> GUEST_PAGE_SHIFT)
#define NOWHERE 99

static uint8_t *at(struct fake *f, uint64_t frame)
{
	return fake_at(f, frame << GUEST_PAGE_SHIFT);
}

static struct gnttab_map_grant_ref request(uint64_t frame, uint32_t flags)
{
	return (struct gnttab_map_grant_ref){
		.host_addr = frame << GUEST_PAGE_SHIFT,
		.flags = flags,
		.ref = REF,
		.dom = FAKE_DOMID,
		.status = 55,
		.handle = 0x55555555,
	};
}

static int map_this(struct fake *f, struct gnttab_map_grant_ref *op)
{
	assert_int_equal(fake_grant_op(f, GNTTABOP_map_grant_ref, op, sizeof(*op)), 0);
	if (op->status != GNTST_okay)
		assert_int_equal(op->handle, 0x55555555);
	return op->status;
}

static int map(struct fake *f, uint64_t frame, uint32_t flags, uint32_t *handle)
{
	struct gnttab_map_grant_ref op = request(frame, GNTMAP_host_map | flags);
	int status = map_this(f, &op);

	*handle = op.handle;
	return status;
}

static int unmap(struct fake *f, uint64_t frame, uint32_t handle)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = frame << GUEST_PAGE_SHIFT, .handle = handle, .status = 55};

	assert_int_equal(fake_grant_op(f, GNTTABOP_unmap_grant_ref, &op, sizeof(op)), 0);
	return op.status;
}

static void grant(struct fake *f)
{
	fake_grant(f, REF, GTF_permit_access, FAKE_DOMID, HOME);
}

static void assert_as_at_first(struct fake *f)
{
	assert_int_equal(fake_grant_status(f, REF), 0);
	assert_false(grants_in_use(&f->domain.grants, 0));
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(HOME)), -ENOENT);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(OVER)), -ENOENT);
	assert_null(at(f, OUTSIDE));
	assert_int_equal(f->domain.grants.self.idle, 0);
}

static void one_page_at_two_frames(struct fake *f, uint64_t frame)
{
	uint32_t handle;

	grant(f);
	memset(at(f, OVER), 0xaa, GUEST_PAGE_SIZE);
	memcpy(at(f, HOME), "what is in the page", 20);
	assert_int_equal(map(f, frame, 0, &handle), GNTST_okay);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading | GTF_writing);
	assert_memory_equal(at(f, HOME), "what is in the page", 20);
	assert_memory_equal(at(f, frame), "what is in the page", 20);
	at(f, frame)[0] = 'W';
	assert_int_equal(at(f, HOME)[0], 'W');
	at(f, HOME)[1] = 'H';
	assert_int_equal(at(f, frame)[1], 'H');
	assert_int_equal(unmap(f, frame, handle), GNTST_okay);
	assert_memory_equal(at(f, HOME), "WHat is in the page", 20);
	assert_int_equal(at(f, OVER)[0], 0xaa);
	assert_as_at_first(f);
	assert_int_equal(unmap(f, frame, handle), GNTST_bad_handle);
}

static void two_frames(void **state)
{
	struct fake *f = *state;

	one_page_at_two_frames(f, OVER);
	one_page_at_two_frames(f, OUTSIDE);
	fake_grant_version(f, 2);
	one_page_at_two_frames(f, OVER);
	one_page_at_two_frames(f, OUTSIDE);
}

static void many_maps_of_one_page(void **state)
{
	uint32_t first, second, third, fourth;
	struct fake *f = *state;

	grant(f);
	at(f, HOME)[0] = 1;
	assert_int_equal(map(f, OVER, 0, &first), GNTST_okay);
	assert_int_equal(map(f, OUTSIDE, GNTMAP_readonly, &second), GNTST_okay);
	/* By another grant of the same page, and by a grant of the map. */
	fake_grant(f, REF, GTF_permit_access | GTF_reading | GTF_writing, FAKE_DOMID, HOME);
	fake_grant(f, 21, GTF_permit_access, FAKE_DOMID, HOME);
	fake_grant(f, 22, GTF_permit_access, FAKE_DOMID, OVER);
	{
		struct gnttab_map_grant_ref op = request(OVER + 1, GNTMAP_host_map);

		op.ref = 21;
		assert_int_equal(map_this(f, &op), GNTST_okay);
		third = op.handle;
		op = request(OVER + 2, GNTMAP_host_map);
		op.ref = 22;
		assert_int_equal(map_this(f, &op), GNTST_okay);
		fourth = op.handle;
	}
	at(f, OVER + 2)[0] = 2;
	assert_int_equal(at(f, OVER + 1)[0], 2);
	assert_int_equal(at(f, OUTSIDE)[0], 2);
	assert_int_equal(unmap(f, OVER + 1, third), GNTST_okay);
	assert_int_equal(unmap(f, OVER, first), GNTST_okay);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	assert_int_equal(at(f, OUTSIDE)[0], 2);
	assert_int_equal(unmap(f, OUTSIDE, second), GNTST_okay);
	at(f, OVER + 2)[0] = 3;
	assert_int_equal(at(f, HOME)[0], 3);
	assert_int_equal(unmap(f, OVER + 2, fourth), GNTST_okay);
	assert_int_equal(at(f, HOME)[0], 3);
	assert_as_at_first(f);
}

/* Where no RAM is the guest cannot write, nor can a hypercall's result. */
static void read_only(void **state)
{
	struct fake *f = *state;
	uint32_t handle;
	char byte = 'x';

	fake_grant(f, REF, GTF_permit_access | GTF_readonly, FAKE_DOMID, HOME);
	assert_int_equal(map(f, OUTSIDE, 0, &handle), GNTST_general_error);
	assert_int_equal(map(f, OUTSIDE, GNTMAP_readonly, &handle), GNTST_okay);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	assert_int_equal(guest_write_physical(&f->domain, gpa(FAKE_HOLE), &byte, 1), -XEN_EFAULT);
	assert_true(guest_may_read(&f->domain, gpa(FAKE_HOLE), 1));
	assert_int_equal(unmap(f, OUTSIDE, handle), GNTST_okay);
	assert_as_at_first(f);
}

static void bad_requests(void **state)
{
	static const struct {
		uint32_t flags;
		domid_t dom;
		grant_ref_t ref;
		int status;
	} cases[] = {
		{0, FAKE_DOMID, REF, GNTST_bad_gntref},
		{GNTMAP_readonly, FAKE_DOMID, REF, GNTST_bad_gntref},
		{GNTMAP_device_map, FAKE_DOMID, REF, GNTST_general_error},
		{GNTMAP_device_map | GNTMAP_host_map, FAKE_DOMID, REF, GNTST_general_error},
		{GNTMAP_host_map | GNTMAP_application_map, FAKE_DOMID, REF, GNTST_general_error},
		{GNTMAP_host_map | GNTMAP_contains_pte, FAKE_DOMID, REF, GNTST_general_error},
		{GNTMAP_host_map | 1u << 16, FAKE_DOMID, REF, GNTST_general_error},
		{GNTMAP_host_map, DOMID_SELF, REF, GNTST_bad_domain},
		{GNTMAP_host_map, NOWHERE, REF, GNTST_bad_domain},
		{GNTMAP_host_map, 0, REF, GNTST_general_error},
		{GNTMAP_host_map, 0, 512, GNTST_bad_gntref},
		{GNTMAP_host_map, FAKE_DOMID, 512, GNTST_bad_gntref},
		{GNTMAP_host_map, FAKE_DOMID, REF + 1, GNTST_general_error},
	};
	struct fake *f = *state;

	grant(f);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gnttab_map_grant_ref op = request(OVER, cases[i].flags);

		op.dom = cases[i].dom;
		op.ref = cases[i].ref;
		if (map_this(f, &op) != cases[i].status)
			fail_msg("case %u: status %d", i, op.status);
		assert_as_at_first(f);
	}
	assert_int_equal(unmap(f, OVER, 0), GNTST_bad_handle);
	assert_int_equal(unmap(f, OVER, ~0u), GNTST_bad_handle);
}

static void bad_pages_and_places(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	fake_grant(f, REF, GTF_permit_access, FAKE_DOMID, OUTSIDE);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_bad_page);
	fake_grant(f, REF, GTF_permit_access | GTF_sub_page, FAKE_DOMID, HOME);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_general_error);
	grant(f);
	assert_int_equal(map(f, HOME, 0, &handle), GNTST_general_error);
	assert_int_equal(map(f, UINT64_MAX >> GUEST_PAGE_SHIFT, 0, &handle), GNTST_general_error);
	assert_as_at_first(f);
	/* Where the hypervisor's pages are, and of these. */
	assert_int_equal(shared_info_map(&f->domain, gfn(OVER + 1)), 0);
	assert_int_equal(map(f, OVER + 1, 0, &handle), GNTST_general_error);
	fake_grant(f, REF, GTF_permit_access, FAKE_DOMID, OVER + 1);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_general_error);
	assert_as_at_first(f);
}

static void unmapping_somewhere_else(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	grant(f);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_okay);
	assert_int_equal(unmap(f, OVER + 1, handle), GNTST_general_error);
	assert_int_equal(unmap(f, HOME, handle), GNTST_general_error);
	assert_int_equal(unmap(f, OUTSIDE, handle), GNTST_general_error);
	assert_int_equal(unmap(f, OVER, handle + 1), GNTST_bad_handle);
	assert_int_equal(unmap(f, 0, handle), GNTST_okay); /* of nothing: it stays */
	assert_int_equal(fake_grant_status(f, REF), GTF_reading | GTF_writing);
	assert_int_equal(unmap(f, OVER, handle), GNTST_okay);
	assert_as_at_first(f);
}

/* What is mapped, here or there, stays until it is unmapped. */
static void nothing_takes_the_place(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	grant(f);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_okay);
	assert_int_equal(shared_info_map(&f->domain, gfn(HOME)), -XEN_EBUSY);
	assert_int_equal(shared_info_map(&f->domain, gfn(OVER)), -XEN_EBUSY);
	assert_int_equal(physmap_hide(&f->domain, gfn(HOME)), -XEN_EBUSY);
	assert_int_equal(physmap_hide(&f->domain, gfn(OVER)), -XEN_EBUSY);
	assert_int_equal(fake_remove_memory(f, 0), -EBUSY);
	assert_int_equal(unmap(f, OVER, handle), GNTST_okay);
	assert_int_equal(shared_info_map(&f->domain, gfn(HOME)), 0);
}

/* A backend has the page mapped when the guest takes its own map back: it goes home a little later.
 */
static void beside_a_backend(void **state)
{
	struct grant_mapping m;
	struct fake *f = *state;
	uint32_t handle;

	grant(f);
	fake_grant(f, 21, GTF_permit_access, 0, HOME);
	assert_int_equal(grant_map(&f->domain, 21, true, &m), GNTST_okay);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_general_error);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_okay);
	assert_int_equal(grant_map(&f->domain, 21, true, &m), GNTST_okay);
	m.hva[7] = 0x77;
	assert_int_equal(unmap(f, OVER, handle), GNTST_okay);
	assert_int_equal(f->domain.grants.self.idle, 1);
	m.hva[8] = 0x88;
	assert_int_equal(at(f, HOME)[8], 0x88);
	/* It can be mapped again, */
	assert_int_equal(map(f, OUTSIDE, 0, &handle), GNTST_okay);
	assert_int_equal(at(f, OUTSIDE)[8], 0x88);
	assert_int_equal(unmap(f, OUTSIDE, handle), GNTST_okay);
	/* and when nobody has it any more something else can be there. */
	assert_int_equal(shared_info_map(&f->domain, gfn(HOME)), -XEN_EBUSY);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(shared_info_map(&f->domain, gfn(HOME)), 0);
	assert_int_equal(shared_info_map(&f->domain, gfn(OVER)), 0);
	assert_int_equal(at(f, HOME)[7], 0x77);
	assert_int_equal(at(f, HOME)[8], 0x88);
}

static void handles_run_out(void **state)
{
	uint32_t handle[GRANT_HANDLES_PER_FRAME + 1];
	struct fake *f = *state;
	unsigned n = GRANT_HANDLES_PER_FRAME;

	assert_int_equal(grants_configure(&f->domain.grants, 64, 1, 2), 0);
	grant(f);
	fake_grant(f, 21, GTF_permit_access, FAKE_DOMID, HOME + 1);
	fake_grant(f, 22, GTF_permit_access, FAKE_DOMID, HOME + 2);
	for (unsigned i = 0; i < n; i++) {
		struct gnttab_map_grant_ref op = request(OUTSIDE + i, GNTMAP_host_map);

		op.ref = REF + i / 100;
		assert_int_equal(map_this(f, &op), GNTST_okay);
		handle[i] = op.handle;
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(handle[k], handle[i]);
	}
	assert_int_equal(map(f, OUTSIDE + n, 0, &handle[n]), GNTST_no_space);
	assert_int_equal(unmap(f, OUTSIDE + 77, handle[77]), GNTST_okay);
	assert_int_equal(map(f, OUTSIDE + n, 0, &handle[n]), GNTST_okay);
	assert_int_equal(handle[n], handle[77]);
	for (unsigned i = 0; i <= n; i++)
		if (i != 77)
			assert_int_equal(unmap(f, OUTSIDE + i, handle[i]), GNTST_okay);
	assert_as_at_first(f);
}

static void no_handles_at_all(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	assert_int_equal(grants_configure(&f->domain.grants, 64, 0, 2), 0);
	grant(f);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_no_space);
	assert_int_equal(map(f, OVER, GNTMAP_device_map, &handle), GNTST_general_error);
	assert_as_at_first(f);
}

/* One after another each allocation fails: nothing is left of it. */
static void no_memory(void **state)
{
	struct fake *f = *state;
	uint32_t handle;
	unsigned n = 0;
	int status;

	grant(f);
	memcpy(at(f, HOME), "contents", 8);
	do {
		fail_alloc(++n);
		status = map(f, OUTSIDE, 0, &handle);
		fail_alloc(0);
		assert_memory_equal(at(f, HOME), "contents", 8);
		if (status != GNTST_okay)
			assert_as_at_first(f);
	} while (status != GNTST_okay);
	assert_in_range(n, 5, 100);
	assert_int_equal(unmap(f, OUTSIDE, handle), GNTST_okay);
	assert_as_at_first(f);
}

static void the_host_cannot(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	grant(f);
	f->overlay_map_rc = -ENOMEM;
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_no_space);
	f->overlay_map_rc = 0;
	assert_as_at_first(f);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_okay);
	f->overlay_unmap_rc = -EIO;
	f->overlay_unmap_fails = 1;
	assert_int_equal(unmap(f, OVER, handle), GNTST_general_error);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading | GTF_writing);
	assert_int_equal(unmap(f, OVER, handle), GNTST_okay);
	assert_as_at_first(f);
}

static void a_new_beginning(void **state)
{
	struct fake *f = *state;
	uint32_t handle;

	grant(f);
	memset(at(f, OVER), 0xaa, GUEST_PAGE_SIZE);
	assert_int_equal(map(f, OVER, 0, &handle), GNTST_okay);
	assert_int_equal(map(f, OUTSIDE, 0, &handle), GNTST_okay);
	at(f, OVER)[5] = 0x55;
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_as_at_first(f);
	assert_int_equal(at(f, HOME)[5], 0x55);
	assert_int_equal(at(f, OVER)[5], 0xaa);
	assert_int_equal(unmap(f, OVER, handle), GNTST_bad_handle);
	one_page_at_two_frames(f, OVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(two_frames),
		TEST_64(many_maps_of_one_page),
		TEST_64(read_only),
		TEST_BOTH(bad_requests),
		TEST_64(bad_pages_and_places),
		TEST_64(unmapping_somewhere_else),
		TEST_64(nothing_takes_the_place),
		TEST_64(beside_a_backend),
		TEST_64(handles_run_out),
		TEST_64(no_handles_at_all),
		TEST_64(no_memory),
		TEST_64(the_host_cannot),
		TEST_64(a_new_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
