// SPDX-License-Identifier: BSD-2-Clause
/*
 * The grant table as kernels set it up: its size, frames shown where the guest wants them, growing
 * frame by frame, both versions, entries of the toolstack's that are there from the first (public
 * header grant_table.h; Xen: gnttab_map_frame(), gnttab_set_version()).
 *
 * Linux shows its frames at boot, at every resume and in a kernel that comes by kexec; it asks for
 * version 2 only if it must, and a boot loader before it may have left any.
 */
#include "guest-tests/lib/grants.h"
#include "guest-tests/lib/test.h"

const char test_title[] = "the grant table: size, frames, versions, entries swapped";

#define STATUS      0x80000000UL
#define MAX_FRAMES  64
#define FAR_NOWHERE 0xfffffff0UL /* neither RAM nor anything else */

static uint8_t first[PAGE_SIZE] PAGE_ALIGNED, second[PAGE_SIZE] PAGE_ALIGNED,
	third[PAGE_SIZE] PAGE_ALIGNED, fourth[PAGE_SIZE] PAGE_ALIGNED,
	granted[PAGE_SIZE] PAGE_ALIGNED;

static bool on_xen(void)
{
	return strstr(start_info_cmdline(), "subject=xen");
}

static struct grant_entry_v1 *v1(void *page)
{
	return page;
}

static union grant_entry_v2 *v2(void *page)
{
	return page;
}

static void check_size(domid_t dom, int status, uint32_t frames)
{
	struct gnttab_query_size op = {.dom = dom, .nr_frames = 77, .max_nr_frames = 88};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &op, 1), 0);
	CHECK_EQ(op.status, status);
	CHECK_EQ(op.nr_frames, frames);
	CHECK_EQ(op.max_nr_frames, status ? 88 : MAX_FRAMES);
}

static void sizes(void)
{
	struct gnttab_query_size op = {.dom = DOMID_SELF};

	check_size(DOMID_SELF, GNTST_okay, 1);
	check_size(own_domid(), GNTST_okay, 1);
	check_size(0, GNTST_permission_denied, 77);
	check_size(NO_DOMAIN, GNTST_bad_domain, 77);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &op, 0), -XEN_EINVAL);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &op, 2), -XEN_EINVAL);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &op, ~0U), -XEN_EINVAL);
}

/* Console and store, granted to domain 0, which may be using them. */
static void toolstacks_entries(void)
{
	static const uint32_t param[] = {HVM_PARAM_CONSOLE_PFN, HVM_PARAM_STORE_PFN};

	memset(first, 0xa1, PAGE_SIZE);
	CHECK_EQ(grants_show(0, first), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(param); i++) {
		const struct grant_entry_v1 *e = &v1(first)[i];
		uint64_t pfn = 0;

		CHECK_EQ(hvm_get_param(param[i], &pfn), 0);
		CHECK_EQ(e->flags & ~(GTF_reading | GTF_writing), GTF_permit_access);
		CHECK_EQ(e->domid, 0);
		if (pfn) /* there is no store for all who run this */
			CHECK_EQ(e->frame, pfn);
	}
	for (unsigned int i = 2; i < PAGE_SIZE / sizeof(struct grant_entry_v1); i++)
		if (v1(first)[i].flags || v1(first)[i].frame)
			test_failure("entry %u is %#x of frame %#x at first", i, v1(first)[i].flags,
				     v1(first)[i].frame);
}

static void frames_move(void)
{
	uint8_t *beyond = (uint8_t *)(unsigned long)((ram_end_low() + (17UL << 20)) & ~0xfffUL);

	grant_v1(&v1(first)[100], GTF_permit_access, 5, granted);
	memset(second, 0xb2, PAGE_SIZE);
	CHECK_EQ(grants_show(0, second), 0);
	CHECK_EQ(v1(second)[100].flags, GTF_permit_access);
	CHECK_EQ(v1(second)[100].domid, 5);
	CHECK_EQ(v1(second)[100].frame, (unsigned long)granted / PAGE_SIZE);
	if (!on_xen())
		CHECK_EQ(READ_ONCE(first[7]), 0xa1);
	CHECK_EQ(grants_show(0, beyond), 0);
	CHECK_EQ(v1(beyond)[100].domid, 5);
	CHECK_EQ(grants_show(0, second), 0);
	CHECK_EQ(v1(second)[100].domid, 5);
	CHECK_EQ(READ_ONCE(beyond[0]), 0xff);
}

