// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants of a PV guest (public header grant_table.h): the table's frames come as machine frames
 * that the guest maps, and a grant is mapped by the hypervisor into the guest's page tables. Here
 * it grants to itself. Xen: gnttab_setup_table(), create_grant_pv_mapping(),
 * replace_grant_pv_mapping().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "grant table frames, copies, maps into page tables";

#define SOURCE 20
#define DEST   21
#define MAPPED 22

/* A page of the guest's kernel, as the hypervisor marks it. */
#define KERNEL (1UL << 52)

static uint8_t source[PAGE_SIZE] PAGE_ALIGNED, dest[PAGE_SIZE] PAGE_ALIGNED;
static struct grant_entry_v1 *table;
static domid_t self;

static long grant_list(unsigned int cmd, void *ops, unsigned long count)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)ops, count, 0, 0);
}

static long grant_op(unsigned int cmd, void *op)
{
	return grant_list(cmd, op, 1);
}

static domid_t own_id(void)
{
	struct evtchn_status status = {.dom = DOMID_SELF};
	long port = evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF);

	CHECK_EQ(evtchn_status(DOMID_SELF, (evtchn_port_t)port, &status), 0);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), 0);
	return status.u.unbound.dom;
}

static void frames(void)
{
	xen_pfn_t list[2] = {0, 0};
	struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 2, .status = 55};
	uint8_t *at = window();

	set_xen_guest_handle(op.frame_list, list);
	CHECK_EQ(grant_op(GNTTABOP_setup_table, &op), 0);
	CHECK_EQ(op.status, GNTST_okay);
	CHECK(list[0] && list[1] && list[0] != list[1], "frames %#lx and %#lx", list[0], list[1]);
	for (unsigned int i = 0; i < 2; i++)
		CHECK_EQ(update_va_mapping(at + i * PAGE_SIZE, list[i] * PAGE_SIZE | PTE_DATA,
					   UVMF_INVLPG),
			 0);
	table = (struct grant_entry_v1 *)(void *)at;
	CHECK_EQ(READ_ONCE(table[SOURCE].flags), 0);
	op.nr_frames = 100000;
	CHECK_EQ(grant_op(GNTTABOP_setup_table, &op), 0);
	CHECK_EQ(op.status, GNTST_general_error);
	op.nr_frames = 2;
	op.dom = 0x1234;
	CHECK_EQ(grant_op(GNTTABOP_setup_table, &op), 0);
	CHECK_EQ(op.status, GNTST_bad_domain);
}

static void grant(unsigned int ref, const void *page, uint16_t flags)
{
	table[ref].domid = self;
	table[ref].frame = (uint32_t)mfn_of(page);
	barrier();
	WRITE_ONCE(table[ref].flags, flags);
}

static void copies(void)
{
	struct gnttab_copy op = {
		.source = {.domid = DOMID_SELF, .offset = 100},
		.dest = {.domid = DOMID_SELF, .offset = 200},
		.len = 8,
		.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
	};

	memset(source, 0x5a, PAGE_SIZE);
	grant(SOURCE, source, GTF_permit_access | GTF_readonly);
	grant(DEST, dest, GTF_permit_access);
	op.source.u.ref = SOURCE;
	op.dest.u.ref = DEST;
	CHECK_EQ(grant_op(GNTTABOP_copy, &op), 0);
	CHECK_EQ(op.status, GNTST_okay);
	CHECK_EQ(READ_ONCE(dest[199]), 0);
	CHECK_EQ(READ_ONCE(dest[207]), 0x5a);
	CHECK_EQ(READ_ONCE(dest[208]), 0);
	/* By machine frame, too; not into a page table. */
	op.flags = 0;
	op.source.u.gmfn = mfn_of(source);
	op.dest.u.gmfn = mfn_of(dest);
	op.dest.offset = 300;
	CHECK_EQ(grant_op(GNTTABOP_copy, &op), 0);
	CHECK_EQ(op.status, GNTST_okay);
	CHECK_EQ(READ_ONCE(dest[300]), 0x5a);
	op.dest.u.gmfn = mfn_of(l4_table());
	CHECK_EQ(grant_op(GNTTABOP_copy, &op), 0);
	CHECK(op.status != GNTST_okay, "bytes were copied into a page table");
}

static struct gnttab_map_grant_ref map_op(uint64_t host_addr, uint32_t flags)
{
	return (struct gnttab_map_grant_ref){
		.host_addr = host_addr, .flags = flags, .ref = MAPPED, .dom = self, .status = 55};
}

static int map(struct gnttab_map_grant_ref *op)
{
	CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, op), 0);
	return op->status;
}

