// SPDX-License-Identifier: BSD-2-Clause
/* XENMEM_* of a PV guest: frames that come and go, what the frame table and the M2P say of them. */
#include <errno.h>
#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_reservation.h"
#include "shim/fake_test.h"

#define OUT  0x30000ull /* a second list */
#define SELF DOMID_SELF
#define NONE PV_M2P_INVALID

static uint64_t pages(struct fake *f)
{
	return f->domain.reservation.pages;
}

static bool is_there(struct fake *f, uint64_t mfn)
{
	return domain_page_populated(&f->domain, gfn(mfn));
}

static void set_frames(struct fake *f, uint64_t list, unsigned n, const uint64_t *frames)
{
	for (unsigned i = 0; i < n; i++)
		write_frame(f, list, i, frames[i]);
}

static uint64_t frame_at(struct fake *f, uint64_t list, unsigned i)
{
	uint64_t frame;

	memcpy(&frame, fake_at(f, list + 8 * i), sizeof(frame));
	return frame;
}

static long adjust(struct fake *f, unsigned cmd, struct call c)
{
	struct xen_memory_reservation r = native_of(&c);

	return fake_op(f, __HYPERVISOR_memory_op, cmd, &r, sizeof(r));
}

static long give_back(struct fake *f, uint64_t mfn)
{
	write_frame(f, LIST, 0, mfn);
	return adjust(f, XENMEM_decrease_reservation, (struct call){1, 0, 0, SELF, 0});
}

static void decrease(void **state)
{
	static const uint64_t frames[] = {0x42, 0x43, HIGH + 1};
	struct fake *f = *state;

	set_frames(f, LIST, ARRAY_SIZE(frames), frames);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, (struct call){3, 0, 0, SELF, 0}),
			 3);
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		assert_int_equal(f->frames[frames[i]].refs, 0);
		assert_int_equal(f->m2p[frames[i]], NONE);
		assert_false(is_there(f, frames[i]));
	}
	assert_int_equal(pages(f), FAKE_PAGES - 3);
	assert_int_equal(f->ram_discarded, 3);
	assert_int_equal(f->ram_discards, 2);
}

/* What is none of the domain's ends the list. */
static void decrease_stops(void **state)
{
	static const uint64_t bad[] = {RAM_END, PV_SHARED_FRAMES >> GUEST_PAGE_SHIFT, FAKE_FRAMES,
				       UINT64_MAX, 0x42};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint64_t frames[] = {0x42 - i, bad[i] == 0x42 ? 0x42 - i : bad[i], 0x100};

		set_frames(f, LIST, 3, frames);
		assert_int_equal(
			adjust(f, XENMEM_decrease_reservation, (struct call){3, 0, 0, SELF, 0}), 1);
	}
	assert_int_equal(pages(f), FAKE_PAGES - ARRAY_SIZE(bad));
	assert_true(is_there(f, 0x100));
}

static void decrease_in_larger_extents(void **state)
{
	struct fake *f = *state;

	write_frame(f, LIST, 0, 0x40);
	write_frame(f, LIST, 1, RAM_END - 2);
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, (struct call){2, 2, 0, SELF, 0}),
			 1);
	/* Of the second, those before the bad one are gone, as on Xen. */
	assert_int_equal(pages(f), FAKE_PAGES - 6);
	assert_false(is_there(f, 0x43));
	assert_true(is_there(f, 0x44));
	assert_false(is_there(f, RAM_END - 1));
	assert_int_equal(adjust(f, XENMEM_decrease_reservation, (struct call){1, 10, 0, SELF, 0}),
			 0);
}

static long current_reservation(struct fake *f)
{
	domid_t domid = DOMID_SELF;

	return fake_op(f, __HYPERVISOR_memory_op, XENMEM_current_reservation, &domid,
		       sizeof(domid));
}

/* A frame that is mapped, or pinned, stays until that is over; so does its count. */
static void decrease_of_one_in_use(void **state)
{
	struct fake *f = *state;
	struct pv_frame *frame = &f->frames[0x42];

	frame->refs = 2;
	f->ram[0x42000] = 7;
	assert_int_equal(give_back(f, 0x42), 1);
	assert_int_equal(frame->refs, 1);
	assert_int_equal(frame->flags & PV_FRAME_RAM, 0);
	assert_int_equal(f->m2p[0x42], 0x42 + 256);
	assert_int_equal(f->ram[0x42000], 7);
	assert_int_equal(give_back(f, 0x42), 1); /* once more, to no effect */
	assert_int_equal(frame->refs, 1);
	assert_int_equal(current_reservation(f), FAKE_PAGES);
	assert_int_equal(f->ram_discarded, 0);

	frame->refs = 0; /* the monitor, when it is unmapped */
	assert_int_equal(current_reservation(f), FAKE_PAGES - 1);
	assert_false(is_there(f, 0x42));
	assert_int_equal(f->m2p[0x42], NONE);
	assert_int_equal(f->ram_discarded, 1);
	assert_int_equal(f->domain.pv.nr_leaving, 0);
	assert_int_equal(give_back(f, 0x42), 0);
}

