// SPDX-License-Identifier: BSD-2-Clause
/* Pseudo-physical memory over RAM with holes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/loader/pv_memory.h"

#define ENTRIES 0x3000

static uint8_t *pages;

/* Three blocks with holes between: 0x180 + 0x40 + 0x210 = 0x3d0 frames. */
static const struct ram_block blocks[] = {
	{.gpa = 0x10000, .size = 0x180000},
	{.gpa = 0x400000, .size = 0x40000},
	{.gpa = 0x2000000, .size = 0x210000},
};

static struct ram ram_of(unsigned count)
{
	struct ram ram = {.count = count};
	uint8_t *hva = pages;

	for (unsigned i = 0; i < count; i++) {
		ram.blocks[i] = blocks[i];
		ram.blocks[i].hva = hva;
		hva += blocks[i].size;
	}
	return ram;
}

/* RAM frame number i is this machine frame: the slow way. */
static uint64_t frame_of(const struct ram *ram, uint64_t i)
{
	for (unsigned b = 0; b < ram->count; b++) {
		uint64_t frames = ram->blocks[b].size >> 12;

		if (i < frames)
			return (ram->blocks[b].gpa >> 12) + i;
		i -= frames;
	}
	fail();
	return 0;
}

static void test_every_frame(void **state)
{
	static uint64_t m2p[ENTRIES];

	(void)state;
	for (unsigned count = 1; count <= 3; count++) {
		struct ram ram = ram_of(count);
		struct pv_memory m;
		struct problem p;
		uint64_t seen = 0;

		assert_int_equal(pv_memory_init(&m, &ram, &p), 0);
		assert_true(pv_memory_max_mfn(&m) <= ENTRIES);
		pv_memory_fill_m2p(&m, m2p, ENTRIES);
		for (uint64_t pfn = 0; pfn < m.pages; pfn++) {
			uint64_t mfn = frame_of(&ram, (pfn + 256) % m.pages);

			assert_int_equal(pv_memory_mfn(&m, pfn), mfn);
			assert_int_equal(m2p[mfn], pfn);
			assert_ptr_equal(pv_memory_page(&m, pfn), ram_at(&ram, mfn << 12, 4096));
		}
		for (uint64_t mfn = 0; mfn < ENTRIES; mfn++)
			seen += m2p[mfn] != UINT64_MAX;
		assert_int_equal(seen, m.pages);
	}
}

static void test_max_mfn(void **state)
{
	struct pv_memory m;
	struct problem p;
	struct ram ram = ram_of(3);

	(void)state;
	assert_int_equal(pv_memory_init(&m, &ram, &p), 0);
	assert_int_equal(pv_memory_max_mfn(&m), 0x2210);
}

/* With fewer frames than the shift, it is still modulo their number. */
static void test_small(void **state)
{
	const struct ram ram = {1, {{0, 100 * 4096, pages}}};
	struct pv_memory m;
	struct problem p;

	(void)state;
	assert_int_equal(pv_memory_init(&m, &ram, &p), 0);
	assert_int_equal(pv_memory_mfn(&m, 0), 56);
	assert_int_equal(pv_memory_mfn(&m, 43), 99);
	assert_int_equal(pv_memory_mfn(&m, 44), 0);
	assert_int_equal(pv_memory_mfn(&m, 99), 55);
}

/* Bytes written across each edge of a run are read back page by page. */
static void test_write_across(void **state)
{
	struct ram ram = ram_of(3);
	struct pv_memory m;
	struct problem p;

	(void)state;
	assert_int_equal(pv_memory_init(&m, &ram, &p), 0);
	for (unsigned i = 1; i < m.count; i++) {
		uint64_t at = m.runs[i].pfn * 4096 - 3, size = 6;
		uint8_t *low = pv_memory_page(&m, m.runs[i].pfn - 1);
		uint8_t *high = pv_memory_page(&m, m.runs[i].pfn);

		pv_memory_write(&m, at, "abcdef", 6);
		assert_memory_equal(low + 4093, "abc", 3);
		assert_memory_equal(high, "def", 3);
		assert_ptr_equal(pv_memory_at(&m, at, &size), low + 4093);
		assert_int_equal(size, 3);
		size = 2;
		pv_memory_at(&m, at, &size);
		assert_int_equal(size, 2);
	}
}

static void test_bad_ram(void **state)
{
	const struct ram odd[] = {
		{1, {{0, 4097, pages}}}, {1, {{1, 4096, pages}}}, {1, {{0, 0, pages}}}, {0}};

	(void)state;
	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct problem p = {""};
		struct pv_memory m;

		assert_int_equal(pv_memory_init(&m, &odd[i], &p), -1);
		assert_non_null(strstr(p.text, "--memory"));
	}
}

static int setup(void **state)
{
	(void)state;
	pages = calloc(0x3d0, 4096);
	return pages ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(pages);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_frame), cmocka_unit_test(test_max_mfn),
		cmocka_unit_test(test_small),       cmocka_unit_test(test_write_across),
		cmocka_unit_test(test_bad_ram),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
