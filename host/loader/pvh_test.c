// SPDX-License-Identifier: BSD-2-Clause
/* What pvh_load leaves in guest RAM. */
#include "host/loader/test_pvh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/acpi.h"

static struct pvh_start load(const struct pvh_args *args)
{
	struct pvh_start start = {0};
	struct problem p = {""};

	if (pvh_load(&kernel, &ram, args, &start, &p))
		fail_msg("%s", p.text);
	return start;
}

static struct hvm_start_info info_at(uint32_t gpa)
{
	struct hvm_start_info info;

	memcpy(&info, memory + gpa, sizeof(info));
	return info;
}

/* Every byte, as start_info.h lays it out. */
static void test_golden(void **state)
{
	const struct hvm_memmap_table_entry map[] = {
		{.addr = 0, .size = RAM_SIZE, .type = XEN_HVM_MEMMAP_TYPE_RAM},
		{.addr = 0xfc000000, .size = 0x1000, .type = XEN_HVM_MEMMAP_TYPE_ACPI},
	};
	const struct pvh_args args = {
		.initrd = "mod3",
		.cmdline = "console=hvc0",
		.memmap = map,
		.memmap_entries = 2,
		.rsdp = 0xfc000000,
	};
	/* The kernel ends at 0x102000; the module, of two pages, stands behind this. */
	static const uint8_t want[] = {
		0x78, 0xc5, 0x6e, 0x33, 1,   0,   0,   0,   /* magic, version */
		0,    0,    0,    0,    1,   0,   0,   0,   /* flags, nr_modules */
		0x38, 0x20, 0x10, 0,    0,   0,   0,   0,   /* modlist_paddr */
		0x88, 0x20, 0x10, 0,    0,   0,   0,   0,   /* cmdline_paddr */
		0,    0,    0,    0xfc, 0,   0,   0,   0,   /* rsdp_paddr */
		0x58, 0x20, 0x10, 0,    0,   0,   0,   0,   /* memmap_paddr */
		2,    0,    0,    0,    0,   0,   0,   0,   /* memmap_entries, reserved */
		0,    0x30, 0x10, 0,    0,   0,   0,   0,   /* module: paddr */
		0x01, 0x10, 0,    0,    0,   0,   0,   0,   /* size */
		0,    0,    0,    0,    0,   0,   0,   0,   /* cmdline_paddr */
		0,    0,    0,    0,    0,   0,   0,   0,   /* reserved */
		0,    0,    0,    0,    0,   0,   0,   0,   /* memmap: addr */
		0,    0,    0x40, 0,    0,   0,   0,   0,   /* size */
		1,    0,    0,    0,    0,   0,   0,   0,   /* type, reserved */
		0,    0,    0,    0xfc, 0,   0,   0,   0,   /* addr */
		0,    0x10, 0,    0,    0,   0,   0,   0,   /* size */
		3,    0,    0,    0,    0,   0,   0,   0,   /* type, reserved */
		'c',  'o',  'n',  's',  'o', 'l', 'e', '=', /* cmdline */
		'h',  'v',  'c',  '0',  0,   0,   0,   0,
	};

	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		struct pvh_start start;

		image_kernel(&image, is64);
		parse();
		fresh(RAM_SIZE);
		start = load(&args);
		assert_int_equal(start.entry, 0x100000);
		assert_int_equal(start.start_info, 0x102000);
		assert_memory_equal(memory + 0x102000, want, sizeof(want));
		assert_int_equal(memory[0x100000], 0x90);
		assert_int_equal(memory[0x100fff], 0x90);
		assert_int_equal(memory[0x101000], 0);
		assert_int_equal(memory[0x103000], '3');
		assert_int_equal(memory[0x104000], '3');
		assert_int_equal(memory[0x104001], 0);
		kernel_close(&kernel);
	}
}

