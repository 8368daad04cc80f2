/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_info's evtchn_upcall_pending and the interrupt that goes with it. */
#ifndef SHIM_EVENT_UPCALL_H
#define SHIM_EVENT_UPCALL_H

#include "shim/shared_info.h"

/* Set the flag in info (vcpu_info_lock()); interrupt the vCPU if that is news. */
void event_upcall_raise(struct vcpu *v, guest_vcpu_info *info);

/* evtchn_pending_sel in that word size, in narrow words: a locked access to a wide one might cross
 * a cache line. */
uint32_t *event_upcall_selector(guest_vcpu_info *info, bool long_mode);

#endif
