// SPDX-License-Identifier: BSD-2-Clause
/*
 * XENMEM_decrease_reservation, populate_physmap, increase_reservation: what is done of a list, what
 * is refused, and what is left of the guest's memory, in both word sizes.
 */
#include "shim/fake_reservation.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"

/* cmd may say where to go on. */
static long adjust(struct fake *f, uint64_t cmd, const struct call *c)
{
	struct xen_memory_reservation native = native_of(c);
	struct xen_memory_reservation_x86_32 compat = compat_of(c);

	return f->long_mode ? fake_op(f, __HYPERVISOR_memory_op, cmd, &native, sizeof(native))
			    : fake_op(f, __HYPERVISOR_memory_op, cmd, &compat, sizeof(compat));
}

/* `n` extents, `step` frames apart. */
static long adjust_range(struct fake *f, uint64_t cmd, uint64_t first, unsigned n, unsigned step,
			 unsigned order)
{
	for (unsigned i = 0; i < n; i++)
		write_frame(f, LIST, i, first + (uint64_t)i * step);
	return adjust(f, cmd, &(struct call){.nr = n, .order = order, .domid = DOMID_SELF});
}

static long decrease(struct fake *f, uint64_t first, unsigned n)
{
	return adjust_range(f, XENMEM_decrease_reservation, first, n, 1, 0);
}

static long populate(struct fake *f, uint64_t first, unsigned n)
{
	return adjust_range(f, XENMEM_populate_physmap, first, n, 1, 0);
}

static long query(struct fake *f, uint64_t cmd)
{
	domid_t domid = DOMID_SELF;

	return fake_op(f, __HYPERVISOR_memory_op, cmd, &domid, sizeof(domid));
}

static long pages(struct fake *f)
{
	return query(f, XENMEM_current_reservation);
}

static bool populated(struct fake *f, uint64_t frame)
{
	return domain_page_populated(&f->domain, gfn(frame));
}

static uint8_t *page_at(struct fake *f, uint64_t frame)
{
	return fake_at(f, frame << GUEST_PAGE_SHIFT);
}

static void fill(struct fake *f, uint64_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memset(page_at(f, first + i), 1 + (first + i) % 255, GUEST_PAGE_SIZE);
}

static bool holds(struct fake *f, uint64_t frame, uint8_t byte)
{
	const uint8_t *p = page_at(f, frame);

	return p[0] == byte && !memcmp(p, p + 1, GUEST_PAGE_SIZE - 1);
}

static bool is_filled(struct fake *f, uint64_t frame)
{
	return holds(f, frame, 1 + frame % 255);
}

/*
 * What works.
 */

static void down_and_up(void **state)
{
	struct fake *f = *state;

	fill(f, SOMEWHERE - 1, 102);
	assert_int_equal(decrease(f, SOMEWHERE, 100), 100);
	assert_int_equal(pages(f), FAKE_PAGES - 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_false(populated(f, SOMEWHERE + i));
		assert_true(holds(f, SOMEWHERE + i, 0));
	}
	assert_true(populated(f, SOMEWHERE - 1) && populated(f, SOMEWHERE + 100));
	assert_true(is_filled(f, SOMEWHERE - 1) && is_filled(f, SOMEWHERE + 100));
	assert_int_equal(f->ram_discarded, 100);

	assert_int_equal(populate(f, SOMEWHERE, 100), 100);
	assert_int_equal(pages(f), FAKE_PAGES);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(populated(f, SOMEWHERE + i));
		assert_true(holds(f, SOMEWHERE + i, 0));
	}
	assert_int_equal(f->ram_populated, 100);
	assert_int_equal(f->ram_discarded, 100);
}

