// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/string.h"

unsigned long *p2m(void)
{
	return (unsigned long *)pv_start_info()->mfn_list;
}

const unsigned long *m2p(void)
{
	return (const unsigned long *)MACH2PHYS_VIRT_START;
}

unsigned long mfn_of_pfn(unsigned long pfn)
{
	return READ_ONCE(p2m()[pfn]);
}

void *page_of_pfn(unsigned long pfn)
{
	return (void *)(VIRT_BASE + pfn * PAGE_SIZE);
}

void *page_of_mfn(unsigned long mfn)
{
	return page_of_pfn(READ_ONCE(m2p()[mfn]));
}

unsigned long pfn_of(const void *p)
{
	return ((unsigned long)p - VIRT_BASE) / PAGE_SIZE;
}

unsigned long mfn_of(const void *p)
{
	return mfn_of_pfn(pfn_of(p));
}

uint64_t maddr_of(const void *p)
{
	return (uint64_t)mfn_of(p) * PAGE_SIZE + (unsigned long)p % PAGE_SIZE;
}

uint64_t *l4_table(void)
{
	return (uint64_t *)pv_start_info()->pt_base;
}

uint64_t *pte_of(const void *address, unsigned int level)
{
	uint64_t *table = l4_table();

	for (unsigned int l = 4;; l--) {
		uint64_t *pte = &table[(unsigned long)address >> (12 + 9 * (l - 1)) & 511];

		if (l == level)
			return pte;
		if (!(READ_ONCE(*pte) & PTE_P))
			return NULL;
		table = page_of_mfn((*pte & PTE_FRAME) / PAGE_SIZE);
	}
}

uint64_t pte_value(const void *address)
{
	const uint64_t *pte = pte_of(address, 1);

	return pte ? READ_ONCE(*pte) : 0;
}

/* Of the initial mapping, whose pages are neighbours. */
unsigned long mapped_end(void)
{
	static unsigned long end;

	if (!end)
		for (end = VIRT_BASE; pte_value((void *)end) & PTE_P;)
			end += PAGE_SIZE;
	return end;
}

/* Behind the stack, the last of the initial mapping's contents, there are at least 512 KiB. */
void *page_alloc(void)
{
	static unsigned long next;
	void *page;

	if (!next)
		next = (pv_entry_state.rsp + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	page = (void *)next;
	if (next >= mapped_end()) {
		test_error("no more pages in the initial mapping");
		test_finish();
	}
	next += PAGE_SIZE;
	memset(page, 0, PAGE_SIZE);
	return page;
}

unsigned long pfn_alloc(void)
{
	static unsigned long used;
	unsigned long pfn = pfn_of((void *)mapped_end()) + used++;

	if (pfn >= pv_start_info()->nr_pages) {
		test_error("no more frames");
		test_finish();
	}
	return pfn;
}
