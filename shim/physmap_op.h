/* SPDX-License-Identifier: BSD-2-Clause */
/* XENMEM_*: what a guest sees at frames of its choice. */
#ifndef SHIM_PHYSMAP_OP_H
#define SHIM_PHYSMAP_OP_H

#include "shim/hypercall.h"

long xenmem_add_to_physmap(struct vcpu *v, const struct hypercall *h);
long xenmem_add_to_physmap_batch(struct vcpu *v, const struct hypercall *h);
long xenmem_remove_from_physmap(struct vcpu *v, const struct hypercall *h);

#endif