/* Neighbours are given back at once, named upwards or downwards: of one list up to 512. */
static void neighbours_at_once(void **state)
{
	struct fake *f = *state;

	assert_int_equal(decrease(f, SOMEWHERE, 100), 100);
	assert_int_equal(f->ram_discards, 1);
	for (unsigned i = 0; i < 64; i++)
		write_frame(f, LIST, i, 0x163 - i);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation,
				&(struct call){.nr = 64, .domid = DOMID_SELF}),
			 64);
	assert_int_equal(f->ram_discards, 2);
	assert_int_equal(f->ram_discarded, 164);
	for (unsigned i = 0x124; i <= 0x163; i++)
		assert_false(populated(f, i));
	assert_true(populated(f, 0x123) && populated(f, 0x164));
}

/* In more than one piece; the last is a page that is gone. */
static void long_list(void **state)
{
	const unsigned low = RAM_END - 0x30, high = HIGH_END - HIGH, n = low + high;
	struct call c = {.nr = n + 1, .domid = DOMID_SELF};
	struct fake *f = *state;

	for (unsigned i = 0; i <= n; i++)
		write_frame(f, LIST, i, i < low ? 0x30 + i : HIGH + (i - low) % high);
	assert_true(n > 512);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, &c), n);
	assert_int_equal(f->ram_discards, 3);
	assert_int_equal(pages(f), FAKE_PAGES - n);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, &c), n + 1);
	assert_int_equal(pages(f), FAKE_PAGES + 1);
}

static void every_other_page(void **state)
{
	struct fake *f = *state;

	fill(f, 0x100, 64);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0x100, 32, 2, 0), 32);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(populated(f, 0x100 + i), i % 2);
		assert_true(i % 2 ? is_filled(f, 0x100 + i) : holds(f, 0x100 + i, 0));
	}
	assert_int_equal(f->ram_discards, 32);
	assert_int_equal(f->ram_discarded, 32);
}

static void orders(void **state)
{
	struct fake *f = *state;

	fill(f, 0xff, 0x42);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0x100, 4, 16, 4), 4);
	assert_int_equal(pages(f), FAKE_PAGES - 64);
	assert_true(is_filled(f, 0xff) && is_filled(f, 0x140));
	assert_false(populated(f, 0x100) || populated(f, 0x13f));
	/* Where an extent begins is the guest's matter. */
	assert_int_equal(adjust_range(f, XENMEM_populate_physmap, 0x104, 1, 0, 3), 1);
	assert_int_equal(pages(f), FAKE_PAGES - 56);
	assert_false(populated(f, 0x103) || populated(f, 0x10c));
	assert_true(populated(f, 0x104) && populated(f, 0x10b));
}

static void high_memory(void **state)
{
	struct fake *f = *state;

	fill(f, HIGH, 2);
	assert_int_equal(decrease(f, HIGH, 1), 1);
	assert_true(holds(f, HIGH, 0) && is_filled(f, HIGH + 1));
	assert_int_equal(populate(f, HIGH, 1), 1);
}

/* The longest list of the largest extents that fits this memory; 2 MiB are all of the low one. */
static void largest_order(void **state)
{
	struct fake *f = *state;

	/* The argument and the list go with it; they read as zeros afterwards. */
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0, 1, 0, 9), 1);
	assert_int_equal(pages(f), FAKE_PAGES - 512);
	assert_int_equal(adjust_range(f, XENMEM_populate_physmap, 0, 1, 0, 9), 1);
	assert_int_equal(pages(f), FAKE_PAGES);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0, 1, 0, 10), 0);
	assert_int_equal(adjust_range(f, XENMEM_populate_physmap, 0, 1, 0, 10), 0);
	assert_int_equal(adjust_range(f, XENMEM_increase_reservation, 0, 1, 0, 10), 0);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0, 1, 0, ~0u), 0);
	assert_int_equal(pages(f), FAKE_PAGES);
}

/* A page that is there is replaced by an empty one; on Xen the old one is lost, and still counts.
 */
