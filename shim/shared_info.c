// SPDX-License-Identifier: BSD-2-Clause
#include "shim/shared_info.h"

#include "shim/domain.h"
#include "shim/physmap.h"

/* Offsets of the two views, where code below relies on them being alike. */
_Static_assert(sizeof(struct vcpu_info) == 64 && sizeof(struct vcpu_info_x86_32) == 64,
	       "vcpu_info slots are 64 bytes in both word sizes");
_Static_assert(offsetof(struct vcpu_info, time) == offsetof(struct vcpu_info_x86_32, time),
	       "the time is at the same place in both");
_Static_assert(offsetof(struct vcpu_info, evtchn_upcall_pending) ==
		       offsetof(struct vcpu_info_x86_32, evtchn_upcall_pending),
	       "so is the pending flag");
_Static_assert(offsetof(struct shared_info, vcpu_info) == 0 &&
		       offsetof(struct shared_info_x86_32, vcpu_info) == 0,
	       "the vcpu_info array comes first in both");

bool vcpu_info_gpa(struct vcpu *v, struct gpa *out)
{
	struct domain *d = v->domain;

	if (v->vcpu_info_registered)
		return gpc_gpa(&v->vcpu_info, out);
	if (!d->shared_info_mapped || v->id >= XEN_LEGACY_MAX_VCPUS)
		return false;
	out->v = gfn_to_gpa(d->shared_info_gfn).v + v->id * sizeof(struct vcpu_info);
	return true;
}

/*
 * The wall clock: real time at system time 0. Its version is odd while it is being written (public
 * header xen.h, wc_version). The 32-bit guest's high seconds live in arch.
 */
static void write_wallclock(struct domain *d)
{
	struct shared_info *native = d->shared_info;
	struct shared_info_x86_32 *compat = d->shared_info;
	uint32_t *version = d->long_mode ? &native->wc_version : &compat->wc_version;
	uint64_t base = d->ops->wallclock_base(d);
	uint64_t sec = base / 1000000000;
	uint32_t nsec = base % 1000000000;

	__atomic_store_n(version, (*version + 1) | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (d->long_mode) {
		native->wc_sec = sec;
		native->wc_nsec = nsec;
		native->wc_sec_hi = sec >> 32;
	} else {
		compat->wc_sec = sec;
		compat->wc_nsec = nsec;
		compat->arch.wc_sec_hi = sec >> 32;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(version, *version + 1, __ATOMIC_RELAXED);
}

/* KVM and its like write the time nowhere, or somewhere else, from now on. */
static void tell_moved(struct domain *d)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		if (!d->vcpus[i]->vcpu_info_registered)
			d->ops->time_area_moved(d->vcpus[i]);
}

void shared_info_unhooked(struct domain *d)
{
	d->shared_info_mapped = false;
	d->shared_info_gfn = gfn(0);
	tell_moved(d);
}

/* Under the domain's lock. */
static void is_at(struct domain *d, struct gfn at)
{
	d->shared_info_gfn = at;
	d->shared_info_mapped = true;
	write_wallclock(d);
	tell_moved(d);
}

void shared_info_fix(struct domain *d, struct gfn at)
{
	pthread_mutex_lock(&d->lock);
	is_at(d, at);
	pthread_mutex_unlock(&d->lock);
}

int shared_info_map(struct domain *d, struct gfn at)
{
	int rc = 0;

	pthread_mutex_lock(&d->lock);
	if (!d->shared_info_mapped || d->shared_info_gfn.v != at.v)
		rc = physmap_show(d, OVERLAY_SHARED_INFO, at);
	if (!rc)
		is_at(d, at);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

void domain_latch_word_size(struct domain *d, bool long_mode)
{
	bool changed;

	pthread_mutex_lock(&d->lock);
	changed = d->long_mode != long_mode;
	__atomic_store_n(&d->long_mode, long_mode, __ATOMIC_RELAXED);
	/* Even if nothing has changed, as on Xen: a guest comes here on resume. */
	write_wallclock(d);
	if (changed)
		d->ops->word_size_latched(d);
	pthread_mutex_unlock(&d->lock);
}