static void test_nothing_extra(void **state)
{
	struct pvh_start start;
	struct hvm_start_info info;

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	start = load(&(struct pvh_args){0});
	info = info_at(start.start_info);
	assert_int_equal(info.magic, XEN_HVM_START_MAGIC_VALUE);
	assert_int_equal(info.version, 1);
	assert_int_equal(info.nr_modules, 0);
	assert_int_equal(info.modlist_paddr, 0);
	assert_int_equal(info.cmdline_paddr, 0);
	assert_int_equal(info.rsdp_paddr, 0);
	assert_int_equal(info.memmap_paddr, 0);
	assert_int_equal(info.memmap_entries, 0);
	kernel_close(&kernel);
}

/* An empty command line is one, unlike none. */
static void test_empty_cmdline(void **state)
{
	struct hvm_start_info info;

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	info = info_at(load(&(struct pvh_args){.cmdline = ""}).start_info);
	assert_int_not_equal(info.cmdline_paddr, 0);
	assert_int_equal(memory[info.cmdline_paddr], 0);
	kernel_close(&kernel);
}

static void test_several_modules(void **state)
{
	const char *const more[] = {"mod1", "mod5", NULL};
	struct hvm_start_info info;
	struct hvm_modlist_entry entries[3];

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	info = info_at(load(&(struct pvh_args){.initrd = "mod4", .modules = more}).start_info);
	assert_int_equal(info.nr_modules, 3);
	memcpy(entries, memory + info.modlist_paddr, sizeof(entries));
	assert_int_equal(entries[0].size, 9000);
	assert_int_equal(memory[entries[0].paddr + 8999], '4');
	assert_int_equal(entries[1].size, 4095);
	assert_int_equal(memory[entries[1].paddr], '1');
	assert_int_equal(entries[2].size, 70000);
	assert_int_equal(memory[entries[2].paddr + 69999], '5');
	kernel_close(&kernel);
}

static void test_load_and_entry_zero(void **state)
{
	struct pvh_start start;

	(void)state;
	image_start(&image, false);
	image_load(&image, 0, 100, 0x3000, 0x55, PF_X);
	image_entry(&image, 0, 4);
	parse();
	fresh(RAM_SIZE);
	start = load(&(struct pvh_args){.cmdline = "x"});
	assert_int_equal(start.entry, 0);
	assert_int_equal(start.start_info, 0x3000);
	assert_int_equal(memory[0], 0x55);
	kernel_close(&kernel);
}

/* A kernel that fills RAM up to its end, and one that leaves only the page at 0. */
static void test_no_room_behind(void **state)
{
	(void)state;
	image_start(&image, true);
	image_load(&image, 0x8000, 100, 0x8000, 0x55, PF_X);
	image_entry(&image, 0x8000, 4);
	parse();
	fresh(0x10000);
	assert_int_equal(load(&(struct pvh_args){0}).start_info, 0x1000);
	kernel_close(&kernel);

	image_start(&image, true);
	image_load(&image, 0x1000, 100, 0xf000, 0x55, PF_X);
	image_entry(&image, 0x1000, 4);
	parse();
	fresh(0x10000);
	assert_int_equal(load(&(struct pvh_args){0}).start_info, 0);
	kernel_close(&kernel);
}

static void test_isa_hole(void **state)
{
	(void)state;
	image_start(&image, true);
	image_load(&image, 0x9f000, 100, 0x2000, 0x55, PF_X); /* a kernel may be there */
	image_entry(&image, 0x9f000, 4);
	parse();
	fresh(RAM_SIZE);
	assert_int_equal(load(&(struct pvh_args){0}).start_info, 0x100000);
	kernel_close(&kernel);
}