static void populate_what_is_there(void **state)
{
	struct fake *f = *state;

	fill(f, SOMEWHERE, 2);
	assert_int_equal(populate(f, SOMEWHERE, 1), 1);
	assert_true(holds(f, SOMEWHERE, 0) && is_filled(f, SOMEWHERE + 1));
	assert_int_equal(pages(f), FAKE_PAGES + 1);
}

/* Frames that no page shows count, too. */
static void increase(void **state)
{
	struct fake *f = *state;
	struct call c = {.nr = 3, .order = 4, .domid = DOMID_SELF, .list = FAKE_HOLE};

	assert_int_equal(adjust(f, XENMEM_increase_reservation, &c), 3);
	assert_int_equal(pages(f), FAKE_PAGES + 48);
	assert_int_equal(f->ram_populated + f->ram_discarded, 0);
}

/* However the frames lie in words of a bitmap. */
static void counted(void **state)
{
	struct fake *f = *state;

	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0x101, 100, 2, 0), 100);
	for (uint64_t first = 0xf0; first < 0x150; first++) {
		uint64_t there = 0;

		for (uint64_t n = 1; n < 0x90; n++) {
			there += populated(f, first + n - 1);
			assert_int_equal(domain_count_populated(&f->domain, gfn(first), n), there);
		}
	}
	assert_int_equal(domain_count_populated(&f->domain, gfn(RAM_END - 1), 2), 0);
}

/* What covers a page goes with it, as on Xen, and where there is no RAM it goes alone. */
static void covered_pages(void **state)
{
	const uint64_t hole = FAKE_HOLE / GUEST_PAGE_SIZE;
	struct fake *f = *state;

	assert_int_equal(shared_info_map(&f->domain, gfn(SOMEWHERE + 3)), 0);
	assert_int_equal(decrease(f, SOMEWHERE, 8), 8);
	assert_int_equal(pages(f), FAKE_PAGES - 8);
	assert_false(f->domain.shared_info_mapped);
	assert_false(populated(f, SOMEWHERE + 3));
	assert_true(holds(f, SOMEWHERE + 3, 0));

	assert_int_equal(shared_info_map(&f->domain, gfn(hole)), 0);
	write_frame(f, LIST, 0, hole);
	write_frame(f, LIST, 1, 0x100);
	write_frame(f, LIST, 2, hole);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation,
				&(struct call){.nr = 3, .domid = DOMID_SELF}),
			 2);
	assert_int_equal(pages(f), FAKE_PAGES - 9);
	assert_null(page_at(f, hole));

	assert_int_equal(shared_info_map(&f->domain, gfn(0x118)), 0);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, 0x110, 2, 16, 4), 2);
	assert_false(f->domain.shared_info_mapped);
	assert_int_equal(pages(f), FAKE_PAGES - 41);
}

/*
 * How far it comes.
 */

#define NOTHING_DONE(f, call)                                                 \
	do {                                                                  \
		long pages_ = pages(f);                                       \
                                                                              \
		assert_int_equal(call, 0);                                    \
		assert_int_equal(pages(f), pages_);                           \
		assert_int_equal((f)->ram_discarded + (f)->ram_populated, 0); \
	} while (0)

static void not_there(void **state)
{
	struct fake *f = *state;

	NOTHING_DONE(f, decrease(f, RAM_END, 1));
	NOTHING_DONE(f, decrease(f, FAKE_HOLE / GUEST_PAGE_SIZE, 1));
	NOTHING_DONE(f, decrease(f, HIGH_END, 1));
	NOTHING_DONE(f, decrease(f, UINT64_MAX, 2));
	NOTHING_DONE(f, populate(f, RAM_END, 1));
	NOTHING_DONE(f, populate(f, UINT64_MAX, 2));
	NOTHING_DONE(f, adjust_range(f, XENMEM_populate_physmap, RAM_END - 8, 1, 0, 4));
	NOTHING_DONE(f, adjust_range(f, XENMEM_populate_physmap, UINT64_MAX - 7, 1, 0, 4));
}

