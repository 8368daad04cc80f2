// SPDX-License-Identifier: BSD-2-Clause
/* What pv_load leaves in guest RAM: the layouts, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/test_guest.h"

/*
 * The layouts.
 */

/* 8 MiB: kernel 6 pages, list 4, three pages, 1 + 1 + 1 + 2 tables, stack. */
static void test_plain(void **state)
{
	const struct pv_args args = {
		.cmdline = "console=hvc0 a=b",
		.shared_info = 0xf0000000,
	};

	(void)state;
	fresh(5 << 20, 8 << 20);
	finish_image(image_pv_kernel(&image, BASE));
	load(&args, BASE);
	assert_true(info.mfn_list == BASE + 0x6000);
	assert_true(start.rsi == BASE + 0xa000);
	assert_int_equal(info.nr_pt_frames, 5);
	assert_true(start.rsp == BASE + 0x13000);
	assert_int_equal(start.free_pfn, 1024);
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.mod_start, 0);
	assert_int_equal(info.mod_len, 0);
	assert_int_equal(info.first_p2m_pfn, 0);
	assert_int_equal(info.nr_p2m_frames, 0);
	assert_string_equal((char *)info.cmd_line, args.cmdline);
	assert_int_equal(mapped_pages(), 1024);
	kernel_close(&kernel);
}

/* Kernels that are mapped from address 0 on, as GRUB is, or beside a table's edge. */
static void test_bases(void **state)
{
	static const uint64_t bases[] = {
		0,
		0x1000,
		0x3ff000,
		0x200000,
		0x3fe00000,
		0x7fffc00000,
		UINT64_C(0x7fffff800000),
		UINT64_C(0xffff880000000000),
		UINT64_C(0xffffffffffc00000), /* up to the very end */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		fresh(5 << 20, 12 << 20);
		finish_image(image_pv_kernel(&image, bases[i]));
		load(&(struct pv_args){.cmdline = NULL}, bases[i]);
		assert_int_equal(info.cmd_line[0], 0);
		assert_int_equal(mapped_pages(), start.free_pfn);
		kernel_close(&kernel);
	}
}

static void check_ramdisk(uint64_t size)
{
	for (uint64_t i = 0; i < size; i++) {
		uint64_t pfn = info.mod_start + i / 4096;
		uint8_t *byte = info.flags & SIF_MOD_START_PFN ? (uint8_t *)page_of(pfn) + i % 4096
							       : at(info.mod_start + i);

		assert_int_equal(*byte, 'a' + i % 23);
	}
}

static void test_ramdisk_mapped(void **state)
{
	static const size_t sizes[] = {1, 4096, 4097, 2 << 20, 5 << 20};

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		write_ramdisk(sizes[i]);
		fresh(3 << 20, 16 << 20);
		finish_image(image_pv_kernel(&image, BASE));
		load(&(struct pv_args){.ramdisk = RAMDISK}, BASE);
		assert_int_equal(info.flags, 0);
		assert_true(info.mod_start == BASE + 0x6000);
		assert_int_equal(info.mod_len, sizes[i]);
		assert_true(info.mfn_list == info.mod_start + (sizes[i] + 4095) / 4096 * 4096);
		check_ramdisk(sizes[i]);
		kernel_close(&kernel);
	}
}

static void test_ramdisk_by_pfn(void **state)
{
	uint64_t notes;

	(void)state;
	write_ramdisk(5000);
	fresh(3 << 20, 16 << 20);
	notes = image_pv_kernel(&image, BASE);
	image_pv_number(&image, XEN_ELFNOTE_MOD_START_PFN, 1);
	finish_image(notes);
	load(&(struct pv_args){.ramdisk = RAMDISK}, BASE);
	assert_int_equal(info.flags, SIF_MOD_START_PFN);
	assert_int_equal(info.mod_start, 1024); /* right behind the region */
	assert_int_equal(info.mod_len, 8192);   /* whole pages */
	assert_int_equal(start.free_pfn, 1026);
	check_ramdisk(5000);
	assert_int_equal(((uint8_t *)page_of(1025))[5000 - 4096], 0);
	kernel_close(&kernel);
}

/* None is said to be there where there is none. */
static void test_no_ramdisk_by_pfn(void **state)
{
	uint64_t notes;

	(void)state;
	fresh(3 << 20, 16 << 20);
	notes = image_pv_kernel(&image, BASE);
	image_pv_number(&image, XEN_ELFNOTE_MOD_START_PFN, 1);
	finish_image(notes);
	load(&(struct pv_args){.ramdisk = NULL}, BASE);
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.mod_start, 0);
	assert_int_equal(info.mod_len, 0);
	kernel_close(&kernel);
}

