// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/report.h"

long mmu_update(const struct mmu_update *requests, unsigned int count, unsigned int *done)
{
	return hypercall(__HYPERVISOR_mmu_update, (unsigned long)requests, count,
			 (unsigned long)done, DOMID_SELF, 0);
}

long mmu_update_1(uint64_t ptr, uint64_t val)
{
	return mmu_update(&(struct mmu_update){.ptr = ptr, .val = val}, 1, NULL);
}

long pte_write(uint64_t *pte, uint64_t val)
{
	return mmu_update_1(maddr_of(pte) | MMU_NORMAL_PT_UPDATE, val);
}

long update_va_mapping(const void *address, uint64_t val, unsigned long flags)
{
	return hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)address, val, flags, 0, 0);
}

long mmuext_op(const struct mmuext_op *ops, unsigned int count, unsigned int *done)
{
	return hypercall(__HYPERVISOR_mmuext_op, (unsigned long)ops, count, (unsigned long)done,
			 DOMID_SELF, 0);
}

long mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2)
{
	struct mmuext_op op = {.cmd = cmd};

	op.arg1.linear_addr = arg1;
	op.arg2.src_mfn = arg2;
	return mmuext_op(&op, 1, NULL);
}

void page_protect(const void *page, uint64_t bits)
{
	CHECK_EQ(update_va_mapping(page, mfn_of(page) * PAGE_SIZE | bits, UVMF_INVLPG | UVMF_ALL),
		 0);
}

void tables_for(const void *at)
{
	for (unsigned int level = 4; level > 1; level--)
		if (!(READ_ONCE(*pte_of(at, level)) & PTE_P)) {
			void *table = page_alloc();

			page_protect(table, PTE_READONLY);
			CHECK_EQ(pte_write(pte_of(at, level), mfn_of(table) * PAGE_SIZE | PTE_DATA),
				 0);
		}
}

/* An address of the kernel's, in slot 300. */
void *window(void)
{
	void *at = (void *)0xffff960000000000;

	tables_for(at);
	return at;
}

void *window_map(unsigned int index, unsigned long page, uint64_t flags)
{
	uint8_t *at = (uint8_t *)window() + index * PAGE_SIZE;

	CHECK_EQ(update_va_mapping(at, flags ? pte_for((void *)page, flags) : 0,
				   UVMF_INVLPG | UVMF_ALL),
		 0);
	return at;
}