static int unmap_bus(uint64_t host_addr, uint64_t dev_bus_addr, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = host_addr, .dev_bus_addr = dev_bus_addr, .handle = handle};

	CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &op), 0);
	return op.status;
}

static int unmap(uint64_t host_addr, grant_handle_t handle)
{
	return unmap_bus(host_addr, 0, handle);
}

static int replace(uint64_t host_addr, uint64_t new_addr, grant_handle_t handle)
{
	struct gnttab_unmap_and_replace op = {
		.host_addr = host_addr, .new_addr = new_addr, .handle = handle};

	CHECK_EQ(grant_op(GNTTABOP_unmap_and_replace, &op), 0);
	return op.status;
}

/* Is the grant of MAPPED in use, and how? */
static unsigned int use(void)
{
	return READ_ONCE(table[MAPPED].flags) & (GTF_reading | GTF_writing);
}

/* At an address, or at the entry itself (GNTMAP_contains_pte). */
static void maps(void)
{
	uint8_t *at = (uint8_t *)window() + 9 * PAGE_SIZE;

	memset(source, 0xc3, PAGE_SIZE);
	for (unsigned int by_pte = 0; by_pte < 2; by_pte++) {
		uint64_t where = by_pte ? maddr_of(pte_of(at, 1)) : (unsigned long)at;
		struct gnttab_map_grant_ref op =
			map_op(where, GNTMAP_host_map | (by_pte ? GNTMAP_contains_pte : 0));

		grant(MAPPED, source, GTF_permit_access);
		CHECK_EQ(map(&op), GNTST_okay);
		CHECK_EQ(op.dev_bus_addr, mfn_of(source) * PAGE_SIZE);
		CHECK_EQ(pte_value(at) & (PTE_FRAME | PTE_P | PTE_RW),
			 pte_for(source, PTE_P | PTE_RW));
		CHECK_EQ(READ_ONCE(table[MAPPED].flags),
			 GTF_permit_access | GTF_reading | GTF_writing);
		CHECK_EQ(READ_ONCE(at[5]), 0xc3);
		WRITE_ONCE(at[6], 0x66);
		CHECK_EQ(READ_ONCE(source[6]), 0x66);
		CHECK_EQ(unmap(where, op.handle), GNTST_okay);
		CHECK_EQ(pte_value(at), 0);
		CHECK_EQ(READ_ONCE(table[MAPPED].flags), GTF_permit_access);
		CHECK_EQ(unmap(where, op.handle), GNTST_bad_handle);
		WRITE_ONCE(source[6], 0xc3);
	}
}

static void write_byte(void *p)
{
	*(volatile uint8_t *)p = 1;
}

static void read_only(void)
{
	uint8_t *at = (uint8_t *)window() + 10 * PAGE_SIZE;
	struct gnttab_map_grant_ref op = map_op((unsigned long)at, GNTMAP_host_map);

	grant(MAPPED, source, GTF_permit_access | GTF_readonly);
	CHECK_EQ(map(&op), GNTST_general_error);
	op = map_op((unsigned long)at, GNTMAP_host_map | GNTMAP_readonly);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(READ_ONCE(at[5]), 0xc3);
	CHECK_EQ(catch_fault(write_byte, at).vector, VECTOR_PF);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_okay);
}

static void bad_maps(void)
{
	struct gnttab_map_grant_ref op;

	grant(MAPPED, source, GTF_permit_access);
	op = map_op((unsigned long)window() + (1UL << 30), GNTMAP_host_map);
	CHECK_EQ(map(&op), GNTST_general_error); /* no table is there */
	op = map_op(HYPERVISOR_VIRT_START, GNTMAP_host_map);
	CHECK_EQ(map(&op), GNTST_general_error);
	op = map_op(maddr_of(source), GNTMAP_host_map | GNTMAP_contains_pte);
	CHECK_EQ(map(&op), GNTST_general_error); /* it is no table */
	op = map_op(NO_MFN << 12, GNTMAP_host_map | GNTMAP_contains_pte);
	CHECK_EQ(map(&op), GNTST_general_error);
	CHECK_EQ(READ_ONCE(table[MAPPED].flags), GTF_permit_access);
	op = map_op((unsigned long)window() + 11 * PAGE_SIZE, GNTMAP_host_map);
	op.ref = 99;
	CHECK_EQ(map(&op), GNTST_general_error);
	op.dom = 0x1234;
	CHECK_EQ(map(&op), GNTST_bad_domain);
	CHECK_EQ(unmap((unsigned long)window(), 0x5555), GNTST_bad_handle);
}

