// SPDX-License-Identifier: BSD-2-Clause
/* ELF files and their Xen notes, as kernel_parse understands them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "host/loader/kernel.h"
#include "host/loader/test_image.h"
#include "xen-abi/xen.h"

#define EHDR(field) offsetof(Elf64_Ehdr, field), offsetof(Elf32_Ehdr, field)

static struct test_image image;

static void parse(struct kernel *k)
{
	struct problem p = {""};

	if (kernel_parse(k, image.bytes, image.size, "k", &p))
		fail_msg("%s", p.text);
}

static void assert_refused(const char *why)
{
	struct kernel k;
	struct problem p = {""};

	assert_int_equal(kernel_parse(&k, image.bytes, image.size, "k", &p), -1);
	if (strncmp(p.text, "k: ", 3) != 0 || !strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
}

static void test_both_widths(void **state)
{
	struct kernel k;

	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		image_kernel(&image, is64);
		parse(&k);
		assert_int_equal(k.elf.is64, is64);
		assert_null(k.packed);
		assert_int_equal(k.segment_count, 1);
		assert_int_equal(k.segments[0].paddr, 1 << 20);
		assert_int_equal(k.segments[0].filesz, 4096);
		assert_int_equal(k.segments[0].memsz, 8192);
		assert_int_equal(k.segments[0].flags, PF_R | PF_X);
		assert_int_equal(k.segments[0].data[0], 0x90);
		assert_true(k.notes.has_phys32_entry);
		assert_int_equal(k.notes.phys32_entry, 1 << 20);
		kernel_close(&k);
	}
}

/* A note's number may have either size whatever the file's width. */
static void test_entry_sizes(void **state)
{
	struct kernel k;

	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		for (uint32_t size = 4; size <= 8; size += 4) {
			image_start(&image, is64);
			image_load(&image, 0, 16, 16, 1, PF_X);
			image_entry(&image, 0x7, size);
			parse(&k);
			assert_int_equal(k.notes.phys32_entry, 0x7);
			kernel_close(&k);
		}
	}
	image_start(&image, true);
	image_load(&image, 0, 16, 16, 1, PF_X);
	image_entry(&image, 0, 2);
	assert_refused("number of 2 bytes");
}

static void add_notes(unsigned align, uint32_t p_align)
{
	const uint32_t entry = 0x1234;
	uint64_t at = image_note(&image, align, XEN_ELFNOTE_GUEST_OS, "linux", 6);

	image_note(&image, align, XEN_ELFNOTE_GUEST_VERSION, "2.6", 4);
	image_note(&image, align, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	image_note(&image, align, XEN_ELFNOTE_LOADER, "generic", 8);
	image_note(&image, align, XEN_ELFNOTE_PHYS32_ENTRY, &entry, 4);
	image_note(&image, align, XEN_ELFNOTE_FEATURES, "a|b", 4);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_NOTE,
					.p_offset = at,
					.p_filesz = image.size - at,
					.p_align = p_align});
}

static void assert_notes(const struct kernel *k)
{
	assert_string_equal(k->notes.guest_os, "linux");
	assert_string_equal(k->notes.guest_version, "2.6");
	assert_string_equal(k->notes.xen_version, "xen-3.0");
	assert_string_equal(k->notes.loader, "generic");
	assert_string_equal(k->notes.features, "a|b");
	assert_true(k->notes.has_phys32_entry);
	assert_int_equal(k->notes.phys32_entry, 0x1234);
}

static void test_note_alignments(void **state)
{
	/* Padding in the file and what the segment says of it; the last as merged notes make it. */
	static const unsigned cases[][2] = {{4, 4}, {8, 8}, {4, 0}, {4, 1}, {4, 8}};
	struct kernel k;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_start(&image, true);
		image_load(&image, 0x1000, 4096, 4096, 1, PF_X);
		image_put(&image, NULL, 0);
		add_notes(cases[i][0], cases[i][1]);
		parse(&k);
		assert_notes(&k);
		kernel_close(&k);
	}
}

