// SPDX-License-Identifier: BSD-2-Clause
/*
 * RAM of a PV guest given back and taken: memory_op's reservations (public header memory.h), with
 * machine frames that the guest has to map for itself, and the hypervisor's list of pfns following.
 * Xen: common/memory.c, guest_remove_page().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "reservations: decrease, populate, increase, exchange, their counts";

static domid_t self_id = DOMID_SELF;

static long current(void)
{
	return hypercall_memory_op(XENMEM_current_reservation, &self_id);
}

static long maximum(void)
{
	return hypercall_memory_op(XENMEM_maximum_reservation, &self_id);
}

static long reservation(unsigned int op, xen_pfn_t *list, unsigned long n, unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, list);
	return hypercall_memory_op(op, &r);
}

static void map_at(void *at, unsigned long mfn)
{
	CHECK_EQ(update_va_mapping(at, mfn * PAGE_SIZE | (mfn ? PTE_DATA : 0), UVMF_INVLPG), 0);
}

static void counts(void)
{
	domid_t nobody = 0x1234;

	CHECK_EQ(current(), pv_start_info()->nr_pages);
	CHECK(maximum() >= current(), "the maximum is %ld", maximum());
	CHECK_EQ(hypercall_memory_op(XENMEM_current_reservation, &nobody), -XEN_ESRCH);
	CHECK(hypercall_memory_op(XENMEM_maximum_ram_page, NULL) > 0, "no maximum_ram_page");
	/* What is for guests with a map of their own. */
	{
		struct xen_add_to_physmap arg = {
			.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = 1};

		CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap, &arg), -XEN_EACCES);
	}
}

static void give_back_and_take(void)
{
	unsigned long pfn = pfn_alloc();
	xen_pfn_t frame = mfn_of_pfn(pfn), old = frame;
	long before = current();
	uint8_t *at = window();

	CHECK_EQ(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
	CHECK_EQ(current(), before - 1);
	CHECK_EQ(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 0);
	CHECK_EQ(update_va_mapping(at, old * PAGE_SIZE | PTE_DATA, UVMF_INVLPG) < 0, true);
	frame = pfn;
	CHECK_EQ(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
	CHECK_EQ(current(), before);
	CHECK_EQ(READ_ONCE(m2p()[frame]), pfn);
	p2m()[pfn] = frame;
	map_at(at, frame);
	at[5] = 0x55;
	CHECK_EQ(READ_ONCE(at[5]), 0x55);
	map_at(at, 0);
}

/* A page that is mapped goes when the last mapping has gone. */
static void give_back_in_use(void)
{
	unsigned long pfn = pfn_alloc();
	xen_pfn_t frame = mfn_of_pfn(pfn);
	long before = current();
	uint8_t *at = window();

	map_at(at, frame);
	at[6] = 0x66;
	CHECK_EQ(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
	CHECK_EQ(READ_ONCE(at[6]), 0x66);
	CHECK_EQ(current(), before);
	map_at(at, 0);
	CHECK_EQ(current(), before - 1);
	frame = pfn;
	CHECK_EQ(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
	p2m()[pfn] = frame;
	CHECK_EQ(current(), before);
}

static void take_more(void)
{
	xen_pfn_t frames[2] = {0, 0};
	unsigned long pfn = pfn_alloc();
	long before = current();
	uint8_t *at = window();

	frames[0] = mfn_of_pfn(pfn);
	CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, 1, 0), 1);
	/* By a number that the hypervisor chooses; the pfn is to be said afterwards. */
	CHECK_EQ(reservation(XENMEM_increase_reservation, frames, 1, 0), 1);
	CHECK_EQ(current(), before);
	CHECK_EQ(mmu_update_1(frames[0] * PAGE_SIZE | MMU_MACHPHYS_UPDATE, pfn), 0);
	p2m()[pfn] = frames[0];
	map_at(at, frames[0]);
	at[1] = 1;
	map_at(at, 0);
}

/* Until there is no more: the answer is how many it was. */
static void up_to_the_maximum(void)
{
	static xen_pfn_t frames[4096];
	long room = maximum() - current(), n;

	if (!CHECK(room >= 0 && room < 4000, "room for %ld pages", room))
		return;
	n = reservation(XENMEM_increase_reservation, frames, (unsigned long)room + 5, 0);
	CHECK_EQ(n, room);
	CHECK_EQ(current(), maximum());
	CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, (unsigned long)n, 0), n);
	CHECK_EQ(current(), pv_start_info()->nr_pages);
}