static void no_pages_are_given_that_leave(void **state)
{
	struct fake *f = *state;

	f->frames[0x42].refs = 3;
	assert_int_equal(give_back(f, 0x42), 1);
	assert_int_equal(adjust(f, XENMEM_increase_reservation, (struct call){1, 0, 0, SELF, 0}),
			 0);
	f->frames[0x42].refs = 0;
	assert_int_equal(adjust(f, XENMEM_increase_reservation, (struct call){1, 0, 0, SELF, 0}),
			 1);
	assert_int_equal(frame_at(f, LIST, 0), 0x42);
}

static void populate(void **state)
{
	static const uint64_t gone[] = {0x42, 0x50, HIGH + 3}, pfns[] = {0x1000, 7, 0x1111};
	struct fake *f = *state;

	f->ram[0x42000] = 7;
	set_frames(f, LIST, 3, gone);
	adjust(f, XENMEM_decrease_reservation, (struct call){3, 0, 0, SELF, 0});
	set_frames(f, LIST, 3, pfns);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, (struct call){3, 0, 0, SELF, 0}), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(frame_at(f, LIST, i), gone[i]);
		assert_int_equal(f->m2p[gone[i]], pfns[i]);
		assert_int_equal(f->frames[gone[i]].refs, 1);
		assert_int_equal(f->frames[gone[i]].type_refs, 0);
		assert_int_equal(f->frames[gone[i]].flags, PV_FRAME_RAM);
	}
	assert_int_equal(f->ram[0x42000], 0);
	assert_int_equal(pages(f), FAKE_PAGES);
	assert_int_equal(f->ram_populated, 3);
}

static void withhold(struct fake *f, uint64_t mfn, uint64_t npages)
{
	assert_int_equal(domain_withhold_ram(&f->domain, gfn(mfn), npages), 0);
	for (uint64_t i = 0; i < npages; i++)
		pv_frame_free(&f->domain, mfn + i);
}

/* Frames are aligned, below what is asked for, and there may be no such. */
static void populate_in_larger_extents(void **state)
{
	struct fake *f = *state;

	withhold(f, 0x41, 14);       /* 0x41 to 0x4e: one of order 2 at 0x44, one at 0x48 */
	withhold(f, HIGH + 8, 0x10); /* two of order 3 */
	write_frame(f, LIST, 0, 0x1000);
	write_frame(f, LIST, 1, 0x2000);
	write_frame(f, LIST, 2, 0x3000);
	assert_int_equal(adjust(f, XENMEM_populate_physmap,
				(struct call){3, 2, XENMEMF_address_bits(20), SELF, 0}),
			 2);
	assert_int_equal(frame_at(f, LIST, 0), 0x44);
	assert_int_equal(frame_at(f, LIST, 1), 0x48);
	assert_int_equal(frame_at(f, LIST, 2), 0x3000);
	assert_int_equal(f->m2p[0x47], 0x1003);
	assert_int_equal(f->m2p[0x43], NONE);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, (struct call){2, 3, 0, SELF, LIST + 8}),
			 2);
	assert_int_equal(frame_at(f, LIST, 1), HIGH + 8);
	assert_int_equal(frame_at(f, LIST, 2), HIGH + 16);
	assert_int_equal(adjust(f, XENMEM_populate_physmap,
				(struct call){1, 0, XENMEMF_address_bits(13), SELF, 0}),
			 0);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, (struct call){1, 0, 0, SELF, 0}), 1);
	assert_int_equal(frame_at(f, LIST, 0), 0x41);
}

static void populate_no_more_than_it_may_have(void **state)
{
	struct fake *f = *state;

	withhold(f, 0x40, 0x40);
	domain_set_memory_target(&f->domain, FAKE_PAGES - 0x40 - RESERVATION_SLACK + 2);
	assert_int_equal(adjust(f, XENMEM_populate_physmap, (struct call){3, 0, 0, SELF, 0}), 2);
	assert_int_equal(adjust(f, XENMEM_populate_physmap,
				(struct call){3, 0, XENMEMF_populate_on_demand, SELF, 0}),
			 0);
	assert_int_equal(pages(f), FAKE_PAGES - 0x40 + 2);
}

