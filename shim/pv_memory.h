/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_* of a PV guest, which knows its machine frames (public header memory.h; Xen: memory.c,
 * arch/x86/mm.c). A frame of its reservation (shim/reservation.h) is a machine frame; which one it
 * is given the hypervisor says. The calling vCPU holds mm.lock (shim/pv_frames.h).
 *
 * A frame that the guest gives up while it has other uses of it stays its own until the last of
 * them is over, which nobody tells here: before any of these operations it is looked for.
 */
#ifndef SHIM_PV_MEMORY_H
#define SHIM_PV_MEMORY_H

#include "shim/hypercall.h"

struct domain;

/* How many extents have been done; errors are not told. */
long pv_increase_reservation(struct vcpu *v, const struct hypercall *h);
long pv_decrease_reservation(struct vcpu *v, const struct hypercall *h);
long pv_populate_physmap(struct vcpu *v, const struct hypercall *h);

/* memory_exchange.c */
long pv_exchange(struct vcpu *v, const struct hypercall *h);

/* memory_balloon.c */
long pv_current_reservation(struct vcpu *v, const struct hypercall *h);
long pv_maximum_gpfn(struct vcpu *v, const struct hypercall *h);

/* Where the M2P is, in the guest's address space and in machine frames. */
long pv_machphys_mapping(struct vcpu *v, const struct hypercall *h);
long pv_machphys_mfn_list(struct vcpu *v, const struct hypercall *h);

/* What was given up and is not in use any more is free. */
void pv_reap_frames(struct domain *d);

#endif
