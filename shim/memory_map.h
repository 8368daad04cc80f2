/* SPDX-License-Identifier: BSD-2-Clause */
/* XENMEM_memory_map and XENMEM_set_memory_map: the E820 map that a guest is told. */
#ifndef SHIM_MEMORY_MAP_H
#define SHIM_MEMORY_MAP_H

#include "shim/hypercall.h"

struct domain;

long xenmem_memory_map(struct vcpu *v, const struct hypercall *h);
long xenmem_set_memory_map(struct vcpu *v, const struct hypercall *h);

/* What the guest has set is forgotten. With the domain's lock held, or where nobody else runs. */
void memory_map_reset(struct domain *d);

#endif
