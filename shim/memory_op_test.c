// SPDX-License-Identifier: BSD-2-Clause
/* XENMEM_*: reservations, and what is placed where in the guest. */
#include "shim/memory_op.h"

#include <string.h>

#include "shim/fake_test.h"

#define SOMEWHERE 0x42ull /* a frame of RAM */
#define RAM_END   (FAKE_RAM_SIZE / GUEST_PAGE_SIZE)

static long memory_op(struct fake *f, uint64_t cmd, void *arg, size_t len)
{
	return fake_op(f, __HYPERVISOR_memory_op, cmd, arg, len);
}

static long add_to_physmap_cmd(struct fake *f, uint64_t cmd, domid_t domid, unsigned space,
			       uint64_t idx, uint64_t gpfn)
{
	const struct xen_add_to_physmap arg = {
		.domid = domid, .space = space, .idx = idx, .gpfn = gpfn};

	return fake_add_to_physmap(f, cmd, &arg);
}

static long add_to_physmap(struct fake *f, domid_t domid, unsigned space, uint64_t idx,
			   uint64_t gpfn)
{
	return add_to_physmap_cmd(f, XENMEM_add_to_physmap, domid, space, idx, gpfn);
}

static long map_shared_info(struct fake *f, uint64_t gpfn)
{
	return add_to_physmap(f, DOMID_SELF, XENMAPSPACE_shared_info, 0, gpfn);
}

static uint8_t *page_at(struct fake *f, uint64_t gpfn)
{
	return fake_at(f, gpfn << GUEST_PAGE_SHIFT);
}

/* Is it shared_info that the guest sees there? A byte that nobody uses tells. */
static bool shows_shared_info(struct fake *f, uint64_t gpfn)
{
	volatile uint8_t *ours = (uint8_t *)f->shared_info + 0xfff;
	bool same;

	if (!page_at(f, gpfn))
		return false;
	*ours = 0xa5;
	same = page_at(f, gpfn)[0xfff] == 0xa5;
	*ours = 0;
	return same && page_at(f, gpfn)[0xfff] == 0;
}

static void shared_info_appears_over_ram(void **state)
{
	struct fake *f = *state;

	memset(page_at(f, SOMEWHERE), 0x11, GUEST_PAGE_SIZE);
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_true(shows_shared_info(f, SOMEWHERE));
	assert_true(f->domain.shared_info_mapped);
	assert_int_equal(f->domain.shared_info_gfn.v, SOMEWHERE);
	assert_int_equal(f->overlay_maps, 1);
	assert_int_equal(f->overlay_unmaps, 0);
}

static void shared_info_moves_and_uncovers_the_ram(void **state)
{
	struct fake *f = *state;

	memset(page_at(f, SOMEWHERE), 0x11, GUEST_PAGE_SIZE);
	memset(page_at(f, SOMEWHERE + 1), 0x22, GUEST_PAGE_SIZE);
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_int_equal(map_shared_info(f, SOMEWHERE + 1), 0);
	assert_false(shows_shared_info(f, SOMEWHERE));
	assert_true(shows_shared_info(f, SOMEWHERE + 1));
	for (unsigned i = 0; i < GUEST_PAGE_SIZE; i++)
		assert_int_equal(page_at(f, SOMEWHERE)[i], 0x11);
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_int_equal(page_at(f, SOMEWHERE + 1)[0], 0x22);
	assert_int_equal(f->domain.shared_info_gfn.v, SOMEWHERE);
}

static void shared_info_where_no_ram_is(void **state)
{
	const uint64_t hole = FAKE_HOLE >> GUEST_PAGE_SHIFT;
	struct fake *f = *state;

	assert_int_equal(map_shared_info(f, hole), 0);
	assert_true(shows_shared_info(f, hole));
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_null(page_at(f, hole));
	assert_int_equal(map_shared_info(f, hole), 0);
	assert_true(shows_shared_info(f, hole));
}

static void shared_info_stays_where_it_is_put_again(void **state)
{
	struct fake *f = *state;

	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_true(shows_shared_info(f, SOMEWHERE));
	assert_int_equal(f->overlay_maps, 1);
	assert_int_equal(f->overlay_unmaps, 0);
}

/* Its own id is as good as DOMID_SELF; domain 0 is there, and not the guest's to touch. */
static void domains(void **state)
{
	struct fake *f = *state;

	assert_int_equal(add_to_physmap(f, FAKE_DOMID, XENMAPSPACE_shared_info, 0, SOMEWHERE), 0);
	assert_refused(f, add_to_physmap(f, 0, XENMAPSPACE_shared_info, 0, 1), XEN_EPERM);
	assert_refused(f, add_to_physmap(f, FAKE_DOMID + 1, XENMAPSPACE_shared_info, 0, 1),
		       XEN_ESRCH);
	assert_refused(f, add_to_physmap(f, DOMID_XEN, XENMAPSPACE_shared_info, 0, 1), XEN_ESRCH);
}

