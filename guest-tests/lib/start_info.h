/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loader hands over at the PVH entry point (xen/arch-x86/hvm/start_info.h). */
#ifndef GUEST_TESTS_START_INFO_H
#define GUEST_TESTS_START_INFO_H

#include "xen-abi/xen.h"

#include <stdbool.h>

/* The registers at the entry point, as entry.S found them. */
struct entry_state {
	uint32_t ebx, cr0, cr4, eflags;
	uint16_t cs, ds, es, ss, tr;
};
extern const struct entry_state entry_state;

/* Never NULL; a wrong magic is for the test pvh-entry to say. */
const struct hvm_start_info *start_info(void);
/* Never NULL: "" when there is none. */
const char *start_info_cmdline(void);

/* One entry of the memory map, NULL past the end or when start_info has none (version 0). */
const struct hvm_memmap_table_entry *start_info_memmap(unsigned int index);

/* Does the memory map call these bytes RAM? */
bool start_info_is_ram(uint64_t addr, uint64_t size);

/* The first address past all RAM below 4 GiB, and past all RAM. 0 without a memory map. */
uint64_t ram_end_low(void);
uint64_t ram_end(void);

/* The end of the image, page aligned: linker. RAM from here on is free unless start_info lies
 * there. */
extern uint8_t image_end[];

#endif
