// SPDX-License-Identifier: BSD-2-Clause
/*
 * mmu_update (public header xen.h): a PV kernel's only way to change its page tables, but for those
 * entries that one of the others can reach. What is refused changes nothing; a list ends with the
 * first one that is. Xen: do_mmu_update(), mod_l1_entry() and its neighbours.
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "mmu_update: what is written, what is refused, how many were done";

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED, other[PAGE_SIZE] PAGE_ALIGNED;

static uint64_t entry(const void *p, uint64_t bits)
{
	return mfn_of(p) * PAGE_SIZE | bits;
}

static void forget(const void *address)
{
	CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)address, 0), 0);
}

static void a_page_is_mapped(void)
{
	uint8_t *at = window();
	uint64_t *pte = pte_of(at, 1);

	memset(page, 0x5a, PAGE_SIZE);
	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA)), 0);
	CHECK_EQ(READ_ONCE(at[9]), 0x5a);
	at[10] = 0xa5;
	CHECK_EQ(READ_ONCE(page[10]), 0xa5);
	CHECK_EQ(READ_ONCE(*pte) & (PTE_FRAME | PTE_P | PTE_RW), entry(page, PTE_P | PTE_RW));
	CHECK_EQ(pte_write(pte, entry(other, PTE_READONLY)), 0);
	forget(at);
	CHECK_EQ(READ_ONCE(at[9]), 0);
	CHECK_EQ(pte_write(pte, 0), 0);
	CHECK_EQ(READ_ONCE(*pte), 0);
}

/* Bits of an entry that is not there are the kernel's own: swap entries. */
static void not_present(void)
{
	uint64_t *pte = pte_of(window(), 1);

	CHECK_EQ(pte_write(pte, 0x1230), 0);
	CHECK_EQ(READ_ONCE(*pte), 0x1230);
	CHECK_EQ(pte_write(pte, 0), 0);
}

static void refused_at_level_1(void)
{
	uint64_t *pte = pte_of(window(), 1);

	CHECK_EQ(pte_write(pte, NO_MFN << 12 | PTE_DATA), -XEN_EPERM);
	CHECK_EQ(pte_write(pte, entry(l4_table(), PTE_DATA)), -XEN_EBUSY);
	/* How memory is cached is not for a guest without devices to say. */
	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA | PTE_PCD)), -XEN_EINVAL);
	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA | PTE_PWT)), -XEN_EINVAL);
	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA | PTE_PS)), -XEN_EINVAL);
	CHECK_EQ(READ_ONCE(*pte), 0);
	/* Bits for software, and global, may be asked for; the latter is not given. */
	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA | 7UL << 9)), 0);
	CHECK_EQ(READ_ONCE(*pte) & (PTE_FRAME | 7UL << 9), entry(page, 7UL << 9));
	/* Read-only, each table may be mapped. */
	CHECK_EQ(pte_write(pte, entry(l4_table(), PTE_READONLY)), 0);
	forget(window());
	CHECK_EQ(READ_ONCE(((uint64_t *)window())[511]), l4_table()[511]);
	CHECK_EQ(pte_write(pte, 0), 0);
}

static void refused_at_other_levels(void)
{
	for (unsigned int level = 2; level <= 4; level++) {
		uint64_t *pte = pte_of(window(), level), was = READ_ONCE(*pte);

		/* It is writable, so it is no table. */
		CHECK_EQ(pte_write(pte, entry(page, PTE_DATA)), -XEN_EINVAL);
		CHECK_EQ(pte_write(pte, NO_MFN << 12 | PTE_DATA), -XEN_EINVAL);
		/* A table of another level. */
		CHECK_EQ(pte_write(pte, entry(pte_of(window(), level == 2 ? 2 : 1), PTE_DATA) &
						~0xf00UL),
			 -XEN_EINVAL);
		CHECK_EQ(pte_write(pte, was | PTE_PS), -XEN_EINVAL);
		CHECK_EQ(READ_ONCE(*pte), was);
	}
	/* The hypervisor's slots. */
	CHECK_EQ(pte_write(&l4_table()[256], 0), -XEN_EINVAL);
	CHECK_EQ(pte_write(&l4_table()[271], 0), -XEN_EINVAL);
	CHECK_EQ(pte_write(&l4_table()[272], 0), 0);
}

static void tables_come_and_go(void)
{
	uint64_t *pte = pte_of(window(), 2), was = READ_ONCE(*pte);
	void *table = page_alloc();

	CHECK_EQ(pte_write(pte, entry(table, PTE_DATA)), -XEN_EINVAL);
	page_protect(table, PTE_READONLY);
	CHECK_EQ(pte_write(pte, entry(table, PTE_DATA)), 0);
	CHECK_EQ(update_va_mapping(table, entry(table, PTE_DATA), UVMF_INVLPG), -XEN_EBUSY);
	CHECK_EQ(pte_write(pte, was), 0);
	/* Nothing uses it as a table any more. */
	CHECK_EQ(update_va_mapping(table, entry(table, PTE_DATA), UVMF_INVLPG), 0);
	*(volatile uint64_t *)table = 1;
	CHECK_EQ(*(volatile uint64_t *)table, 1);
}

