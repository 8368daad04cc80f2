// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/start_info.h"

#include <stddef.h>

const struct hvm_start_info *start_info(void)
{
	return (const struct hvm_start_info *)(unsigned long)entry_state.ebx;
}

const char *start_info_cmdline(void)
{
	uint64_t at = start_info()->cmdline_paddr;

	return at ? (const char *)(unsigned long)at : "";
}

const struct hvm_memmap_table_entry *start_info_memmap(unsigned int index)
{
	const struct hvm_start_info *si = start_info();
	const struct hvm_memmap_table_entry *map;

	if (si->version < 1 || index >= si->memmap_entries)
		return NULL;
	map = (const struct hvm_memmap_table_entry *)(unsigned long)si->memmap_paddr;
	return &map[index];
}

bool start_info_is_ram(uint64_t addr, uint64_t size)
{
	const struct hvm_memmap_table_entry *e;

	for (unsigned int i = 0; (e = start_info_memmap(i)); i++)
		if (e->type == XEN_HVM_MEMMAP_TYPE_RAM && e->addr <= addr &&
		    addr + size <= e->addr + e->size)
			return true;
	return false;
}

static uint64_t ram_end_below(uint64_t limit)
{
	const struct hvm_memmap_table_entry *e;
	uint64_t end = 0;

	for (unsigned int i = 0; (e = start_info_memmap(i)); i++)
		if (e->type == XEN_HVM_MEMMAP_TYPE_RAM && e->addr < limit &&
		    e->addr + e->size > end)
			end = e->addr + e->size;
	return end;
}

uint64_t ram_end_low(void)
{
	return ram_end_below(1ULL << 32);
}

uint64_t ram_end(void)
{
	return ram_end_below(~0ULL);
}