static void bad_add_to_physmap(void **state)
{
	struct fake *f = *state;

	assert_refused(f, add_to_physmap(f, DOMID_SELF, XENMAPSPACE_shared_info, 1, SOMEWHERE),
		       XEN_EINVAL);
	assert_refused(f, add_to_physmap(f, DOMID_SELF, 6, 0, SOMEWHERE), XEN_EINVAL);
	assert_refused(f, add_to_physmap(f, DOMID_SELF, ~0u, 0, SOMEWHERE), XEN_EINVAL);
}

/* Not to be had by this call, whatever the domain; and for the hardware domain only. */
static void foreign_and_mmio_spaces(void **state)
{
	struct fake *f = *state;

	assert_refused(f, add_to_physmap(f, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1),
		       XEN_ENOSYS);
	assert_refused(f, add_to_physmap(f, 0, XENMAPSPACE_gmfn_foreign, 0, 1), XEN_ENOSYS);
	assert_refused(f, add_to_physmap(f, 99, XENMAPSPACE_gmfn_foreign, 0, 1), XEN_ENOSYS);
	assert_refused(f, add_to_physmap(f, DOMID_SELF, XENMAPSPACE_dev_mmio, 0, 1), XEN_EACCES);
	assert_refused(f, add_to_physmap(f, 0, XENMAPSPACE_dev_mmio, 0, 1), XEN_EACCES);
	assert_refused(f, add_to_physmap(f, 99, XENMAPSPACE_dev_mmio, 0, 1), XEN_ESRCH);
}

/* 32-bit guests cannot name such frames. */
static void frames_beyond_all_addresses(void **state)
{
	struct fake *f = *state;

	assert_refused(f, map_shared_info(f, UINT64_MAX), XEN_EINVAL);
	assert_refused(f, map_shared_info(f, 1ull << 52), XEN_EINVAL);
	assert_refused(f, map_shared_info(f, (1ull << 52) - 1), XEN_EINVAL);
}

static void platform_refuses_to_map(void **state)
{
	struct fake *f = *state;

	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	f->overlay_map_rc = -XEN_ENOMEM;
	assert_int_equal(map_shared_info(f, SOMEWHERE + 1), -XEN_ENOMEM);
	assert_true(shows_shared_info(f, SOMEWHERE));
	assert_false(shows_shared_info(f, SOMEWHERE + 1));
	assert_int_equal(f->domain.shared_info_gfn.v, SOMEWHERE);
}

/* A half-done move is taken back. */
static void platform_refuses_to_unmap(void **state)
{
	struct fake *f = *state;

	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	memset(page_at(f, SOMEWHERE + 1), 0x22, GUEST_PAGE_SIZE);
	f->overlay_unmap_rc = -XEN_ENOMEM;
	f->overlay_unmap_fails = 1;
	assert_int_equal(map_shared_info(f, SOMEWHERE + 1), -XEN_ENOMEM);
	assert_true(shows_shared_info(f, SOMEWHERE));
	assert_false(shows_shared_info(f, SOMEWHERE + 1));
	assert_int_equal(page_at(f, SOMEWHERE + 1)[0], 0x22);
	assert_int_equal(f->domain.shared_info_gfn.v, SOMEWHERE);
}

/* vCPUs that still use their slot in shared_info move with it, and the platform must know. */
static void time_moves_with_shared_info(void **state)
{
	struct vcpu_register_vcpu_info info = {.mfn = 0x80};
	struct fake *f = *state;

	assert_int_equal(fake_vcpu_op(f, VCPUOP_register_vcpu_info, 0, &info, sizeof(info)), 0);
	f->vcpu[0].time_area_moves = 0;
	assert_int_equal(map_shared_info(f, SOMEWHERE), 0);
	assert_int_equal(f->vcpu[0].time_area_moves, 0);
	assert_int_equal(f->vcpu[1].time_area_moves, 1);
	assert_int_equal(f->vcpu[2].time_area_moves, 1);
}