static void twice(void **state)
{
	struct fake *f = *state;

	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, SOMEWHERE, 2, 0, 0), 1);
	assert_int_equal(pages(f), FAKE_PAGES - 1);
	assert_int_equal(decrease(f, SOMEWHERE, 1), 0);
	assert_int_equal(pages(f), FAKE_PAGES - 1);
}

/* Up to the end of RAM, and of the extent over it as many pages as there are: as on Xen. */
static void over_the_end(void **state)
{
	struct fake *f = *state;

	assert_int_equal(decrease(f, RAM_END - 70, 80), 70);
	assert_int_equal(pages(f), FAKE_PAGES - 70);
	assert_int_equal(adjust_range(f, XENMEM_decrease_reservation, RAM_END - 90, 2, 16, 4), 1);
	assert_int_equal(pages(f), FAKE_PAGES - 90);
	assert_int_equal(populate(f, RAM_END - 70, 80), 70);
	assert_int_equal(pages(f), FAKE_PAGES - 20);
}

/* The list ends where memory does: what was before is done. */
static void list_to_nowhere(void **state)
{
	struct fake *f = *state;
	struct call c = {.nr = 100, .domid = DOMID_SELF};
	unsigned width = f->long_mode ? 8 : 4;

	c.list = FAKE_RAM_SIZE - 70 * width;
	for (unsigned i = 0; i < 70; i++)
		write_frame(f, c.list, i, SOMEWHERE + i);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, &c), 70);
	assert_int_equal(pages(f), FAKE_PAGES - 70);
	for (unsigned i = 0; i < 70; i++)
		write_frame(f, c.list, i, SOMEWHERE + i);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, &c), 70);
	assert_int_equal(pages(f), FAKE_PAGES);
	c.list = FAKE_HOLE;
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, &c), 0);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, &c), 0);
	assert_int_equal(pages(f), FAKE_PAGES);
}

/* A command says from which extent on. */
static void goes_on(void **state)
{
	const uint64_t cmd = XENMEM_decrease_reservation;
	struct fake *f = *state;
	struct call c = {.nr = 10, .domid = DOMID_SELF};

	for (unsigned i = 0; i < 10; i++)
		write_frame(f, LIST, i, SOMEWHERE + i);
	assert_int_equal(adjust(f, from(cmd, 7), &c), 10);
	assert_int_equal(pages(f), FAKE_PAGES - 3);
	assert_true(populated(f, SOMEWHERE + 6));
	assert_false(populated(f, SOMEWHERE + 7));
	assert_int_equal(adjust(f, from(XENMEM_populate_physmap, 8), &c), 10);
	assert_int_equal(pages(f), FAKE_PAGES - 1);
	/* It fails where it failed before, and that is what it says. */
	assert_int_equal(adjust(f, from(cmd, 7), &c), 7);
	assert_int_equal(adjust(f, from(XENMEM_increase_reservation, 9), &c), 10);
	assert_int_equal(pages(f), FAKE_PAGES);
}

/* Where it begins is all that it says, whatever is wrong. */
static void wrong_from_the_start(void **state)
{
	static const uint64_t cmds[] = {XENMEM_increase_reservation, XENMEM_decrease_reservation,
					XENMEM_populate_physmap};
	const struct call good = {.nr = 10, .domid = DOMID_SELF};
	struct call bad[] = {
		{.nr = 10, .domid = 0},
		{.nr = 10, .domid = FAKE_DOMID + 1},
		{.nr = 10, .domid = DOMID_XEN},
		{.nr = 1ull << 26, .domid = DOMID_SELF},
		{.nr = UINT32_MAX, .domid = DOMID_SELF},
		{.nr = 10, .order = 10, .domid = DOMID_SELF},
		{.nr = 10, .flags = XENMEMF_address_bits(12), .domid = DOMID_SELF},
		{.nr = 10, .flags = XENMEMF_address_bits(1), .domid = DOMID_SELF},
		{.nr = 10, .flags = XENMEMF_exact_node(0), .domid = DOMID_SELF},
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < 10; i++)
		write_frame(f, LIST, i, SOMEWHERE + i);
	for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(bad); j++) {
			NOTHING_DONE(f, adjust(f, cmds[i], &bad[j]));
			assert_int_equal(adjust(f, from(cmds[i], 3), &bad[j]), 3);
		}
		assert_int_equal(adjust(f, from(cmds[i], 10), &good), 10);
		assert_int_equal(adjust(f, from(cmds[i], 11), &good), 11);
		assert_int_equal(adjust(f, from(cmds[i], 0x3ffffff), &good), 0x3ffffff);
		assert_int_equal(
			fake_call(f, __HYPERVISOR_memory_op, from(cmds[i], 5), FAKE_HOLE, 0), 5);
	}
	assert_int_equal(pages(f), FAKE_PAGES);
	assert_int_equal(f->ram_discarded + f->ram_populated, 0);
}

