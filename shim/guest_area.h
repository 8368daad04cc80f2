/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small area that a guest has named by its virtual address and that we write again and again: the
 * runstate record, the second copy of the time. It has any alignment and may cross into another
 * page, which can be anywhere: a fixed area (shim/gpc) of one or two parts.
 *
 * Xen translates the address at every write; we do so once, as KVM and QEMU do: kernels register
 * areas of their direct mapping, which stays.
 */
#ifndef SHIM_GUEST_AREA_H
#define SHIM_GUEST_AREA_H

#include "shim/gpc/gpc.h"

struct hypercall;
struct vcpu;

#define GUEST_AREA_PARTS 2 /* an area is at most a page long */

/*
 * Find [addr, addr+len), at most a page long, in the page tables of v, writable. On the vCPU's own
 * thread. The number of parts, or -XEN_EFAULT.
 */
int guest_area_find(struct vcpu *v, struct gva addr, uint32_t len,
		    struct gpc_part parts[GUEST_AREA_PARTS]);

/*
 * The two hypercalls that name an area (VCPUOP_register_*_memory_area, address in *args[2]; 0
 * forgets it) on the calling vCPU's thread. 0 or -XEN_EFAULT, and then nothing has changed.
 */
long guest_area_register(struct gpc *area, struct vcpu *v, const struct hypercall *h, uint32_t len);

/* Only the address that such a hypercall names. 0 or -XEN_EFAULT. */
long guest_area_argument(struct vcpu *v, const struct hypercall *h, struct gva *addr);

/*
 * The two newer ones name it by guest-physical address, in 64 bits whatever the word size; all ones
 * forgets it. 0 and the address; GUEST_AREA_NONE; -XEN_EFAULT; -XEN_ENXIO: it crosses into another
 * page, or is not aligned to the domain's words; -XEN_EINVAL: no RAM there.
 */
#define GUEST_AREA_NONE 1
long guest_area_phys_argument(struct vcpu *v, const struct hypercall *h, uint32_t len,
			      struct gpa *addr);

#endif