/* The whole entry. */
static void entries(void)
{
	static const struct {
		uint32_t flags;
		uint64_t bits;
	} cases[] = {
		{0, PTE_RW | KERNEL},
		{GNTMAP_readonly, KERNEL},
		{GNTMAP_application_map, PTE_RW | PTE_G},
		{GNTMAP_application_map | GNTMAP_readonly, PTE_G},
		{5u << _GNTMAP_guest_avail0, PTE_RW | KERNEL | 0xa00},
		{~0u << _GNTMAP_guest_avail0, PTE_RW | KERNEL | 0xe00},
	};
	uint8_t *at = (uint8_t *)window() + 11 * PAGE_SIZE;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gnttab_map_grant_ref op =
			map_op((unsigned long)at, GNTMAP_host_map | cases[i].flags);

		CHECK_EQ(map(&op), GNTST_okay);
		CHECK_EQ(pte_value(at), pte_for(source, PTE_READONLY | PTE_NX) | cases[i].bits);
		CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_okay);
	}
}

/* A page table may be mapped read-only; what a grant maps writable is no page table. */
static void page_tables(void)
{
	uint8_t *at = (uint8_t *)window() + 12 * PAGE_SIZE, *page = page_alloc();
	struct gnttab_map_grant_ref op = map_op((unsigned long)at, GNTMAP_host_map);

	grant(MAPPED, l4_table(), GTF_permit_access);
	CHECK_EQ(map(&op), GNTST_general_error);
	CHECK_EQ(use(), 0);
	op = map_op((unsigned long)at, GNTMAP_host_map | GNTMAP_readonly);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_okay);
	op = map_op(0, GNTMAP_device_map);
	CHECK_EQ(map(&op), GNTST_general_error);

	grant(MAPPED, page, GTF_permit_access);
	op = map_op((unsigned long)at, GNTMAP_host_map);
	CHECK_EQ(map(&op), GNTST_okay);
	page_protect(page, PTE_READONLY);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), -XEN_EINVAL);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_okay);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), 0);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page), 0), 0);
	page_protect(page, PTE_DATA);

	table[MAPPED].frame = UINT32_MAX;
	op = map_op((unsigned long)at, GNTMAP_host_map);
	CHECK_EQ(map(&op), GNTST_bad_page);
	CHECK_EQ(use(), 0);
	grant(MAPPED, source, GTF_permit_access);
}

/* What a device would use is held, and ends by itself. */
static void device_maps(void)
{
	uint8_t *at = (uint8_t *)window() + 13 * PAGE_SIZE;
	uint64_t bus = mfn_of(source) * PAGE_SIZE;
	struct gnttab_map_grant_ref op =
		map_op((unsigned long)at, GNTMAP_host_map | GNTMAP_device_map);

	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(op.dev_bus_addr, bus);
	CHECK_EQ(unmap_bus((unsigned long)at, bus + 1, op.handle), GNTST_bad_dev_addr);
	CHECK_EQ(unmap_bus(0, 0, op.handle), GNTST_okay);
	CHECK_EQ(READ_ONCE(at[5]), 0xc3);
	CHECK_EQ(unmap_bus((unsigned long)at, 0, op.handle), GNTST_okay);
	CHECK_EQ(pte_value(at), 0);
	CHECK_EQ(use(), GTF_reading | GTF_writing);
	CHECK_EQ(unmap_bus((unsigned long)at, 0, op.handle), GNTST_okay);
	CHECK_EQ(use(), GTF_reading | GTF_writing);
	CHECK_EQ(unmap_bus(0, bus, op.handle), GNTST_okay);
	CHECK_EQ(use(), 0);
	CHECK_EQ(unmap_bus(0, bus, op.handle), GNTST_bad_handle);
	op = map_op(0, GNTMAP_readonly);
	CHECK_EQ(map(&op), GNTST_bad_gntref);
}

