// SPDX-License-Identifier: BSD-2-Clause
/* Which places are hypercalls, on code written for it: assembled by hand, bytes with their meaning.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/loader/hypercall_patch.h"
#include "host/loader/hypercall_scan.h"
#include "host/loader/test_image.h"

#define PORT 0xe0

/* push %rbx; mov %rdi,%rbx; mov 8(%rbx),%eax; add $1,%eax; mov %eax,8(%rbx); test %eax,%eax;
 * jz +2; xor %ecx,%ecx; pop %rbx; ret -- 22 bytes of ordinary code in either mode */
#define CODE \
	"\x53\x48\x89\xfb\x8b\x43\x08\x83\xc0\x01\x89\x43\x08\x85\xc0\x74\x02\x31\xc9\x5b\xc3\x90"
#define CODE_SIZE 22
#define CODES     4

/* The same for 32 bits: push %ebx; mov 8(%esp),%ebx; mov 4(%ebx),%eax; inc %eax;
 * mov %eax,4(%ebx); dec %ecx; test %eax,%eax; jz +1; inc %edx; pop %ebx; ret */
#define CODE32 \
	"\x53\x8b\x5c\x24\x08\x8b\x43\x04\x40\x89\x43\x04\x49\x85\xc0\x74\x01\x42\x5b\xc3\x90\x90"

struct snippet {
	const char *what;
	const char *bytes;
	unsigned size;
	int at; /* of the hypercall in it, or -1 if nothing may be changed */
};

#define SNIPPET(what, at, bytes)                   \
	{                                          \
		what, bytes, sizeof(bytes) - 1, at \
	}

static const struct snippet snippets[] = {
	SNIPPET("mov $17,%eax; vmcall; ret", 5, "\xb8\x11\0\0\0\x0f\x01\xc1\xc3"),
	SNIPPET("mov $17,%eax; vmmcall; ret", 5, "\xb8\x11\0\0\0\x0f\x01\xd9\xc3"),
	SNIPPET("endbr64; vmmcall; jmp", 4, "\xf3\x0f\x1e\xfa\x0f\x01\xd9\xe9\xe4\x42\x01\x00"),
	SNIPPET("vmcall; hlt; jmp .", 0, "\x0f\x01\xc1\xf4\xeb\xfd"),
	SNIPPET("mov $0xc1010f,%eax", -1, "\xb8\x0f\x01\xc1\x00\x89\xc2"),
	SNIPPET("mov $0xd9010f00,%eax", -1, "\xb8\x00\x0f\x01\xd9\x89\xc2"),
	SNIPPET("movl $0xc1010f,8(%rbx)", -1, "\xc7\x43\x08\x0f\x01\xc1\x00\x89\xc2"),
	SNIPPET("mov 0xc1010f(%rbx),%eax", -1, "\x8b\x83\x0f\x01\xc1\x00\x89\xc2"),
	SNIPPET("mov 0xd9010f(%rip),%rax", -1, "\x48\x8b\x05\x0f\x01\xd9\x00\x89\xc2"),
	SNIPPET("movabs $0x..c1010f..,%rax", -1, "\x48\xb8\x11\x22\x0f\x01\xc1\x33\x44\x55"),
	SNIPPET("call rel32", -1, "\xe8\x0f\x01\xc1\x00\x89\xc2"),
	SNIPPET("jz rel32", -1, "\x0f\x84\x0f\x01\xc1\x00\x89\xc2"),
	SNIPPET("and $15,%eax; add %eax,%ecx", -1, "\x83\xe0\x0f\x01\xc1\x89\xc8"),
	SNIPPET("shr $15,%ecx; add %ebx,%ecx", -1, "\xc1\xe9\x0f\x01\xd9\x89\xc8"),
	SNIPPET("vmgexit (rep vmmcall)", -1, "\x0f\x30\xf3\x0f\x01\xd9\x0f\x32\x89\xc2"),
	SNIPPET("mov 15(%rcx),%eax; add %eax,%ecx", -1, "\x8b\x41\x0f\x01\xc1\x89\xc8"),
};

static struct patch_stats stats;

static unsigned patch(uint8_t *text, size_t size)
{
	stats = (struct patch_stats){0};
	return hypercall_patch(text, size, PORT, &stats);
}

