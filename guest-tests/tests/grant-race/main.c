// SPDX-License-Identifier: BSD-2-Clause
/*
 * One vCPU writes to a page all the time while the other maps it by a grant at a second frame,
 * writes there, and unmaps it, again and again. For each map the page changes its place in the
 * memory of the hypervisor's process, and back: nothing that either writes may be lost in between.
 *
 * Not on Xen, where such a page is at its own frame no longer (p2m_add_page(); see grant-self).
 */
#include "guest-tests/lib/grants.h"
#include "guest-tests/lib/test.h"

const char test_title[] = "a page is written to while it is mapped at a second frame and unmapped";

#define REF    20
#define ROUNDS 60U
#define SEC    1000000000ULL

static uint8_t frame[PAGE_SIZE] PAGE_ALIGNED, covered[PAGE_SIZE] PAGE_ALIGNED;
static struct {
	uint32_t plain, atomic; /* what the other vCPU counts */
	uint32_t mine;          /* what we count, by the map */
} page PAGE_ALIGNED;

static uint32_t counted, lost, stop;

static uint32_t load(const uint32_t *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void count_all_the_time(void *unused)
{
	uint32_t n = 0;

	(void)unused;
	while (!load(&stop)) {
		if (READ_ONCE(page.plain) != n)
			__atomic_add_fetch(&lost, 1, __ATOMIC_SEQ_CST);
		WRITE_ONCE(page.plain, ++n);
		__atomic_add_fetch(&page.atomic, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&counted, n, __ATOMIC_SEQ_CST);
	}
}

/* Until it has counted on, once. */
static void let_it_count(void)
{
	uint32_t before = load(&counted);
	uint64_t until = clock_now() + 5 * SEC;

	while (load(&counted) == before && clock_now() < until)
		smp_relax();
	CHECK(load(&counted) != before, "the other vCPU counts no more");
}

static void round(uint8_t *at, uint32_t n)
{
	struct gnttab_map_grant_ref map = {
		.host_addr = (unsigned long)at,
		.flags = GNTMAP_host_map,
		.ref = REF,
		.dom = own_domid(),
	};
	struct gnttab_unmap_grant_ref unmap = {.host_addr = map.host_addr};
	uint32_t *mine = (uint32_t *)(void *)(at + offsetof(__typeof__(page), mine));

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1), 0);
	CHECK_EQ(map.status, GNTST_okay);
	if (n % 4 == 0)
		let_it_count();
	CHECK_EQ(READ_ONCE(*mine), n);
	WRITE_ONCE(*mine, n + 1);
	unmap.handle = map.handle;
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	CHECK_EQ(unmap.status, GNTST_okay);
	CHECK_EQ(READ_ONCE(page.mine), n + 1);
}

void test_main(void)
{
	uint8_t *beyond = (uint8_t *)(unsigned long)((ram_end_low() + (18UL << 20)) & ~0xfffUL);

	if (strstr(start_info_cmdline(), "subject=xen")) {
		test_skip("Xen takes a page that is mapped so from its own frame");
		return;
	}
	if (!smp_cpus_up_to(2) || !smp_start(1, SMP_BY_CONTEXT))
		return;
	CHECK_EQ(grants_show(0, frame), 0);
	grant_v1((struct grant_entry_v1 *)(void *)frame + REF, GTF_permit_access, own_domid(),
		 &page);
	smp_run(1, count_all_the_time, NULL);
	let_it_count();
	for (uint32_t n = 0; n < ROUNDS; n++)
		round(n % 2 ? beyond : covered, n);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	smp_wait(1, 5000);
	CHECK_EQ(lost, 0);
	CHECK_EQ(page.plain, counted);
	CHECK_EQ(page.atomic, counted);
	printf("%u maps while another vCPU wrote %u times\n", ROUNDS, counted);
	test_success();
}
