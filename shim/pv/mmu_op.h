/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of a PV guest about its memory and descriptors (public header xen.h). Arguments as in
 * the registers, in the order of the public prototypes; the answer is the guest's. The lock of mm.h
 * is not held. `v` is the current vCPU. Freestanding.
 *
 * A foreign domain: -XEN_ESRCH, as Xen for one that is not there, -XEN_EPERM for domain 0 and for
 * DOMID_XEN.
 */
#ifndef SHIM_PV_MMU_OP_H
#define SHIM_PV_MMU_OP_H

#include "shim/pv/cpu.h"

/* (struct mmu_update *, unsigned count, unsigned *done, unsigned foreigndom) */
long pv_op_mmu_update(struct pv_vcpu *v, const uint64_t args[6]);
/* (struct mmuext_op *, unsigned count, unsigned *done, unsigned foreigndom) */
long pv_op_mmuext(struct pv_vcpu *v, const uint64_t args[6]);
/* (va, entry, flags) */
long pv_op_update_va_mapping(struct pv_vcpu *v, const uint64_t args[6]);
/* (va, entry, flags, domid) */
long pv_op_update_va_mapping_otherdomain(struct pv_vcpu *v, const uint64_t args[6]);
/* (machine address, descriptor) */
long pv_op_update_descriptor(struct pv_vcpu *v, const uint64_t args[6]);
/* (unsigned long *frames, unsigned entries) */
long pv_op_set_gdt(struct pv_vcpu *v, const uint64_t args[6]);

#endif