static uint8_t *add(uint8_t *to, const char *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

/* A snippet between ordinary code, before and after. */
static void test_in_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(snippets) / sizeof(snippets[0]); i++) {
		const struct snippet *s = &snippets[i];
		uint8_t text[2 * CODES * CODE_SIZE + 32], want[sizeof(text)];
		uint8_t *at = text;
		size_t start, size;

		for (int n = 0; n < CODES; n++)
			at = add(at, CODE, CODE_SIZE);
		start = at - text;
		at = add(at, s->bytes, s->size);
		for (int n = 0; n < CODES; n++)
			at = add(at, CODE, CODE_SIZE);
		size = at - text;
		memcpy(want, text, size);
		if (s->at >= 0)
			memcpy(want + start + s->at, "\xe5\xe0\x90", 3);
		patch(text, size);
		if (memcmp(text, want, size) != 0)
			fail_msg("%s: %s", s->what, s->at < 0 ? "was changed" : "not patched");
		assert_int_equal(stats.patched, s->at >= 0);
		assert_int_equal(stats.first != NULL, s->at >= 0);
		assert_true(!stats.first || hypercall_is_patched(stats.first, PORT));
		assert_int_equal(stats.rejected, s->at < 0);
	}
}

/* inc %eax (0x40, a prefix in 64-bit code) straight before it. */
static void test_in_32_bit_code(void **state)
{
	uint8_t text[2 * CODES * CODE_SIZE + 4];
	uint8_t *at = text;

	(void)state;
	for (int n = 0; n < CODES; n++)
		at = add(at, CODE32, CODE_SIZE);
	at = add(at, "\x40\x0f\x01\xc1", 4);
	for (int n = 0; n < CODES; n++)
		at = add(at, CODE32, CODE_SIZE);
	assert_int_equal(patch(text, sizeof(text)), 1);
	assert_memory_equal(text + CODES * CODE_SIZE, "\x40\xe5\xe0\x90", 4);
}

/* A range that begins or ends with the instruction, or holds nothing else. */
static void test_at_the_edges(void **state)
{
	uint8_t text[CODES * CODE_SIZE + 3];
	uint8_t *guarded;

	(void)state;
	memcpy(text, "\x0f\x01\xc1", 3);
	for (int n = 0; n < CODES; n++)
		memcpy(text + 3 + n * CODE_SIZE, CODE, CODE_SIZE);
	assert_int_equal(patch(text, sizeof(text)), 1);

	for (int n = 0; n < CODES; n++)
		memcpy(text + n * CODE_SIZE, CODE, CODE_SIZE);
	memcpy(text + CODES * CODE_SIZE, "\x0f\x01\xd9", 3);
	assert_int_equal(patch(text, sizeof(text)), 1);

	/* Exactly as large as they are, so that ASan sees a step outside. */
	for (unsigned before = 0; before < 20; before++) {
		for (unsigned after = 0; after < 20; after++) {
			guarded = malloc(before + 3 + after);
			memset(guarded, 0x90, before + 3 + after);
			memcpy(guarded + before, "\x0f\x01\xc1", 3);
			assert_int_equal(patch(guarded, before + 3 + after), 1);
			assert_memory_equal(guarded + before, "\xe5\xe0\x90", 3);
			free(guarded);
		}
	}
	for (unsigned size = 0; size < 3; size++) {
		guarded = malloc(size ? size : 1);
		memcpy(guarded, "\x0f\x01", size < 2 ? size : 2);
		assert_int_equal(patch(guarded, size), 0);
		assert_int_equal(stats.rejected, 0);
		free(guarded);
	}
}

/* Both forms side by side, as in a table of alternatives for the kernel to choose from. */
static void test_neighbours(void **state)
{
	uint8_t text[] = "\xe9\x16\xec\x9b\xfd\x0f\x01\xc1\x0f\x01\xd9\xe8\xcd\xeb\x5c\xfe";

	(void)state;
	assert_int_equal(patch(text, sizeof(text) - 1), 2);
	assert_memory_equal(text + 5, "\xe5\xe0\x90\xe5\xe0\x90", 6);
	assert_int_equal(patch(text, sizeof(text) - 1), 0);
	assert_int_equal(stats.rejected, 0);
}

/* Replacements of call instructions, as Xen has them: only one way in five reads them right. */
static void test_after_calls(void **state)
{
	uint8_t text[20 * 5 + 6];

	(void)state;
	for (int i = 0; i < 20; i++)
		memcpy(text + 5 * i, "\xe8\xfb\xff\xff\xff", 5);
	memcpy(text + 100, "\x0f\x01\xd9\x0f\x01\xc1", 6);
	assert_int_equal(patch(text, sizeof(text)), 2);
}

