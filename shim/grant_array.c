// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_array.h"

#include "shim/domain.h"
#include "shim/guest_access.h"

static int call_one(struct vcpu *v, const struct grant_array *a, struct gva at)
{
	uint8_t arg[GRANT_ARGUMENT_MAX] __attribute__((aligned(8)));
	int16_t *status = (int16_t *)(arg + a->status);
	int rc = guest_read(v, arg, at, a->size);

	if (rc)
		return rc;
	*status = a->one(v, arg);
	return a->whole ? guest_write(v, at, arg, a->size)
			: guest_write(v, gva(at.v + a->status), status, sizeof(*status));
}

long grant_array_call(struct vcpu *v, const struct hypercall *h, const struct grant_array *a)
{
	uint32_t count = h->args[2];
	struct gva at = gva(h->args[1]);
	int rc = 0;

	if (count > INT32_MAX)
		return -XEN_EINVAL;
	for (uint32_t i = 0; i < count && !rc && !v->domain->ops->must_stop(v); i++) {
		rc = call_one(v, a, at);
		at.v += a->size;
		if (!h->long_mode)
			at.v = (uint32_t)at.v;
	}
	return rc;
}

int grant_domain_status(const struct domain *d, domid_t domid, grant_ref_t ref)
{
	switch (domain_check_self(d, domid)) {
	case 0:
		return GNTST_okay;
	case -XEN_EPERM:
		return ref < GRANTS_PER_FRAME_V1 * GRANT_FRAMES_INITIAL ? GNTST_general_error
									: GNTST_bad_gntref;
	default:
		return GNTST_bad_domain;
	}
}