/* For a kernel that another one starts; not where this one is. */
static void test_rsdp_for_others(void **state)
{
	uint8_t rsdp[ACPI_RSDP_SIZE];
	static const uint8_t zeros[0x100000 - PVH_RSDP_BIOS];

	(void)state;
	memset(rsdp, 0xa5, sizeof(rsdp));
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	load(&(struct pvh_args){.rsdp_bytes = rsdp});
	assert_memory_equal(memory + PVH_RSDP_BIOS, rsdp, sizeof(rsdp));
	fresh(RAM_SIZE);
	load(&(struct pvh_args){0});
	assert_memory_equal(memory + PVH_RSDP_BIOS, zeros, sizeof(zeros));
	kernel_close(&kernel);

	image_start(&image, true);
	image_load(&image, 0xff000, 100, 0x2000, 0x55, PF_X);
	image_entry(&image, 0xff000, 4);
	parse();
	fresh(RAM_SIZE);
	load(&(struct pvh_args){.rsdp_bytes = rsdp});
	assert_memory_equal(memory + PVH_RSDP_BIOS, zeros, sizeof(zeros));
	kernel_close(&kernel);
}

static void test_reserved_memory(void **state)
{
	const struct hvm_memmap_table_entry map[] = {
		{.addr = 0, .size = 0x104000, .type = XEN_HVM_MEMMAP_TYPE_RAM},
		{.addr = 0x104000, .size = 0x10000, .type = XEN_HVM_MEMMAP_TYPE_NVS},
		{.addr = 0x114000, .size = 0x10000, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	};
	struct hvm_start_info info;
	struct hvm_modlist_entry entry;
	struct pvh_start start;

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	start = load(&(struct pvh_args){.initrd = "mod4", .memmap = map, .memmap_entries = 3});
	info = info_at(start.start_info);
	memcpy(&entry, memory + info.modlist_paddr, sizeof(entry));
	assert_int_equal(entry.paddr, 0x114000); /* three pages: not before */
	assert_int_equal(start.start_info, 0x102000);
	kernel_close(&kernel);
}

/* Fresh RAM is zero already: pages of zeros and the .bss are not written, so not made resident. */
static void test_zeros_not_written(void **state)
{
	static const uint64_t paddrs[] = {0x1000, 0x1800};

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint64_t data;

		image_start(&image, true);
		image_load(&image, paddrs[i], 0x4000, 0x6000, 0x55, PF_X);
		data = image.size - 0x4000;
		image_entry(&image, paddrs[i], 4);
		memset(image.bytes + data + 0x800, 0, 0x2800);
		image.bytes[data + 0x2fff] = 1;
		parse();
		fresh(RAM_SIZE);
		memset(memory, 0xaa, RAM_SIZE);
		load(&(struct pvh_args){0});
		assert_int_equal(memory[paddrs[i] + 0x7ff], 0x55);
		assert_int_equal(memory[0x2000], 0xaa); /* whole pages in both cases */
		assert_int_equal(memory[0x2fff], 0xaa);
		assert_int_equal(memory[paddrs[i] + 0x2ffe], 0);
		assert_int_equal(memory[paddrs[i] + 0x2fff], 1);
		assert_int_equal(memory[paddrs[i] + 0x3000], 0x55);
		assert_int_equal(memory[paddrs[i] + 0x3fff], 0x55);
		assert_int_equal(memory[paddrs[i] + 0x4000], 0xaa);
		kernel_close(&kernel);
	}
}

