// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runstate: how long a vCPU has been running, runnable (stolen from), blocked and offline (public
 * header vcpu.h). The four times of the record always sum to its entry time.
 */
#include <string.h>

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/guest_area.h"
#include "xen-abi/x86_32.h"

void runstate_start(struct vcpu *v, uint64_t now)
{
	pthread_mutex_lock(&v->domain->lock);
	memset(&v->runstate, 0, sizeof(v->runstate));
	v->runstate.state = RUNSTATE_running;
	v->runstate.state_entry_time = now;
	v->runstate.time[RUNSTATE_offline] = now;
	pthread_mutex_unlock(&v->domain->lock);
}

union runstate_record {
	struct vcpu_runstate_info native;
	struct vcpu_runstate_info_x86_32 compat;
};

/* The record in the given word size; returns its length. */
static size_t runstate_record(const struct vcpu_runstate_info *r, bool long_mode,
			      union runstate_record *out)
{
	if (long_mode) {
		out->native = *r;
		return sizeof(out->native);
	}
	out->compat.state = r->state;
	out->compat.state_entry_time = r->state_entry_time;
	memcpy(out->compat.time, r->time, sizeof(r->time));
	return sizeof(out->compat);
}

/* Under the domain's lock. */
static void write_area(struct vcpu *v, bool long_mode)
{
	union runstate_record record;
	size_t len = runstate_record(&v->runstate, long_mode, &record);

	gpc_write(&v->runstate_area, 0, &record, len);
}

long vcpuop_register_runstate_memory_area(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	size_t len = h->long_mode ? sizeof(struct vcpu_runstate_info)
				  : sizeof(struct vcpu_runstate_info_x86_32);
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_area_register(&t->runstate_area, v, h, len);
	if (rc)
		return rc;
	pthread_mutex_lock(&v->domain->lock);
	write_area(t, h->long_mode);
	pthread_mutex_unlock(&v->domain->lock);
	return 0;
}

/* A reading of now: the time since entry counts for the present state. */
long vcpuop_get_runstate_info(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct vcpu_runstate_info now;
	union runstate_record record;
	uint64_t time;
	size_t len;

	if (!t)
		return -XEN_ENOENT;
	pthread_mutex_lock(&v->domain->lock);
	now = t->runstate;
	pthread_mutex_unlock(&v->domain->lock);
	time = v->domain->ops->system_time(v);
	if (time > now.state_entry_time)
		now.time[now.state] += time - now.state_entry_time;
	len = runstate_record(&now, h->long_mode, &record);
	return guest_write(v, gva(h->args[2]), &record, len);
}