static void lists(void)
{
	xen_pfn_t frames[3] = {mfn_of_pfn(pfn_alloc()), NO_MFN, mfn_of_pfn(pfn_alloc())};
	unsigned long first = m2p()[frames[0]];

	CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, 3, 0), 1);
	frames[0] = first;
	CHECK_EQ(reservation(XENMEM_populate_physmap, frames, 1, 0), 1);
	p2m()[first] = frames[0];
	CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, 0, 0), 0);
	CHECK_EQ(reservation(XENMEM_decrease_reservation, (void *)mapped_end(), 1, 0), 0);
	CHECK_EQ(reservation(XENMEM_decrease_reservation, (void *)HYPERVISOR_VIRT_START, 1, 0), 0);
}

static void exchanges(void)
{
	unsigned long pfn = pfn_alloc();
	xen_pfn_t in = mfn_of_pfn(pfn), out = pfn, old = in;
	long before = current();
	uint8_t *at = window();
	struct xen_memory_exchange arg = {
		.in = {.nr_extents = 1, .domid = DOMID_SELF},
		.out = {.nr_extents = 1, .domid = DOMID_SELF},
	};

	set_xen_guest_handle(arg.in.extent_start, &in);
	set_xen_guest_handle(arg.out.extent_start, &out);
	CHECK_EQ(hypercall_memory_op(XENMEM_exchange, &arg), 0);
	CHECK_EQ(arg.nr_exchanged, 1);
	CHECK_EQ(current(), before);
	CHECK_EQ(READ_ONCE(m2p()[out]), pfn);
	p2m()[pfn] = out;
	map_at(at, out);
	at[3] = 3;
	CHECK_EQ(READ_ONCE(at[3]), 3);
	if (out != old)
		CHECK(update_va_mapping(at, old * PAGE_SIZE | PTE_DATA, UVMF_INVLPG) < 0,
		      "the page that was given can be mapped");
	/* One that is mapped stays. */
	map_at(at, out);
	in = out;
	out = pfn;
	arg.nr_exchanged = 0;
	CHECK(hypercall_memory_op(XENMEM_exchange, &arg) < 0, "a page in use was exchanged");
	CHECK_EQ(arg.nr_exchanged, 0);
	CHECK_EQ(READ_ONCE(at[3]), 3);
	map_at(at, 0);
	/* The sums must be the same. */
	arg.out.nr_extents = 2;
	CHECK_EQ(hypercall_memory_op(XENMEM_exchange, &arg), -XEN_EINVAL);
}

/* For each pfn that has a frame both lists say the same. */
static void lists_agree(void)
{
	unsigned int wrong = 0;

	for (unsigned long pfn = 0; pfn < pv_start_info()->nr_pages; pfn++)
		wrong += READ_ONCE(m2p()[p2m()[pfn]]) != pfn;
	CHECK_EQ(wrong, 0);
}

#define PAGES 512

static unsigned long *page_in_window(unsigned int i)
{
	return (unsigned long *)((uint8_t *)window() + i * PAGE_SIZE);
}

/* As a balloon driver: every second page of many goes and comes back, the others keep what they
 * have. */
static void balloon(void)
{
	static unsigned long pfns[PAGES];
	static xen_pfn_t frames[PAGES / 2];
	const unsigned int n = PAGES / 2;
	long before = current();

	for (unsigned int i = 0; i < PAGES; i++) {
		pfns[i] = pfn_alloc();
		map_at(page_in_window(i), mfn_of_pfn(pfns[i]));
		page_in_window(i)[0] = page_in_window(i)[511] = pfns[i];
	}
	for (unsigned int i = 0; i < n; i++) {
		map_at(page_in_window(2 * i), 0);
		frames[i] = mfn_of_pfn(pfns[2 * i]);
	}
	CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, n, 0), n);
	CHECK_EQ(current(), before - n);
	for (unsigned int i = 0; i < n; i++)
		frames[i] = pfns[2 * (n - 1 - i)];
	CHECK_EQ(reservation(XENMEM_populate_physmap, frames, n, 0), n);
	CHECK_EQ(current(), before);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int page = 2 * (n - 1 - i);

		p2m()[pfns[page]] = frames[i];
		map_at(page_in_window(page), frames[i]);
		page_in_window(page)[0] = page_in_window(page)[511] = pfns[page];
	}
	/* Were a frame behind two pages, one of them had the other's. */
	for (unsigned int i = 0; i < PAGES; i++) {
		CHECK(page_in_window(i)[0] == pfns[i] && page_in_window(i)[511] == pfns[i],
		      "page %u has %#lx and %#lx, not %#lx", i, page_in_window(i)[0],
		      page_in_window(i)[511], pfns[i]);
		map_at(page_in_window(i), 0);
	}
	lists_agree();
}

void test_main(void)
{
	counts();
	give_back_and_take();
	give_back_in_use();
	take_more();
	up_to_the_maximum();
	lists();
	exchanges();
	balloon();
	test_success();
}
