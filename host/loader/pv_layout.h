/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is where in a PV guest's memory when it starts, in the order of the public header xen.h
 * ("Start-of-day memory layout"): kernel, ramdisk, list of frames, start_info, xenstore page,
 * console page, page tables, stack, and padding of at least 512 KiB up to an address that is a
 * multiple of 4 MiB: all mapped at the kernel's VIRT_BASE, pseudo-physical 0 first. A ramdisk that
 * need not be mapped and a list of frames with an address of its own follow behind.
 */
#ifndef HOST_LOADER_PV_LAYOUT_H
#define HOST_LOADER_PV_LAYOUT_H

#include "host/loader/pv_kernel.h"
#include "host/loader/pv_tables.h"

struct pv_extent {
	uint64_t pfn, pages;
};

struct pv_layout {
	struct pv_extent ramdisk;            /* no pages: none */
	struct pv_extent p2m;                /* the list, without its tables */
	uint64_t p2m_va;                     /* its address */
	uint64_t start_info, store, console; /* pfns, of one page each */
	uint64_t stack;
	struct pv_tables tables; /* mapping 0: VIRT_BASE; 1: the list, if it is elsewhere */
	uint64_t end;            /* pfn of the first page that is free */
};

/*
 * Lay out a kernel with a ramdisk of so many bytes (0: none; at most PV_SIZE_LIMIT) in a guest of
 * `pages` pages. Returns 0, or -1 with the reason in *p.
 */
int pv_layout_make(struct pv_layout *l, const struct pv_kernel *pk, uint64_t ramdisk_size,
		   uint64_t pages, struct problem *p);

#endif