/* A list that cannot be written costs the extent that it could not be told of, as on Xen. */
static void populate_untold(void **state)
{
	struct fake *f = *state;

	withhold(f, 0x50, 8);
	fake_paging_read_only_arg(f);
	write_frame(f, FAKE_ARG + 0x800, 0, 0x1000);
	write_frame(f, FAKE_ARG + 0x800, 1, 0x1001);
	assert_int_equal(
		adjust(f, XENMEM_populate_physmap, (struct call){2, 0, 0, SELF, FAKE_ARG + 0x800}),
		0);
	assert_int_equal(pages(f), FAKE_PAGES - 7);
	assert_int_equal(f->m2p[0x50], 0x1000);
	assert_int_equal(f->frames[0x51].refs, 0);
	assert_false(is_there(f, 0x51));
}

static void increase(void **state)
{
	struct fake *f = *state;

	withhold(f, 0x50, 8);
	assert_int_equal(adjust(f, XENMEM_increase_reservation, (struct call){2, 1, 0, SELF, 0}),
			 2);
	assert_int_equal(frame_at(f, LIST, 0), 0x50);
	assert_int_equal(frame_at(f, LIST, 1), 0x52);
	assert_int_equal(f->m2p[0x50], NONE);
	assert_int_equal(f->frames[0x53].refs, 1);
	assert_int_equal(adjust(f, XENMEM_increase_reservation, (struct call){8, 0, 0, SELF, 0}),
			 4);
	assert_int_equal(pages(f), FAKE_PAGES);
}

/* Who does not want to know names no list. */
static void increase_without_a_list(void **state)
{
	struct xen_memory_reservation r = {.nr_extents = 2, .domid = DOMID_SELF};
	struct fake *f = *state;

	withhold(f, 0x50, 8);
	assert_int_equal(
		fake_op(f, __HYPERVISOR_memory_op, XENMEM_increase_reservation, &r, sizeof(r)), 2);
	assert_int_equal(pages(f), FAKE_PAGES - 6);
}

static long exchange(struct fake *f, struct call in, struct call out, uint64_t *done)
{
	struct xen_memory_exchange x = {native_of(&in), native_of(&out), *done};
	long rc = fake_op(f, __HYPERVISOR_memory_op, XENMEM_exchange, &x, sizeof(x));

	*done = x.nr_exchanged;
	return rc;
}

/* Scattered pages for some in one piece, and back. */
static void exchange_for_a_larger_one(void **state)
{
	static const uint64_t frames[] = {0x42, 0x99, HIGH + 5, 0x77};
	struct fake *f = *state;
	uint64_t done = 0;

	withhold(f, 0x60, 4);
	f->ram[0x42000] = 7;
	set_frames(f, LIST, 4, frames);
	write_frame(f, OUT, 0, 0x1000);
	assert_int_equal(exchange(f, (struct call){4, 0, 0, SELF, LIST},
				  (struct call){1, 2, 0, SELF, OUT}, &done),
			 0);
	assert_int_equal(done, 4);
	assert_int_equal(frame_at(f, OUT, 0), 0x60);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(f->m2p[0x60 + i], 0x1000 + i);
		assert_int_equal(f->frames[0x60 + i].refs, 1);
		assert_int_equal(f->frames[frames[i]].refs, 0);
		assert_int_equal(f->m2p[frames[i]], NONE);
		assert_false(is_there(f, frames[i]));
	}
	assert_int_equal(f->ram[0x42000], 0);
	assert_int_equal(pages(f), FAKE_PAGES - 4);

	write_frame(f, LIST, 0, 0x60);
	set_frames(f, OUT, 4, frames);
	done = 0;
	assert_int_equal(exchange(f, (struct call){1, 2, 0, SELF, LIST},
				  (struct call){4, 0, 0, SELF, OUT}, &done),
			 0);
	assert_int_equal(done, 1);
	assert_int_equal(frame_at(f, OUT, 0), 0x42);
	assert_int_equal(f->m2p[0x42], 0x42);
	assert_int_equal(pages(f), FAKE_PAGES - 4);
}