static void frames_come(void)
{
	CHECK_EQ(grants_show(3, third), 0);
	check_size(DOMID_SELF, GNTST_okay, 4);
	for (unsigned int i = 0; i < PAGE_SIZE; i += 511)
		CHECK_EQ(READ_ONCE(third[i]), 0);
	CHECK_EQ(grants_show(MAX_FRAMES, third), -XEN_EINVAL);
	CHECK_EQ(grants_show(STATUS, third), -XEN_EINVAL);
	check_size(DOMID_SELF, GNTST_okay, 4);
	/* The frame's page is another's now; the other one is nowhere. */
	CHECK_EQ(grants_show(1, third), 0);
	CHECK_EQ(grants_show(MAX_FRAMES - 1, fourth), 0);
	check_size(DOMID_SELF, GNTST_okay, MAX_FRAMES);
}

static int setup(domid_t dom, uint32_t frames, xen_pfn_t *list)
{
	struct gnttab_setup_table op = {.dom = dom, .nr_frames = frames, .status = 55};

	set_xen_guest_handle(op.frame_list, list);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
	return op.status;
}

static void places(void)
{
	xen_pfn_t list[4] = {1, 1, 1, 1};
	struct gnttab_setup_table op = {.dom = DOMID_SELF};

	CHECK_EQ(setup(DOMID_SELF, 3, list), GNTST_okay);
	CHECK_EQ(list[0], (unsigned long)second / PAGE_SIZE);
	CHECK_EQ(list[1], (unsigned long)third / PAGE_SIZE);
	CHECK_EQ(list[2], (xen_pfn_t)~0UL);
	CHECK_EQ(list[3], 1);
	CHECK_EQ(setup(DOMID_SELF, 0, NULL), GNTST_okay);
	CHECK_EQ(setup(DOMID_SELF, MAX_FRAMES + 1, list), GNTST_general_error);
	CHECK_EQ(setup(0, 1, list), GNTST_permission_denied);
	CHECK_EQ(setup(NO_DOMAIN, 1, list), GNTST_bad_domain);
	/* In 32 bits Xen has written the status before it writes the list. */
	CHECK_EQ(setup(DOMID_SELF, 1, (void *)FAR_NOWHERE),
		 WIDTH == 64 ? GNTST_bad_virt_addr : GNTST_okay);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 2), -XEN_EINVAL);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 0),
		 WIDTH == 64 ? -XEN_EINVAL : 0);
}

static long get_version(domid_t dom, uint32_t *version)
{
	struct gnttab_get_version op = {.dom = dom, .version = 77};
	long rc = hypercall_grant_table_op(GNTTABOP_get_version, &op, 1);

	*version = op.version;
	return rc;
}

static void version_2(void)
{
	uint32_t now;

	CHECK_EQ(get_version(DOMID_SELF, &now), 0);
	CHECK_EQ(now, 1);
	CHECK_EQ(grants_set_version(3, &now), -XEN_EINVAL);
	CHECK_EQ(now, 1);
	CHECK_EQ(grants_set_version(2, &now), 0);
	CHECK_EQ(now, 2);
	CHECK_EQ(get_version(own_domid(), &now), 0);
	CHECK_EQ(now, 2);
	CHECK_EQ(get_version(0, &now), -XEN_EPERM);
	CHECK_EQ(now, 77);
	CHECK_EQ(get_version(NO_DOMAIN, &now), -XEN_ESRCH);
	/* The toolstack's entries are kept, others not. */
	CHECK_EQ(v2(second)[0].hdr.flags, GTF_permit_access);
	CHECK_EQ(v2(second)[1].hdr.flags, GTF_permit_access);
	CHECK_EQ(v2(second)[100].hdr.flags, 0);
	CHECK_EQ(v2(second)[100].full_page.frame, 0);
}

