/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a parsed kernel to a PVH guest that is ready to enter: segments, modules and the
 * hvm_start_info in guest RAM. See xen/arch-x86/hvm/start_info.h for the structures and
 * docs/misc/pvh.pandoc of Xen for the entry state, which is the caller's to set (EBX = start_info).
 */
#ifndef HOST_LOADER_PVH_H
#define HOST_LOADER_PVH_H

#include <stdint.h>

#include "host/loader/kernel.h"
#include "host/loader/ram.h"
#include "host/problem.h"
#include "xen-abi/xen.h"

#define PVH_MODULES_MAX 8
#define PVH_RSDP_BIOS   0xfffc0u /* where a copy of the RSDP is put, if no kernel is there */

struct pvh_args {
	const char *initrd;         /* file of the first module, or NULL */
	const char *const *modules; /* files of further modules, ended by NULL; or NULL */
	const char *cmdline;        /* or NULL */
	const struct hvm_memmap_table_entry *memmap;
	unsigned memmap_entries; /* 0: no memory map is passed, all of the RAM counts as usable */
	uint64_t rsdp;           /* guest-physical, or 0 */
	/* The RSDP itself (ACPI_RSDP_SIZE bytes), for those who look for it; or NULL. */
	const void *rsdp_bytes;
};

struct pvh_start {
	uint32_t entry, start_info; /* guest-physical */
};

/*
 * Fill guest RAM and say where to enter. The RAM must be fresh (all zero): zeros are not written.
 * Everything is checked and placed before the first byte is written. Returns 0, or -1 with the
 * reason in *p.
 */
int pvh_load(const struct kernel *k, const struct ram *ram, const struct pvh_args *args,
	     struct pvh_start *start, struct problem *p);

#endif
