// SPDX-License-Identifier: BSD-2-Clause
/* GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref: what a guest maps of its own (grant_self.h). */
#include "shim/domain.h"
#include "shim/grant_array.h"
#include "shim/grant_self.h"

static int16_t map_one(struct vcpu *v, void *arg)
{
	struct gnttab_map_grant_ref *op = arg;

	grant_self_map(v->domain, op);
	return op->status;
}

static int16_t unmap_one(struct vcpu *v, void *arg)
{
	struct gnttab_unmap_grant_ref *op = arg;

	grant_self_unmap(v->domain, op);
	return op->status;
}

long gnttabop_map_grant_ref(struct vcpu *v, const struct hypercall *h)
{
	static const struct grant_array maps = {
		.size = sizeof(struct gnttab_map_grant_ref),
		.status = offsetof(struct gnttab_map_grant_ref, status),
		.one = map_one,
		.whole = true,
	};

	return grant_array_call(v, h, &maps);
}

long gnttabop_unmap_grant_ref(struct vcpu *v, const struct hypercall *h)
{
	static const struct grant_array unmaps = {
		.size = sizeof(struct gnttab_unmap_grant_ref),
		.status = offsetof(struct gnttab_unmap_grant_ref, status),
		.one = unmap_one,
	};

	return grant_array_call(v, h, &unmaps);
}
