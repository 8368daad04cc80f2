// SPDX-License-Identifier: BSD-2-Clause
#include "shim/domain.h"

#include <stdlib.h>
#include <string.h>

int domain_init(struct domain *d, const struct platform_ops *ops, void *host, domid_t id,
		void *shared_info)
{
	int rc;

	memset(d, 0, sizeof(*d));
	d->ops = ops;
	d->host = host;
	d->id = id;
	d->shared_info = shared_info;
	/* Until a guest's word size is latched, Xen lays shared_info out for 64 bits. */
	d->long_mode = true;
	rc = event_channels_init(&d->events);
	if (rc)
		return rc;
	rc = memslots_init(&d->memslots, ops->memory, host, 0);
	if (rc) {
		event_channels_destroy(&d->events);
		return rc;
	}
	pthread_mutex_init(&d->lock, NULL);
	return 0;
}

static void free_vcpu(struct vcpu *v)
{
	gpc_destroy(&v->vcpu_info);
	gpc_destroy(&v->time_area);
	gpc_destroy(&v->runstate_area);
	free(v);
}

void domain_destroy(struct domain *d)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		free_vcpu(d->vcpus[i]);
	memslots_destroy(&d->memslots);
	pthread_mutex_destroy(&d->lock);
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
	v->runstate.state = RUNSTATE_offline;
	d->vcpus[d->nr_vcpus++] = v;
	return v;
}

int domain_check_self(const struct domain *d, domid_t domid)
{
	if (domid == DOMID_SELF || domid == d->id)
		return 0;
	return domid == 0 ? -XEN_EPERM : -XEN_ESRCH;
}