static void reservations(void **state)
{
	struct fake *f = *state;
	domid_t domid = DOMID_SELF;

	assert_int_equal(memory_op(f, XENMEM_current_reservation, &domid, sizeof(domid)),
			 FAKE_PAGES);
	assert_int_equal(memory_op(f, XENMEM_maximum_reservation, &domid, sizeof(domid)),
			 FAKE_PAGES + RESERVATION_SLACK);
	domid = FAKE_DOMID;
	assert_int_equal(memory_op(f, XENMEM_maximum_reservation, &domid, sizeof(domid)),
			 FAKE_PAGES + RESERVATION_SLACK);
	domid = 0;
	assert_refused(f, memory_op(f, XENMEM_current_reservation, &domid, sizeof(domid)),
		       XEN_EPERM);
	domid = 99;
	assert_refused(f, memory_op(f, XENMEM_maximum_reservation, &domid, sizeof(domid)),
		       XEN_ESRCH);
}

/* The command's upper bits say where a long operation goes on; most have nothing to go on with. */
static void continuations(void **state)
{
	const uint64_t one = 1 << 6;
	struct fake *f = *state;
	domid_t domid = DOMID_SELF;

	assert_refused(f, memory_op(f, XENMEM_current_reservation | one, &domid, sizeof(domid)),
		       XEN_EINVAL);
	assert_refused(f, memory_op(f, XENMEM_maximum_reservation | one, &domid, sizeof(domid)),
		       XEN_EINVAL);
	assert_refused(f, memory_op(f, XENMEM_memory_map | one, &domid, sizeof(domid)), XEN_ENOSYS);
	assert_refused(f,
		       add_to_physmap_cmd(f, XENMEM_add_to_physmap | one << 16, DOMID_SELF,
					  XENMAPSPACE_shared_info, 0, SOMEWHERE),
		       XEN_EDOM);
	assert_int_equal(add_to_physmap_cmd(f, XENMEM_add_to_physmap | ((one << 16) - one),
					    DOMID_SELF, XENMAPSPACE_shared_info, 0, SOMEWHERE),
			 0);
	assert_true(shows_shared_info(f, SOMEWHERE));
}

/*
 * XENMEM_add_to_physmap: pages that move.
 */

static long move(struct fake *f, uint64_t start, uint64_t idx, uint64_t gpfn, uint16_t size)
{
	const struct xen_add_to_physmap arg = {.domid = DOMID_SELF,
					       .size = size,
					       .space = XENMAPSPACE_gmfn_range,
					       .idx = idx,
					       .gpfn = gpfn};

	return fake_add_to_physmap(f, XENMEM_add_to_physmap | start << MEMOP_EXTENT_SHIFT, &arg);
}

static long move_page(struct fake *f, uint64_t idx, uint64_t gpfn)
{
	return add_to_physmap(f, DOMID_SELF, XENMAPSPACE_gmfn, idx, gpfn);
}

/* A page of bytes that tell which it was. */
static void fill(struct fake *f, uint64_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memset(page_at(f, first + i), 1 + (first + i) % 255, GUEST_PAGE_SIZE);
}

static bool was(struct fake *f, uint64_t now, uint64_t before)
{
	const uint8_t *p = page_at(f, now);

	return p[0] == 1 + before % 255 && !memcmp(p, p + 1, GUEST_PAGE_SIZE - 1);
}

static bool populated(struct fake *f, uint64_t frame)
{
	return domain_page_populated(&f->domain, gfn(frame));
}

static long pages(struct fake *f)
{
	domid_t domid = DOMID_SELF;

	return memory_op(f, XENMEM_current_reservation, &domid, sizeof(domid));
}

static void a_page_moves(void **state)
{
	struct fake *f = *state;

	fill(f, SOMEWHERE, 3);
	assert_int_equal(move_page(f, SOMEWHERE, SOMEWHERE + 1), 0);
	assert_false(populated(f, SOMEWHERE));
	assert_int_equal(page_at(f, SOMEWHERE)[0], 0);
	assert_true(was(f, SOMEWHERE + 1, SOMEWHERE));
	assert_true(was(f, SOMEWHERE + 2, SOMEWHERE + 2));
	assert_int_equal(pages(f), FAKE_PAGES - 1);
	/* And back, to where there is none now. */
	assert_int_equal(move_page(f, SOMEWHERE + 1, SOMEWHERE), 0);
	assert_true(populated(f, SOMEWHERE) && was(f, SOMEWHERE, SOMEWHERE));
	assert_false(populated(f, SOMEWHERE + 1));
	assert_int_equal(pages(f), FAKE_PAGES - 1);
	assert_int_equal(move_page(f, SOMEWHERE, SOMEWHERE), 0);
	assert_true(populated(f, SOMEWHERE) && was(f, SOMEWHERE, SOMEWHERE));
}

