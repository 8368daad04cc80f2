// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that grants to itself: bytes copied between its pages, and its pages mapped at a second
 * frame (public header grant_table.h; Xen: gnttab_copy(), map_grant_ref()). Kernels do this when a
 * frontend and its backend are in the same guest: vchan, a loopback of block or network devices.
 *
 * On Xen a page that an HVM guest maps of its own disappears from its own frame (p2m_add_page()),
 * and is lost when it is unmapped; here it stays. That is not asked of Xen itself (subject=xen).
 */
#include "guest-tests/lib/grants.h"
#include "guest-tests/lib/test.h"

const char test_title[] = "grants to oneself: copies, maps at a second frame, their errors";

#define SOURCE  20
#define DEST    21
#define MAPPED  22
#define COUNTED 23

static uint8_t frame[PAGE_SIZE] PAGE_ALIGNED, source[PAGE_SIZE] PAGE_ALIGNED,
	dest[PAGE_SIZE] PAGE_ALIGNED, mapped[PAGE_SIZE] PAGE_ALIGNED,
	covered[PAGE_SIZE] PAGE_ALIGNED;
static domid_t self;

static bool on_xen(void)
{
	return strstr(start_info_cmdline(), "subject=xen");
}

static struct grant_entry_v1 *entry(unsigned int ref)
{
	return (struct grant_entry_v1 *)(void *)frame + ref;
}

static unsigned long gfn_of(const void *page)
{
	return (unsigned long)page / PAGE_SIZE;
}

/*
 * Copies.
 */

static struct gnttab_copy wanted(uint16_t flags)
{
	struct gnttab_copy op = {
		.source = {.domid = DOMID_SELF, .offset = 100},
		.dest = {.domid = DOMID_SELF, .offset = 200},
		.len = 8,
		.flags = flags,
		.status = 55,
	};

	op.source.u.gmfn = flags & GNTCOPY_source_gref ? SOURCE : gfn_of(source);
	op.dest.u.gmfn = flags & GNTCOPY_dest_gref ? DEST : gfn_of(dest);
	return op;
}

static int copy(struct gnttab_copy op)
{
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	CHECK_EQ(READ_ONCE(entry(SOURCE)->flags) & (GTF_reading | GTF_writing), 0);
	CHECK_EQ(READ_ONCE(entry(DEST)->flags) & (GTF_reading | GTF_writing), 0);
	return op.status;
}

static void all_ways(void)
{
	grant_v1(entry(SOURCE), GTF_permit_access | GTF_readonly, self, source);
	grant_v1(entry(DEST), GTF_permit_access, self, dest);
	for (uint16_t flags = 0; flags < 4; flags++) {
		memset(source, flags + 1, PAGE_SIZE);
		memset(dest, 0, PAGE_SIZE);
		CHECK_EQ(copy(wanted(flags)), GNTST_okay);
		CHECK_EQ(READ_ONCE(dest[199]), 0);
		CHECK_EQ(READ_ONCE(dest[200]), flags + 1);
		CHECK_EQ(READ_ONCE(dest[207]), flags + 1);
		CHECK_EQ(READ_ONCE(dest[208]), 0);
	}
}

#define BOTH (GNTCOPY_source_gref | GNTCOPY_dest_gref)

static void bad_domains(void)
{
	struct gnttab_copy op = wanted(BOTH);

	op.source.domid = op.dest.domid = self;
	CHECK_EQ(copy(op), GNTST_okay);
	op.source.domid = NO_DOMAIN;
	CHECK_EQ(copy(op), GNTST_bad_domain);
	op = wanted(GNTCOPY_dest_gref);
	op.source.domid = self; /* its frames only by DOMID_SELF */
	CHECK_EQ(copy(op), GNTST_permission_denied);
	op = wanted(GNTCOPY_source_gref);
	op.dest.domid = 0;
	CHECK_EQ(copy(op), GNTST_permission_denied);
}

