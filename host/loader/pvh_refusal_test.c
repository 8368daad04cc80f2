// SPDX-License-Identifier: BSD-2-Clause
/* What pvh_load says when it cannot, and that it has written nothing then. */
#include "host/loader/test_pvh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_refused(const struct pvh_args *args, const char *why)
{
	static uint8_t before[RAM_SIZE];
	struct pvh_start start;
	struct problem p = {""};

	memcpy(before, memory, sizeof(before));
	assert_int_equal(pvh_load(&kernel, &ram, args, &start, &p), -1);
	if (!strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
	assert_memory_equal(memory, before, sizeof(before));
}

static void test_bad_entry(void **state)
{
	const struct pvh_args args = {0};

	(void)state;
	fresh(RAM_SIZE);
	image_start(&image, true);
	image_load(&image, 0x1000, 16, 16, 1, PF_X);
	parse();
	assert_refused(&args, "k: no PVH entry");
	kernel_close(&kernel);

	image_entry(&image, UINT64_C(0x100001000), 8);
	parse();
	assert_refused(&args, "k: the PVH entry 0x100001000 is above 4 GiB");
	kernel_close(&kernel);

	for (unsigned entry = 0xfff; entry <= 0x1010; entry += 0x11) {
		image_start(&image, true);
		image_load(&image, 0x1000, 16, 16, 1, PF_X);
		image_entry(&image, entry, 8);
		parse();
		assert_refused(&args, "is in none of the kernel's segments");
		kernel_close(&kernel);
	}
}

static void test_too_little_memory(void **state)
{
	const struct hvm_memmap_table_entry map[] = {
		{.addr = 0, .size = 0x101000, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	};

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(1 << 20);
	assert_refused(&(struct pvh_args){0},
		       "k: the kernel's segment at 0x100000-0x101fff does not fit into 1 MiB of "
		       "memory; use --memory 2M or more");
	/* The map's word counts as well as the RAM's. */
	fresh(RAM_SIZE);
	assert_refused(&(struct pvh_args){.memmap = map, .memmap_entries = 1},
		       "does not fit into the guest's RAM below 4 GiB");
	kernel_close(&kernel);
}

static void test_module_too_big(void **state)
{
	(void)state;
	image_start(&image, true);
	image_load(&image, 0x1000, 16, 0x3000, 1, PF_X);
	image_entry(&image, 0x1000, 8);
	parse();
	fresh(0x10000);
	assert_refused(&(struct pvh_args){.initrd = "mod5"},
		       "mod5: the module of 70000 bytes does not fit into 0 MiB of memory; use "
		       "--memory 1M or more");
	kernel_close(&kernel);
}

static void test_start_info_too_big(void **state)
{
	static char cmdline[0x8000];

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x1000, 16, 0x9000, 1, PF_X);
	image_entry(&image, 0x1000, 8);
	parse();
	fresh(0x10000);
	memset(cmdline, 'x', sizeof(cmdline) - 1);
	assert_refused(&(struct pvh_args){.cmdline = cmdline},
		       "k: the start info with its command line does not fit");
	kernel_close(&kernel);
}

static void test_segment_in_a_hole(void **state)
{
	(void)state;
	fresh(0x10000);
	ram = (struct ram){.count = 2,
			   .blocks = {{0, 0x10000, memory}, {1 << 20, 2 << 20, memory + 0x10000}}};
	image_start(&image, true);
	image_load(&image, 0xf000, 16, 0x2000, 1, PF_X);
	image_entry(&image, 0xf000, 8);
	parse();
	assert_refused(&(struct pvh_args){0},
		       "the kernel's segment at 0xf000-0x10fff does not fit into the guest's RAM");
	kernel_close(&kernel);

	image_start(&image, true);
	image_load(&image, UINT64_C(5) << 30, 16, 16, 1, PF_X);
	image_load(&image, 0x1000, 16, 16, 1, PF_X);
	image_entry(&image, 0x1000, 8);
	parse();
	assert_refused(&(struct pvh_args){0}, "does not fit into the guest's RAM below 4 GiB");
	kernel_close(&kernel);

	/* The largest address there is: no sum may wrap. */
	image_start(&image, true);
	image_load(&image, UINT64_MAX - 16, 16, 16, 1, PF_X);
	image_load(&image, 0x1000, 16, 16, 1, PF_X);
	image_entry(&image, 0x1000, 8);
	parse();
	assert_refused(&(struct pvh_args){0}, "does not fit into the guest's RAM below 4 GiB");
	kernel_close(&kernel);
}

static void test_bad_modules(void **state)
{
	const char *const nine[] = {"mod0", "mod0", "mod0", "mod0", "mod0",
				    "mod0", "mod0", "mod0", "mod0", NULL};

	(void)state;
	image_kernel(&image, true);
	parse();
	fresh(RAM_SIZE);
	assert_refused(&(struct pvh_args){.initrd = "absent"}, "absent: cannot open: No such file");
	assert_refused(&(struct pvh_args){.initrd = "."}, ".: not a regular file");
	assert_refused(&(struct pvh_args){.initrd = "empty"}, "empty: the file is empty");
	assert_refused(&(struct pvh_args){.modules = nine}, "mod0: more than 8 modules");
	kernel_close(&kernel);
}

static void test_file_that_shrinks(void **state)
{
	struct pvh_start start;
	struct problem p = {""};

	(void)state;
	image_kernel(&image, true);
	image_load(&image, 0x200000, 100, 200, 0x77, PF_R);
	write_file("kernel", image.bytes, image.size);
	assert_int_equal(kernel_open(&kernel, "kernel", &p), 0);
	fresh(RAM_SIZE);
	assert_int_equal(truncate("kernel", image.size - 10), 0);
	assert_int_equal(pvh_load(&kernel, &ram, &(struct pvh_args){0}, &start, &p), -1);
	assert_non_null(strstr(p.text, "kernel: the file shrank to"));
	kernel_close(&kernel);
	unlink("kernel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_entry),         cmocka_unit_test(test_too_little_memory),
		cmocka_unit_test(test_module_too_big),    cmocka_unit_test(test_start_info_too_big),
		cmocka_unit_test(test_segment_in_a_hole), cmocka_unit_test(test_bad_modules),
		cmocka_unit_test(test_file_that_shrinks),
	};

	return cmocka_run_group_tests(tests, pvh_folder_make, pvh_folder_remove);
}
