/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV kernel's file asks of the domain builder, checked: its notes and segments, put into
 * pseudo-physical addresses.
 */
#ifndef HOST_LOADER_PV_KERNEL_H
#define HOST_LOADER_PV_KERNEL_H

#include "host/loader/kernel.h"
#include "host/loader/pv_symtab.h"

/* More than any guest has: PV_DIRECT_MAX. Sums of a few such sizes do not overflow. */
#define PV_SIZE_LIMIT (UINT64_C(1) << 43)

struct pv_kernel {
	const struct kernel *kernel;
	uint64_t virt_base;    /* pseudo-physical 0 is mapped there; aligned to pages */
	uint64_t paddr_offset; /* what is to be taken off the file's physical addresses */
	uint64_t size;         /* pseudo-physical, bytes: the kernel's end, symbols included */
	uint64_t entry;        /* virtual; in a segment */
	struct pv_symtab symtab;
	bool has_hypercall_page, has_init_p2m, ramdisk_unmapped;
	uint64_t hypercall_page; /* pseudo-physical, aligned, wholly in the kernel's pages */
	uint64_t init_p2m;       /* virtual, aligned to pages, below virt_base */
};

/* Returns 0, or -1 with the reason in *p. */
int pv_kernel_read(struct pv_kernel *pk, const struct kernel *k, struct problem *p);

/* Pseudo-physical address of a segment's start. */
static inline uint64_t pv_kernel_segment_at(const struct pv_kernel *pk,
					    const struct kernel_segment *s)
{
	return s->paddr - pk->paddr_offset;
}

#endif
