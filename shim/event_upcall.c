// SPDX-License-Identifier: BSD-2-Clause
#include "shim/event_upcall.h"

#include "shim/domain.h"
#include "shim/event_channel.h"

/* 1 or 0; -1: it has none, or not at the moment. */
static int pending_flag(struct vcpu *v)
{
	guest_vcpu_info *info = vcpu_info_lock(v);
	bool pending;

	if (!info)
		return -1;
	pending = __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST);
	vcpu_info_unlock(v);
	return pending;
}

bool event_channels_pending(struct vcpu *v)
{
	return pending_flag(v) == 1;
}

bool event_channels_taken(struct vcpu *v)
{
	return pending_flag(v) == 0;
}

void event_channels_recheck_upcall(struct vcpu *v)
{
	if (event_channels_pending(v))
		v->domain->ops->upcall(v);
}

/* The selector is the 2-level ABI's, and the guest's own affair in the other: Xen sets it, too. */
void event_channels_mark_all(struct vcpu *v)
{
	guest_vcpu_info *info = vcpu_info_lock(v);
	bool long_mode = domain_long_mode(v->domain);
	uint32_t *selector;

	if (!info)
		return;
	selector = event_upcall_selector(info, long_mode);
	for (unsigned i = 0; i < (long_mode ? 2 : 1); i++)
		__atomic_store_n(&selector[i], UINT32_MAX, __ATOMIC_SEQ_CST);
	__atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	vcpu_info_unlock_written(v, info);
	v->domain->ops->upcall(v);
}