/* Not wrong: its own number, wide addresses, a node as a wish, a node of its own that is not. */
static void flags_that_do_nothing(void **state)
{
	const struct call good[] = {
		{.nr = 1, .domid = FAKE_DOMID},
		{.nr = 1, .flags = XENMEMF_address_bits(13), .domid = DOMID_SELF},
		{.nr = 1, .flags = XENMEMF_address_bits(64), .domid = DOMID_SELF},
		{.nr = 1, .flags = XENMEMF_node(3), .domid = DOMID_SELF},
		{.nr = 1, .flags = XENMEMF_exact_node_request, .domid = DOMID_SELF},
		{.nr = 1, .flags = XENMEMF_vnode | XENMEMF_exact_node(0), .domid = DOMID_SELF},
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		write_frame(f, LIST, 0, SOMEWHERE);
		assert_int_equal(adjust(f, XENMEM_decrease_reservation, &good[i]), 1);
		assert_int_equal(adjust(f, XENMEM_populate_physmap, &good[i]), 1);
	}
	assert_int_equal(pages(f), FAKE_PAGES);
}

static void populate_on_demand(void **state)
{
	struct fake *f = *state;
	struct call c = {.nr = 1, .flags = XENMEMF_populate_on_demand, .domid = DOMID_SELF};

	write_frame(f, LIST, 0, SOMEWHERE);
	NOTHING_DONE(f, adjust(f, XENMEM_populate_physmap, &c));
	/* The others do not know the flag. */
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, &c), 1);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, &c), 0);
	assert_false(populated(f, SOMEWHERE));
}

/* A guest that is to stop does not finish. */
static void stops(void **state)
{
	struct fake *f = *state;

	f->vcpu[0].must_stop = true;
	NOTHING_DONE(f, decrease(f, SOMEWHERE, 10));
	NOTHING_DONE(f, populate(f, SOMEWHERE, 10));
	NOTHING_DONE(f, adjust_range(f, XENMEM_increase_reservation, 0, 10, 1, 0));
}

/*
 * How much it may have.
 */

static void no_more_than_it_may(void **state)
{
	struct fake *f = *state;

	assert_int_equal(decrease(f, SOMEWHERE, 100), 100);
	domain_set_memory_target(&f->domain, FAKE_PAGES - 60 - RESERVATION_SLACK);
	assert_int_equal(query(f, XENMEM_maximum_reservation), FAKE_PAGES - 60);
	assert_int_equal(populate(f, SOMEWHERE, 100), 40);
	assert_int_equal(pages(f), FAKE_PAGES - 60);
	assert_true(populated(f, SOMEWHERE + 39));
	assert_false(populated(f, SOMEWHERE + 40));
	assert_int_equal(adjust_range(f, XENMEM_increase_reservation, 0, 1, 0, 0), 0);
	assert_int_equal(decrease(f, SOMEWHERE, 7), 7);
	assert_int_equal(adjust_range(f, XENMEM_populate_physmap, SOMEWHERE, 1, 0, 3), 0);
	assert_int_equal(adjust_range(f, XENMEM_increase_reservation, 0, 8, 1, 0), 7);
	assert_int_equal(pages(f), FAKE_PAGES - 60);
}