/* A table with an entry that may not be is none. */
static void tables_are_looked_through(void)
{
	uint64_t *pte = pte_of(window(), 2), was = READ_ONCE(*pte);
	uint64_t *table = page_alloc();

	table[77] = entry(l4_table(), PTE_DATA);
	page_protect(table, PTE_READONLY);
	CHECK_EQ(pte_write(pte, entry(table, PTE_DATA)), -XEN_EBUSY);
	CHECK_EQ(READ_ONCE(*pte), was);
	page_protect(table, PTE_DATA);
	table[77] = entry(page, PTE_DATA);
	page_protect(table, PTE_READONLY);
	CHECK_EQ(pte_write(pte, entry(table, PTE_DATA)), 0);
	page[3] = 0x33;
	CHECK_EQ(READ_ONCE(((uint8_t *)window())[77 * PAGE_SIZE + 3]), 0x33);
	/* Now `page` may not become a table. */
	page_protect(page, PTE_READONLY);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), -XEN_EINVAL);
	page_protect(page, PTE_DATA);
	CHECK_EQ(pte_write(pte, was), 0);
}

static void other_places(void)
{
	uint64_t ptr = maddr_of(&page[16]);

	/* RAM that is no table is written to as it is. */
	CHECK_EQ(mmu_update_1(ptr, 0x1122334455667788), 0);
	CHECK_EQ(*(volatile uint64_t *)&page[16], 0x1122334455667788);
	CHECK_EQ(mmu_update_1(NO_MFN << 12, 0), -XEN_EINVAL);
	CHECK_EQ(mmu_update_1(ptr | 4, 0), -XEN_ENOSYS);
	CHECK_EQ(mmu_update_1(ptr | 7, 0), -XEN_ENOSYS);
	CHECK_EQ(*(volatile uint64_t *)&page[16], 0x1122334455667788);
	CHECK_EQ(hypercall(__HYPERVISOR_mmu_update, (unsigned long)page, 1, 0, 0x1234, 0),
		 -XEN_ESRCH);
}

static void accessed_and_dirty_stay(void)
{
	uint64_t *pte = pte_of(window(), 1);

	CHECK_EQ(pte_write(pte, entry(page, PTE_DATA)), 0);
	CHECK_EQ(mmu_update_1(maddr_of(pte) | MMU_PT_UPDATE_PRESERVE_AD,
			      entry(page, PTE_P | PTE_US)),
		 0);
	CHECK_EQ(READ_ONCE(*pte) & (PTE_A | PTE_D | PTE_RW), PTE_A | PTE_D);
	CHECK_EQ(pte_write(pte, entry(page, PTE_P | PTE_US)), 0);
	CHECK_EQ(READ_ONCE(*pte) & (PTE_A | PTE_D | PTE_RW), 0);
	CHECK_EQ(mmu_update_1(maddr_of(pte) | MMU_PT_UPDATE_NO_TRANSLATE, 0), 0);
	CHECK_EQ(READ_ONCE(*pte), 0);
}

static void the_list_of_pfns(void)
{
	unsigned long mfn = mfn_of(page), pfn = pfn_of(page);

	CHECK_EQ(mmu_update_1(mfn << 12 | MMU_MACHPHYS_UPDATE, 0x54321), 0);
	CHECK_EQ(READ_ONCE(m2p()[mfn]), 0x54321);
	CHECK_EQ(mmu_update_1(mfn << 12 | MMU_MACHPHYS_UPDATE, pfn), 0);
	CHECK_EQ(READ_ONCE(m2p()[mfn]), pfn);
	CHECK_EQ(mmu_update_1(NO_MFN << 12 | MMU_MACHPHYS_UPDATE, 0), -XEN_EINVAL);
}

static void how_many(void)
{
	static uint64_t words[8];
	struct mmu_update list[8];
	unsigned int done = 77;

	for (unsigned int i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct mmu_update){.ptr = maddr_of(&words[i]), .val = i + 1};
	CHECK_EQ(mmu_update(list, ARRAY_SIZE(list), &done), 0);
	CHECK_EQ(done, 8);
	CHECK_EQ(words[7], 8);
	list[5].ptr = NO_MFN << 12;
	memset(words, 0, sizeof(words));
	CHECK_EQ(mmu_update(list, ARRAY_SIZE(list), &done), -XEN_EINVAL);
	CHECK_EQ(done, 5);
	CHECK_EQ(words[4], 5);
	CHECK_EQ(words[6], 0);
	CHECK_EQ(mmu_update(list, 0, &done), 0);
	CHECK_EQ(done, 0);
	done = 77;
	/* Past the hypervisor's addresses the list is not even begun; at an empty page, it is. */
	CHECK_EQ(mmu_update((void *)HYPERVISOR_VIRT_START, 1, &done), -XEN_EFAULT);
	CHECK_EQ(done, 77);
	CHECK_EQ(mmu_update((void *)mapped_end(), 1, &done), -XEN_EFAULT);
	CHECK_EQ(done, 0);
}

void test_main(void)
{
	a_page_is_mapped();
	not_present();
	refused_at_level_1();
	refused_at_other_levels();
	tables_come_and_go();
	tables_are_looked_through();
	other_places();
	accessed_and_dirty_stay();
	the_list_of_pfns();
	how_many();
	test_success();
}
