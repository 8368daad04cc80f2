// SPDX-License-Identifier: BSD-2-Clause
/*
 * ELF files all the way into a small guest RAM.
 *
 * The first byte says how the rest is meant: as a file, or as changes to a good one (two bytes of
 * offset, one of value each), which gets much further than chance does.
 */
#include <stdlib.h>
#include <string.h>

#include "host/loader/hypercall_patch.h"
#include "host/loader/pvh.h"
#include "host/loader/test_image.h"
#include "xen-abi/xen.h"

#define LOW  0x20000
#define HIGH 0x40000
#define SIZE 0x18000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t low[LOW], high[SIZE];
static const struct ram ram = {2, {{0, LOW, low}, {HIGH, SIZE, high}}};

/* Two segments of code with something to patch, sections, and notes of several kinds. */
static void good_image(struct test_image *t, bool is64)
{
	static const uint8_t code[] = {0xb8, 0x11, 0,    0,    0,    0x0f,
				       0x01, 0xc1, 0xc3, 0x0f, 0x01, 0xd9};
	const uint64_t exec = SHF_ALLOC | SHF_EXECINSTR;
	uint64_t at, notes;

	image_start(t, is64);
	image_load(t, 0x1000, 0x400, 0x2000, 0x90, PF_R | PF_X);
	at = t->size - 0x400;
	memcpy(t->bytes + at + 0x100, code, sizeof(code));
	image_load(t, 0x48000, 0x100, 0x200, 0x90, PF_R | PF_W);
	image_entry(t, 0x1000, 4);
	notes = image_note(t, 8, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	image_note(t, 8, XEN_ELFNOTE_FEATURES, "!writable_page_tables", 22);
	image_phdr(t, (Elf64_Phdr){.p_type = PT_NOTE,
				   .p_offset = notes,
				   .p_filesz = t->size - notes,
				   .p_align = 8});
	image_shdr(t, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0x1000, at, 0x400, 0, 0, 0, 0});
	image_shdr(t, (Elf64_Shdr){0, SHT_NOTE, 0, 0, notes, t->size - notes, 0, 0, 4, 0});
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

/* What a good outcome promises. */
static void check(const struct kernel *k, const struct pvh_start *start)
{
	const struct hvm_start_info *info = ram_at(&ram, start->start_info, sizeof(*info));

	if (!info || info->magic != XEN_HVM_START_MAGIC_VALUE ||
	    strcmp(ram_at(&ram, info->cmdline_paddr, 6), "quiet") != 0)
		abort();
	for (unsigned i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];
		const uint8_t *at = ram_at(&ram, s->paddr, s->memsz);

		if (!at || (s->filesz && memcmp(at, s->data, s->filesz) != 0))
			abort();
	}
}

static void load(const void *bytes, size_t size)
{
	const struct pvh_args args = {.cmdline = "quiet"};
	struct patch_stats stats = {0};
	struct pvh_start start;
	struct problem p = {""};
	struct kernel k;

	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	if (kernel_parse(&k, bytes, size, "fuzz", &p)) {
		if (!p.text[0])
			abort();
		return;
	}
	if (pvh_load(&k, &ram, &args, &start, &p) == 0) {
		check(&k, &start);
		kernel_patch_hypercalls(&k, &ram, 0xe0, &stats);
	} else if (!p.text[0]) {
		abort();
	}
	kernel_close(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct test_image image;
	uint8_t *copy;

	if (!size)
		return 0;
	if (data[0] >= 2) {
		/* Compressed files are the other target's. */
		if (elf_magic(data + 1, size - 1))
			load(data + 1, size - 1);
		return 0;
	}
	good_image(&image, data[0]);
	change(&image, data + 1, size - 1);
	if (!elf_magic(image.bytes, image.size))
		return 0;
	copy = malloc(image.size); /* exactly as large, for ASan */
	memcpy(copy, image.bytes, image.size);
	load(copy, image.size);
	free(copy);
	return 0;
}
