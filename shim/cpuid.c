// SPDX-License-Identifier: BSD-2-Clause
#include "shim/cpuid.h"

#include <string.h>

#include "shim/xen_version.h"
#include "xen-abi/xen.h"

/* Leaf 3, sub-leaf 0, EBX: 2 = the TSC is never emulated. */
#define TSC_MODE_NATIVE 2
#define TSC_RELIABLE    (1u << 1)
#define TSC_RDTSCP      (1u << 2)

void xen_cpuid(const struct xen_cpuid_config *c, struct cpuid_leaf *leaves)
{
	const struct cpuid_leaf table[XEN_CPUID_LEAVES] = {
		{.leaf = XEN_CPUID_BASE,
		 .eax = XEN_CPUID_BASE + 4,
		 .ebx = XEN_CPUID_SIGNATURE_EBX,
		 .ecx = XEN_CPUID_SIGNATURE_ECX,
		 .edx = XEN_CPUID_SIGNATURE_EDX},
		{.leaf = XEN_CPUID_BASE + 1, .eax = XEN_SHIM_VERSION},
		{.leaf = XEN_CPUID_BASE + 2, .eax = 1, .ebx = XEN_MSR_HYPERCALL_PAGE},
		{.leaf = XEN_CPUID_BASE + 3,
		 .subleaf = 0,
		 .has_subleaves = true,
		 .eax = TSC_RELIABLE | (c->rdtscp ? TSC_RDTSCP : 0),
		 .ebx = TSC_MODE_NATIVE,
		 .ecx = c->tsc_khz},
		{.leaf = XEN_CPUID_BASE + 3,
		 .subleaf = 1,
		 .has_subleaves = true,
		 .ecx = c->tsc_to_ns_mul,
		 .edx = (uint32_t)c->tsc_shift},
		{.leaf = XEN_CPUID_BASE + 3,
		 .subleaf = 2,
		 .has_subleaves = true,
		 .eax = c->tsc_khz},
		{.leaf = XEN_CPUID_BASE + 4,
		 .has_subleaves = true,
		 .eax = XEN_HVM_CPUID_X2APIC_VIRT | XEN_HVM_CPUID_VCPU_ID_PRESENT |
			XEN_HVM_CPUID_DOMID_PRESENT | XEN_HVM_CPUID_UPCALL_VECTOR,
		 .ebx = c->vcpu_id,
		 .ecx = c->domid},
	};

	memcpy(leaves, table, sizeof(table));
}

static unsigned address_bits(uint64_t max_mfn)
{
	unsigned bits = 0;

	for (uint64_t last = max_mfn - 1; last; last >>= 1)
		bits++;
	return bits + GUEST_PAGE_SHIFT;
}

void xen_cpuid_pv(const struct xen_cpuid_config *c, struct cpuid_leaf *leaves)
{
	xen_cpuid(c, leaves);
	for (unsigned i = 0; i < XEN_CPUID_LEAVES; i++) {
		struct cpuid_leaf *l = &leaves[i];

		switch (l->leaf) {
		case XEN_CPUID_BASE:
			l->eax = XEN_CPUID_BASE + 5;
			break;
		case XEN_CPUID_BASE + 2:
			l->ecx = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
			break;
		case XEN_CPUID_BASE + 4: /* of HVM guests */
			l->eax = l->ebx = l->ecx = l->edx = 0;
			break;
		}
	}
	leaves[XEN_CPUID_LEAVES] = (struct cpuid_leaf){
		.leaf = XEN_CPUID_BASE + 5, .has_subleaves = true, .ebx = address_bits(c->max_mfn)};
}
_Static_assert(XEN_CPUID_PV_LEAVES == XEN_CPUID_LEAVES + 1, "one more than others have");
