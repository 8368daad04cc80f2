/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared_info page, in this build's word size (which hypercall_init() made the hypervisor's).
 */
#ifndef GUEST_TESTS_SHARED_INFO_H
#define GUEST_TESTS_SHARED_INFO_H

#include "xen-abi/xen.h"

/* XENMEM_add_to_physmap of DOMID_SELF. */
long add_to_physmap(unsigned int space, unsigned long index, unsigned long gfn);

/* The number by which the hypervisor knows the frame of a page of ours: gfn, or a PV guest's mfn.
 */
unsigned long frame_of(const void *page);

/* Map shared_info over a page of the image and return it; a second call returns the same page. */
struct shared_info *shared_info_map(void);

/*
 * The vcpu_info of a vCPU, and of the one that asks: its slot of shared_info (mapped if need be),
 * until vcpu_info_register() has put it elsewhere. That returns what the hypercall does.
 */
struct vcpu_info *vcpu_info_of(unsigned int cpu);
struct vcpu_info *vcpu_info(void);
long vcpu_info_register(unsigned int cpu, struct vcpu_info *at);

#endif
