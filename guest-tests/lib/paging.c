// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/paging.h"
#include "guest-tests/lib/cpu.h"

extern uint64_t page_l3[512]; /* entry.S */

static uint64_t window_l2[512] PAGE_ALIGNED;
static uint64_t window_l1[WINDOW_PAGES] PAGE_ALIGNED;

void *window_map(unsigned int index, uint64_t paddr, uint64_t flags)
{
	void *at = (void *)(WINDOW_BASE + index * PAGE_SIZE);

	page_l3[4] = (uint64_t)window_l2 | PTE_P | PTE_RW | PTE_US;
	window_l2[0] = (uint64_t)window_l1 | PTE_P | PTE_RW | PTE_US;
	window_l1[index] = flags ? paddr | flags : 0;
	invlpg(at);
	return at;
}
