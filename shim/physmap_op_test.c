// SPDX-License-Identifier: BSD-2-Clause
/* Frames that show the hypervisor's pages: many in one call, and none any more. */
#include <errno.h>
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_map.h"
#include "shim/memory_op.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

#define AT      0x50ull
#define IDXS    0x20000ull
#define GPFNS   0x21000ull
#define ERRS    0x22000ull
#define NOWHERE 99

/* What is asked of a batch, and the array of errors as it was and is. */
struct batch {
	domid_t domid;
	uint16_t space, size;
	uint64_t idxs, gpfns, errs;
};

static struct batch batch(uint16_t space, uint16_t size)
{
	return (struct batch){DOMID_SELF, space, size, IDXS, GPFNS, ERRS};
}

static long call_from(struct fake *f, const struct batch *b, uint64_t start)
{
	struct xen_add_to_physmap_batch native = {
		.domid = b->domid, .space = b->space, .size = b->size};
	const struct xen_add_to_physmap_batch_x86_32 compat = {b->domid, b->space, b->size, 0,
							       b->idxs,  b->gpfns, b->errs};
	void *arg = fake_at(f, FAKE_ARG);

	native.idxs.p = (void *)b->idxs;
	native.gpfns.p = (void *)b->gpfns;
	native.errs.p = (void *)b->errs;
	if (f->long_mode)
		memcpy(arg, &native, sizeof(native));
	else
		memcpy(arg, &compat, sizeof(compat));
	return fake_call(f, __HYPERVISOR_memory_op,
			 XENMEM_add_to_physmap_batch | start << MEMOP_EXTENT_SHIFT, FAKE_ARG, 0);
}

static long call(struct fake *f, const struct batch *b)
{
	return call_from(f, b, 0);
}

static void put(struct fake *f, unsigned i, uint64_t idx, uint64_t gpfn)
{
	size_t size = f->long_mode ? 8 : 4;

	memcpy(f->ram + IDXS + i * size, &idx, size);
	memcpy(f->ram + GPFNS + i * size, &gpfn, size);
	memset(f->ram + ERRS + i * 4, 0x55, 4);
}

static int err(struct fake *f, unsigned i)
{
	int32_t e;

	memcpy(&e, f->ram + ERRS + i * 4, 4);
	return e;
}

static int shown(struct fake *f, uint64_t at)
{
	return overlay_at(&f->domain.memslots, gfn(at));
}

static void frames_of_the_table(void **state)
{
	const struct batch b = batch(XENMAPSPACE_grant_table, 4);
	struct fake *f = *state;

	put(f, 0, 2, AT);
	put(f, 1, 64, AT + 1); /* too many */
	put(f, 2, 0, AT + 2);
	put(f, 3, 2, AT + 3); /* moves */
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(err(f, 0), 0);
	assert_int_equal(err(f, 1), -XEN_EINVAL);
	assert_int_equal(err(f, 2), 0);
	assert_int_equal(err(f, 3), 0);
	assert_int_equal(shown(f, AT), -ENOENT);
	assert_int_equal(shown(f, AT + 1), -ENOENT);
	assert_int_equal(shown(f, AT + 2), OVERLAY_GRANT_FRAMES);
	assert_int_equal(shown(f, AT + 3), OVERLAY_GRANT_FRAMES + 2);
}

static void other_spaces(void **state)
{
	struct batch b = batch(XENMAPSPACE_shared_info, 2);
	struct fake *f = *state;

	put(f, 0, 0, AT);
	put(f, 1, 1, AT + 1);
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(err(f, 0), 0);
	assert_int_equal(err(f, 1), -XEN_EINVAL);
	assert_int_equal(shown(f, AT), OVERLAY_SHARED_INFO);
	b.space = 77;
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(err(f, 0), -XEN_EINVAL);
	b.space = XENMAPSPACE_gmfn_foreign;
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(err(f, 0), -XEN_EPERM);
	b.space = XENMAPSPACE_gmfn_range;
	assert_refused(f, call(f, &b), XEN_EOPNOTSUPP);
	b.space = XENMAPSPACE_dev_mmio;
	assert_refused(f, call(f, &b), XEN_EACCES);
	b.domid = NOWHERE;
	assert_refused(f, call(f, &b), XEN_ESRCH);
	b = batch(XENMAPSPACE_grant_table, 1);
	b.domid = 0;
	assert_refused(f, call(f, &b), XEN_EPERM);
}

static void parts_of_a_batch(void **state)
{
	struct batch b = batch(XENMAPSPACE_grant_table, 3);
	struct fake *f = *state;

	for (unsigned i = 0; i < 3; i++)
		put(f, i, i, AT + i);
	assert_int_equal(call_from(f, &b, 2), 0);
	assert_int_equal(shown(f, AT + 1), -ENOENT);
	assert_int_equal(shown(f, AT + 2), OVERLAY_GRANT_FRAMES + 2);
	assert_int_equal(err(f, 1), 0x55555555);
	assert_refused(f, call_from(f, &b, 3), XEN_EILSEQ);
	assert_refused(f, call_from(f, &b, 4), XEN_EILSEQ);
	assert_refused(f, call_from(f, &b, 0x10000), XEN_EDOM);
	b.size = 0;
	assert_int_equal(call(f, &b), 0);
}

