/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of XENMEM_* that name pages by extents (public header memory.h, struct
 * xen_memory_reservation), in either word size. All on the calling vCPU's own thread.
 */
#ifndef SHIM_MEMORY_EXTENTS_H
#define SHIM_MEMORY_EXTENTS_H

#include "shim/hypercall.h"
#include "xen-abi/x86_32.h"
#include "xen-abi/xen.h"

/* Xen's limit for guests without devices of the host's: 2 MiB. */
#define EXTENT_ORDER_MAX 9

/*
 * Extents that are read, and done, in one piece, with the reservation locked: not so many that
 * others wait, and enough that neighbours go together. Linux names 512 single pages at a time.
 */
#define PIECE       512u
#define PIECE_PAGES 32768u

/* A struct xen_memory_reservation in either word size. */
struct extents {
	struct gva list;
	bool wide; /* its entries have 64 bits */
	uint64_t count;
	unsigned order;
	uint32_t flags; /* XENMEMF_* */
	domid_t domid;
};

struct extents extents_64(const struct xen_memory_reservation *r);
struct extents extents_32(const struct xen_memory_reservation_x86_32 *r);

/* A guest may name a node of the host's, and is not heard; it may not insist. */
bool extents_node_is_right(uint32_t flags);

/*
 * The argument of an operation that gives or takes pages. Xen tells nothing but how far it has
 * come, whatever was wrong. False: no further than memop_start_extent().
 */
bool extents_may_adjust(struct vcpu *v, const struct hypercall *h, struct extents *e);

/* Entries first to first + n of the list, n up to PIECE. 0 or -XEN_EFAULT. */
int extents_read(struct vcpu *v, const struct extents *e, uint64_t first, unsigned n,
		 uint64_t *frames);

/* How many from `first` on are the next piece, at most PIECE. */
unsigned extents_piece(const struct extents *e, uint64_t first);

/* Read it. Those before an entry that cannot be read are to be done: as many as there are; 0. */
unsigned extents_next(struct vcpu *v, const struct extents *e, uint64_t first, uint64_t *frames);

/* The guest is told of a frame of its list. 0 or -XEN_EFAULT. */
int extents_write(struct vcpu *v, const struct extents *e, uint64_t at, uint64_t frame);

/* Machine frames for these extents have to be below this one. */
uint64_t extents_end(const struct extents *e);

#endif
