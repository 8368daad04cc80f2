/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a domain asks to be told of events: HVM_PARAM_CALLBACK_IRQ (public header hvm/params.h). A
 * vector of the CPUs is the machinery's to deliver (platform_ops.upcall). A GSI, or the interrupt
 * pin of a PCI device, is a line into the I/O APIC; vCPU 0's evtchn_upcall_pending holds it up, as
 * in Xen's hvm_set_callback_irq_level(). Here is when the line changes, and
 * platform_ops.set_gsi makes it so.
 *
 * Nobody tells when the guest has cleared evtchn_upcall_pending. Xen looks at each VM exit, and so
 * must the machinery; else a guest that ends the interrupt is given it again.
 */
#ifndef SHIM_CALLBACK_H
#define SHIM_CALLBACK_H

#include "shim/domain.h"

/*
 * The guest sets HVM_PARAM_CALLBACK_IRQ to this value. What Xen does not know turns the callback
 * off; a domain without I/O APIC has a vector or what it had before, whatever else it asks for.
 * Takes domain.lock.
 */
void callback_set(struct domain *d, uint64_t value);

/* Is it a line? Then platform_ops.upcall of vCPU 0 without a vector of its own is to end in
 * callback_raise(). */
bool callback_is_line(const struct domain *d);

/*
 * vCPU 0's evtchn_upcall_pending has gone from 0 to 1: so the line, if it is still up, has been
 * down. Before vCPU 0 enters the guest again. Takes domain.lock: any thread, in no read section.
 */
void callback_raise(struct domain *d);

/* The line follows the flag as it is now. Takes domain.lock: any thread, in no read section. */
void callback_update(struct domain *d);

/* There is none, as in a new domain, and its line is down. Under the domain's lock. */
void callback_reset(struct domain *d);

/* After each exit of any vCPU, before what it exited for is done. */
static inline void callback_after_exit(struct domain *d)
{
	if (__builtin_expect(__atomic_load_n(&d->callback.up, __ATOMIC_RELAXED), 0))
		callback_update(d);
}

#endif