static void test_notes_in_sections(void **state)
{
	struct kernel k;

	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		uint32_t entry = 0x1000;
		uint64_t os, number;

		image_start(&image, is64);
		image_load(&image, 0x1000, 4096, 4096, 1, PF_X);
		os = image_note(&image, 4, XEN_ELFNOTE_GUEST_OS, "tiny", 5);
		number = image_note(&image, 4, XEN_ELFNOTE_PHYS32_ENTRY, &entry, 4);
		image_shdr(&image, (Elf64_Shdr){.sh_type = SHT_NOTE,
						.sh_offset = os,
						.sh_size = number - os,
						.sh_addralign = 4});
		image_shdr(&image, (Elf64_Shdr){.sh_type = SHT_NOTE,
						.sh_offset = number,
						.sh_size = image.size - number,
						.sh_addralign = 4});
		parse(&k);
		assert_string_equal(k.notes.guest_os, "tiny");
		assert_int_equal(k.notes.phys32_entry, 0x1000);
		kernel_close(&k);
	}
}

/* Notes in segments are enough: sections, which a loader need not have, do not add to them. */
static void test_segments_first(void **state)
{
	struct kernel k;
	uint64_t at;

	(void)state;
	image_kernel(&image, true);
	at = image_note(&image, 4, XEN_ELFNOTE_GUEST_OS, "other", 6);
	image_shdr(&image,
		   (Elf64_Shdr){.sh_type = SHT_NOTE, .sh_offset = at, .sh_size = image.size - at});
	parse(&k);
	assert_string_equal(k.notes.guest_os, "");
	kernel_close(&k);
}

static void test_foreign_notes(void **state)
{
	struct kernel k;
	uint64_t at;

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x1000, 4096, 4096, 1, PF_X);
	at = image_note(&image, 4, XEN_ELFNOTE_PHYS32_ENTRY, "\1\2\3", 4);
	memcpy(image.bytes + at + 12, "GNU", 4);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_NOTE,
					.p_offset = at,
					.p_filesz = image.size - at,
					.p_align = 4});
	parse(&k);
	assert_false(k.notes.has_phys32_entry);
	kernel_close(&k);
}

static void test_strings_are_tamed(void **state)
{
	struct kernel k;
	char longer[64];
	uint64_t at;

	(void)state;
	memset(longer, 'x', sizeof(longer)); /* too long and without an end */
	image_start(&image, true);
	image_load(&image, 0x1000, 4096, 4096, 1, PF_X);
	at = image_note(&image, 4, XEN_ELFNOTE_GUEST_OS, longer, sizeof(longer));
	image_note(&image, 4, XEN_ELFNOTE_LOADER, "a\033[2Jb\xff", 8);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_NOTE,
					.p_offset = at,
					.p_filesz = image.size - at,
					.p_align = 4});
	parse(&k);
	assert_int_equal(strlen(k.notes.guest_os), sizeof(k.notes.guest_os) - 1);
	assert_string_equal(k.notes.loader, "a?[2Jb?");
	kernel_close(&k);
}

static void test_damaged_notes(void **state)
{
	uint32_t huge = UINT32_MAX;
	uint64_t at;

	(void)state;
	for (unsigned align = 4; align <= 8; align += 4) {
		for (unsigned field = 0; field < 8; field += 4) {
			image_start(&image, true);
			image_load(&image, 0x1000, 4096, 4096, 1, PF_X);
			at = image_note(&image, 4, XEN_ELFNOTE_GUEST_OS, "linux", 6);
			memcpy(image.bytes + at + field, &huge, sizeof(huge));
			image_phdr(&image, (Elf64_Phdr){.p_type = PT_NOTE,
							.p_offset = at,
							.p_filesz = image.size - at,
							.p_align = align});
			assert_refused("passes its segment's end");
		}
	}
	image_kernel(&image, true);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 8, .p_filesz = 1 << 20});
	assert_refused("ELF notes of 0x100000 bytes at 0x8 pass the file's end");
}

