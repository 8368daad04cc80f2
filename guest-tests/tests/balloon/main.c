// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory given back to the hypervisor and taken again, as a balloon driver does.
 *
 * XENMEM_decrease_reservation takes frames away, one by one or 2 MiB at once, and
 * XENMEM_populate_physmap puts fresh pages there (xen/memory.h). Neither names an error: the result
 * is how many extents were done, and a driver that gets less than it asked for stops the kernel
 * (Linux's decrease_reservation() has a BUG_ON). What is in a page that stays must not change, and
 * a page that went is not to be found with its old contents.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "RAM given back and taken again: contents, counts, orders, errors";

/* Above the image and what the loader has put behind it; two huge pages. */
#define PAGE_SHIFT 12
#define FIRST      (32UL << 20 >> PAGE_SHIFT)
#define HUGE       512UL
#define PAGES      200U

#define MARK(frame) (0x5eed0000UL + (frame))

static xen_pfn_t frames[PAGES];

static long adjust(unsigned int cmd, unsigned long n, unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, frames);
	return hypercall_memory_op(cmd, &r);
}

static long adjust_one(unsigned int cmd, xen_pfn_t frame, unsigned int order)
{
	frames[0] = frame;
	return adjust(cmd, 1, order);
}

static long pages(void)
{
	struct xen_memory_domain self = {.domid = DOMID_SELF};

	return hypercall_memory_op(XENMEM_current_reservation, &self);
}

/* The first and the last word of a frame. */
static volatile unsigned long *word(xen_pfn_t frame, bool last)
{
	return (volatile unsigned long *)((frame << PAGE_SHIFT) +
					  (last ? PAGE_SIZE - sizeof(unsigned long) : 0));
}

static void mark(xen_pfn_t frame)
{
	*word(frame, false) = *word(frame, true) = MARK(frame);
}

static bool is_marked(xen_pfn_t frame)
{
	return *word(frame, false) == MARK(frame) && *word(frame, true) == MARK(frame);
}

/* Xen gives out pages of running guests as they are. */
static bool is_empty(xen_pfn_t frame)
{
	return strstr(start_info_cmdline(), "subject=xen") ||
	       (!*word(frame, false) && !*word(frame, true));
}

static void list_every_other(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		frames[i] = FIRST + 2 * i;
}

static void check_kept(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(is_marked(FIRST + 2 * i + 1), "frame %#lx has changed", FIRST + 2 * i + 1);
}

/* Every other page goes and comes back; what is between stays. */
static void down_and_up(void)
{
	long before = pages();

	for (unsigned int i = 0; i < 2 * PAGES; i++)
		mark(FIRST + i);
	list_every_other();
	CHECK_EQ(adjust(XENMEM_decrease_reservation, PAGES, 0), PAGES);
	CHECK_EQ(pages(), before - PAGES);
	check_kept();
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(!is_marked(FIRST + 2 * i), "frame %#lx is still there", FIRST + 2 * i);
	list_every_other();
	CHECK_EQ(adjust(XENMEM_populate_physmap, PAGES, 0), PAGES);
	CHECK_EQ(pages(), before);
	check_kept();
	for (unsigned int i = 0; i < PAGES; i++) {
		CHECK(is_empty(FIRST + 2 * i), "frame %#lx is not empty", FIRST + 2 * i);
		mark(FIRST + 2 * i);
		CHECK(is_marked(FIRST + 2 * i), "frame %#lx cannot be used", FIRST + 2 * i);
	}
	check_kept();
}

static void huge(void)
{
	long before = pages();

	mark(FIRST);
	mark(FIRST + HUGE - 1);
	mark(FIRST + HUGE);
	CHECK_EQ(adjust_one(XENMEM_decrease_reservation, FIRST, 9), 1);
	CHECK_EQ(pages(), before - HUGE);
	CHECK(is_marked(FIRST + HUGE), "the next page has changed");
	CHECK_EQ(adjust_one(XENMEM_decrease_reservation, FIRST + 7, 0), 0);
	/* By pieces, at frames of any kind. */
	CHECK_EQ(adjust_one(XENMEM_populate_physmap, FIRST + 1, 3), 1);
	CHECK_EQ(adjust_one(XENMEM_decrease_reservation, FIRST + 1, 3), 1);
	CHECK_EQ(adjust_one(XENMEM_populate_physmap, FIRST, 9), 1);
	CHECK_EQ(pages(), before);
	CHECK(is_empty(FIRST) && is_empty(FIRST + HUGE - 1), "the pages are not empty");
	CHECK(is_marked(FIRST + HUGE), "the next page has changed");
}

