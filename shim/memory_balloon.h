/* SPDX-License-Identifier: BSD-2-Clause */
/* XENMEM_*: pages that a guest gives back and takes again, and how many it has and may have. */
#ifndef SHIM_MEMORY_BALLOON_H
#define SHIM_MEMORY_BALLOON_H

#include "shim/hypercall.h"

/* How many extents have been done; errors are not told. */
long xenmem_increase_reservation(struct vcpu *v, const struct hypercall *h);
long xenmem_decrease_reservation(struct vcpu *v, const struct hypercall *h);
long xenmem_populate_physmap(struct vcpu *v, const struct hypercall *h);

long xenmem_exchange(struct vcpu *v, const struct hypercall *h);

long xenmem_current_reservation(struct vcpu *v, const struct hypercall *h);
long xenmem_maximum_reservation(struct vcpu *v, const struct hypercall *h);
long xenmem_maximum_gpfn(struct vcpu *v, const struct hypercall *h);
long xenmem_maximum_ram_page(struct vcpu *v, const struct hypercall *h);

#endif