static void status_frames(void)
{
	CHECK_EQ(grants_show(STATUS, fourth), 0);
	for (unsigned int i = 8; i < PAGE_SIZE / 2; i++)
		if (((const grant_status_t *)(const void *)fourth)[i])
			test_failure("status %u is not 0", i);
	CHECK_EQ(grants_show(STATUS | MAX_FRAMES / 8, third), -XEN_EINVAL);
	CHECK_EQ(grants_show(STATUS | (MAX_FRAMES / 8 - 1), third), 0);
}

static int swap(grant_ref_t a, grant_ref_t b)
{
	struct gnttab_swap_grant_ref op = {.ref_a = a, .ref_b = b, .status = 55};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1), 0);
	return op.status;
}

static void swaps_in_version_2(void)
{
	grant_ref_t last = MAX_FRAMES * 256 - 1;

	grant_v2(&v2(second)[20], GTF_permit_access, 7, granted);
	CHECK_EQ(swap(20, 21), GNTST_okay);
	CHECK_EQ(v2(second)[20].hdr.flags, 0);
	CHECK_EQ(v2(second)[21].hdr.domid, 7);
	CHECK_EQ(swap(21, last), GNTST_okay);
	CHECK_EQ(swap(last, 21), GNTST_okay);
	CHECK_EQ(v2(second)[21].hdr.domid, 7);
	CHECK_EQ(swap(21, 21), GNTST_okay);
	CHECK_EQ(swap(21, last + 1), GNTST_bad_gntref);
	CHECK_EQ(swap(~0U, 21), GNTST_bad_gntref);
}

static void back_to_version_1(void)
{
	uint32_t now;

	grant_v2(&v2(second)[7], GTF_transitive, 0, NULL);
	CHECK_EQ(grants_set_version(1, &now), -XEN_ERANGE);
	CHECK_EQ(now, 2);
	grant_v2(&v2(second)[7], 0, 0, NULL);
	CHECK_EQ(grants_set_version(1, &now), 0);
	CHECK_EQ(now, 1);
	CHECK_EQ(v1(second)[1].flags & ~(GTF_reading | GTF_writing), GTF_permit_access);
	CHECK_EQ(v1(second)[42].flags, 0);
	grant_v1(&v1(second)[20], GTF_permit_access, 7, granted);
	CHECK_EQ(swap(20, 21), GNTST_okay);
	CHECK_EQ(v1(second)[21].domid, 7);
}

/* An array: each has its status, and after one that cannot be read none is looked at. */
static void arrays(void)
{
	struct gnttab_swap_grant_ref op[3] = {
		{.ref_a = 21, .ref_b = 22, .status = 55},
		{.ref_a = ~0U, .ref_b = 22, .status = 55},
		{.ref_a = 22, .ref_b = 23, .status = 55},
	};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_swap_grant_ref, op, 3), 0);
	CHECK_EQ(op[0].status, GNTST_okay);
	CHECK_EQ(op[1].status, GNTST_bad_gntref);
	CHECK_EQ(op[2].status, GNTST_okay);
	CHECK_EQ(v1(second)[23].domid, 7);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_swap_grant_ref, op, 0), 0);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_swap_grant_ref, op, 1U << 31), -XEN_EINVAL);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_swap_grant_ref, (void *)FAR_NOWHERE, 1),
		 -XEN_EFAULT);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, (void *)FAR_NOWHERE, 1),
		 -XEN_EFAULT);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_set_version, (void *)FAR_NOWHERE, 1),
		 -XEN_EFAULT);
}

