// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/grants.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/shared_info.h"

domid_t own_domid(void)
{
	return (domid_t)cpuid(xen_cpuid_base() + 4, 0).ecx;
}

static unsigned long gfn_of(const void *page)
{
	return (unsigned long)page / PAGE_SIZE;
}

long grants_show(unsigned long idx, const void *page)
{
	return add_to_physmap(XENMAPSPACE_grant_table, idx, gfn_of(page));
}

long grants_set_version(uint32_t version, uint32_t *now)
{
	struct gnttab_set_version op = {.version = version};
	long rc = hypercall_grant_table_op(GNTTABOP_set_version, &op, 1);

	*now = op.version;
	return rc;
}

void grant_v1(struct grant_entry_v1 *e, uint16_t flags, domid_t domid, const void *page)
{
	e->domid = domid;
	e->frame = (uint32_t)gfn_of(page);
	barrier();
	WRITE_ONCE(e->flags, flags);
}

void grant_v2(union grant_entry_v2 *e, uint16_t flags, domid_t domid, const void *page)
{
	e->hdr.domid = domid;
	e->full_page.frame = gfn_of(page);
	barrier();
	WRITE_ONCE(e->hdr.flags, flags);
}