/* It was asked to have less than it has, and has not yet given the rest back. */
static void has_more_than_it_shall(void **state)
{
	struct domain_memory m;
	struct fake *f = *state;

	domain_set_memory_target(&f->domain, 10);
	domain_memory(&f->domain, &m);
	assert_int_equal(m.pages, FAKE_PAGES);
	assert_int_equal(m.ram, FAKE_PAGES);
	assert_int_equal(m.target, 10);
	assert_int_equal(m.max, 10 + RESERVATION_SLACK);
	assert_int_equal(populate(f, SOMEWHERE, 1), 0);
	assert_int_equal(decrease(f, SOMEWHERE, 1), 1);
	assert_int_equal(populate(f, SOMEWHERE, 1), 0);
}

/*
 * What else can be asked.
 */

static void maximum_gpfn(void **state)
{
	domid_t other = FAKE_DOMID + 1;
	struct fake *f = *state;

	assert_int_equal(query(f, XENMEM_maximum_gpfn), HIGH_END - 1);
	assert_int_equal(fake_remove_memory(f, 1), 0);
	assert_int_equal(query(f, XENMEM_maximum_gpfn), RAM_END - 1);
	assert_refused(f, query(f, from(XENMEM_maximum_gpfn, 1)), XEN_EINVAL);
	assert_refused(
		f, fake_op(f, __HYPERVISOR_memory_op, XENMEM_maximum_gpfn, &other, sizeof(other)),
		XEN_ESRCH);
}

static void maximum_ram_page(void **state)
{
	struct fake *f = *state;

	assert_int_equal(
		fake_call(f, __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, FAKE_HOLE, 0),
		HIGH_END);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_memory_op, from(XENMEM_maximum_ram_page, 1), 0, 0),
		       XEN_EINVAL);
}

/* XENMEM_remove_from_physmap of RAM: it is lost, and still counts. */
static void unmapped_ram(void **state)
{
	struct fake *f = *state;

	fill(f, SOMEWHERE, 2);
	assert_int_equal(reservation_unmap(&f->domain, gfn(SOMEWHERE)), 0);
	assert_false(populated(f, SOMEWHERE));
	assert_true(holds(f, SOMEWHERE, 0) && is_filled(f, SOMEWHERE + 1));
	assert_int_equal(pages(f), FAKE_PAGES);
	assert_int_equal(reservation_unmap(&f->domain, gfn(SOMEWHERE)), -XEN_ENOENT);
	assert_int_equal(reservation_unmap(&f->domain, gfn(RAM_END)), -XEN_ENOENT);
	assert_int_equal(reservation_unmap(&f->domain, gfn(UINT64_MAX)), -XEN_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(down_and_up),
		TEST_BOTH(neighbours_at_once),
		TEST_BOTH(long_list),
		TEST_BOTH(every_other_page),
		TEST_BOTH(orders),
		TEST_BOTH(high_memory),
		TEST_BOTH(largest_order),
		TEST_BOTH(populate_what_is_there),
		TEST_BOTH(increase),
		TEST_BOTH(covered_pages),
		TEST_64(counted),
		TEST_BOTH(not_there),
		TEST_BOTH(twice),
		TEST_BOTH(over_the_end),
		TEST_BOTH(list_to_nowhere),
		TEST_BOTH(goes_on),
		TEST_BOTH(wrong_from_the_start),
		TEST_BOTH(flags_that_do_nothing),
		TEST_BOTH(populate_on_demand),
		TEST_BOTH(stops),
		TEST_BOTH(no_more_than_it_may),
		TEST_BOTH(has_more_than_it_shall),
		TEST_BOTH(maximum_gpfn),
		TEST_BOTH(maximum_ram_page),
		TEST_BOTH(unmapped_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
