// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/report.h"

static uint8_t page[4096] PAGE_ALIGNED;
static struct shared_info *mapped;

unsigned long frame_of(const void *p)
{
	return (unsigned long)p / PAGE_SIZE;
}

long add_to_physmap(unsigned int space, unsigned long index, unsigned long gfn)
{
	struct xen_add_to_physmap arg = {
		.domid = DOMID_SELF,
		.space = space,
		.idx = index,
		.gpfn = gfn,
	};

	return hypercall_memory_op(XENMEM_add_to_physmap, &arg);
}

struct shared_info *shared_info_map(void)
{
	if (!mapped) {
		CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 0, frame_of(page)), 0);
		mapped = (void *)page;
	}
	return mapped;
}
