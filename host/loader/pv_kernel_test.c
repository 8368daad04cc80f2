// SPDX-License-Identifier: BSD-2-Clause
/* What is read from a PV kernel's notes and segments, and which kernels are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "host/loader/pv_kernel.h"
#include "host/loader/test_image.h"
#include "xen-abi/xen.h"

#define BASE UINT64_C(0xffffffff80000000)

static struct test_image image;
static struct kernel kernel;
static struct pv_kernel pk;
static uint64_t notes; /* where they begin */

static void start(void)
{
	notes = image_pv_kernel(&image, BASE);
}

/* 0 and pk, or -1 and why. */
static int finish(struct problem *p)
{
	int rc;

	image_notes(&image, notes);
	if (kernel_parse(&kernel, image.bytes, image.size, "k", p))
		return -1;
	rc = pv_kernel_read(&pk, &kernel, p);
	kernel_close(&kernel);
	return rc;
}

static void accept(void)
{
	struct problem p = {""};

	if (finish(&p))
		fail_msg("%s", p.text);
}

static void refuse(const char *why)
{
	struct problem p = {""};

	assert_int_equal(finish(&p), -1);
	if (strncmp(p.text, "k: ", 3) != 0 || !strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
}

/* A good kernel but for one number. */
static void refuse_number(uint32_t type, uint64_t value, const char *why)
{
	start();
	image_pv_number(&image, type, value);
	refuse(why);
}

static void refuse_string(uint32_t type, const char *value, const char *why)
{
	start();
	image_pv_string(&image, type, value);
	refuse(why);
}

static void test_good(void **state)
{
	(void)state;
	start();
	accept();
	assert_true(pk.virt_base == BASE);
	assert_true(pk.entry == BASE + 0x1010);
	assert_int_equal(pk.paddr_offset, 0);
	assert_int_equal(pk.size, 0x5800);
	assert_true(pk.has_hypercall_page);
	assert_int_equal(pk.hypercall_page, 0x2000);
	assert_false(pk.has_init_p2m);
	assert_false(pk.ramdisk_unmapped);
	assert_int_equal(pk.symtab.size, 0);
}

/* Without ENTRY and VIRT_BASE: the file's entry, at 0. */
static void test_defaults(void **state)
{
	const uint64_t entry = 0x1234;

	(void)state;
	image_start(&image, true);
	memcpy(image.bytes + offsetof(Elf64_Ehdr, e_entry), &entry, sizeof(entry));
	image_load(&image, 0x1000, 0x1000, 0x1000, 0x90, PF_X);
	notes = image.size;
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	image_pv_string(&image, XEN_ELFNOTE_GUEST_OS, "linux");
	accept();
	assert_int_equal(pk.virt_base, 0);
	assert_int_equal(pk.entry, 0x1234);
	assert_int_equal(pk.size, 0x2000);
	assert_false(pk.has_hypercall_page);
}

/* Files whose physical addresses are virtual ones. */
static void test_paddr_offset(void **state)
{
	(void)state;
	image_start(&image, true);
	image_load(&image, BASE + 0x1000, 0x1000, 0x1000, 0x90, PF_X);
	notes = image.size;
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	image_pv_string(&image, XEN_ELFNOTE_LOADER, "generic");
	image_pv_number(&image, XEN_ELFNOTE_VIRT_BASE, BASE);
	image_pv_number(&image, XEN_ELFNOTE_PADDR_OFFSET, BASE);
	image_pv_number(&image, XEN_ELFNOTE_ENTRY, BASE + 0x1000);
	accept();
	assert_true(pk.paddr_offset == BASE);
	assert_int_equal(pk.size, 0x2000);
}

static void test_address_notes(void **state)
{
	(void)state;
	refuse_number(XEN_ELFNOTE_VIRT_BASE, BASE + 8, "multiples of 4096");
	refuse_number(XEN_ELFNOTE_PADDR_OFFSET, 8, "multiples of 4096");
	refuse_number(XEN_ELFNOTE_PADDR_OFFSET, 0x2000, "below PADDR_OFFSET 0x2000");
	refuse_number(XEN_ELFNOTE_ENTRY, BASE, "in none of the kernel's segments");
	refuse_number(XEN_ELFNOTE_ENTRY, BASE + 0x3000, "in none of the kernel's segments");
	refuse_number(XEN_ELFNOTE_ENTRY, BASE + 0x5800, "in none of the kernel's segments");
	refuse_number(XEN_ELFNOTE_ENTRY, 0x1010, "in none of the kernel's segments");
	refuse_number(XEN_ELFNOTE_HV_START_LOW, PV_HYPER_START + 1, "0xffff800000000001");
	start();
	image_pv_number(&image, XEN_ELFNOTE_HV_START_LOW, PV_HYPER_START);
	image_pv_number(&image, XEN_ELFNOTE_ENTRY, BASE + 0x57ff);
	accept();
}

static void test_no_virt_base(void **state)
{
	(void)state;
	image_start(&image, true);
	image_load(&image, 0x1000, 0x1000, 0x1000, 0x90, PF_X);
	notes = image.size;
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	image_pv_string(&image, XEN_ELFNOTE_LOADER, "generic");
	image_pv_number(&image, XEN_ELFNOTE_PADDR_OFFSET, 0);
	refuse("PADDR_OFFSET but no VIRT_BASE");
}

static void test_hypercall_page(void **state)
{
	static const uint64_t bad[] = {
		BASE + 0x2008, /* not aligned */
		BASE,          /* before the first segment */
		BASE + 0x3000, /* between two */
		BASE + 0x5000, /* half of it behind the last */
		0x2000,        /* not at VIRT_BASE */
		UINT64_MAX - 4095,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse_number(XEN_ELFNOTE_HYPERCALL_PAGE, bad[i], "is not a page of the kernel");
}

static void test_init_p2m(void **state)
{
	static const struct {
		uint64_t at;
		bool heeded;
	} wishes[] = {
		{0x8000000000, true},   {BASE - 0x1000, true}, {BASE - 0x800, false},
		{BASE + 0x6000, false}, {BASE, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		start();
		image_pv_number(&image, XEN_ELFNOTE_INIT_P2M, wishes[i].at);
		accept();
		assert_int_equal(pk.has_init_p2m, wishes[i].heeded);
		if (wishes[i].heeded)
			assert_true(pk.init_p2m == wishes[i].at);
	}
	refuse_number(XEN_ELFNOTE_INIT_P2M, BASE + 0x1000, "where it is itself");
	refuse_number(XEN_ELFNOTE_INIT_P2M, BASE + 0x3000, "where it is itself");
	refuse_number(XEN_ELFNOTE_INIT_P2M, BASE + 0x57ff, "where it is itself");
}

static void test_mod_start_pfn(void **state)
{
	(void)state;
	for (unsigned wish = 0; wish < 3; wish++) {
		start();
		image_pv_number(&image, XEN_ELFNOTE_MOD_START_PFN, wish);
		accept();
		assert_int_equal(pk.ramdisk_unmapped, wish != 0);
	}
}

static void test_strings(void **state)
{
	(void)state;
	refuse_string(XEN_ELFNOTE_XEN_VERSION, "xen-2.0", "\"xen-2.0\", must be \"xen-3.0\"");
	refuse_string(XEN_ELFNOTE_XEN_VERSION, "", "CONFIG_XEN_PV");
	refuse_string(XEN_ELFNOTE_LOADER, "own", "LOADER \"own\"");
	start();
	image_pv_string(&image, XEN_ELFNOTE_LOADER, "own");
	image_pv_string(&image, XEN_ELFNOTE_GUEST_OS, "linux");
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0-x86_64");
	accept();
}

static void test_no_notes(void **state)
{
	(void)state;
	image_kernel(&image, true);
	notes = image.size;
	refuse("no Xen PV entry");
}

static void test_32_bits(void **state)
{
	(void)state;
	image_start(&image, false);
	image_load(&image, 0x1000, 0x1000, 0x1000, 0x90, PF_X);
	notes = image.size;
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	image_pv_string(&image, XEN_ELFNOTE_LOADER, "generic");
	refuse("32-bit PV kernel");
}

static void test_features(void **state)
{
	static const char *const good[] = {
		"",
		"!writable_page_tables",
		"!writable_page_tables|pae_pgdir_above_4gb",
		"supervisor_mode_kernel|hvm_callback_vector|what|!pae_pgdir_above_4gb",
		"||",
	};
	static const struct {
		const char *features, *lacks;
	} bad[] = {
		{"!supervisor_mode_kernel", "\"supervisor_mode_kernel\""},
		{"!writable_page_tables|!auto_translated_physmap", "\"auto_translated_physmap\""},
		{"a|!dom0|!b", "\"dom0\""},
		{"!writable_page_table", "\"writable_page_table\""},
		{"!writable_page_tables2", "\"writable_page_tables2\""},
		{"!\033[2J", "\"?[2J\""},
		{"!a-name-that-is-longer-than-is-kept-of-it",
		 "\"a-name-that-is-longer-than-is-k\""},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		start();
		image_pv_string(&image, XEN_ELFNOTE_FEATURES, good[i]);
		accept();
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse_string(XEN_ELFNOTE_FEATURES, bad[i].features, bad[i].lacks);
}

/* It is looked for in the whole note, also where what is kept of the text has ended. */
static void test_long_features(void **state)
{
	char features[400];

	(void)state;
	memset(features, 'x', sizeof(features));
	memcpy(features + 300, "|!dom0", 7);
	refuse_string(XEN_ELFNOTE_FEATURES, features, "\"dom0\"");
	start();
	image_note(&image, 4, XEN_ELFNOTE_FEATURES, "!dom0", 5); /* no NUL */
	refuse("\"dom0\"");
}

static void test_far_away(void **state)
{
	(void)state;
	start();
	image_load(&image, PV_SIZE_LIMIT, 1, 1, 0, PF_R);
	refuse("where no guest has memory");
	start();
	image_load(&image, UINT64_MAX - 1, 1, 1, 0, PF_R);
	refuse("where no guest has memory");
}

static void test_number_sizes(void **state)
{
	(void)state;
	start();
	image_note(&image, 4, XEN_ELFNOTE_VIRT_BASE, "123456", 6);
	refuse("a number of 6 bytes");
	start();
	image_note(&image, 4, XEN_ELFNOTE_MOD_START_PFN, "\1\0\0\0", 4);
	accept();
	assert_true(pk.ramdisk_unmapped);
}

/* The same two segments, and a section of before there were notes. */
static void legacy(const char *text, size_t size)
{
	static const char names[] = "\0.shstrtab\0__xen_guest";
	uint64_t at;

	image_start(&image, true);
	image_load(&image, BASE + 0x1000, 0x2000, 0x2000, 0x90, PF_X);
	image_load(&image, BASE + 0x4000, 0x800, 0x1800, 0xda, PF_W);
	at = image_put(&image, names, sizeof(names));
	image_shdr(&image, (Elf64_Shdr){.sh_name = 1,
					.sh_type = SHT_STRTAB,
					.sh_offset = at,
					.sh_size = sizeof(names)});
	at = image_put(&image, text, size);
	image_shdr(&image, (Elf64_Shdr){.sh_name = 11,
					.sh_type = SHT_PROGBITS,
					.sh_offset = at,
					.sh_size = size});
	image_set(&image, offsetof(Elf64_Ehdr, e_shstrndx), offsetof(Elf32_Ehdr, e_shstrndx), 1);
	notes = image.size = (image.size + 3) & ~(size_t)3;
}

#define LEGACY "GUEST_OS=NetBSD,XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0xffffffff80000000"

static void test_legacy(void **state)
{
	static const char text[] =
		LEGACY ",VIRT_ENTRY=18446744071562072080,HYPERCALL_PAGE=0x2,"
		       "BSD_SYMTAB=yes,FEATURES=!writable_page_tables|x\0,LOADER=no";

	(void)state;
	legacy(text, sizeof(text));
	accept();
	assert_true(pk.virt_base == BASE);
	assert_true(pk.paddr_offset == BASE); /* unlike with notes */
	assert_true(pk.entry == BASE + 0x1010);
	assert_true(pk.has_hypercall_page);
	assert_int_equal(pk.hypercall_page, 0x2000);
	assert_int_equal(pk.size, 0x5800);
}

static void refuse_legacy(const char *text, const char *why)
{
	legacy(text, strlen(text)); /* no NUL ends it */
	refuse(why);
}

static void test_bad_legacy(void **state)
{
	(void)state;
	refuse_legacy("", "no Xen PV entry");
	refuse_legacy("XEN_VER", "no Xen PV entry");
	refuse_legacy("XEN_VER=", "no Xen PV entry");
	refuse_legacy("XEN_VERS=xen-3.0,LOADER=generic", "no Xen PV entry");
	refuse_legacy("XEN_VER=2.0,LOADER=generic", "\"2.0\", must be");
	refuse_legacy(LEGACY ",FEATURES=a|!dom0", "\"dom0\"");
	refuse_legacy(LEGACY ",VIRT_ENTRY=0x10", "in none of the kernel's segments");
	refuse_legacy(LEGACY ",VIRT_ENTRY=0xffffffff80001000,ELF_PADDR_OFFSET=0",
		      "where no guest has memory");
	refuse_legacy(LEGACY ",VIRT_ENTRY=0xffffffff80001000,HYPERCALL_PAGE=3",
		      "is not a page of the kernel");
	refuse_legacy(LEGACY ",VIRT_ENTRY=99999999999999999999999999999999999999",
		      "the PV entry 0x");
}

/* Names of sections that are not there. */
static void test_legacy_names(void **state)
{
	static const char text[] = LEGACY ",VIRT_ENTRY=0xffffffff80001000";
	static const uint16_t bad[] = {0, 2, 3, 0xff00, SHN_XINDEX};

	(void)state;
	legacy(text, sizeof(text));
	accept();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		legacy(text, sizeof(text));
		image_set(&image, offsetof(Elf64_Ehdr, e_shstrndx), 0, bad[i]);
		refuse("no Xen PV entry");
	}
}

/* With notes, the section does not count. */
static void test_notes_first(void **state)
{
	static const char text[] = LEGACY ",VIRT_ENTRY=0xffffffff80001000";

	(void)state;
	legacy(text, sizeof(text));
	image_pv_string(&image, XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
	refuse("\"xen-2.0\"");
}

/* .symtab and .strtab, as sections 1 and 2. */
static void add_symbols(uint64_t size, uint32_t type)
{
	uint64_t at = image_put(&image, "symbols, strings", 16);

	image_shdr(&image,
		   (Elf64_Shdr){
			   .sh_type = SHT_SYMTAB, .sh_offset = at, .sh_size = size, .sh_link = 2});
	image_shdr(&image, (Elf64_Shdr){.sh_type = type, .sh_offset = at + 9, .sh_size = 7});
}

static void symbols_kernel(uint64_t size, uint32_t type)
{
	start();
	image_pv_string(&image, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	image_notes(&image, notes);
	add_symbols(size, type);
	notes = image.size;
}

static void link_symbols(uint32_t link)
{
	uint64_t shoff;

	memcpy(&shoff, image.bytes + offsetof(Elf64_Ehdr, e_shoff), sizeof(shoff));
	memcpy(image.bytes + shoff + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_link), &link,
	       sizeof(link));
}

static void test_symtab(void **state)
{
	(void)state;
	symbols_kernel(7, SHT_STRTAB);
	accept();
	assert_int_equal(pk.symtab.at, 0x5800);
	assert_int_equal(pk.symtab.size, 264 + 8 + 8);
	assert_int_equal(pk.size, 0x5800 + 280);
	symbols_kernel(7, SHT_PROGBITS);
	accept();
	assert_int_equal(pk.symtab.size, 0);
	symbols_kernel(1 << 20, SHT_STRTAB);
	refuse("passes the file's end");
	symbols_kernel(UINT64_MAX, SHT_STRTAB);
	refuse("passes the file's end");
	/* A link to nowhere. */
	symbols_kernel(7, SHT_STRTAB);
	link_symbols(99);
	accept();
	assert_int_equal(pk.symtab.size, 0);
	/* A kernel that has been stripped. */
	start();
	image_pv_string(&image, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	accept();
	assert_int_equal(pk.size, 0x5800);
	/* One that does not want it. */
	start();
	image_pv_string(&image, XEN_ELFNOTE_BSD_SYMTAB, "yesno");
	image_notes(&image, notes);
	add_symbols(7, SHT_STRTAB);
	notes = image.size;
	accept();
	assert_int_equal(pk.size, 0x5800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),          cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_paddr_offset),  cmocka_unit_test(test_address_notes),
		cmocka_unit_test(test_no_virt_base),  cmocka_unit_test(test_hypercall_page),
		cmocka_unit_test(test_init_p2m),      cmocka_unit_test(test_mod_start_pfn),
		cmocka_unit_test(test_strings),       cmocka_unit_test(test_no_notes),
		cmocka_unit_test(test_32_bits),       cmocka_unit_test(test_features),
		cmocka_unit_test(test_long_features), cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_number_sizes),  cmocka_unit_test(test_symtab),
		cmocka_unit_test(test_legacy),        cmocka_unit_test(test_bad_legacy),
		cmocka_unit_test(test_legacy_names),  cmocka_unit_test(test_notes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
