/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_info and vcpu_info: the pages that hypervisor and guest both write, in the layout of the
 * guest's latched word size.
 */
#ifndef SHIM_SHARED_INFO_H
#define SHIM_SHARED_INFO_H

#include "shim/domain.h"

struct event_bitmaps {
	uint32_t *pending, *mask;
	evtchn_port_t ports; /* bits in each */
};

static inline struct event_bitmaps shared_info_event_bitmaps(struct domain *d, bool long_mode)
{
	struct shared_info *native = d->shared_info;
	struct shared_info_x86_32 *compat = d->shared_info;

	if (long_mode)
		return (struct event_bitmaps){(uint32_t *)native->evtchn_pending,
					      (uint32_t *)native->evtchn_mask, EVTCHN_2L_PORTS_64};
	return (struct event_bitmaps){compat->evtchn_pending, compat->evtchn_mask,
				      EVTCHN_2L_PORTS_32};
}

/*
 * A vcpu_info as it may lie in a guest's memory: a 32-bit guest aligns it to 4 bytes, and may turn
 * 64-bit afterwards. So its longer words are no place for atomics.
 */
typedef struct vcpu_info guest_vcpu_info __attribute__((aligned(4)));

/*
 * Where v's vcpu_info is now: the registered place or its slot in shared_info. NULL (and nothing to
 * unlock) if it has none (a vCPU beyond the first 32 that has registered nothing).
 */
static inline guest_vcpu_info *vcpu_info_lock(struct vcpu *v)
{
	struct shared_info *si = v->domain->shared_info;

	if (__atomic_load_n(&v->vcpu_info_registered, __ATOMIC_ACQUIRE))
		return gpc_lock(&v->vcpu_info);
	if (v->id >= XEN_LEGACY_MAX_VCPUS)
		return NULL;
	memslots_enter(&v->domain->memslots); /* which vcpu_info_unlock() leaves */
	return &si->vcpu_info[v->id];
}

static inline void vcpu_info_unlock(struct vcpu *v)
{
	gpc_unlock(&v->vcpu_info);
}

/* The same for one who has written to it. */
static inline void vcpu_info_unlock_written(struct vcpu *v, const guest_vcpu_info *info)
{
	gpc_written(&v->vcpu_info, info, sizeof(*info));
	vcpu_info_unlock(v);
}

/* Guest-physical address of v's vcpu_info; false while the guest cannot see it anywhere. */
bool vcpu_info_gpa(struct vcpu *v, struct gpa *out);

/* Show shared_info at `at` and no longer where it was. Takes the domain's lock. 0 or -XEN_E*. */
int shared_info_map(struct domain *d, struct gfn at);

/* It is at this frame for good, as in a PV guest. Before the guest runs. */
void shared_info_fix(struct domain *d, struct gfn at);

/* The guest sees it nowhere any more. Under the domain's lock. */
void shared_info_unhooked(struct domain *d);

/* Take over the caller's word size for shared_info, as Xen does at two moments. Takes the lock. */
void domain_latch_word_size(struct domain *d, bool long_mode);

#endif
