// SPDX-License-Identifier: BSD-2-Clause
/*
 * A list of hypercalls in one, as PV kernels batch their page-table work: some are the business of
 * the page tables, some of the rest of the hypervisor, in any order. A member that fails keeps its
 * error for itself. Xen: do_multicall().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "multicall: page tables and everything else in one list";

#define UNSEEN 0x5e5e5e5eUL

static struct multicall_entry list[32];
static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

static void put(unsigned int i, unsigned long op, unsigned long a0, unsigned long a1,
		unsigned long a2)
{
	list[i] = (struct multicall_entry){.op = op, .result = UNSEEN, .args = {a0, a1, a2}};
}

static long multicall(const void *entries, unsigned long nr)
{
	return hypercall(__HYPERVISOR_multicall, (unsigned long)entries, nr, 0, 0, 0);
}

static void mixed(void)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 0};
	struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
	struct mmu_update bad = {.ptr = NO_MFN << 12};
	uint8_t *at = window();
	struct multicall_entry before;

	page[5] = 0x55;
	put(0, __HYPERVISOR_update_va_mapping, (unsigned long)at, pte_for(page, PTE_DATA),
	    UVMF_INVLPG);
	put(1, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put(2, __HYPERVISOR_mmu_update, (unsigned long)&bad, 1, 0);
	list[2].args[3] = DOMID_SELF;
	put(3, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&ipi, 0);
	put(4, __HYPERVISOR_mmuext_op, (unsigned long)&flush, 1, 0);
	list[4].args[3] = DOMID_SELF;
	put(5, 0x7fffffff, 0, 0, 0);
	put(6, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 77, 0);
	put(7, __HYPERVISOR_fpu_taskswitch, 0, 0, 0);
	put(8, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	before = list[1];
	CHECK_EQ(multicall(list, 8), 0);
	CHECK_EQ((long)list[0].result, 0);
	CHECK_EQ(READ_ONCE(at[5]), 0x55);
	CHECK_EQ((long)list[1].result, hypercall_xen_version(XENVER_version, NULL));
	CHECK_EQ((long)list[2].result, -XEN_EINVAL);
	CHECK_EQ((long)list[3].result, 0);
	CHECK(ipi.port, "no port from bind_ipi");
	CHECK_EQ((long)list[4].result, 0);
	CHECK_EQ((long)list[5].result, -XEN_ENOSYS);
	CHECK_EQ((long)list[6].result, -XEN_ENOENT);
	CHECK_EQ((long)list[7].result, 0);
	CHECK_EQ(list[8].result, UNSEEN);
	before.result = list[1].result;
	CHECK(!memcmp(&before, &list[1], sizeof(before)), "more than the result was written");
	CHECK_EQ(evtchn_close(ipi.port), 0);
}

/* As a kernel unmaps and maps a range: later members see what earlier ones did. */
static void in_order(void)
{
	uint8_t *at = window();
	struct evtchn_send send = {.port = 0};

	for (unsigned int i = 0; i < 32; i++)
		if (i % 8 == 7)
			put(i, __HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send,
			    0);
		else
			put(i, __HYPERVISOR_update_va_mapping, (unsigned long)at + i * PAGE_SIZE,
			    pte_for(page, i % 2 ? PTE_DATA : PTE_READONLY), UVMF_INVLPG);
	CHECK_EQ(multicall(list, 32), 0);
	for (unsigned int i = 0; i < 32; i++) {
		CHECK_EQ((long)list[i].result, i % 8 == 7 ? -XEN_EINVAL : 0);
		if (i % 8 != 7)
			CHECK_EQ(READ_ONCE(at[i * PAGE_SIZE + 5]), 0x55);
	}
	/* To a table: made read-only, linked, unlinked, and writable again, all in one. */
	{
		void *table = page_alloc();
		struct mmu_update link = {.ptr = maddr_of(pte_of(at, 2) + 1),
					  .val = pte_for(table, PTE_DATA)},
				  unlink = {.ptr = link.ptr};

		put(0, __HYPERVISOR_update_va_mapping, (unsigned long)table,
		    pte_for(table, PTE_READONLY), UVMF_INVLPG);
		put(1, __HYPERVISOR_mmu_update, (unsigned long)&link, 1, 0);
		put(2, __HYPERVISOR_update_va_mapping, (unsigned long)table,
		    pte_for(table, PTE_DATA), UVMF_INVLPG);
		put(3, __HYPERVISOR_mmu_update, (unsigned long)&unlink, 1, 0);
		put(4, __HYPERVISOR_update_va_mapping, (unsigned long)table,
		    pte_for(table, PTE_DATA), UVMF_INVLPG);
		list[1].args[3] = list[3].args[3] = DOMID_SELF;
		CHECK_EQ(multicall(list, 5), 0);
		CHECK_EQ((long)list[0].result, 0);
		CHECK_EQ((long)list[1].result, 0);
		CHECK_EQ((long)list[2].result, -XEN_EBUSY);
		CHECK_EQ((long)list[3].result, 0);
		CHECK_EQ((long)list[4].result, 0);
		*(volatile uint64_t *)table = 1;
	}
}