/* What came before stays. */
static void arrays_that_end(void **state)
{
	struct batch b = batch(XENMAPSPACE_grant_table, 2);
	size_t size = ((struct fake *)*state)->long_mode ? 8 : 4;
	struct fake *f = *state;

	put(f, 0, 0, AT);
	put(f, 1, 1, AT + 1);
	memcpy(f->ram + FAKE_RAM_SIZE - size, f->ram + IDXS, size);
	b.idxs = FAKE_RAM_SIZE - size;
	assert_int_equal(call(f, &b), -XEN_EFAULT);
	assert_int_equal(shown(f, AT), OVERLAY_GRANT_FRAMES);
	b = batch(XENMAPSPACE_grant_table, 2);
	b.gpfns = FAKE_HOLE;
	assert_refused(f, call(f, &b), XEN_EFAULT);
	b = batch(XENMAPSPACE_grant_table, 2);
	b.errs = FAKE_RAM_SIZE - 4;
	assert_int_equal(call(f, &b), -XEN_EFAULT);
	assert_int_equal(shown(f, AT + 1), OVERLAY_GRANT_FRAMES + 1);
}

static void no_frame_at_all(void **state)
{
	const struct batch b = batch(XENMAPSPACE_grant_table, 2);
	struct fake *f = *state;

	put(f, 0, 0, UINT64_MAX);
	put(f, 1, 0, AT);
	assert_refused(f, call(f, &b), XEN_EINVAL);
	put(f, 0, 0, UINT64_MAX - 1);
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(err(f, 0), -XEN_EINVAL);
	assert_int_equal(err(f, 1), 0);
}

static void stopped(void **state)
{
	struct batch b = batch(XENMAPSPACE_grant_table, 1);
	struct fake *f = *state;

	put(f, 0, 0, AT);
	f->vcpu[0].must_stop = true;
	assert_int_equal(call(f, &b), 0);
	assert_int_equal(shown(f, AT), -ENOENT);
}

/*
 * XENMEM_remove_from_physmap.
 */

static long remove_at(struct fake *f, domid_t domid, uint64_t gpfn)
{
	struct xen_remove_from_physmap native = {.domid = domid, .gpfn = gpfn};
	struct xen_remove_from_physmap_x86_32 compat = {.domid = domid, .gpfn = gpfn};

	return f->long_mode ? fake_op(f, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
				      &native, sizeof(native))
			    : fake_op(f, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
				      &compat, sizeof(compat));
}

static void pages_go(void **state)
{
	struct fake *f = *state;
	uint64_t outside = FAKE_HOLE >> GUEST_PAGE_SHIFT;

	memset(f->ram + AT * GUEST_PAGE_SIZE, 0xaa, GUEST_PAGE_SIZE);
	assert_int_equal(fake_show_grants(f, 0, AT), 0);
	assert_int_equal(shared_info_map(&f->domain, gfn(outside)), 0);
	assert_int_equal(remove_at(f, DOMID_SELF, AT), 0);
	assert_int_equal(f->ram[AT * GUEST_PAGE_SIZE], 0xaa);
	assert_int_equal(grants_frame_gfn(&f->domain, 0), UINT64_MAX);
	assert_int_equal(remove_at(f, FAKE_DOMID, outside), 0);
	assert_null(fake_at(f, FAKE_HOLE));
	assert_false(f->domain.shared_info_mapped);
	assert_refused(f, remove_at(f, DOMID_SELF, outside), XEN_ENOENT);
	assert_refused(f, remove_at(f, 0, AT), XEN_EPERM);
	assert_refused(f, remove_at(f, NOWHERE, AT), XEN_ESRCH);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_memory_op,
				 XENMEM_remove_from_physmap | 1 << MEMOP_EXTENT_SHIFT, FAKE_ARG, 0),
		       XEN_EINVAL);
	if (f->long_mode)
		assert_refused(f, remove_at(f, DOMID_SELF, UINT64_MAX), XEN_ENOENT);
}

/* shared_info's clock is written where it was no longer. */
static void time_is_told(void **state)
{
	struct fake *f = *state;
	unsigned moves;

	assert_int_equal(shared_info_map(&f->domain, gfn(AT)), 0);
	moves = f->vcpu[0].time_area_moves;
	assert_int_equal(remove_at(f, DOMID_SELF, AT), 0);
	assert_int_equal(f->vcpu[0].time_area_moves, moves + 1);
}

static void pages_in_use_stay(void **state)
{
	struct grant_mapping m;
	struct fake *f = *state;

	assert_int_equal(fake_show_grants(f, 1, AT), 0);
	fake_grant(f, 20, GTF_permit_access, 0, AT);
	assert_int_equal(grant_map(&f->domain, 20, false, &m), GNTST_okay);
	assert_refused(f, remove_at(f, DOMID_SELF, AT), XEN_EBUSY);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(remove_at(f, DOMID_SELF, AT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(frames_of_the_table),
		TEST_BOTH(other_spaces),
		TEST_BOTH(parts_of_a_batch),
		TEST_BOTH(arrays_that_end),
		TEST_64(no_frame_at_all),
		TEST_64(stopped),
		TEST_BOTH(pages_go),
		TEST_BOTH(time_is_told),
		TEST_BOTH(pages_in_use_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