/* The list at an address of its own: how many tables depends on how near the kernel is. */
static void test_init_p2m(void **state)
{
	static const struct {
		uint64_t base, p2m;
		unsigned tables;
	} cases[] = {
		{BASE, P2M, 3},
		{BASE, BASE - 0x40000000, 2},          /* the kernel's L3 table will do */
		{BASE, BASE - 0x400000, 2},            /* below 1 GiB's edge, another L2 */
		{BASE + 0x400000, BASE + 0x1fc000, 2}, /* 8 pages over an edge of 2 MiB: two L1 */
		{BASE + 0x400000, BASE + 0x200000, 1}, /* the kernel's L2, too */
		{0x300000, 0x2f8000, 0},               /* and its L1 */
		{P2M + 0x400000, P2M - 0x1000, 4},     /* over an edge of 512 GiB: L3, L2, L1, L1 */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t notes = image_pv_kernel(&image, cases[i].base);
		uint64_t list = 4096 * 8 / 4096; /* pages of 16 MiB's list */

		fresh(6 << 20, 16 << 20);
		image_pv_number(&image, XEN_ELFNOTE_INIT_P2M, cases[i].p2m);
		finish_image(notes);
		load(&(struct pv_args){.cmdline = "x"}, cases[i].base);
		assert_true(info.mfn_list == cases[i].p2m);
		assert_true(start.rsi == cases[i].base + 0x6000);
		assert_int_equal(info.nr_p2m_frames, list + cases[i].tables);
		assert_int_equal(start.free_pfn, info.first_p2m_pfn + info.nr_p2m_frames);
		for (uint64_t n = 0; n < list; n++)
			assert_int_equal(walk(info.mfn_list + n * 4096),
					 mfn_of(info.first_p2m_pfn + n) << 12 | 0x27);
		assert_int_equal(mapped_pages(), info.first_p2m_pfn + list);
		kernel_close(&kernel);
	}
}

/* Whatever the sizes are, the padding is there, and no page is used twice. */
static void test_padding(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (size_t size = 3500 << 10; size < 3600 << 10; size += 4 << 10) {
		uint64_t left;

		write_ramdisk(size);
		fresh(3 << 20, 9 << 20);
		finish_image(image_pv_kernel(&image, BASE));
		load(&(struct pv_args){.ramdisk = RAMDISK}, BASE);
		left = start.free_pfn - ((start.rsp - BASE) >> 12);
		assert_true(left >= 128 && left < 128 + 1024);
		least = left < least ? left : least;
		most = left > most ? left : most;
		kernel_close(&kernel);
	}
	/* The figures have gone over the edge between one region of 4 MiB and two. */
	assert_true(least < 132 && most > 1024);
}

/* Every place where a segment can meet the edge of a block of RAM. */
static void test_blocks(void **state)
{
	(void)state;
	for (uint64_t frame = 257; frame < 280; frame++) {
		fresh(frame * 4096, 8 << 20);
		finish_image(image_pv_kernel(&image, BASE));
		load(&(struct pv_args){.cmdline = "x"}, BASE);
		kernel_close(&kernel);
	}
}

