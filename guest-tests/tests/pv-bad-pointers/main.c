// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arguments of hypercalls that a PV kernel may not point at: -EFAULT, and nothing has happened. The
 * hypervisor shares the address space with the guest, so that its own part is one more place that
 * leads nowhere: for reading, and still more for writing. Pages of the guest that are mapped
 * read-only (page tables are) are not written to either. And the opposite: a structure across two
 * pages that are neighbours only in the page tables is a good one.
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "bad pointers of a PV guest give -EFAULT and change nothing";

static evtchn_port_t expected_port;

static evtchn_port_t next_free(void)
{
	long port = evtchn_bind_ipi(0);

	evtchn_close((evtchn_port_t)port);
	return (evtchn_port_t)port;
}

/* Each family once: of page tables and of the rest, reading and writing. */
static void every_family(unsigned long bad, const char *what)
{
	static const struct {
		unsigned int nr;
		unsigned int at; /* which argument is the pointer */
		unsigned long args[4];
	} calls[] = {
		{__HYPERVISOR_event_channel_op, 1, {EVTCHNOP_bind_ipi, 0, 0, 0}},
		{__HYPERVISOR_event_channel_op, 1, {EVTCHNOP_send, 0, 0, 0}},
		{__HYPERVISOR_xen_version, 1, {XENVER_extraversion, 0, 0, 0}},
		{__HYPERVISOR_xen_version, 1, {XENVER_get_features, 0, 0, 0}},
		{__HYPERVISOR_memory_op, 1, {XENMEM_maximum_reservation, 0, 0, 0}},
		{__HYPERVISOR_memory_op, 1, {XENMEM_machphys_mapping, 0, 0, 0}},
		{__HYPERVISOR_sched_op, 1, {SCHEDOP_shutdown, 0, 0, 0}},
		{__HYPERVISOR_vcpu_op, 2, {VCPUOP_set_singleshot_timer, 0, 0, 0}},
		{__HYPERVISOR_vcpu_op, 2, {VCPUOP_register_vcpu_info, 0, 0, 0}},
		{__HYPERVISOR_grant_table_op, 1, {GNTTABOP_query_size, 0, 1, 0}},
		{__HYPERVISOR_mmu_update, 0, {0, 1, 0, DOMID_SELF}},
		{__HYPERVISOR_mmuext_op, 0, {0, 1, 0, DOMID_SELF}},
		{__HYPERVISOR_set_gdt, 0, {0, 1, 0, 0}},
		{__HYPERVISOR_callback_op, 1, {CALLBACKOP_register, 0, 0, 0}},
		{__HYPERVISOR_multicall, 0, {0, 1, 0, 0}},
		{__HYPERVISOR_physdev_op, 1, {PHYSDEVOP_set_iopl, 0, 0, 0}},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned long a[4];
		long rc;

		memcpy(a, calls[i].args, sizeof(a));
		a[calls[i].at] = bad;
		rc = hypercall(calls[i].nr, a[0], a[1], a[2], a[3], 0);
		CHECK(rc == -XEN_EFAULT, "hypercall %u operation %lu at %s: %ld", calls[i].nr,
		      calls[i].args[0], what, rc);
	}
	CHECK_EQ(next_free(), expected_port);
}

static void bad_places(void)
{
	every_family(mapped_end(), "a page that is not mapped");
	every_family(mapped_end() - 1, "the end of the last page that is");
	every_family(0, "0");
	every_family(0x200000000, "an address without page tables");
	every_family(0x800000000000, "the first address that is not canonical");
	every_family(0xdeadbeefcafe0000, "an address that is not canonical");
	every_family(HYPERVISOR_VIRT_START + 0x4000000000, "the hypervisor's second slot");
	every_family(HYPERVISOR_VIRT_END - PAGE_SIZE, "the hypervisor's last page");
}

/* The list of pfns can be read by the guest, and is the hypervisor's. */
static void nothing_of_the_hypervisors_is_written(void)
{
	unsigned long was = m2p()[0];

	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, (void *)HYPERVISOR_VIRT_START),
		 -XEN_EFAULT);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, (void *)(HYPERVISOR_VIRT_START - 4)),
		 -XEN_EFAULT);
	CHECK_EQ(m2p()[0], was);
}

static uint8_t pages[2][PAGE_SIZE] PAGE_ALIGNED;

static void read_only(void)
{
	uint8_t *p = window_map(8, (unsigned long)pages[0], PTE_READONLY);
	uint64_t was = READ_ONCE(l4_table()[300]);
	unsigned int *done = (unsigned int *)(void *)p;
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, p), -XEN_EFAULT);
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, p), -XEN_EFAULT);
	CHECK_EQ(mmuext_op(&op, 1, done), 0); /* the count is dropped */
	for (unsigned int i = 0; i < PAGE_SIZE; i += 64)
		if (!CHECK(!pages[0][i], "the read-only page was written to"))
			break;
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, &l4_table()[300]), -XEN_EFAULT);
	CHECK_EQ(READ_ONCE(l4_table()[300]), was);
	/* Reading from it is right. */
	*(uint32_t *)(void *)pages[0] = 0x100000;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_send, p), -XEN_EINVAL);
}

/* Neighbours in the page tables, in RAM the other way round. */
static void scattered(void)
{
	uint8_t *first = window_map(4, (unsigned long)pages[1], PTE_DATA);
	uint8_t *second = window_map(5, (unsigned long)pages[0], PTE_DATA);
	struct xen_feature_info *f = (void *)(second - 4);
	struct mmu_update *update = (void *)(second - 8);
	static uint64_t target;
	xen_extraversion_t straight = "";

	memset(pages, 0, sizeof(pages));
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, f), 0);
	CHECK(f->submap & 1U << XENFEAT_mmu_pt_update_preserve_ad, "features %#x", f->submap);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, second - 7), 0);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, straight), 0);
	CHECK(!memcmp(second - 7, straight, sizeof(straight)), "text across pages differs");
	*update = (struct mmu_update){.ptr = maddr_of(&target), .val = 77};
	CHECK_EQ(mmu_update(update, 1, NULL), 0);
	CHECK_EQ(READ_ONCE(target), 77);
	for (unsigned int i = 16; i < PAGE_SIZE - 16; i += 64)
		if (!CHECK(!first[i] && !second[i], "bytes elsewhere in the pages changed"))
			break;
}

void test_main(void)
{
	window();
	expected_port = next_free();
	bad_places();
	nothing_of_the_hypervisors_is_written();
	read_only();
	scattered();
	test_success();
}
