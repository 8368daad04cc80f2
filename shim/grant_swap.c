// SPDX-License-Identifier: BSD-2-Clause
/* GNTTABOP_swap_grant_ref: two entries that nobody uses change their places. */
#include "shim/domain.h"
#include "shim/grant_array.h"
#include "shim/grant_entry.h"

static void swap_v1(const struct grant_table *g, grant_ref_t a, grant_ref_t b)
{
	struct grant_entry_v1 entry = *grant_v1(g, a);

	*grant_v1(g, a) = *grant_v1(g, b);
	*grant_v1(g, b) = entry;
}

static void swap_v2(const struct grant_table *g, grant_ref_t a, grant_ref_t b)
{
	union grant_entry_v2 entry = *grant_v2(g, a);
	grant_status_t status = g->statuses[a];

	*grant_v2(g, a) = *grant_v2(g, b);
	g->statuses[a] = g->statuses[b];
	*grant_v2(g, b) = entry;
	g->statuses[b] = status;
}

static int swap(const struct grant_table *g, grant_ref_t a, grant_ref_t b)
{
	if (a >= grant_entries(g) || b >= grant_entries(g))
		return GNTST_bad_gntref;
	if (a == b)
		return GNTST_okay;
	if (grant_in_use(g, a) || grant_in_use(g, b))
		return GNTST_eagain;
	if (g->version == 1)
		swap_v1(g, a, b);
	else
		swap_v2(g, a, b);
	return GNTST_okay;
}

static int16_t swap_one(struct vcpu *v, void *arg)
{
	const struct gnttab_swap_grant_ref *op = arg;
	struct grant_table *g = &v->domain->grants;
	int rc;

	short_lock(&g->lock);
	rc = swap(g, op->ref_a, op->ref_b);
	short_unlock(&g->lock);
	return rc;
}

long gnttabop_swap_grant_ref(struct vcpu *v, const struct hypercall *h)
{
	static const struct grant_array swaps = {
		.size = sizeof(struct gnttab_swap_grant_ref),
		.status = offsetof(struct gnttab_swap_grant_ref, status),
		.one = swap_one,
	};

	return grant_array_call(v, h, &swaps);
}
