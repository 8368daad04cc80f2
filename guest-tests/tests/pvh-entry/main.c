// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state in which a PVH kernel is entered, and what it is told.
 *
 * docs/misc/pvh.pandoc of Xen has the rules. What segments a selector stands for cannot be read
 * without a GDT of one's own, so entry.S has already shown it by working: it wrote through ds and
 * took code through cs. The structure that ebx points to is read here: version 1 with a memory map
 * that a kernel can trust (no overlap, the kernel's own image in RAM, start_info and its parts in
 * RAM too), the RSDP where it says, MTRRs that make RAM write-back.
 *
 * The test is linked in variants: at 1 MiB, at address 0 with entry 0, and as an ELF32 file around
 * 64-bit code; the loader must not care. Zero bytes that the file does not hold (.bss) must be
 * zero.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "PVH entry state, start_info, memory map, RSDP, MTRRs";

/* Not cleared by entry.S (link.lds): as the loader left it. */
static uint8_t witness[8192] __attribute__((section(".bss.witness")));

extern const uint8_t _start[];

static void registers(void)
{
	const struct entry_state *e = &entry_state;

	/* ET (bit 4) is hardwired on every CPU that can be here */
	CHECK((e->cr0 & ~0x10U) == CR0_PE, "cr0 is %#x", e->cr0);
	CHECK(e->cr4 == 0, "cr4 is %#x", e->cr4);
	CHECK(!(e->eflags & (EFLAGS_VM | EFLAGS_IF | EFLAGS_TF)), "eflags is %#x", e->eflags);
	CHECK(!(e->cs & 3) && !(e->ds & 3) && !(e->es & 3) && !(e->ss & 3),
	      "selectors cs %#x ds %#x es %#x ss %#x", e->cs, e->ds, e->es, e->ss);
}

static void bss_is_zero(void)
{
	unsigned int dirty = 0;

	for (unsigned int i = 0; i < sizeof(witness); i += 64)
		dirty += READ_ONCE(witness[i]) != 0;
	CHECK(!dirty, "%u of %zu samples of .bss were not zero", dirty, sizeof(witness) / 64);
}

static bool in_ram(uint64_t addr, uint64_t size)
{
	const struct hvm_memmap_table_entry *e;

	for (unsigned int i = 0; (e = start_info_memmap(i)); i++)
		if (e->type == XEN_HVM_MEMMAP_TYPE_RAM && addr >= e->addr &&
		    addr + size <= e->addr + e->size)
			return true;
	return false;
}

static void info(void)
{
	const struct hvm_start_info *s = start_info();

	CHECK(s->magic == XEN_HVM_START_MAGIC_VALUE, "magic %#x at %#x", s->magic, entry_state.ebx);
	CHECK(s->version == 1, "version %u", s->version);
	CHECK(s->flags == 0, "flags %#x for a guest without privilege", s->flags);
	CHECK(s->nr_modules == 0 || s->modlist_paddr, "%u modules nowhere", s->nr_modules);
	CHECK(s->memmap_entries > 0 && s->memmap_entries < 128 && s->memmap_paddr,
	      "%u memory map entries at %#llx", s->memmap_entries,
	      (unsigned long long)s->memmap_paddr);
	CHECK(s->reserved == 0, "reserved is %#x", s->reserved);
	CHECK(!s->cmdline_paddr || strlen(start_info_cmdline()) < 4096, "endless command line");
}

static void memory_map(void)
{
	const struct hvm_memmap_table_entry *e, *f;
	unsigned long start = (unsigned long)_start, end = (unsigned long)image_end;

	for (unsigned int i = 0; (e = start_info_memmap(i)); i++) {
		CHECK(e->size && e->addr + e->size > e->addr, "entry %u: %#llx + %#llx", i,
		      (unsigned long long)e->addr, (unsigned long long)e->size);
		CHECK(e->type >= 1 && e->type <= 7 && !e->reserved, "entry %u: type %u", i,
		      e->type);
		for (unsigned int j = 0; j < i; j++) {
			f = start_info_memmap(j);
			CHECK(e->addr + e->size <= f->addr || f->addr + f->size <= e->addr,
			      "entries %u and %u overlap", i, j);
		}
	}
	CHECK(in_ram(start, end - start), "the image at %#lx-%#lx is not in RAM", start, end);
	CHECK(ram_end_low() > 16UL << 20, "RAM ends at %#llx", (unsigned long long)ram_end_low());
}

/* What the loader tells must not lie in the image, and must lie in memory that is there. */
static void place(const char *what, uint64_t addr, uint64_t size)
{
	unsigned long start = (unsigned long)_start, end = (unsigned long)image_end;

	CHECK(addr + size <= start || addr >= end, "%s at %#llx lies in the image", what,
	      (unsigned long long)addr);
	CHECK(in_ram(addr, size), "%s at %#llx is not in RAM", what, (unsigned long long)addr);
}

static void places(void)
{
	const struct hvm_start_info *s = start_info();

	place("start_info", entry_state.ebx, sizeof(*s));
	place("the memory map", s->memmap_paddr,
	      s->memmap_entries * sizeof(struct hvm_memmap_table_entry));
	if (s->cmdline_paddr)
		place("the command line", s->cmdline_paddr, strlen(start_info_cmdline()) + 1);
	if (s->nr_modules)
		place("the module list", s->modlist_paddr,
		      s->nr_modules * sizeof(struct hvm_modlist_entry));
}

static uint8_t sum(const uint8_t *p, unsigned int n)
{
	uint8_t total = 0;

	while (n--)
		total = (uint8_t)(total + *p++);
	return total;
}

/* ACPI 5.2.5.3: the checksum of the first 20 bytes, and of all 36 from revision 2 on. */
static void rsdp(void)
{
	const uint8_t *p = (const uint8_t *)(unsigned long)start_info()->rsdp_paddr;

	CHECK(p, "no RSDP");
	if (!p)
		return;
	CHECK(!memcmp(p, "RSD PTR ", 8), "no RSDP at %p", (const void *)p);
	CHECK(!sum(p, 20), "RSDP checksum is off by %u", sum(p, 20));
	if (p[15] >= 2)
		CHECK(!sum(p, 36), "RSDP extended checksum is off by %u", sum(p, 36));
}

static void mtrr(void)
{
	uint64_t deftype = 0;

	CHECK(!rdmsr_safe(MSR_MTRR_DEFTYPE, &deftype), "no MTRRs");
	CHECK((deftype & 0xff) == 6 && deftype & 1U << 11,
	      "default MTRR type %#llx: expected write-back and enabled",
	      (unsigned long long)deftype);
}

/* The limits are 4 GiB: the local APIC is near the end, and every data segment reaches it. */
static void reach(void)
{
	CHECK(*(volatile uint32_t *)0xfee00030UL != 0, "no local APIC at its place");
}

void test_main(void)
{
	registers();
	bss_is_zero();
	info();
	memory_map();
	places();
	rsdp();
	mtrr();
	reach();
	test_success();
}
