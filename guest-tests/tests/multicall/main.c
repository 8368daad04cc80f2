// SPDX-License-Identifier: BSD-2-Clause
/*
 * HYPERVISOR_multicall carries out a list of hypercalls, in order, and writes each result into its
 * entry: PV kernels batch page-table work so, HVM ones may (Xen: do_multicall()). A bad entry fails
 * by itself and the rest is done; a list that leads nowhere is -EFAULT, and what came before it has
 * been carried out.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "several hypercalls in one: results, errors, one within another";

#define UNSEEN 0x5e5e5e5eUL

static struct multicall_entry list[8];

static void put(unsigned int i, unsigned long op, unsigned long a0, unsigned long a1)
{
	list[i] = (struct multicall_entry){.op = op, .result = UNSEEN, .args = {a0, a1}};
}

static long multicall(const void *entries, unsigned long nr)
{
	return hypercall(__HYPERVISOR_multicall, (unsigned long)entries, nr, 0, 0, 0);
}

static void results(void)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 0};
	struct multicall_entry before;

	put(0, __HYPERVISOR_xen_version, XENVER_version, 0);
	put(1, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&ipi);
	put(2, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 77);
	put(3, __HYPERVISOR_mmu_update, 0, 0);
	put(4, 0x7fffffff, 0, 0);
	put(5, __HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	put(6, __HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	before = list[0];
	CHECK_EQ(multicall(list, 6), 0);
	CHECK_EQ((long)list[0].result, hypercall_xen_version(XENVER_version, NULL));
	CHECK_EQ((long)list[1].result, 0);
	CHECK(ipi.port, "no port from bind_ipi");
	CHECK_EQ((long)list[2].result, -XEN_ENOENT);
	CHECK_EQ((long)list[3].result, -XEN_ENOSYS);
	CHECK_EQ((long)list[4].result, -XEN_ENOSYS);
	CHECK_EQ((long)list[5].result, 0);
	CHECK_EQ(list[6].result, UNSEEN);
	before.result = list[0].result;
	CHECK(!memcmp(&before, &list[0], sizeof(before)), "more than the result was written");
	CHECK_EQ(evtchn_close(ipi.port), 0);
}

static void within_another(void)
{
	put(0, __HYPERVISOR_multicall, (unsigned long)&list[2], 1);
	put(1, __HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	put(2, __HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	CHECK_EQ(multicall(list, 2), 0);
	CHECK_EQ((long)list[0].result, -XEN_EINVAL);
	CHECK_EQ((long)list[1].result, 0);
	CHECK_EQ(list[2].result, UNSEEN);
	CHECK_EQ(multicall(&list[2], 1), 0);
	CHECK_EQ((long)list[2].result, 0);
}

static void none(void)
{
	CHECK_EQ(multicall(list, 0), 0);
}

/* The last page before nothing: two entries, and a third that is not there. */
static void ends_early(void)
{
#ifdef __x86_64__
	static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;
	uint8_t *end =
		(uint8_t *)window_map(4, (unsigned long)page, PTE_P | PTE_RW | PTE_US) + PAGE_SIZE;

	window_map(5, 0, 0);
#else
	uint8_t *end = (uint8_t *)(unsigned long)ram_end_low();
#endif
	struct multicall_entry *last = (void *)(end - 2 * sizeof(*last));

	put(0, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0);
	memcpy(&last[0], &list[0], sizeof(*last));
	memcpy(&last[1], &list[0], sizeof(*last));
	CHECK_EQ(multicall(last, 3), -XEN_EFAULT);
	CHECK_EQ((long)last[0].result, 1);
	CHECK_EQ((long)last[1].result, 1);
	CHECK_EQ(multicall(end, 1), -XEN_EFAULT);
}

void test_main(void)
{
	results();
	within_another();
	none();
	ends_early();
	test_success();
}