static void bad_ranges_and_grants(void)
{
	struct gnttab_copy op = wanted(0);

	op.source.offset = PAGE_SIZE - 7;
	CHECK_EQ(copy(op), GNTST_bad_copy_arg);
	op.len = 7;
	CHECK_EQ(copy(op), GNTST_okay);
	op.dest.offset = 0xffff;
	CHECK_EQ(copy(op), GNTST_bad_copy_arg);
	op = wanted(0);
	op.source.u.gmfn = 0xfffff0; /* nothing is there */
	CHECK_EQ(copy(op), GNTST_bad_page);
	op = wanted(BOTH);
	op.source.u.ref = 512;
	CHECK_EQ(copy(op), GNTST_bad_gntref);
	op.source.u.ref = 99;
	CHECK_EQ(copy(op), GNTST_general_error);
	op = wanted(BOTH);
	op.dest.u.ref = SOURCE; /* read-only */
	CHECK_EQ(copy(op), GNTST_general_error);
	grant_v1(entry(DEST), GTF_permit_access, DOMID_SELF, dest); /* is nobody */
	CHECK_EQ(copy(wanted(BOTH)), GNTST_general_error);
	grant_v1(entry(DEST), GTF_permit_access, self, dest);
}

static void many_copies(void)
{
	static struct gnttab_copy ops[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		source[i] = (uint8_t)(3 * i);
		ops[i] = wanted(i % 4);
		ops[i].source.offset = (uint16_t)i;
		ops[i].dest.offset = (uint16_t)(63 - i);
		ops[i].len = i == 40 ? 4096 : 1;
	}
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_copy, ops, ARRAY_SIZE(ops)), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		CHECK_EQ(ops[i].status, i == 40 ? GNTST_bad_copy_arg : GNTST_okay);
		if (i != 40)
			CHECK_EQ(READ_ONCE(dest[63 - i]), (uint8_t)(3 * i));
	}
}

/*
 * Maps.
 */

static struct gnttab_map_grant_ref request(const void *at, uint32_t flags)
{
	return (struct gnttab_map_grant_ref){
		.host_addr = (unsigned long)at,
		.flags = flags,
		.ref = MAPPED,
		.dom = self,
		.status = 55,
		.handle = 0x5555,
	};
}

static int map(struct gnttab_map_grant_ref *op)
{
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, op, 1), 0);
	return op->status;
}

static int unmap(const void *at, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = (unsigned long)at, .handle = handle, .status = 55};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
	return op.status;
}

static uint8_t *where_no_ram_is(void)
{
	return (uint8_t *)(unsigned long)((ram_end_low() + (18UL << 20)) & ~0xfffUL);
}

static void bad_maps(void)
{
	static const struct {
		uint32_t flags;
		domid_t dom;
		grant_ref_t ref;
		int status;
	} bad[] = {
		{0, 1, MAPPED, GNTST_bad_gntref},
		{GNTMAP_readonly, 1, MAPPED, GNTST_bad_gntref},
		{GNTMAP_device_map, 1, MAPPED, GNTST_general_error},
		{GNTMAP_host_map | GNTMAP_application_map, 1, MAPPED, GNTST_general_error},
		{GNTMAP_host_map | GNTMAP_contains_pte, 1, MAPPED, GNTST_general_error},
		{GNTMAP_host_map | 1U << 16, 1, MAPPED, GNTST_general_error},
		{GNTMAP_host_map, DOMID_SELF, MAPPED, GNTST_bad_domain},
		{GNTMAP_host_map, NO_DOMAIN, MAPPED, GNTST_bad_domain},
		{GNTMAP_host_map, 1, 512, GNTST_bad_gntref},
		{GNTMAP_host_map, 1, 99, GNTST_general_error},
	};

	grant_v1(entry(MAPPED), GTF_permit_access, self, mapped);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct gnttab_map_grant_ref op = request(where_no_ram_is(), bad[i].flags);

		op.dom = bad[i].dom == 1 ? self : bad[i].dom;
		op.ref = bad[i].ref;
		CHECK(map(&op) == bad[i].status, "case %u: status %d", i, op.status);
		CHECK_EQ(READ_ONCE(entry(MAPPED)->flags), GTF_permit_access);
	}
	CHECK_EQ(unmap(where_no_ram_is(), 0x5555), GNTST_bad_handle);
	CHECK_EQ(unmap(where_no_ram_is(), ~0U), GNTST_bad_handle);
	grant_v1(entry(COUNTED), GTF_permit_access | GTF_readonly, self, mapped);
	{
		struct gnttab_map_grant_ref op = request(where_no_ram_is(), GNTMAP_host_map);

		op.ref = COUNTED;
		CHECK_EQ(map(&op), GNTST_general_error);
	}
}