/* How far it comes says the result. */
static void partly(void)
{
	long before = pages();

	frames[0] = frames[1] = frames[3] = FIRST;
	frames[2] = FIRST + 1;
	CHECK_EQ(adjust(XENMEM_decrease_reservation, 4, 0), 1);
	frames[0] = FIRST + 1;
	frames[1] = ~0UL >> PAGE_SHIFT;
	CHECK_EQ(adjust(XENMEM_decrease_reservation, 4, 0), 1);
	CHECK_EQ(pages(), before - 2);
	/* From the second extent on, as when Xen goes on with it. */
	frames[1] = FIRST + 1;
	frames[2] = FIRST;
	CHECK_EQ(adjust(XENMEM_populate_physmap | 1U << 6, 3, 0), 3);
	CHECK_EQ(pages(), before);
	CHECK_EQ(adjust(XENMEM_decrease_reservation | 3U << 6, 3, 0), 3);
	CHECK_EQ(pages(), before);
}

static long adjust_with(unsigned int cmd, domid_t domid, unsigned int flags, void *list)
{
	struct xen_memory_reservation r = {.nr_extents = 1, .mem_flags = flags, .domid = domid};

	frames[0] = FIRST;
	set_xen_guest_handle(r.extent_start, list);
	return hypercall_memory_op(cmd, &r);
}

static void refused(void)
{
	unsigned long nowhere = (unsigned long)ram_end_low() + (16UL << 20);
	unsigned int cmds[] = {XENMEM_decrease_reservation, XENMEM_populate_physmap};
	long before = pages();

	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		CHECK_EQ(adjust_one(cmds[i], FIRST, 10), 0);
		CHECK_EQ(adjust_with(cmds[i], 0, 0, frames), 0);
		CHECK_EQ(adjust_with(cmds[i], 77, 0, frames), 0);
		CHECK_EQ(adjust_with(cmds[i], DOMID_SELF, 12, frames), 0);
		CHECK_EQ(adjust_with(cmds[i], DOMID_SELF, 0, (void *)nowhere), 0);
		CHECK_EQ(hypercall_memory_op(cmds[i], (void *)nowhere), 0);
	}
	CHECK_EQ(pages(), before);
}

/* There is room for a little more than the guest has, not for 2 MiB. */
static void no_more(void)
{
	struct xen_memory_domain self = {.domid = DOMID_SELF};
	long most = hypercall_memory_op(XENMEM_maximum_reservation, &self), before = pages();

	CHECK(most >= before && most < before + (long)HUGE, "%ld of %ld pages", before, most);
	CHECK_EQ(adjust_one(XENMEM_increase_reservation, 0, 9), 0);
	CHECK_EQ(pages(), before);
}

static long exchange(void)
{
	struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
					.out = {.nr_extents = 1, .domid = DOMID_SELF}};

	frames[0] = frames[1] = FIRST;
	set_xen_guest_handle(x.in.extent_start, frames);
	set_xen_guest_handle(x.out.extent_start, frames + 1);
	return hypercall_memory_op(XENMEM_exchange, &x);
}

/* XENMAPSPACE_gmfn: a page moves with what is in it. */
static void move(void)
{
	struct xen_add_to_physmap x = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn, .idx = FIRST, .gpfn = FIRST + 1};
	long before = pages();

	mark(FIRST);
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap, &x), 0);
	CHECK_EQ(*word(FIRST + 1, false), MARK(FIRST));
	CHECK_EQ(*word(FIRST + 1, true), MARK(FIRST));
	CHECK_EQ(pages(), before - 1);
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap, &x), -XEN_EINVAL);
	CHECK_EQ(adjust_one(XENMEM_populate_physmap, FIRST, 0), 1);
	CHECK_EQ(pages(), before);
}

void test_main(void)
{
	if (!start_info_is_ram(FIRST << PAGE_SHIFT, 2 * HUGE << PAGE_SHIFT)) {
		test_error("no RAM at %#lx", FIRST << PAGE_SHIFT);
		return;
	}
	down_and_up();
	huge();
	partly();
	refused();
	no_more();
	CHECK_EQ(exchange(), -XEN_EOPNOTSUPP);
	move();
	test_success();
}
