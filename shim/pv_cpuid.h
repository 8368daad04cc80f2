/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the CPU's own CPUID leaves a PV guest sees: what Xen 4.17 lets PV guests see by default
 * (arch-x86/cpufeatureset.h, bits that are for all guests, and not only by choice), and nothing
 * that Xen does not know. Its kernel has no part in paging, segments or the local APIC, so it is
 * not told of features there.
 */
#ifndef SHIM_PV_CPUID_H
#define SHIM_PV_CPUID_H

#include "shim/cpuid.h"

/*
 * One leaf as the machinery has it for guests of the HVM kind, topology and all; afterwards as it
 * is for a PV guest. Left as they are:
 *	x2APIC in leaf 1, which Xen has told PV guests of until 4.18, and KVM must, as the guest's
 *	monitor interrupts other vCPUs by it; OSXSAVE and OSPKE, which follow CR4; leaf 0xd's sizes,
 *	which may be of more state than there is; leaves of topology.
 * Hidden besides: what works by MSRs that a monitor does not give (SPEC_CTRL, PRED_CMD,
 * ARCH_CAPABILITIES), as on a Xen that keeps SPEC_CTRL for itself.
 */
void pv_cpuid_adjust(struct cpuid_leaf *leaf);

#endif