static void within_another(void)
{
	put(0, __HYPERVISOR_multicall, (unsigned long)&list[2], 1, 0);
	put(1, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put(2, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	CHECK_EQ(multicall(list, 2), 0);
	CHECK_EQ((long)list[0].result, -XEN_EINVAL);
	CHECK((long)list[1].result > 0, "the one behind it");
	CHECK_EQ(list[2].result, UNSEEN);
	CHECK_EQ(multicall(list, 0), 0);
}

/*
 * The list, with the frame of an iret on the stack that goes on at 1:. False: it has not come that
 * way. *result: rax.
 */
static bool goes_by_iret(unsigned long nr, unsigned long *result)
{
	unsigned long ax = __HYPERVISOR_multicall, di = (unsigned long)list, cx;

	__asm__ volatile("mov %%rsp, %%rdx\n"
			 "push %[ss]\n"
			 "push %%rdx\n"
			 "push $2\n"
			 "push %[cs]\n"
			 "lea 1f(%%rip), %%rdx\n"
			 "push %%rdx\n"
			 "push $0\n"
			 "push $0x77\n" /* rcx */
			 "push $0\n"    /* r11 */
			 "push $0x1234\n"
			 "syscall\n"
			 "add $72, %%rsp\n"
			 "1:"
			 : "+a"(ax), "=c"(cx), "+D"(di), "+S"(nr)
			 : [ss] "i"(FLAT_KERNEL_SS), [cs] "i"(FLAT_KERNEL_CS & ~3)
			 : "rdx", "r11", "memory");
	*result = ax;
	return cx == 0x77;
}

/* Xen carries it out, and what stands behind it in the list is not done. */
static void ended_by_iret(void)
{
	unsigned long result = UNSEEN;

	put(0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put(1, __HYPERVISOR_iret, 0, 0, 0);
	put(2, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	CHECK_EQ(goes_by_iret(3, &result), true);
	CHECK_EQ(result, 0x1234);
	CHECK((long)list[0].result > 0, "the one before it");
	CHECK_EQ(list[1].result, 0x1234);
	CHECK_EQ(list[2].result, UNSEEN);
	CHECK(events_masked(), "events are not masked as in the frame");
}

/* The last page before nothing: two entries, and a third that is not there. */
static void bad_lists(void)
{
	struct multicall_entry *end = (struct multicall_entry *)mapped_end();

	put(0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	end[-1] = end[-2] = list[0];
	CHECK_EQ(multicall(end - 2, 3), -XEN_EFAULT);
	CHECK((long)end[-2].result > 0 && (long)end[-1].result > 0, "the first two");
	CHECK_EQ(multicall(end, 1), -XEN_EFAULT);
	CHECK_EQ(multicall((void *)HYPERVISOR_VIRT_START, 1), -XEN_EFAULT);
	CHECK_EQ(multicall((void *)HYPERVISOR_VIRT_START, 0), -XEN_EFAULT);
	CHECK_EQ(multicall((void *)mapped_end(), 0), 0);
	CHECK_EQ(multicall((void *)0x800000000000, 1), -XEN_EFAULT);
}

static unsigned int events;

static void on_event(struct trap_frame *f)
{
	(void)f;
	events += evtchn_drain(NULL);
}

/* A member that makes an event for us: the upcall comes when the list is done, not in the midst of
 * it. */
static void with_an_event(void)
{
	long port = evtchn_bind_ipi(0);
	struct evtchn_send send = {.port = (evtchn_port_t)port};

	irq_set_handler(VECTOR_EVENT, on_event);
	CHECK_EQ(evtchn_unmask(send.port), 0);
	put(0, __HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0);
	put(1, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put(2, __HYPERVISOR_update_va_mapping, (unsigned long)window(), 0, UVMF_INVLPG);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
	CHECK_EQ(multicall(list, 3), 0);
	CHECK_EQ(events, 1);
	events_mask();
	CHECK_EQ((long)list[2].result, 0);
	CHECK_EQ(evtchn_close(send.port), 0);
}

void test_main(void)
{
	mixed();
	in_order();
	within_another();
	ended_by_iret();
	bad_lists();
	with_an_event();
	test_success();
}