/* Nothing is spare: what is given is what is got, if it will do. */
static void exchange_for_themselves(void **state)
{
	static const uint64_t frames[] = {0x43, 0x41, 0x42, 0x40};
	struct fake *f = *state;
	uint64_t done = 0;

	f->ram[0x42000] = 7;
	set_frames(f, LIST, 4, frames);
	write_frame(f, OUT, 0, 0x1000);
	assert_int_equal(exchange(f, (struct call){4, 0, 0, SELF, LIST},
				  (struct call){1, 2, 0, SELF, OUT}, &done),
			 0);
	assert_int_equal(frame_at(f, OUT, 0), 0x40);
	assert_int_equal(f->m2p[0x43], 0x1003);
	assert_int_equal(f->frames[0x43].refs, 1);
	assert_true(is_there(f, 0x43));
	assert_int_equal(f->ram[0x42000], 0);
	assert_int_equal(pages(f), FAKE_PAGES);
}

static void exchange_in_vain(struct fake *f, struct call in, struct call out, long rc)
{
	uint64_t before = pages(f), discarded = f->ram_discarded, done = 0;
	struct pv_frame frame = f->frames[0x42];

	f->ram[0x42000] = 7;
	assert_int_equal(exchange(f, in, out, &done), rc);
	assert_int_equal(done, 0);
	assert_int_equal(pages(f), before);
	assert_int_equal(f->ram_discarded, discarded);
	assert_memory_equal(&frame, &f->frames[0x42], sizeof(frame));
	assert_int_equal(f->m2p[0x42], 0x42 + 256);
	assert_int_equal(f->ram[0x42000], 7);
	assert_int_equal(domain_count_populated(&f->domain, gfn(0), RAM_END), RAM_END);
}

static void exchange_that_cannot_be(void **state)
{
	static const uint64_t scattered[] = {0x42, 0x99, HIGH + 5, 0x77}, twice[] = {0x42, 0x42},
			      none[] = {0x42, RAM_END};
	const struct call in = {4, 0, 0, SELF, LIST}, out = {1, 2, 0, SELF, OUT};
	const struct call two = {2, 0, 0, SELF, LIST}, to = {1, 1, 0, SELF, OUT};
	const struct call low = {2, 0, XENMEMF_address_bits(14), SELF, OUT};
	const struct call nowhere = {2, 0, 0, SELF, FAKE_HOLE};
	struct fake *f = *state;

	set_frames(f, LIST, 4, scattered);
	exchange_in_vain(f, in, out, -XEN_ENOMEM);
	exchange_in_vain(f, two, low, -XEN_ENOMEM);
	f->frames[0x99].refs = 2;
	exchange_in_vain(f, in, out, -XEN_EINVAL);
	f->frames[0x99].refs = 1;
	set_frames(f, LIST, 2, twice);
	exchange_in_vain(f, two, to, -XEN_EINVAL);
	set_frames(f, LIST, 2, none);
	exchange_in_vain(f, two, to, -XEN_EINVAL);
	exchange_in_vain(f, nowhere, to, -XEN_EFAULT);
	exchange_in_vain(f, (struct call){1, 10, 0, SELF, LIST}, (struct call){1, 10, 0, SELF, OUT},
			 -XEN_EPERM);
}

/* What has been done before the one that fails is done. */
static void exchange_in_part(void **state)
{
	static const uint64_t frames[] = {0x42, 0x43, RAM_END, 0x45};
	struct fake *f = *state;
	uint64_t done = 0;

	set_frames(f, LIST, 4, frames);
	set_frames(f, OUT, 4, frames);
	assert_int_equal(exchange(f, (struct call){4, 0, 0, SELF, LIST},
				  (struct call){4, 0, 0, SELF, OUT}, &done),
			 -XEN_EINVAL);
	assert_int_equal(done, 2);
	set_frames(f, LIST + 16, 1, frames);
	assert_int_equal(exchange(f, (struct call){4, 0, 0, SELF, LIST},
				  (struct call){4, 0, 0, SELF, OUT}, &done),
			 0);
	assert_int_equal(done, 4);
	assert_true(is_there(f, 0x45));
}

static void physmap_is_the_machines(void **state)
{
	struct xen_add_to_physmap add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = SOMEWHERE};
	struct xen_add_to_physmap_batch batch = {.domid = DOMID_SELF};
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = SOMEWHERE};
	struct fake *f = *state;

	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add, sizeof(add)),
		       XEN_EACCES);
	add.domid = 99;
	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add, sizeof(add)),
		       XEN_ESRCH);
	add.space = XENMAPSPACE_gmfn_foreign;
	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add, sizeof(add)),
		       XEN_ENOSYS);
	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &batch,
			       sizeof(batch)),
		       XEN_EACCES);
	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove,
			       sizeof(remove)),
		       XEN_EACCES);
}

