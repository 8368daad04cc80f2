// SPDX-License-Identifier: BSD-2-Clause
#include "shim/domain.h"

#include <stdlib.h>
#include <string.h>

#include "shim/memory_map.h"
#include "shim/vcpu_context.h"
#include "shim/vcpu_run.h"

int domain_init(struct domain *d, const struct platform_ops *ops, void *host, domid_t id,
		void *overlays)
{
	int rc;

	memset(d, 0, sizeof(*d));
	d->ops = ops;
	d->host = host;
	d->id = id;
	d->shared_info = (uint8_t *)overlays + OVERLAY_SHARED_INFO * GUEST_PAGE_SIZE;
	/* Until a guest's word size is latched, Xen lays shared_info out for 64 bits. */
	d->long_mode = true;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	d->cr4_valid = VCPU_CONTEXT_CR4;
	d->efer_valid = VCPU_CONTEXT_EFER;
	rc = event_channels_init(&d->events);
	if (rc)
		return rc;
	d->events.poll_wake = vcpu_wake_pollers;
	rc = grants_init(&d->grants, overlays);
	if (rc) {
		event_channels_destroy(&d->events);
		return rc;
	}
	rc = memslots_init(&d->memslots, ops->memory, host, 0);
	if (rc) {
		grants_destroy(&d->grants);
		event_channels_destroy(&d->events);
		return rc;
	}
	pthread_mutex_init(&d->lock, NULL);
	reservation_init(&d->reservation);
	return 0;
}

static void free_vcpu(struct vcpu *v)
{
	gpc_destroy(&v->vcpu_info);
	gpc_destroy(&v->time_area);
	gpc_destroy(&v->runstate_area);
	gpc_destroy(&v->runstate_tail);
	pthread_mutex_destroy(&v->runstate_lock);
	pthread_mutex_destroy(&v->timers.lock);
	free(v);
}

void domain_destroy(struct domain *d)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		free_vcpu(d->vcpus[i]);
	memslots_destroy(&d->memslots);
	reservation_destroy(&d->reservation);
	memory_map_reset(d);
	pv_machine_destroy(d);
	pthread_mutex_destroy(&d->lock);
	grants_destroy(&d->grants);
	event_channels_destroy(&d->events);
}

struct vcpu *domain_add_vcpu(struct domain *d, void *host)
{
	struct vcpu *v;

	if (d->nr_vcpus == DOMAIN_MAX_VCPUS)
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->domain = d;
	v->id = d->nr_vcpus;
	v->host = host;
	gpc_init(&v->vcpu_info, &d->memslots);
	gpc_init(&v->time_area, &d->memslots);
	gpc_init(&v->runstate_area, &d->memslots);
	gpc_init(&v->runstate_tail, &d->memslots);
	pthread_mutex_init(&v->runstate_lock, NULL);
	pthread_mutex_init(&v->timers.lock, NULL);
	v->runstate.state = RUNSTATE_offline;
	v->hold = HOLD_DOWN | HOLD_LATER; /* the thread may hear of VCPUOP_up before it has begun */
	d->vcpus[d->nr_vcpus++] = v;
	return v;
}

int domain_check_self(const struct domain *d, domid_t domid)
{
	if (domid == DOMID_SELF || domid == d->id)
		return 0;
	return domid == 0 ? -XEN_EPERM : -XEN_ESRCH;
}

int domain_check_translated(const struct domain *d, domid_t domid)
{
	int rc = domain_check_self(d, domid);

	return d->type == DOMAIN_PV && rc != -XEN_ESRCH ? -XEN_EACCES : rc;
}

void domain_shutdown(struct domain *d, int reason)
{
	int code = SHUTDOWN_CODE_NONE;

	if (!__atomic_compare_exchange_n(&d->shutdown_code, &code, reason, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		reason = code;
	if (!__atomic_exchange_n(&d->shut_down, true, __ATOMIC_SEQ_CST))
		d->ops->shutdown(d, reason);
}