static void not_for_us(void)
{
	static const unsigned int ops[] = {GNTTABOP_dump_table,         GNTTABOP_transfer,
					   GNTTABOP_unmap_and_replace,  GNTTABOP_get_status_frames,
					   GNTTABOP_cache_flush,        13,
					   0x1000 | GNTTABOP_query_size};
	static uint8_t arg[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		CHECK_EQ(hypercall_grant_table_op(ops[i], arg, 1), -XEN_ENOSYS);
}

static void by_multicall(void)
{
	struct gnttab_query_size op = {.dom = DOMID_SELF};
	struct multicall_entry call = {
		.op = __HYPERVISOR_grant_table_op,
		.result = 77,
		.args = {GNTTABOP_query_size, (unsigned long)&op, 1},
	};

	CHECK_EQ(hypercall(__HYPERVISOR_multicall, (unsigned long)&call, 1, 0, 0, 0), 0);
	CHECK_EQ(call.result, 0);
	CHECK_EQ(op.nr_frames, MAX_FRAMES);
}

/* What frames of domain 0 give: on Xen it is a PV guest, which has none to be changed so. */
static long not_domain_0(void)
{
	return on_xen() ? -XEN_EACCES : -XEN_EPERM;
}

static void many_at_once(void)
{
	xen_ulong_t idxs[3] = {5, MAX_FRAMES, 6};
	xen_pfn_t gpfns[3] = {(unsigned long)third / PAGE_SIZE, (unsigned long)third / PAGE_SIZE,
			      (unsigned long)fourth / PAGE_SIZE};
	int errs[3] = {55, 55, 55};
	struct xen_add_to_physmap_batch op = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .size = 3};

	set_xen_guest_handle(op.idxs, idxs);
	set_xen_guest_handle(op.gpfns, gpfns);
	set_xen_guest_handle(op.errs, errs);
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), 0);
	CHECK_EQ(errs[0], 0);
	CHECK_EQ(errs[1], -XEN_EINVAL);
	CHECK_EQ(errs[2], 0);
	op.space = XENMAPSPACE_gmfn_foreign;
	op.u.foreign_domid = 0;
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), 0);
	CHECK_EQ(errs[0], -XEN_EPERM);
	op.space = XENMAPSPACE_gmfn_range;
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), -XEN_EOPNOTSUPP);
	op.space = XENMAPSPACE_dev_mmio;
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), -XEN_EACCES);
	op.space = XENMAPSPACE_grant_table;
	op.domid = 0;
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), not_domain_0());
	op.domid = NO_DOMAIN;
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap_batch, &op), -XEN_ESRCH);
}

static void no_more(void)
{
	struct xen_remove_from_physmap op = {.domid = DOMID_SELF,
					     .gpfn = (unsigned long)third / PAGE_SIZE};
	xen_pfn_t list[6];

	CHECK_EQ(hypercall_memory_op(XENMEM_remove_from_physmap, &op), 0);
	CHECK_EQ(setup(DOMID_SELF, 6, list), GNTST_okay);
	CHECK_EQ(list[5], (xen_pfn_t)~0UL);
	CHECK_EQ(list[0], (unsigned long)second / PAGE_SIZE);
	op.domid = NO_DOMAIN;
	CHECK_EQ(hypercall_memory_op(XENMEM_remove_from_physmap, &op), -XEN_ESRCH);
	op.domid = 0;
	CHECK_EQ(hypercall_memory_op(XENMEM_remove_from_physmap, &op), not_domain_0());
	op.domid = DOMID_SELF;
	op.gpfn = (unsigned long)((ram_end_low() + (17UL << 20)) / PAGE_SIZE);
	CHECK_EQ(hypercall_memory_op(XENMEM_remove_from_physmap, &op), -XEN_ENOENT);
}

void test_main(void)
{
	sizes();
	toolstacks_entries();
	frames_move();
	frames_come();
	places();
	version_2();
	status_frames();
	swaps_in_version_2();
	back_to_version_1();
	arrays();
	not_for_us();
	by_multicall();
	many_at_once();
	no_more();
	test_success();
}
