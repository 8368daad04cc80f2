/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_info and vcpu_info: the pages that hypervisor and guest both write, in the layout of the
 * guest's latched word size.
 */
#ifndef SHIM_SHARED_INFO_H
#define SHIM_SHARED_INFO_H

#include "shim/types.h"
#include "xen-abi/xen.h"

struct domain;
struct vcpu;

struct event_bitmaps {
	uint32_t *pending, *mask;
	evtchn_port_t ports; /* bits in each */
};

struct event_bitmaps shared_info_event_bitmaps(struct domain *d, bool long_mode);

/*
 * A vcpu_info as it may lie in a guest's memory: a 32-bit guest aligns it to 4 bytes, and may turn
 * 64-bit afterwards. So its longer words are no place for atomics.
 */
typedef struct vcpu_info guest_vcpu_info __attribute__((aligned(4)));

/*
 * Where v's vcpu_info is now: the registered place or its slot in shared_info. NULL (and nothing to
 * unlock) if it has none (a vCPU beyond the first 32 that has registered nothing).
 */
guest_vcpu_info *vcpu_info_lock(struct vcpu *v);
void vcpu_info_unlock(struct vcpu *v);
/* The same for one who has written to it. */
void vcpu_info_unlock_written(struct vcpu *v, const guest_vcpu_info *info);

/* Guest-physical address of v's vcpu_info; false while the guest cannot see it anywhere. */
bool vcpu_info_gpa(struct vcpu *v, struct gpa *out);

/* Show shared_info at `at` and no longer where it was. Takes the domain's lock. 0 or -XEN_E*. */
int shared_info_map(struct domain *d, struct gfn at);

/* Take over the caller's word size for shared_info, as Xen does at two moments. Takes the lock. */
void domain_latch_word_size(struct domain *d, bool long_mode);

#endif
