// SPDX-License-Identifier: BSD-2-Clause
/* The host's part in a PV guest's maps of its own grants: steps of its monitor (shim/pv/grant.h).
 */
#include "shim/pv/grant.h"

#include "shim/domain.h"
#include "shim/grant_array.h"
#include "shim/grant_handle.h"

/* The monitor's memory: each value is read once. */
#define READ(value)      __atomic_load_n(&(value), __ATOMIC_RELAXED)
#define WRITE(to, value) __atomic_store_n(&(to), value, __ATOMIC_RELAXED)

static void tell(struct pv_grant *g, const struct grant_handle *h)
{
	WRITE(g->flags, h->flags);
	WRITE(g->mfn, h->hold.at.v);
}

static int hold(struct domain *d, struct pv_grant *g)
{
	uint32_t flags = READ(g->flags), handle;
	int rc;

	if (!(flags & GRANT_MAPS))
		return GNTST_bad_gntref;
	rc = grant_handle_hold(d, flags, READ(g->dom), READ(g->ref), &handle);
	if (rc != GNTST_okay)
		return rc;
	WRITE(g->handle, handle);
	tell(g, grant_handle_of(d, handle));
	return GNTST_okay;
}

static int find(struct domain *d, struct pv_grant *g)
{
	const struct grant_handle *h = grant_handle_of(d, READ(g->handle));

	if (!h)
		return GNTST_bad_handle;
	tell(g, h);
	return GNTST_okay;
}

static int release(struct domain *d, struct pv_grant *g)
{
	uint32_t handle = READ(g->handle);

	if (!grant_handle_of(d, handle))
		return GNTST_bad_handle;
	grant_handle_release(d, handle, READ(g->flags));
	return GNTST_okay;
}

static int take_step(struct domain *d, uint64_t step)
{
	struct pv_grant *g = d->pv.grant;

	switch (step) {
	case PV_GRANT_HOLD:
		return hold(d, g);
	case PV_GRANT_FIND:
		return find(d, g);
	case PV_GRANT_RELEASE:
		return release(d, g);
	default:
		return GNTST_general_error;
	}
}

long pv_grant_step(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	int rc;

	pthread_mutex_lock(&d->lock);
	rc = take_step(d, h->args[1]);
	pthread_mutex_unlock(&d->lock);
	return rc;
}
