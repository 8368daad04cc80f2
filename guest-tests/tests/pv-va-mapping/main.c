// SPDX-License-Identifier: BSD-2-Clause
/*
 * update_va_mapping (public header xen.h): the entry of an address, and what of the TLB is
 * forgotten with it. Each flag must do so much that the new page is seen at once. Xen:
 * __do_update_va_mapping().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "update_va_mapping: every flag, addresses without an entry";

#define NOT_CANONICAL 0x800000000000UL

static uint8_t pages[2][PAGE_SIZE] PAGE_ALIGNED;

static void flags(void)
{
	static uint64_t mask = 1, all = ~0UL;
	const unsigned long cases[] = {
		UVMF_TLB_FLUSH | UVMF_LOCAL,
		UVMF_TLB_FLUSH | UVMF_ALL,
		UVMF_TLB_FLUSH | (unsigned long)&mask,
		UVMF_TLB_FLUSH | (unsigned long)&all,
		UVMF_INVLPG | UVMF_LOCAL,
		UVMF_INVLPG | UVMF_ALL,
		UVMF_INVLPG | (unsigned long)&mask,
		UVMF_INVLPG | (unsigned long)&all,
	};
	uint8_t *at = window();

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned int to = 0; to < 2; to++) {
			CHECK_EQ(update_va_mapping(at, pte_for(pages[to], PTE_DATA), cases[i]), 0);
			CHECK(READ_ONCE(at[7]) == to, "flags %#lx: page %u is still there",
			      cases[i], !to);
		}
}

static void nothing_forgotten(void)
{
	uint8_t *at = window();

	CHECK_EQ(update_va_mapping(at, pte_for(pages[0], PTE_DATA), UVMF_NONE), 0);
	CHECK_EQ(pte_value(at) & PTE_FRAME, pte_for(pages[0], 0));
	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	CHECK_EQ(READ_ONCE(at[7]), 0);
	/* The mask's address is looked at when the entry has been changed. */
	CHECK_EQ(update_va_mapping(at, pte_for(pages[1], PTE_DATA), UVMF_INVLPG | mapped_end()),
		 -XEN_EFAULT);
	CHECK_EQ(pte_value(at) & PTE_FRAME, pte_for(pages[1], 0));
	CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)at, 0), 0);
	CHECK_EQ(READ_ONCE(at[7]), 1);
	CHECK_EQ(update_va_mapping(at, pte_for(pages[0], PTE_DATA), 3), 0);
	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	CHECK_EQ(READ_ONCE(at[7]), 0);
	CHECK_EQ(update_va_mapping(at, pte_for(pages[1], PTE_DATA), UVMF_NONE), 0);
	CHECK_EQ(mmuext(MMUEXT_INVLPG_ALL, (unsigned long)at, 0), 0);
	CHECK_EQ(READ_ONCE(at[7]), 1);
}

static void flushes_of_some(void)
{
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI};
	static uint64_t mask = 1;
	uint8_t *at = window();

	set_xen_guest_handle(op.arg2.vcpumask, &mask);
	for (unsigned int to = 0; to < 2; to++) {
		CHECK_EQ(update_va_mapping(at, pte_for(pages[to], PTE_DATA), UVMF_NONE), 0);
		CHECK_EQ(mmuext_op(&op, 1, NULL), 0);
		CHECK_EQ(READ_ONCE(at[7]), to);
		op.cmd = MMUEXT_INVLPG_MULTI;
		op.arg1.linear_addr = (unsigned long)at;
	}
	set_xen_guest_handle(op.arg2.vcpumask, (void *)mapped_end());
	CHECK_EQ(mmuext_op(&op, 1, NULL), -XEN_EINVAL);
	/* Addresses that cannot be in the TLB are nothing to forget. */
	CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, NOT_CANONICAL, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_INVLPG_ALL, HYPERVISOR_VIRT_START, 0), 0);
}

static void no_entry_there(void)
{
	const unsigned long cases[] = {
		0,
		NOT_CANONICAL,
		HYPERVISOR_VIRT_START,
		HYPERVISOR_VIRT_END - PAGE_SIZE,
		(unsigned long)window() + (1UL << 21),
		(unsigned long)window() + (1UL << 30),
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc = update_va_mapping((void *)cases[i], pte_for(pages[0], PTE_DATA),
					    UVMF_INVLPG);

		CHECK(rc == -XEN_EINVAL, "address %#lx: %ld", cases[i], rc);
	}
}

static void refused(void)
{
	uint8_t *at = window();

	CHECK_EQ(update_va_mapping(at, pte_for(l4_table(), PTE_DATA), UVMF_INVLPG), -XEN_EBUSY);
	CHECK_EQ(update_va_mapping(at, NO_MFN << 12 | PTE_DATA, UVMF_INVLPG), -XEN_EPERM);
	CHECK_EQ(update_va_mapping(at, pte_for(pages[0], PTE_DATA | PTE_PCD), UVMF_INVLPG),
		 -XEN_EINVAL);
	CHECK_EQ(READ_ONCE(at[7]), 1);
	CHECK_EQ(hypercall(__HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)at,
			   pte_for(pages[0], PTE_DATA), UVMF_INVLPG, 0x1234, 0),
		 -XEN_ESRCH);
	CHECK_EQ(hypercall(__HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)at,
			   pte_for(pages[0], PTE_DATA), UVMF_INVLPG, DOMID_SELF, 0),
		 0);
	CHECK_EQ(READ_ONCE(at[7]), 0);
}

/*
 * A page of AMD's chipsets, where Linux from 6.15 on looks at boot on each Zen CPU. Xen refuses it
 * to a guest like ours, and such a kernel dies; here it is mapped, and nothing answers.
 */
static void registers_of_chipsets(void)
{
	const uint64_t page = 0xfed80000UL;
	uint8_t *at = window();

	if (strstr(start_info_cmdline(), "subject=xen")) {
		CHECK_EQ(update_va_mapping(at, page | PTE_DATA, UVMF_INVLPG), -XEN_EPERM);
		CHECK_EQ(update_va_mapping(at, page | PTE_DATA | PTE_PCD, UVMF_INVLPG),
			 -XEN_EINVAL);
		return;
	}
	CHECK_EQ(update_va_mapping(at, page | PTE_DATA | PTE_PCD, UVMF_INVLPG), 0);
	CHECK_EQ(READ_ONCE(*(uint32_t *)(at + 0x3c0)), ~0u);
	WRITE_ONCE(*(uint32_t *)(at + 0x3c0), 0);
	CHECK_EQ(READ_ONCE(*(uint32_t *)(at + 0x3c0)), ~0u);
	CHECK_EQ(update_va_mapping(at, pte_for(pages[1], PTE_DATA), UVMF_INVLPG), 0);
	CHECK_EQ(READ_ONCE(at[7]), 1);
	CHECK_EQ(update_va_mapping(at, (page + PAGE_SIZE) | PTE_DATA, UVMF_INVLPG), -XEN_EPERM);
}

void test_main(void)
{
	memset(pages[1], 1, PAGE_SIZE);
	flags();
	nothing_forgotten();
	flushes_of_some();
	no_entry_there();
	refused();
	registers_of_chipsets();
	test_success();
}