static void test_not_a_kernel(void **state)
{
	(void)state;
	image.size = 0;
	assert_refused("neither an ELF kernel nor a bzImage");
	memset(image.bytes, 'a', 4096);
	image.size = 4096;
	assert_refused("neither an ELF kernel nor a bzImage");
}

static void test_bad_header(void **state)
{
	(void)state;
	image_kernel(&image, true);
	image.bytes[EI_CLASS] = 3;
	assert_refused("ELF class 3");
	image_kernel(&image, true);
	image.bytes[EI_DATA] = ELFDATA2MSB;
	assert_refused("not little-endian");
	for (int is64 = 0; is64 < 2; is64++) {
		image_kernel(&image, is64);
		image_set(&image, EHDR(e_machine), EM_AARCH64);
		assert_refused("ELF machine 183");
		image_kernel(&image, is64);
		image_set(&image, EHDR(e_type), ET_REL);
		assert_refused("ELF type 1");
		image_kernel(&image, is64);
		image_set(&image, EHDR(e_phnum), 0);
		assert_refused("no program headers");
		image_kernel(&image, is64);
		image_set(&image, EHDR(e_phentsize), 7);
		assert_refused("program headers of 7 bytes");
		image_kernel(&image, is64);
		image_set(&image, EHDR(e_phnum), 0xffff);
		assert_refused("65535 ELF program headers");
		image_kernel(&image, is64);
		image_shdr(&image, (Elf64_Shdr){0});
		image_set(&image, EHDR(e_shentsize), 7);
		assert_refused("section headers of 7 bytes");
		image_kernel(&image, is64);
		image_shdr(&image, (Elf64_Shdr){0});
		image_set(&image, EHDR(e_shnum), 0xffff);
		assert_refused("65535 ELF section headers");
	}
}

/* Every shorter file is refused with a message, whatever it is cut in. */
static void test_every_truncation(void **state)
{
	struct kernel k;
	struct problem p;

	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		size_t whole;

		image_kernel(&image, is64);
		image_shdr(&image, (Elf64_Shdr){.sh_type = SHT_PROGBITS});
		whole = image.size;
		for (image.size = 0; image.size < whole; image.size++)
			assert_int_equal(kernel_parse(&k, image.bytes, image.size, "k", &p), -1);
	}
}

/* gABI: with e_shnum 0 the count is in the first section header. */
static void test_section_count_elsewhere(void **state)
{
	struct kernel k;
	uint64_t count = 2;
	uint64_t at;

	(void)state;
	image_kernel(&image, true);
	image_shdr(&image, (Elf64_Shdr){.sh_type = SHT_PROGBITS});
	image_set(&image, EHDR(e_shnum), 0);
	memcpy(&at, image.bytes + offsetof(Elf64_Ehdr, e_shoff), sizeof(at));
	memcpy(image.bytes + at + offsetof(Elf64_Shdr, sh_size), &count, sizeof(count));
	parse(&k);
	assert_int_equal(k.elf.shnum, 2);
	kernel_close(&k);
	count = UINT64_MAX / sizeof(Elf64_Shdr) + 2; /* a product that wraps */
	memcpy(image.bytes + at + offsetof(Elf64_Shdr, sh_size), &count, sizeof(count));
	assert_refused("ELF section headers");
}

