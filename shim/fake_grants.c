// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_grants.h"

#include <stdlib.h>
#include <string.h>

long fake_grant_op(struct fake *f, uint64_t cmd, void *arg, size_t len)
{
	long rc;

	memcpy(fake_at(f, FAKE_ARG), arg, len);
	rc = fake_call(f, __HYPERVISOR_grant_table_op, cmd, FAKE_ARG, 1);
	memcpy(arg, fake_at(f, FAKE_ARG), len);
	return rc;
}

long fake_show_grants(struct fake *f, uint64_t idx, uint64_t at)
{
	const struct xen_add_to_physmap arg = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = idx, .gpfn = at};

	return fake_add_to_physmap(f, XENMEM_add_to_physmap, &arg);
}

void fake_grant_version(struct fake *f, uint32_t version)
{
	struct gnttab_set_version op = {.version = version};

	if (fake_grant_op(f, GNTTABOP_set_version, &op, sizeof(op)))
		abort();
}

static uint16_t *flags_of(const struct grant_table *g, grant_ref_t ref)
{
	return g->version == 1 ? &grant_v1(g, ref)->flags : &grant_v2(g, ref)->hdr.flags;
}

void fake_grant(struct fake *f, grant_ref_t ref, uint16_t flags, domid_t domid, uint64_t frame)
{
	const struct grant_table *g = &f->domain.grants;

	if (g->version == 1) {
		__atomic_store_n(&grant_v1(g, ref)->domid, domid, __ATOMIC_RELAXED);
		__atomic_store_n(&grant_v1(g, ref)->frame, (uint32_t)frame, __ATOMIC_RELAXED);
	} else {
		__atomic_store_n(&grant_v2(g, ref)->hdr.domid, domid, __ATOMIC_RELAXED);
		__atomic_store_n(&grant_v2(g, ref)->full_page.frame, frame, __ATOMIC_RELAXED);
	}
	__atomic_store_n(flags_of(g, ref), flags, __ATOMIC_SEQ_CST);
}

void fake_grant_part(struct fake *f, grant_ref_t ref, uint16_t flags, uint64_t frame,
		     uint16_t start, uint16_t length)
{
	union grant_entry_v2 *e = grant_v2(&f->domain.grants, ref);

	e->sub_page.page_off = start;
	e->sub_page.length = length;
	fake_grant(f, ref, flags | GTF_permit_access | GTF_sub_page, 0, frame);
}

uint16_t fake_grant_status(struct fake *f, grant_ref_t ref)
{
	const struct grant_table *g = &f->domain.grants;
	const uint16_t *word = g->version == 1 ? flags_of(g, ref) : &g->statuses[ref];

	return __atomic_load_n(word, __ATOMIC_SEQ_CST) & (GTF_reading | GTF_writing);
}
