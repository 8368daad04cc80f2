// SPDX-License-Identifier: BSD-2-Clause
#include "shim/soft_reset.h"

#include <errno.h>
#include <string.h>

#include "shim/callback.h"
#include "shim/domain.h"
#include "shim/hvm_op.h"
#include "shim/memory_map.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"
#include "shim/vcpu_run.h"

/* Nothing is written to the guest's memory any more but by shared_info's page. */
static void forget_areas(struct vcpu *v)
{
	__atomic_store_n(&v->vcpu_info_registered, false, __ATOMIC_RELEASE);
	gpc_deactivate(&v->vcpu_info);
	gpc_deactivate(&v->time_area);
	gpc_deactivate(&v->runstate_tail);
	gpc_deactivate(&v->runstate_area);
	v->runstate_layout = RUNSTATE_LATCHED;
}

static void reset_vcpu(struct vcpu *v)
{
	timers_reset(v);
	forget_areas(v);
	v->upcall_vector = 0;
	v->set_up_anew = true;
	v->domain->ops->time_area_moved(v);
	vcpu_poll_timeout(v);
	vcpu_unblock(v);
}

static int hide_overlays(struct domain *d)
{
	d->shared_info_mapped = false;
	d->shared_info_gfn = gfn(0);
	return overlay_hide_all(&d->memslots);
}

/* In each vCPU's slot of shared_info, by number. */
struct times {
	struct vcpu_time_info of[XEN_LEGACY_MAX_VCPUS];
};

static unsigned slots(const struct domain *d)
{
	return d->nr_vcpus < XEN_LEGACY_MAX_VCPUS ? d->nr_vcpus : XEN_LEGACY_MAX_VCPUS;
}

static void read_times(struct domain *d, struct times *t)
{
	for (unsigned i = 0; i < slots(d); i++) {
		const guest_vcpu_info *info = vcpu_info_lock(d->vcpus[i]);

		t->of[i] = (struct vcpu_time_info){0};
		if (!info)
			continue;
		memcpy(&t->of[i], &info->time, sizeof(t->of[i]));
		vcpu_info_unlock(d->vcpus[i]);
		/* Odd would be: it is being written, wait. */
		t->of[i].version &= ~1u;
	}
}

/*
 * A vCPU that the old kernel has left halted does not run, so nobody writes its time again. Kernels
 * reckon with vCPU 0's, whichever they begin on: a crash kernel divides by it.
 */
static void empty_shared_info(struct domain *d, const struct times *t)
{
	struct shared_info *si = d->shared_info;

	memset(si, 0, GUEST_PAGE_SIZE);
	for (unsigned i = 0; i < slots(d); i++)
		si->vcpu_info[i].time = t->of[i];
}

int domain_soft_reset(struct domain *d)
{
	struct times times;
	int rc;

	if (d->type == DOMAIN_PV)
		return -EINVAL;
	pthread_mutex_lock(&d->lock);
	read_times(d, &times);
	rc = hide_overlays(d);
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		reset_vcpu(d->vcpus[i]);
	grants_reset(d);
	event_channels_soft_reset(d);
	empty_shared_info(d, &times);
	d->watchdogs = 0;
	__atomic_store_n(&d->vm_assist, 0, __ATOMIC_RELAXED);
	hvm_params_reset(d);
	callback_reset(d);
	memory_map_reset(d);
	reservation_reset(d);
	pthread_mutex_unlock(&d->lock);
	__atomic_store_n(&d->shutdown_code, SHUTDOWN_CODE_NONE, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->shut_down, false, __ATOMIC_SEQ_CST);
	return rc;
}
