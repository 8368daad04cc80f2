/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a parsed kernel to a 64-bit PV guest that is ready to enter: kernel, ramdisk, list of
 * frames, start_info and first page tables in guest RAM, laid out as the public header xen.h says
 * ("Start-of-day memory layout") and Xen's own tools do it (pv_layout.h). The frames behind the
 * pfns are those of pv_memory.h.
 */
#ifndef HOST_LOADER_PV_H
#define HOST_LOADER_PV_H

#include <stdint.h>

#include "host/loader/kernel.h"
#include "host/loader/ram.h"
#include "host/problem.h"

struct pv_args {
	/* A file or NULL. The guest gets it as it is; Xen's tools unpack one that is gzipped. */
	const char *ramdisk;
	const char *cmdline;  /* or NULL; MAX_GUEST_CMDLINE bytes with its NUL */
	uint64_t shared_info; /* machine address, for start_info */
	/* Machine-to-physical table, filled whole; has to reach to the last frame of RAM. */
	uint64_t *m2p;
	uint64_t m2p_entries;
};

/* What Xen gives the first vCPU; everything else of its state is the same for all guests. */
struct pv_start {
	uint64_t rip, rsp, rsi; /* rsi: address of start_info */
	uint64_t base_mfn; /* root of the page tables, which nothing has checked or pinned yet */
	uint64_t store_mfn, console_mfn;
	struct start_info *info; /* in the RAM: for event channels that are not there yet */
	uint64_t free_pfn;       /* all pages from there on are free */
};

/*
 * Fill guest RAM and say where to enter. The RAM must be fresh (all zero): zeros are not written.
 * Everything is checked and placed before the first byte is written. Returns 0, or -1 with the
 * reason in *p.
 */
int pv_load(const struct kernel *k, const struct ram *ram, const struct pv_args *args,
	    struct pv_start *start, struct problem *p);

#endif
