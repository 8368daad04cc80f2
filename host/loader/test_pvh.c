// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/test_pvh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct test_image image;
struct kernel kernel;
_Alignas(4096) uint8_t memory[RAM_SIZE];
struct ram ram;
static char folder[] = "/tmp/xenolith-pvh-test-XXXXXX";

static const unsigned module_sizes[MODULES] = {1, 4095, 4096, 4097, 9000, 70000};
const char *const module_names[MODULES] = {"mod0", "mod1", "mod2", "mod3", "mod4", "mod5"};

int pvh_folder_make(void **state)
{
	static uint8_t bytes[70000];

	(void)state;
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	for (int i = 0; i < MODULES; i++) {
		FILE *f = fopen(module_names[i], "w");

		memset(bytes, '0' + i, sizeof(bytes));
		if (!f || fwrite(bytes, module_sizes[i], 1, f) != 1 || fclose(f))
			return -1;
	}
	return fclose(fopen("empty", "w"));
}

int pvh_folder_remove(void **state)
{
	(void)state;
	for (int i = 0; i < MODULES; i++)
		unlink(module_names[i]);
	unlink("empty");
	return chdir("/") || rmdir(folder);
}

void fresh(uint64_t size)
{
	memset(memory, 0, sizeof(memory));
	ram = (struct ram){.count = 1, .blocks = {{0, size, memory}}};
}

void parse(void)
{
	struct problem p = {""};

	if (kernel_parse(&kernel, image.bytes, image.size, "k", &p))
		fail_msg("%s", p.text);
}

void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, size, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}