static void test_bad_segments(void **state)
{
	(void)state;
	image_start(&image, true);
	image_entry(&image, 0, 4);
	assert_refused("nothing to load");

	image_start(&image, true);
	image_load(&image, 0, 16, 8, 1, PF_X);
	assert_refused("more bytes in the file (0x10) than in memory (0x8)");

	image_start(&image, true);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_LOAD,
					.p_offset = UINT64_MAX - 4,
					.p_filesz = 8,
					.p_memsz = 8});
	assert_refused("at file offset 0xfffffffffffffffb passes the end");

	image_start(&image, true);
	image_load(&image, UINT64_MAX - 4095, 16, 8192, 1, PF_X);
	assert_refused("passes the end of the address space");

	image_start(&image, true);
	image_load(&image, 0x2000, 16, 0x1000, 1, PF_X);
	image_load(&image, 0x1000, 16, 0x1001, 1, PF_X);
	assert_refused("two segments overlap: 0x1001 bytes at physical address 0x1000");

	image_start(&image, true);
	for (unsigned i = 0; i <= KERNEL_SEGMENTS_MAX; i++)
		image_load(&image, i * 0x1000, 16, 16, 1, PF_X);
	assert_refused("more than 32 loadable segments");
}

/* An empty segment is nothing; one that is only zeros needs no place in the file. */
static void test_odd_segments(void **state)
{
	struct kernel k;

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x3000, 16, 16, 1, PF_X);
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = 0x3000});
	image_phdr(&image, (Elf64_Phdr){.p_type = PT_LOAD,
					.p_offset = 1 << 30,
					.p_paddr = 0x1000,
					.p_memsz = 0x2000});
	parse(&k);
	assert_int_equal(k.segment_count, 2);
	assert_int_equal(k.segments[0].paddr, 0x1000); /* sorted */
	assert_int_equal(k.segments[0].filesz, 0);
	assert_int_equal(k.segments[1].paddr, 0x3000);
	kernel_close(&k);
}

static void test_text_from_segments(void **state)
{
	struct kernel k;
	struct kernel_text text;
	uint32_t next = 0;

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x3000, 16, 32, 1, PF_R | PF_X);
	image_load(&image, 0x4000, 16, 16, 1, PF_R | PF_W);
	image_load(&image, 0x5000, 0, 16, 1, PF_X);
	parse(&k);
	assert_true(kernel_next_text(&k, &next, &text));
	assert_int_equal(text.paddr, 0x3000);
	assert_int_equal(text.size, 16);
	assert_false(kernel_next_text(&k, &next, &text));
	kernel_close(&k);
}

static void test_text_from_sections(void **state)
{
	const uint64_t exec = SHF_ALLOC | SHF_EXECINSTR;
	struct kernel k;
	struct kernel_text text;
	uint32_t next = 0;
	uint64_t code;

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x3000, 4096, 8192, 1, PF_R | PF_X);
	code = image.size - 4096;
	/* Wanted: the first and the last byte's section. Not: data, a note, .bss, what leaves the
	 * segment, what is nowhere in memory or in the file. */
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, code, 64, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, SHF_ALLOC, 0, code + 64, 64, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_NOBITS, exec, 0, code, 64, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, code + 4090, 16, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, 0, 64, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, UINT64_MAX, 64, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, code + 9, 0, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, code + 4095, 1, 0, 0, 0, 0});
	parse(&k);
	assert_true(kernel_next_text(&k, &next, &text));
	assert_int_equal(text.paddr, 0x3000);
	assert_int_equal(text.size, 64);
	assert_true(kernel_next_text(&k, &next, &text));
	assert_int_equal(text.paddr, 0x3fff);
	assert_int_equal(text.size, 1);
	assert_false(kernel_next_text(&k, &next, &text));
	kernel_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_widths),
		cmocka_unit_test(test_entry_sizes),
		cmocka_unit_test(test_note_alignments),
		cmocka_unit_test(test_notes_in_sections),
		cmocka_unit_test(test_segments_first),
		cmocka_unit_test(test_foreign_notes),
		cmocka_unit_test(test_strings_are_tamed),
		cmocka_unit_test(test_damaged_notes),
		cmocka_unit_test(test_not_a_kernel),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_section_count_elsewhere),
		cmocka_unit_test(test_bad_segments),
		cmocka_unit_test(test_odd_segments),
		cmocka_unit_test(test_text_from_segments),
		cmocka_unit_test(test_text_from_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