static void machphys(void **state)
{
	struct xen_machphys_mapping mapping;
	struct xen_machphys_mfn_list list = {.max_extents = 100};
	struct fake *f = *state;

	assert_int_equal(fake_op(f, __HYPERVISOR_memory_op, XENMEM_machphys_mapping, &mapping,
				 sizeof(mapping)),
			 0);
	assert_int_equal(mapping.v_start, PV_M2P_VIRT);
	assert_int_equal(mapping.v_end, 0xffff804000000000ull);
	assert_int_equal(mapping.max_mfn, FAKE_FRAMES - 1);
	assert_refused(f,
		       fake_op(f, __HYPERVISOR_memory_op, from(XENMEM_machphys_mapping, 1),
			       &mapping, sizeof(mapping)),
		       XEN_ENOSYS);

	list.extent_start.p = (void *)LIST;
	assert_int_equal(
		fake_op(f, __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, &list, sizeof(list)),
		0);
	assert_int_equal(list.nr_extents, (FAKE_FRAMES * 8 + 0x1fffff) / 0x200000);
	for (unsigned i = 0; i < list.nr_extents; i++)
		assert_int_equal(frame_at(f, LIST, i), FAKE_M2P + i * 512);
	list.max_extents = 2;
	assert_int_equal(
		fake_op(f, __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, &list, sizeof(list)),
		0);
	assert_int_equal(list.nr_extents, 2);
}

static long query(struct fake *f, unsigned cmd, domid_t domid)
{
	return fake_op(f, __HYPERVISOR_memory_op, cmd, &domid, sizeof(domid));
}

static void numbers(void **state)
{
	struct fake *f = *state;
	struct shared_info *si = f->shared_info;

	assert_int_equal(query(f, XENMEM_current_reservation, DOMID_SELF), FAKE_PAGES);
	assert_int_equal(query(f, XENMEM_maximum_reservation, DOMID_SELF),
			 FAKE_PAGES + RESERVATION_SLACK);
	assert_int_equal(query(f, XENMEM_maximum_gpfn, DOMID_SELF), 0);
	si->arch.max_pfn = 0x1234;
	assert_int_equal(query(f, XENMEM_maximum_gpfn, DOMID_SELF), 0x1233);
	assert_refused(f, query(f, XENMEM_maximum_gpfn, 99), XEN_ESRCH);
	assert_int_equal(fake_call(f, __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0),
			 HIGH_END);
}

static void memory_map(void **state)
{
	const struct hvm_memmap_table_entry ram = {
		.addr = 0, .size = FAKE_PAGES << GUEST_PAGE_SHIFT, .type = 1};
	struct fake *f = *state;
	const uint64_t argument[2] = {16, LIST};
	uint64_t map[2] = {argument[0], argument[1]};

	f->domain.memmap = &ram;
	f->domain.memmap_entries = 1;
	assert_int_equal(fake_op(f, __HYPERVISOR_memory_op, XENMEM_memory_map, map, sizeof(map)),
			 0);
	assert_int_equal(map[0], 1);
	assert_int_equal(frame_at(f, LIST, 0), 0);
	assert_int_equal(frame_at(f, LIST, 1), FAKE_PAGES << GUEST_PAGE_SHIFT);
}

static void withhold_only_what_is_there(void **state)
{
	struct fake *f = *state;

	withhold(f, 0x50, 8);
	assert_int_equal(domain_withhold_ram(&f->domain, gfn(0x57), 1), -EINVAL);
	assert_int_equal(domain_withhold_ram(&f->domain, gfn(RAM_END - 1), 2), -EINVAL);
	assert_int_equal(pages(f), FAKE_PAGES - 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PV(decrease),
		TEST_PV(decrease_stops),
		TEST_PV(decrease_in_larger_extents),
		TEST_PV(decrease_of_one_in_use),
		TEST_PV(no_pages_are_given_that_leave),
		TEST_PV(populate),
		TEST_PV(populate_in_larger_extents),
		TEST_PV(populate_no_more_than_it_may_have),
		TEST_PV(populate_untold),
		TEST_PV(increase),
		TEST_PV(increase_without_a_list),
		TEST_PV(exchange_for_a_larger_one),
		TEST_PV(exchange_for_themselves),
		TEST_PV(exchange_that_cannot_be),
		TEST_PV(exchange_in_part),
		TEST_PV(physmap_is_the_machines),
		TEST_PV(machphys),
		TEST_PV(numbers),
		TEST_PV(memory_map),
		TEST_PV(withhold_only_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
