// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory map, asked for by hypercall.
 *
 * A kernel that was entered with start_info version 0, or not by PVH at all, asks
 * XENMEM_memory_map; what it is told must be what the version 1 kernel reads in start_info. A
 * buffer that is too small gets as many entries as fit (arch/x86/mm.c in Xen). Then, in the same
 * family, the operations that only a toolstack or a PV guest has: refused, not made up.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "XENMEM_memory_map says what start_info says";

/* As in ACPI's INT 15 E820, which xen/memory.h refers to: 20 bytes. */
struct e820entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

#define ENTRIES 128

static struct e820entry buffer[ENTRIES];

static long ask(unsigned int room, void *to, unsigned int *entries)
{
	struct xen_memory_map map = {.nr_entries = room};
	long rc;

	set_xen_guest_handle(map.buffer, to);
	rc = hypercall_memory_op(XENMEM_memory_map, &map);
	*entries = map.nr_entries;
	return rc;
}

/* RAM is what must agree; the loader may name further reserved places in start_info. */
static bool told_at_start(const struct e820entry *e)
{
	const struct hvm_memmap_table_entry *s;

	for (unsigned int i = 0; (s = start_info_memmap(i)); i++)
		if (s->addr == e->addr && s->size == e->size && s->type == e->type)
			return true;
	return false;
}

static unsigned int ram_at_start(void)
{
	const struct hvm_memmap_table_entry *s;
	unsigned int n = 0;

	for (unsigned int i = 0; (s = start_info_memmap(i)); i++)
		n += s->type == XEN_HVM_MEMMAP_TYPE_RAM;
	return n;
}

static unsigned int whole_map(void)
{
	unsigned int entries, ram = 0;

	CHECK_EQ(ask(ENTRIES, buffer, &entries), 0);
	CHECK(entries > 0 && entries < ENTRIES, "%u entries", entries);
	for (unsigned int i = 0; i < entries; i++) {
		if (buffer[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
			continue;
		ram++;
		CHECK(told_at_start(&buffer[i]), "RAM at %#llx + %#llx is not in start_info",
		      (unsigned long long)buffer[i].addr, (unsigned long long)buffer[i].size);
	}
	CHECK_EQ(ram, ram_at_start());
	return entries;
}

static void too_small(unsigned int all)
{
	unsigned int entries;

	memset(buffer, 0xee, sizeof(buffer));
	CHECK_EQ(ask(1, buffer, &entries), 0);
	CHECK_EQ(entries, 1);
	CHECK(buffer[0].type <= 7, "the one entry that fits was not written");
	CHECK(all < 2 || buffer[1].type == 0xeeeeeeee, "an entry was written past the end");
}

static void bad_buffer(void)
{
	unsigned long nowhere = ((unsigned long)ram_end_low() + (16UL << 20)) & ~(PAGE_SIZE - 1);
	unsigned int entries;

	CHECK_EQ(ask(ENTRIES, (void *)nowhere, &entries), -XEN_EFAULT);
	CHECK_EQ(entries, ENTRIES);
	CHECK_EQ(hypercall_memory_op(XENMEM_memory_map, (void *)nowhere), -XEN_EFAULT);
}

static void not_for_guests(void)
{
	CHECK_EQ(hypercall_memory_op(XENMEM_machphys_mapping, buffer), -XEN_ENOSYS);
	CHECK_EQ(hypercall_memory_op(XENMEM_machine_memory_map, buffer), -XEN_ENOSYS);
}

void test_main(void)
{
	unsigned int entries = whole_map();

	too_small(entries);
	bad_buffer();
	not_for_guests();
	test_success();
}