static void a_range_moves(void **state)
{
	struct fake *f = *state;

	fill(f, 0x100, 8);
	assert_int_equal(move(f, 0, 0x100, 0x180, 8), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_true(was(f, 0x180 + i, 0x100 + i));
	assert_int_equal(pages(f), FAKE_PAGES - 8);
	assert_int_equal(move(f, 0, 0x180, 0x100, 0), 0);
	/* It ends where there is nothing; what was before is done. */
	assert_int_equal(move(f, 0, 0x184, 0x100, 8), 0);
	assert_int_equal(move(f, 0, 0x180, 0x110, 8), -XEN_EINVAL);
	assert_true(was(f, 0x113, 0x103));
	assert_true(populated(f, 0x113) && !populated(f, 0x183));
}

static void moves_that_cannot_be(void **state)
{
	struct fake *f = *state;

	assert_int_equal(move_page(f, SOMEWHERE, SOMEWHERE + 1), 0);
	assert_refused(f, move_page(f, SOMEWHERE, SOMEWHERE + 1), XEN_EINVAL);
	assert_refused(f, move_page(f, RAM_END, SOMEWHERE + 1), XEN_EINVAL);
	assert_refused(f, move_page(f, SOMEWHERE + 1, RAM_END), XEN_ENOMEM);
	assert_int_equal(map_shared_info(f, SOMEWHERE + 2), 0);
	assert_refused(f, move_page(f, SOMEWHERE + 2, SOMEWHERE + 3), XEN_EBUSY);
	assert_refused(f, move_page(f, SOMEWHERE + 3, SOMEWHERE + 2), XEN_EBUSY);
	if (!f->long_mode)
		return;
	assert_refused(f, move_page(f, UINT64_MAX, SOMEWHERE), XEN_EINVAL);
	assert_refused(f, move_page(f, SOMEWHERE + 1, UINT64_MAX), XEN_EINVAL);
	assert_refused(f, move(f, 0, 1, UINT64_MAX, 2), XEN_EINVAL);
	assert_refused(f, move(f, 0, 1, UINT64_MAX - 1, 2), XEN_EOVERFLOW);
	assert_refused(f, move(f, 0, UINT64_MAX - 1, 1, 2), XEN_EOVERFLOW);
}

static void a_range_goes_on(void **state)
{
	struct fake *f = *state;

	assert_int_equal(move(f, 3, 0x100, 0x180, 4), 0);
	assert_true(populated(f, 0x102) && !populated(f, 0x103));
	assert_int_equal(move(f, 4, 0x100, 0x180, 4), 0);
	assert_refused(f, move(f, 5, 0x100, 0x180, 4), XEN_EILSEQ);
	f->vcpu[0].must_stop = true;
	assert_int_equal(move(f, 0, 0x100, 0x180, 4), 0);
	assert_true(populated(f, 0x100));
}

/* There are no virtual nodes. */
static void vnuma(void **state)
{
	struct xen_vnuma_topology_info info = {.domid = DOMID_SELF};
	const uint64_t cmd = XENMEM_get_vnumainfo;
	struct fake *f = *state;

	assert_refused(f, memory_op(f, cmd, &info, sizeof(info)), XEN_EOPNOTSUPP);
	assert_refused(f, memory_op(f, cmd | 1 << 6, &info, sizeof(info)), XEN_EINVAL);
	info.domid = 0;
	assert_refused(f, memory_op(f, cmd, &info, sizeof(info)), XEN_EPERM);
	info.domid = 99;
	assert_refused(f, memory_op(f, cmd, &info, sizeof(info)), XEN_ESRCH);
	info.pad = 1;
	assert_refused(f, memory_op(f, cmd, &info, sizeof(info)), XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(shared_info_appears_over_ram),
		TEST_BOTH(shared_info_moves_and_uncovers_the_ram),
		TEST_BOTH(shared_info_where_no_ram_is),
		TEST_BOTH(shared_info_stays_where_it_is_put_again),
		TEST_BOTH(domains),
		TEST_BOTH(bad_add_to_physmap),
		TEST_BOTH(foreign_and_mmio_spaces),
		TEST_64(frames_beyond_all_addresses),
		TEST_BOTH(platform_refuses_to_map),
		TEST_BOTH(platform_refuses_to_unmap),
		TEST_BOTH(time_moves_with_shared_info),
		TEST_BOTH(reservations),
		TEST_BOTH(continuations),
		TEST_BOTH(a_page_moves),
		TEST_BOTH(a_range_moves),
		TEST_BOTH(moves_that_cannot_be),
		TEST_BOTH(a_range_goes_on),
		TEST_BOTH(vnuma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