static void mapped_where_no_ram_is(void)
{
	uint8_t *at = where_no_ram_is();
	struct gnttab_map_grant_ref op = request(at, GNTMAP_host_map);
	uint32_t now;

	memset(mapped, 0xc3, PAGE_SIZE);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(READ_ONCE(entry(MAPPED)->flags), GTF_permit_access | GTF_reading | GTF_writing);
	CHECK_EQ(READ_ONCE(at[5]), 0xc3);
	WRITE_ONCE(at[6], 0x66);
	if (!on_xen()) {
		CHECK_EQ(READ_ONCE(mapped[6]), 0x66);
		WRITE_ONCE(mapped[7], 0x77);
		CHECK_EQ(READ_ONCE(at[7]), 0x77);
	}
	/* It is in use. */
	CHECK_EQ(grants_set_version(2, &now), -XEN_EBUSY);
	CHECK_EQ(now, 1);
	CHECK_EQ(unmap(at + PAGE_SIZE, op.handle), GNTST_general_error);
	CHECK_EQ(unmap(NULL, op.handle), GNTST_okay); /* of nothing: it stays */
	CHECK_EQ(READ_ONCE(at[6]), 0x66);
	CHECK_EQ(unmap(at, op.handle), GNTST_okay);
	CHECK_EQ(READ_ONCE(entry(MAPPED)->flags), GTF_permit_access);
	CHECK_EQ(READ_ONCE(at[6]), 0xff);
	CHECK_EQ(unmap(at, op.handle), GNTST_bad_handle);
	if (!on_xen()) {
		CHECK_EQ(READ_ONCE(mapped[6]), 0x66);
		CHECK_EQ(READ_ONCE(mapped[7]), 0x77);
		CHECK_EQ(READ_ONCE(mapped[8]), 0xc3);
	}
}

/* What is written is dropped, as if nothing was there to be written to. */
static void read_only(void)
{
	uint8_t *at = where_no_ram_is();
	struct gnttab_map_grant_ref op = request(at, GNTMAP_host_map | GNTMAP_readonly);

	grant_v1(entry(MAPPED), GTF_permit_access | GTF_readonly, self, source);
	WRITE_ONCE(source[9], 0x99);
	CHECK_EQ(map(&op), GNTST_okay);
	CHECK_EQ(READ_ONCE(entry(MAPPED)->flags), GTF_permit_access | GTF_readonly | GTF_reading);
	CHECK_EQ(READ_ONCE(at[9]), 0x99);
	WRITE_ONCE(at[9], 0x11);
	CHECK_EQ(READ_ONCE(at[9]), 0x99);
	CHECK_EQ(unmap(at, op.handle), GNTST_okay);
}

/* A page that is mapped comes and goes over another one's RAM, which is there again afterwards. */
static void mapped_over_ram(void)
{
	struct gnttab_map_grant_ref op = request(covered, GNTMAP_host_map);

	grant_v1(entry(MAPPED), GTF_permit_access, self, dest);
	memset(dest, 0xd4, PAGE_SIZE);
	memset(covered, 0xe5, PAGE_SIZE);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(map(&op), GNTST_okay);
		CHECK_EQ(READ_ONCE(covered[1]), 0xd4);
		WRITE_ONCE(covered[10 + i], (uint8_t)i);
		CHECK_EQ(READ_ONCE(dest[10 + i]), i);
		CHECK_EQ(unmap(covered, op.handle), GNTST_okay);
		CHECK_EQ(READ_ONCE(covered[10 + i]), 0xe5);
		CHECK_EQ(READ_ONCE(dest[10 + i]), i);
	}
}

void test_main(void)
{
	self = own_domid();
	CHECK_EQ(grants_show(0, frame), 0);
	all_ways();
	bad_domains();
	bad_ranges_and_grants();
	many_copies();
	bad_maps();
	mapped_where_no_ram_is();
	read_only();
	if (!on_xen())
		mapped_over_ram();
	test_success();
}
