/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID leaves by which a guest knows Xen (public header arch-x86/cpuid.h). */
#ifndef SHIM_CPUID_H
#define SHIM_CPUID_H

#include "shim/types.h"

#define XEN_CPUID_BASE         0x40000000u
#define XEN_MSR_HYPERCALL_PAGE 0x40000000u

struct cpuid_leaf {
	uint32_t leaf, subleaf;
	bool has_subleaves; /* sub-leaves count; otherwise any gives the same */
	uint32_t eax, ebx, ecx, edx;
};

struct xen_cpuid_config {
	unsigned vcpu_id;
	uint16_t domid;
	uint32_t tsc_khz;
	/* Scale of the guest's TSC to ns, as in pvclock (Xen tells it in leaf 3, sub-leaf 1). */
	uint32_t tsc_to_ns_mul;
	int8_t tsc_shift;
	bool rdtscp;
	uint64_t max_mfn; /* of a PV guest's machine, exclusive */
};

#define XEN_CPUID_LEAVES 7

/* Fill leaves[XEN_CPUID_LEAVES]: 0x40000000 to 0x40000004, leaf 3 with sub-leaves 0 to 2. */
void xen_cpuid(const struct xen_cpuid_config *c, struct cpuid_leaf *leaves);

/*
 * The same for a PV guest: 0x40000000 to 0x40000005. Leaf 4 tells of no feature; leaf 2 has its
 * own, and leaf 5 the width of its machine addresses.
 */
#define XEN_CPUID_PV_LEAVES 8
void xen_cpuid_pv(const struct xen_cpuid_config *c, struct cpuid_leaf *leaves);

#endif