/* From a file the segments are read, not copied, be it an ELF file or a bzImage around one. */
static void test_from_a_file(void **state)
{
	static uint8_t boot[sizeof(image.bytes) + 4096];
	struct problem p = {""};

	(void)state;
	image_kernel(&image, true);
	image_load(&image, 0x200000, 100, 200, 0x77, PF_R);
	for (int wrapped = 0; wrapped < 2; wrapped++) {
		if (wrapped)
			write_file("kernel", boot,
				   image_bzimage(boot, image.bytes, image.size, 0x20f));
		else
			write_file("kernel", image.bytes, image.size);
		assert_int_equal(kernel_open(&kernel, "kernel", &p), 0);
		assert_in_range(kernel.fd, 0, 1000);
		fresh(RAM_SIZE);
		load(&(struct pvh_args){0});
		assert_int_equal(memory[0xfffff], 0);
		assert_int_equal(memory[0x100000], 0x90);
		assert_int_equal(memory[0x100fff], 0x90);
		assert_int_equal(memory[0x101000], 0);
		assert_int_equal(memory[0x200000], 0x77);
		assert_int_equal(memory[0x200063], 0x77);
		assert_int_equal(memory[0x200064], 0);
		kernel_close(&kernel);
	}
	unlink("kernel");
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* All that start_info names must be in RAM, page-aligned where promised, and over nothing else. */
static void check_places(const struct pvh_start *start)
{
	struct hvm_start_info info = info_at(start->start_info);
	uint64_t at[PVH_MODULES_MAX + 1], size[PVH_MODULES_MAX + 1];
	unsigned count = 0;

	for (unsigned i = 0; i < info.nr_modules; i++) {
		struct hvm_modlist_entry m;

		memcpy(&m, memory + info.modlist_paddr + i * sizeof(m), sizeof(m));
		assert_int_equal(memory[m.paddr], '0' + i);
		assert_int_equal(memory[m.paddr + m.size - 1], '0' + i);
		at[count] = m.paddr;
		size[count++] = m.size;
	}
	at[count] = start->start_info;
	size[count] = info.cmdline_paddr + strlen((char *)memory + info.cmdline_paddr) + 1 -
		      start->start_info;
	count++;
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(at[i] % 4096, 0);
		assert_non_null(ram_at(&ram, at[i], size[i]));
		for (unsigned j = 0; j < i; j++)
			assert_false(overlap(at[i], size[i], at[j], size[j]));
		for (unsigned j = 0; j < kernel.segment_count; j++)
			assert_false(overlap(at[i], size[i], kernel.segments[j].paddr,
					     kernel.segments[j].memsz));
	}
	for (unsigned j = 0; j < kernel.segment_count; j++)
		assert_memory_equal(memory + kernel.segments[j].paddr, kernel.segments[j].data,
				    kernel.segments[j].filesz);
}

static void test_random_layouts(void **state)
{
	unsigned loaded = 0;

	(void)state;
	srandom(1);
	for (int round = 0; round < 3000; round++) {
		const char *names[MODULES + 1] = {NULL};
		struct pvh_args args = {.modules = names, .cmdline = "quiet"};
		unsigned modules = random() % (MODULES + 1);
		uint64_t paddr = random() % 0x20000;
		struct pvh_start start;
		struct problem p;

		image_start(&image, round % 2);
		image_entry(&image, paddr, 4);
		for (unsigned n = 1 + random() % 4; n; n--) {
			uint64_t filesz = 1 + random() % 3000;
			uint64_t memsz = filesz + (random() % 2 ? random() % 0x8000 : 0);

			image_load(&image, paddr, filesz, memsz, 0x80 + n, PF_X);
			paddr += memsz + (random() % 2 ? random() % 0x20000 : 0);
		}
		for (unsigned i = 0; i < modules; i++)
			names[i] = module_names[i];
		parse();
		fresh(0x20000 + random() % 0x60 * 0x1000);
		if (pvh_load(&kernel, &ram, &args, &start, &p) == 0) {
			check_places(&start);
			loaded++;
		}
		kernel_close(&kernel);
	}
	assert_in_range(loaded, 1000, 2900); /* both outcomes were tried enough */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_nothing_extra),
		cmocka_unit_test(test_empty_cmdline),
		cmocka_unit_test(test_several_modules),
		cmocka_unit_test(test_load_and_entry_zero),
		cmocka_unit_test(test_no_room_behind),
		cmocka_unit_test(test_isa_hole),
		cmocka_unit_test(test_rsdp_for_others),
		cmocka_unit_test(test_reserved_memory),
		cmocka_unit_test(test_zeros_not_written),
		cmocka_unit_test(test_from_a_file),
		cmocka_unit_test(test_random_layouts),
	};

	return cmocka_run_group_tests(tests, pvh_folder_make, pvh_folder_remove);
}
