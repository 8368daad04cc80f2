// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/test_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRESENT 0x01u
#define USER    0x04u

struct test_image image;
struct kernel kernel;
struct ram ram;
uint64_t m2p[MFNS], pages;
struct pv_start start;
struct start_info info;

static uint8_t *memory;
static char folder[] = "/tmp/xenolith-pv-test-XXXXXX";

int guest_setup(void **state)
{
	(void)state;
	memory = malloc(RAM_MAX);
	return !memory || !mkdtemp(folder) || chdir(folder) ? -1 : 0;
}

int guest_teardown(void **state)
{
	(void)state;
	free(memory);
	unlink(RAMDISK);
	return chdir("/") || rmdir(folder);
}

void fresh(uint64_t low, uint64_t size)
{
	memset(memory, 0, RAM_MAX);
	memset(m2p, 0, sizeof(m2p));
	ram = (struct ram){2, {{0, low, memory}, {HIGH_GPA, size - low, memory + low}}};
	pages = size / 4096;
}

void write_ramdisk(size_t size)
{
	FILE *f = fopen(RAMDISK, "w");

	for (size_t i = 0; i < size; i++)
		fputc('a' + i % 23, f);
	assert_int_equal(fclose(f), 0);
}

int try_load(const struct pv_args *more, struct problem *p)
{
	struct pv_args args = *more;

	args.m2p = m2p;
	args.m2p_entries = MFNS;
	return pv_load(&kernel, &ram, &args, &start, p);
}

void finish_image(uint64_t notes)
{
	struct problem p = {""};

	image_notes(&image, notes);
	if (kernel_parse(&kernel, image.bytes, image.size, "k", &p))
		fail_msg("%s", p.text);
}

/*
 * The guest's eyes.
 */

static uint64_t *table_at(uint64_t mfn)
{
	uint64_t *table = ram_at(&ram, mfn << 12, 4096);

	assert_non_null(table);
	return table;
}

/* The entry that maps an address, 0 if there is none; the flags that all levels above have. */
uint64_t walk(uint64_t va)
{
	uint64_t mfn = start.base_mfn;

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t entry = table_at(mfn)[va >> shift & 511];

		if (!(entry & PRESENT) || shift == 12)
			return entry;
		assert_int_equal(entry & ~FRAME, 0x67); /* P, RW, US, A, D */
		mfn = (entry & FRAME) >> 12;
	}
}

void *at(uint64_t va)
{
	uint64_t entry = walk(va);

	assert_int_equal(entry & (PRESENT | USER), PRESENT | USER);
	return (uint8_t *)table_at((entry & FRAME) >> 12) + va % 4096;
}

static uint64_t mapped_below(uint64_t mfn, unsigned level)
{
	const uint64_t *table = table_at(mfn);
	uint64_t sum = 0;

	for (unsigned i = 0; i < 512; i++)
		if (table[i] & PRESENT)
			sum += level ? mapped_below((table[i] & FRAME) >> 12, level - 1) : 1;
	return sum;
}

uint64_t mapped_pages(void)
{
	return mapped_below(start.base_mfn, 3);
}

/* RAM frame number n is where docs/pv.md says. */
uint64_t mfn_of(uint64_t pfn)
{
	uint64_t n = (pfn + 256) % pages, low = ram.blocks[0].size >> 12;

	return n < low ? n : (HIGH_GPA >> 12) + n - low;
}

void *page_of(uint64_t pfn)
{
	return table_at(mfn_of(pfn));
}

/* Initial pages at virt_base up to a multiple of 4 MiB; all but the tables may be written. */
static uint64_t check_region(uint64_t base)
{
	uint64_t tables = (info.pt_base - base) >> 12, pfn = 0;

	for (; walk(base + pfn * 4096) & PRESENT; pfn++) {
		uint64_t entry = walk(base + pfn * 4096);
		bool is_table = pfn >= tables && pfn < tables + info.nr_pt_frames;

		assert_int_equal(entry & FRAME, mfn_of(pfn) << 12);
		assert_int_equal(entry & ~FRAME, is_table ? 0x25 : 0x27);
	}
	assert_int_equal((base + pfn * 4096) % (4 << 20), 0);
	return pfn;
}

static void check_p2m(void)
{
	for (uint64_t pfn = 0; pfn < pages; pfn++) {
		const uint64_t *entry = at(info.mfn_list + pfn * 8);

		assert_int_equal(*entry, mfn_of(pfn));
		assert_int_equal(m2p[*entry], pfn);
	}
	for (uint64_t pfn = pages; pfn % 512; pfn++)
		assert_int_equal(*(uint64_t *)at(info.mfn_list + pfn * 8), 0);
}

/* The kernel of image_pv_kernel, but for its hypercall page. */
static void check_kernel(uint64_t base)
{
	for (uint64_t i = 0; i < 0x5800; i++) {
		uint8_t want = i >= 0x1000 && i < 0x2000   ? 0x90
			       : i >= 0x4000 && i < 0x4800 ? 0xda
							   : 0;

		if (i / 4096 != 2)
			assert_int_equal(*(uint8_t *)at(base + i), want);
	}
	assert_memory_equal(at(base + 0x2000 + 32),
			    "\x51\x41\x53\xb8\1\0\0\0\x0f\x05\x41\x5b\x59\xc3", 14);
}

static bool is_zero(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	return !*b && memcmp(b, b + 1, size - 1) == 0;
}

/* What is so in any guest; the layout's own figures are the tests'. */
void load(const struct pv_args *args, uint64_t base)
{
	uint64_t region, stack;
	struct problem p = {""};

	if (try_load(args, &p))
		fail_msg("%s", p.text);
	memcpy(&info, at(start.rsi), sizeof(info));
	assert_string_equal(info.magic, "xen-3.0-x86_64");
	assert_int_equal(info.nr_pages, pages);
	assert_int_equal(info.shared_info, args->shared_info);
	assert_ptr_equal(start.info, at(start.rsi));
	assert_int_equal(info.store_evtchn, 0);
	assert_int_equal(info.console.domU.evtchn, 0);
	assert_int_equal(info.store_mfn, start.store_mfn);
	assert_int_equal(info.console.domU.mfn, start.console_mfn);
	assert_int_equal(walk(info.pt_base) & FRAME, start.base_mfn << 12);
	assert_true(start.rip == base + 0x1010);
	assert_int_equal(start.rsi % 4096, 0);

	/* One behind the other: start_info, store, console, tables, stack, padding. */
	assert_int_equal(walk(start.rsi + 4096) & FRAME, start.store_mfn << 12);
	assert_int_equal(walk(start.rsi + 8192) & FRAME, start.console_mfn << 12);
	assert_true(info.pt_base == start.rsi + 3 * 4096);
	assert_true(start.rsp == info.pt_base + (info.nr_pt_frames + 1) * 4096);
	region = check_region(base);
	stack = (start.rsp - base) >> 12;
	assert_true(region - stack >= 128);
	check_p2m();
	check_kernel(base);
	for (unsigned i = 256; i < 272; i++)
		assert_int_equal(table_at(start.base_mfn)[i], 0);
	for (uint64_t pfn = start.free_pfn; pfn < pages; pfn++)
		assert_true(is_zero(page_of(pfn), 4096));
}

void assert_refused(const struct pv_args *args, const char *why)
{
	struct problem p = {""};

	assert_int_equal(try_load(args, &p), -1);
	if (!strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
	assert_true(is_zero(memory, RAM_MAX));
	assert_true(is_zero(m2p, sizeof(m2p)));
}