/* Data in an executable segment: a table of pairs as in a kernel's .rodata, zeros, and text. */
static void test_data(void **state)
{
	uint8_t table[128], zeros[128] = {0}, ascii[128], words[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(table); i += 4)
		memcpy(table + i, (uint8_t[]){i / 4, 0x01, 0xc1, 0xfd}, 4);
	assert_int_equal(patch(table, sizeof(table)), 0);
	assert_int_equal(stats.rejected, 1);

	memcpy(zeros + 64, "\x0f\x01\xd9", 3);
	assert_int_equal(patch(zeros, sizeof(zeros)), 0);
	assert_int_equal(stats.rejected, 1);

	for (unsigned i = 0; i < sizeof(ascii); i++)
		ascii[i] = "bootparam"[i % 9];
	memcpy(ascii + 64, "\x0f\x01\xc1", 3);
	assert_int_equal(patch(ascii, sizeof(ascii)), 0);
	assert_int_equal(stats.rejected, 1);

	for (unsigned i = 0; i < sizeof(words); i += 4)
		memcpy(words + i, &(uint32_t){i * 3}, 4);
	memcpy(words + 64, "\x0f\x01\xc1\x00", 4);
	assert_int_equal(patch(words, sizeof(words)), 0);
	assert_int_equal(stats.rejected, 1);
}

/* The scan alone, at every offset around the vector loops' steps, against the plain way. */
static void test_scan(void **state)
{
	static const char *const forms[] = {"\x0f\x01\xc1", "\x0f\x01\xd9", "\x0f\x01\xca",
					    "\x0f\x00\xc1", "\x0f\x0f\x01"};

	(void)state;
	for (size_t size = 0; size < 400; size += 7) {
		uint8_t *text = malloc(size + 1);

		for (size_t place = 0; place + 3 <= size; place++) {
			for (int f = 0; f < 5; f++) {
				size_t want = f < 2 ? place : size;

				memset(text, 0x0f, size);
				memcpy(text + place, forms[f], 3);
				assert_int_equal(hypercall_scan(text, size, 0), want);
				assert_int_equal(hypercall_scan(text, size, place), want);
				assert_int_equal(hypercall_scan(text, size, place + 1), size);
			}
		}
		assert_int_equal(hypercall_scan(text, size, size), size);
		free(text);
	}
}

/* Only what a kernel has in executable sections, where pvh_load puts it. */
static void test_kernel(void **state)
{
	const uint64_t exec = SHF_ALLOC | SHF_EXECINSTR;
	static struct test_image image;
	static uint8_t memory[0x4000];
	const struct ram ram = {1, {{0, sizeof(memory), memory}}};
	struct kernel k;
	struct problem p;
	uint64_t data;

	(void)state;
	image_start(&image, true);
	image_load(&image, 0x1000, 0x1000, 0x1000, 0x90, PF_X);
	data = image.size - 0x1000;
	image_load(&image, 0x8000, 0x1000, 0x1000, 0x90, PF_X); /* outside this RAM */
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, data, 0x800, 0, 0, 0, 0});
	image_shdr(&image, (Elf64_Shdr){0, SHT_PROGBITS, exec, 0, data + 0x1000, 16, 0, 0, 0, 0});
	assert_int_equal(kernel_parse(&k, image.bytes, image.size, "k", &p), 0);
	memset(memory, 0x90, sizeof(memory));
	for (size_t at = 0x200; at < sizeof(memory); at += 0x400)
		memcpy(memory + at, "\x0f\x01\xc1", 3);
	stats = (struct patch_stats){0};
	assert_int_equal(kernel_patch_hypercalls(&k, &ram, PORT, &stats), 2);
	assert_int_equal(stats.patched, 2);
	assert_int_equal(memory[0x0e00], 0x0f);
	assert_int_equal(memory[0x1200], 0xe5);
	assert_int_equal(memory[0x1600], 0xe5);
	assert_int_equal(memory[0x1a00], 0x0f);
	kernel_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_code),      cmocka_unit_test(test_in_32_bit_code),
		cmocka_unit_test(test_at_the_edges), cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_after_calls),  cmocka_unit_test(test_data),
		cmocka_unit_test(test_scan),         cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
