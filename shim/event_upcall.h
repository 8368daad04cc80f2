/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_info's evtchn_upcall_pending and the interrupt that goes with it. */
#ifndef SHIM_EVENT_UPCALL_H
#define SHIM_EVENT_UPCALL_H

#include "shim/shared_info.h"

/* Set the flag in info (vcpu_info_lock()); interrupt the vCPU if that is news. */
static inline void event_upcall_raise(struct vcpu *v, guest_vcpu_info *info)
{
	if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		v->domain->ops->upcall(v);
}

/* evtchn_pending_sel in that word size, in narrow words: a locked access to a wide one might cross
 * a cache line. */
static inline uint32_t *event_upcall_selector(guest_vcpu_info *info, bool long_mode)
{
	size_t at = long_mode ? offsetof(struct vcpu_info, evtchn_pending_sel)
			      : offsetof(struct vcpu_info_x86_32, evtchn_pending_sel);

	return (uint32_t *)((uint8_t *)info + at);
}

#endif
