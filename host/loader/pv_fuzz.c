// SPDX-License-Identifier: BSD-2-Clause
/*
 * PV kernels all the way into a guest's RAM, whose page tables are then walked.
 *
 * The first bytes say how large the guest is, where its RAM has a hole and what the kernel's notes
 * are; the rest is changes to that kernel (two bytes of offset, one of value each).
 */
#include <stdlib.h>
#include <string.h>

#include "host/loader/pv.h"
#include "host/loader/test_image.h"
#include "xen-abi/xen.h"

#define PAGES 0x900 /* 9 MiB, so that two regions of 4 MiB fit */
#define HIGH  0x4000
#define FRAME UINT64_C(0x000ffffffffff000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(4096) uint8_t memory[PAGES][4096];
static uint64_t m2p[HIGH + PAGES];
static struct ram ram;

/* What a file may say in place of the good number. */
static const uint64_t numbers[] = {
	0,
	0x1000,
	0x2000,
	0x8000000000,
	UINT64_C(0xffffffff80000000),
	UINT64_C(0xffffffff7ffff000),
	UINT64_C(0xffff87fffffff000),
	UINT64_C(0xfffffffffffff000),
};

static void good_image(struct test_image *t, const uint8_t *how)
{
	static const uint32_t types[] = {XEN_ELFNOTE_VIRT_BASE,      XEN_ELFNOTE_PADDR_OFFSET,
					 XEN_ELFNOTE_INIT_P2M,       XEN_ELFNOTE_MOD_START_PFN,
					 XEN_ELFNOTE_HYPERCALL_PAGE, XEN_ELFNOTE_ENTRY};
	uint64_t notes = image_pv_kernel(t, numbers[how[0] % 8]), at;

	if (how[0] & 0x80)
		image_pv_string(t, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	if (how[0] & 0x40)
		image_pv_string(t, XEN_ELFNOTE_FEATURES, "!writable_page_tables|a");
	if (how[0] & 0x20)
		image_pv_number(t, XEN_ELFNOTE_INIT_P2M, numbers[how[1] >> 5]);
	if (how[0] & 0x10)
		image_pv_number(t, types[how[1] % 6], numbers[how[1] >> 3 & 7]);
	image_notes(t, notes);
	at = image_put(t, "symbols and strings", 19);
	image_shdr(t, (Elf64_Shdr){
			      .sh_type = SHT_SYMTAB, .sh_offset = at, .sh_size = 7, .sh_link = 2});
	image_shdr(t, (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = at + 12, .sh_size = 7});
}

/* The section of before there were notes, and the names of sections that it is found by. */
static void old_image(struct test_image *t, const uint8_t *how)
{
	static const char names[] = "\0.shstrtab\0__xen_guest";
	static const char text[] = "XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0x100000,"
				   "VIRT_ENTRY=0x101010,HYPERCALL_PAGE=2,BSD_SYMTAB=yes";
	uint64_t at;

	image_start(t, true);
	image_load(t, 0x101000, 0x2000, 0x2000 + how[1] * 0x100, 0x90, PF_R | PF_X);
	at = image_put(t, names, sizeof(names));
	image_shdr(t, (Elf64_Shdr){.sh_name = 1,
				   .sh_type = SHT_STRTAB,
				   .sh_offset = at,
				   .sh_size = sizeof(names)});
	at = image_put(t, text, sizeof(text));
	image_shdr(t, (Elf64_Shdr){.sh_name = 11, .sh_offset = at, .sh_size = sizeof(text)});
	image_shdr(t, (Elf64_Shdr){
			      .sh_type = SHT_SYMTAB, .sh_offset = at, .sh_size = 9, .sh_link = 1});
	image_set(t, offsetof(Elf64_Ehdr, e_shstrndx), offsetof(Elf32_Ehdr, e_shstrndx), 1);
}

static void change(struct test_image *t, const uint8_t *data, size_t size)
{
	for (; size >= 3; data += 3, size -= 3) {
		size_t at = (data[0] | data[1] << 8) % sizeof(t->bytes);

		t->bytes[at] = data[2];
	}
	if (size) /* an odd byte cuts the file */
		t->size -= t->size * data[0] / 256;
}

/* The page at an address, as the CPU would find it; NULL: none. */
static uint8_t *page_at(uint64_t root, uint64_t va)
{
	uint64_t entry = root << 12 | 1;
	uint8_t *table = NULL;

	for (unsigned shift = 39; entry & 1; shift -= 9) {
		table = ram_at(&ram, entry & FRAME, 4096);
		if (!table)
			abort();
		if (shift < 12)
			return table;
		memcpy(&entry, table + (va >> shift & 511) * 8, 8);
	}
	return NULL;
}

/* What a good outcome promises. */
static void check(const struct pv_start *start, uint64_t pages)
{
	const uint8_t *code = page_at(start->base_mfn, start->rip);
	const uint8_t *stack = page_at(start->base_mfn, start->rsp - 8);
	const uint8_t *info_page = page_at(start->base_mfn, start->rsi);
	struct start_info info;

	if (!code || !stack || !info_page)
		abort();
	memcpy(&info, info_page, sizeof(info));
	if (strcmp(info.magic, "xen-3.0-x86_64") != 0 || info.nr_pages != pages ||
	    strcmp((char *)info.cmd_line, "quiet") != 0 || start->free_pfn > pages)
		abort();
	for (uint64_t pfn = 0; pfn < pages; pfn++) {
		const uint8_t *list = page_at(start->base_mfn, info.mfn_list + pfn * 8);
		uint64_t mfn;

		if (!list)
			abort();
		memcpy(&mfn, list + (info.mfn_list + pfn * 8) % 4096, 8);
		if (!ram_at(&ram, mfn << 12, 4096) || m2p[mfn] != pfn)
			abort();
	}
}

static void load(const void *bytes, size_t size, uint64_t pages, uint64_t low)
{
	const struct pv_args args = {
		.cmdline = "quiet", .m2p = m2p, .m2p_entries = sizeof(m2p) / sizeof(m2p[0])};
	struct problem p = {""};
	struct pv_start start;
	struct kernel k;

	memset(memory, 0, pages * 4096);
	ram = (struct ram){
		2, {{0, low * 4096, memory[0]}, {HIGH * 4096, (pages - low) * 4096, memory[low]}}};
	if (kernel_parse(&k, bytes, size, "fuzz", &p)) {
		if (!p.text[0])
			abort();
		return;
	}
	if (pv_load(&k, &ram, &args, &start, &p) == 0)
		check(&start, pages);
	else if (!p.text[0])
		abort();
	kernel_close(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct test_image image;
	uint64_t pages, low;
	uint8_t *copy;

	if (size < 4)
		return 0;
	pages = (uint64_t)data[2] * 9 + 1;
	low = (uint64_t)data[3] * pages / 256;
	if ((data[0] & 0xf) == 0xf)
		old_image(&image, data);
	else
		good_image(&image, data);
	change(&image, data + 4, size - 4);
	if (!elf_magic(image.bytes, image.size))
		return 0;
	copy = malloc(image.size); /* exactly as large, for ASan */
	memcpy(copy, image.bytes, image.size);
	load(copy, image.size, pages, low);
	free(copy);
	return 0;
}
