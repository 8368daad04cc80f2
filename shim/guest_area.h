/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small area that a guest has named by its virtual address and that we write again and again: the
 * runstate record, the second copy of the time. It has any alignment and may cross into another
 * page, which can be anywhere: so it is a fixed area (shim/gpc) of one or two parts.
 *
 * Xen translates the address at every write; we do so once, as KVM and QEMU do: kernels register
 * areas of their direct mapping, which stays.
 */
#ifndef SHIM_GUEST_AREA_H
#define SHIM_GUEST_AREA_H

#include "shim/gpc/gpc.h"

struct hypercall;
struct vcpu;

struct guest_area {
	bool active; /* atomic */
	struct gpc part[2];
};

/* Where an area is at the moment. */
struct guest_area_place {
	struct gpa at[2];
	uint32_t len[2]; /* the second may be 0 */
};

void guest_area_init(struct guest_area *a, struct memslots *slots);

/*
 * Find [addr, addr+len), at most a page long, in the page tables of v, writable. On the vCPU's own
 * thread. 0 or -XEN_EFAULT.
 */
int guest_area_find(struct vcpu *v, struct gva addr, uint32_t len, struct guest_area_place *out);

/* Put the area there, or forget it. The caller serialises these (domain.lock). */
void guest_area_activate(struct guest_area *a, const struct guest_area_place *place);
void guest_area_deactivate(struct guest_area *a);

/*
 * The two hypercalls that name an area (VCPUOP_register_*_memory_area, address in *args[2]; 0
 * forgets it) on the calling vCPU's thread. Takes domain.lock. 0 or -XEN_EFAULT, and then nothing
 * has changed.
 */
long guest_area_register(struct guest_area *a, struct vcpu *v, const struct hypercall *h,
			 uint32_t len);

/*
 * Copy len bytes to offset in the area, whole or not at all. Any thread. False: the area is
 * inactive, shorter, or has no memory now.
 */
bool guest_area_write(struct guest_area *a, uint32_t offset, const void *from, uint32_t len);

#endif
