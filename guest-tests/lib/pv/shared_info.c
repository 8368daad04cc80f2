// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/report.h"

/* The address of this page is what is used; the RAM that it had stays unmapped. */
static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;
static struct shared_info *mapped;

unsigned long frame_of(const void *p)
{
	return mfn_of(p);
}

struct shared_info *shared_info_map(void)
{
	if (!mapped) {
		mapped = (void *)page;
		CHECK_EQ(update_va_mapping(page, pv_start_info()->shared_info | PTE_DATA,
					   UVMF_INVLPG | UVMF_LOCAL),
			 0);
	}
	return mapped;
}