/* An entry that is written over is no map any more, until it is as it was. */
static void written_over(void)
{
	uint8_t *at = (uint8_t *)window() + 14 * PAGE_SIZE;
	struct gnttab_map_grant_ref op = map_op((unsigned long)at, GNTMAP_host_map);

	CHECK_EQ(update_va_mapping(at, pte_for(dest, PTE_DATA), UVMF_INVLPG), 0);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(unmap((unsigned long)at + PAGE_SIZE, op.handle), GNTST_general_error);
	CHECK_EQ(update_va_mapping(at, pte_for(source, PTE_READONLY), UVMF_INVLPG), 0);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_general_error);
	CHECK_EQ(update_va_mapping(at, pte_for(dest, PTE_DATA), UVMF_INVLPG), 0);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_general_error);
	CHECK_EQ(use(), GTF_reading | GTF_writing);
	CHECK_EQ(update_va_mapping(at, pte_for(source, PTE_DATA), UVMF_INVLPG), 0);
	CHECK_EQ(unmap((unsigned long)at, op.handle), GNTST_okay);
	CHECK_EQ(pte_value(at), 0);
	CHECK_EQ(use(), 0);
	/* All references to the other page have gone with its entry: it can be a page table. */
	memset(dest, 0, PAGE_SIZE);
	page_protect(dest, PTE_READONLY);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(dest), 0), 0);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(dest), 0), 0);
	page_protect(dest, PTE_DATA);
}

/* Unmapped with another page taking its place. */
static void replaced(void)
{
	uint8_t *at = (uint8_t *)window() + 15 * PAGE_SIZE, *from = at + PAGE_SIZE;
	unsigned long va = (unsigned long)at;
	struct gnttab_map_grant_ref op = map_op(va, GNTMAP_host_map);
	uint64_t pte = maddr_of(pte_of(at, 1));

	memset(dest, 0xdd, PAGE_SIZE);
	CHECK_EQ(update_va_mapping(from, pte_for(dest, PTE_DATA), UVMF_INVLPG), 0);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(READ_ONCE(at[5]), 0xc3);
	CHECK_EQ(replace(va, HYPERVISOR_VIRT_START, op.handle), GNTST_general_error);
	CHECK_EQ(READ_ONCE(at[5]), 0xc3);
	CHECK_EQ(replace(va, (unsigned long)from, op.handle), GNTST_okay);
	CHECK_EQ(READ_ONCE(at[5]), 0xdd);
	CHECK_EQ(pte_value(from), 0);
	CHECK_EQ(use(), 0);
	CHECK_EQ(replace(va, (unsigned long)from, op.handle), GNTST_bad_handle);
	/* By nothing; and never where the entry itself is named. */
	op = map_op(pte, GNTMAP_host_map | GNTMAP_contains_pte);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(replace(pte, (unsigned long)from, op.handle), GNTST_general_error);
	CHECK_EQ(replace(pte, 0, op.handle), GNTST_okay);
	CHECK_EQ(pte_value(at), 0);
	CHECK_EQ(use(), 0);
}

/* Each has a status of its own. */
static void lists(void)
{
	uint8_t *at = (uint8_t *)window() + 17 * PAGE_SIZE;
	struct gnttab_map_grant_ref maps[3];
	struct gnttab_unmap_grant_ref unmaps[3];

	for (unsigned int i = 0; i < 3; i++) {
		maps[i] = map_op((unsigned long)at + i * PAGE_SIZE, GNTMAP_host_map);
		unmaps[i] = (struct gnttab_unmap_grant_ref){.host_addr = maps[i].host_addr,
							    .status = 55};
	}
	maps[1].ref = 99;
	CHECK_EQ(grant_list(GNTTABOP_map_grant_ref, maps, 3), 0);
	CHECK_EQ(maps[0].status, GNTST_okay);
	CHECK_EQ(maps[1].status, GNTST_general_error);
	CHECK_EQ(maps[2].status, GNTST_okay);
	unmaps[0].handle = maps[0].handle;
	unmaps[1].handle = 0x5555;
	unmaps[2].handle = maps[2].handle;
	CHECK_EQ(grant_list(GNTTABOP_unmap_grant_ref, unmaps, 3), 0);
	CHECK_EQ(unmaps[0].status, GNTST_okay);
	CHECK_EQ(unmaps[1].status, GNTST_bad_handle);
	CHECK_EQ(unmaps[2].status, GNTST_okay);
	CHECK_EQ(use(), 0);
	for (unsigned int cmd = GNTTABOP_map_grant_ref; cmd <= GNTTABOP_unmap_grant_ref; cmd++) {
		CHECK_EQ(grant_list(cmd, maps, 0), 0);
		CHECK_EQ(grant_list(cmd, maps, 0x80000000), -XEN_EINVAL);
		CHECK_EQ(grant_list(cmd, (void *)HYPERVISOR_VIRT_START, 1), -XEN_EFAULT);
		CHECK_EQ(grant_list(cmd, (void *)mapped_end(), 1), -XEN_EFAULT);
	}
}

void test_main(void)
{
	self = own_id();
	frames();
	copies();
	maps();
	read_only();
	bad_maps();
	entries();
	page_tables();
	device_maps();
	written_over();
	replaced();
	lists();
	test_success();
}
