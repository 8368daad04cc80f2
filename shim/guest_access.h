/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercall arguments: copies between our memory and the guest's, through the page tables that the
 * calling vCPU uses. With the fixed areas of shim/gpc this is the only way to guest memory.
 *
 * All functions run on the vCPU's own thread during a hypercall, not in a read section of the
 * memslots. They return 0 or -XEN_EFAULT (not mapped, not writable, no memory there). Pages are
 * looked up before a byte is copied: a range of up to two pages is copied whole or not at all.
 */
#ifndef SHIM_GUEST_ACCESS_H
#define SHIM_GUEST_ACCESS_H

#include "shim/types.h"

struct domain;
struct vcpu;

int guest_read(struct vcpu *v, void *to, struct gva from, size_t len);
int guest_write(struct vcpu *v, struct gva to, const void *from, size_t len);

/*
 * As guest_read, and the range must be writable as well: for operations that change something and
 * carry results back, so that they fail before and not after. (Xen fails after; who changes nothing
 * uses guest_read, so that other errors come first as they do there.)
 */
int guest_read_inout(struct vcpu *v, void *to, struct gva from, size_t len);

/* Where a guest-virtual address is in guest-physical memory now, for areas that stay registered. */
int guest_translate(struct vcpu *v, struct gva addr, bool write, struct gpa *out);

/* Copy to guest-physical memory (domain building, the hypercall page). */
int guest_write_physical(struct domain *d, struct gpa to, const void *from, size_t len);

/* Is there writable memory, in one slot? Any thread, as the function above. */
bool guest_has_memory(struct domain *d, struct gpa addr, size_t len);
/* The same, but it may be read-only. */
bool guest_may_read(struct domain *d, struct gpa addr, size_t len);

#endif