/* From a file, too, where segments are read and not copied. */
static void test_from_file(void **state)
{
	struct problem p = {""};
	FILE *f = fopen("kernel", "w");

	(void)state;
	image_notes(&image, image_pv_kernel(&image, BASE));
	assert_int_equal(fwrite(image.bytes, image.size, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	if (kernel_open(&kernel, "kernel", &p))
		fail_msg("%s", p.text);
	fresh(258 * 4096, 8 << 20); /* pseudo-physical 0x2000 is beyond the hole */
	load(&(struct pv_args){.cmdline = "x"}, BASE);
	kernel_close(&kernel);
	unlink("kernel");
}

static void test_symtab(void **state)
{
	struct {
		uint32_t size;
		Elf64_Ehdr elf;
		Elf64_Shdr sections[3];
	} __attribute__((packed)) got;
	uint64_t notes, bytes;

	(void)state;
	notes = image_pv_kernel(&image, BASE);
	image_pv_string(&image, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	image_notes(&image, notes);
	bytes = image_put(&image, "all the symbols, their strings", 30);
	image_shdr(&image, (Elf64_Shdr){.sh_name = 5,
					.sh_type = SHT_SYMTAB,
					.sh_offset = bytes,
					.sh_size = 15,
					.sh_link = 3,
					.sh_info = 3,
					.sh_entsize = 24});
	image_shdr(&image, (Elf64_Shdr){.sh_type = SHT_PROGBITS});
	image_shdr(&image,
		   (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = bytes + 17, .sh_size = 13});
	fresh(0x105 * 4096, 8 << 20); /* the table begins at 0x5800 and the block with 0x5000 */
	finish_image(image.size);
	load(&(struct pv_args){.cmdline = "x"}, BASE);
	memcpy(&got, at(BASE + 0x5800), sizeof(got));
	assert_int_equal(got.size, 260 + 16 + 13);
	assert_memory_equal(&got.elf, image.bytes, EI_NIDENT);
	assert_int_equal(got.elf.e_machine, EM_X86_64);
	assert_int_equal(got.elf.e_version, 1);
	assert_int_equal(got.elf.e_phoff, 0);
	assert_int_equal(got.elf.e_phnum, 0);
	assert_int_equal(got.elf.e_phentsize, 0);
	assert_int_equal(got.elf.e_ehsize, 64);
	assert_int_equal(got.elf.e_shoff, 64);
	assert_int_equal(got.elf.e_shentsize, 64);
	assert_int_equal(got.elf.e_shnum, 3);
	assert_int_equal(got.elf.e_shstrndx, 0);
	assert_int_equal(got.sections[0].sh_type, SHT_NULL);
	assert_int_equal(got.sections[1].sh_type, SHT_SYMTAB);
	assert_int_equal(got.sections[1].sh_name, 5);
	assert_int_equal(got.sections[1].sh_info, 3);
	assert_int_equal(got.sections[1].sh_entsize, 24);
	assert_int_equal(got.sections[1].sh_link, 2);
	assert_int_equal(got.sections[1].sh_size, 15);
	assert_int_equal(got.sections[2].sh_type, SHT_STRTAB);
	assert_int_equal(got.sections[2].sh_size, 13);
	assert_memory_equal(at(BASE + 0x5804 + got.sections[1].sh_offset), "all the symbols", 15);
	assert_memory_equal(at(BASE + 0x5804 + got.sections[2].sh_offset), "their strings", 13);
	kernel_close(&kernel);
}

static void test_cmdline_length(void **state)
{
	char text[MAX_GUEST_CMDLINE + 1];

	(void)state;
	memset(text, 'c', sizeof(text));
	text[MAX_GUEST_CMDLINE] = '\0';
	fresh(5 << 20, 8 << 20);
	finish_image(image_pv_kernel(&image, BASE));
	assert_refused(&(struct pv_args){.cmdline = text}, "shorter than 1024; shorten it");
	text[MAX_GUEST_CMDLINE - 1] = '\0';
	load(&(struct pv_args){.cmdline = text}, BASE);
	assert_string_equal((char *)info.cmd_line, text);
	kernel_close(&kernel);
}

/*
 * Refused.
 */

/* What is said to be enough is enough, and less by one MiB is not. */
static void test_memory(void **state)
{
	static const size_t sizes[] = {1, 1 << 20, 3 << 20, 9 << 20};

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct pv_args args = {.ramdisk = RAMDISK};
		uint64_t notes = image_pv_kernel(&image, BASE);
		struct problem p = {""};
		unsigned mib;

		image_pv_number(&image, XEN_ELFNOTE_MOD_START_PFN, i % 2);
		if (i % 2)
			image_pv_number(&image, XEN_ELFNOTE_INIT_P2M, P2M);
		finish_image(notes);
		write_ramdisk(sizes[i / 2]);
		fresh(2 << 20, 3 << 20);
		assert_int_equal(try_load(&args, &p), -1);
		assert_non_null(strstr(p.text, "its ramdisk"));
		mib = strtoul(strstr(p.text, "--memory ") + 9, NULL, 10);
		fresh(2 << 20, (mib - 1) << 20);
		assert_refused(&args, "do not fit into");
		fresh(2 << 20, mib << 20);
		load(&args, BASE);
		kernel_close(&kernel);
	}
}

/* To the page: all of it is a region of 4 MiB, with a list behind it or not. */
static void test_exact_memory(void **state)
{
	(void)state;
	for (unsigned own_list = 0; own_list < 2; own_list++) {
		/* 1024 pages; 3 of the list and 3 tables. */
		uint64_t size = (1024 + own_list * 6) * 4096;
		uint64_t notes = image_pv_kernel(&image, BASE);

		if (own_list)
			image_pv_number(&image, XEN_ELFNOTE_INIT_P2M, P2M);
		finish_image(notes);
		fresh(2 << 20, size - 4096);
		assert_refused(&(struct pv_args){.cmdline = "x"}, "do not fit into");
		fresh(2 << 20, size);
		load(&(struct pv_args){.cmdline = "x"}, BASE);
		assert_int_equal(start.free_pfn, pages);
		kernel_close(&kernel);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		uint64_t base, p2m;
		const char *why;
	} cases[] = {
		{UINT64_C(0x7ffffffff000), 0, "not all of which is the guest's"},
		{UINT64_C(0x800000000000), 0, "not all of which is the guest's"},
		{UINT64_C(0xffff800000000000), 0, "not all of which is the guest's"},
		{UINT64_C(0xffff87fffffff000), 0, "not all of which is the guest's"},
		{UINT64_C(0xfffffffffffa0000), 0, "not all of which is the guest's"},
		{BASE, UINT64_C(0x7ffffffff000), "INIT_P2M"},
		{BASE, UINT64_C(0xffff87fffffff000), "INIT_P2M"},
		{BASE, UINT64_C(0xffff800000000000), "INIT_P2M"},
		{BASE, BASE - 0x3000, "reaches VIRT_BASE"},
		{0x5000, 0x1000, NULL}, /* exactly up to it */
		{0x5000, 0x2000, "reaches VIRT_BASE"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t notes = image_pv_kernel(&image, cases[i].base);

		if (cases[i].p2m)
			image_pv_number(&image, XEN_ELFNOTE_INIT_P2M, cases[i].p2m);
		finish_image(notes);
		fresh(5 << 20, 8 << 20); /* a list of 4 pages */
		if (cases[i].why)
			assert_refused(&(struct pv_args){.cmdline = "x"}, cases[i].why);
		else
			load(&(struct pv_args){.cmdline = "x"}, cases[i].base);
		kernel_close(&kernel);
	}
}

static void test_files(void **state)
{
	(void)state;
	fresh(5 << 20, 8 << 20);
	finish_image(image_pv_kernel(&image, BASE));
	assert_refused(&(struct pv_args){.ramdisk = "missing"}, "missing: cannot open");
	assert_refused(&(struct pv_args){.ramdisk = "."}, "not a regular file");
	write_ramdisk(0);
	assert_refused(&(struct pv_args){.ramdisk = RAMDISK}, RAMDISK ": the file is empty");
	/* Larger than any memory: nothing is asked that could overflow. */
	assert_int_equal(truncate(RAMDISK, INT64_C(9) << 40), 0);
	assert_refused(&(struct pv_args){.ramdisk = RAMDISK}, "more than any guest has");
	assert_int_equal(truncate(RAMDISK, INT64_C(8) << 40), 0);
	assert_refused(&(struct pv_args){.ramdisk = RAMDISK}, "use --memory 84");
	kernel_close(&kernel);
}

static void test_m2p_too_short(void **state)
{
	struct pv_args args = {.m2p = m2p, .m2p_entries = MFNS};
	struct problem p = {""};

	(void)state;
	fresh(5 << 20, 8 << 20);
	finish_image(image_pv_kernel(&image, BASE));
	args.m2p_entries = (HIGH_GPA + (3 << 20)) / 4096 - 1;
	assert_int_equal(pv_load(&kernel, &ram, &args, &start, &p), -1);
	assert_non_null(strstr(p.text, "machine-to-physical table ends at frame 0x22ff"));
	args.m2p_entries++;
	assert_int_equal(pv_load(&kernel, &ram, &args, &start, &p), 0);
	kernel_close(&kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_bases),
		cmocka_unit_test(test_ramdisk_mapped),
		cmocka_unit_test(test_ramdisk_by_pfn),
		cmocka_unit_test(test_no_ramdisk_by_pfn),
		cmocka_unit_test(test_init_p2m),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_from_file),
		cmocka_unit_test(test_symtab),
		cmocka_unit_test(test_cmdline_length),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_exact_memory),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_m2p_too_short),
	};

	return cmocka_run_group_tests(tests, guest_setup, guest_teardown);
}
