// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercalls without a page: the bare instruction, Intel's and AMD's.
 *
 * Linux since XSA-466 never asks for a hypercall page; it executes vmcall or vmmcall, whichever
 * fits the CPU. Where KVM would answer the instruction itself, the only way to see it is to put
 * another one in its place, and that must never reach bytes that are not this instruction: a table
 * that happens to hold 0f 01 c1, a constant inside another instruction. Code and such data lie in
 * one executable segment here, the data between functions as compilers put it.
 *
 * The foreign vendor's form works on KVM and not on Xen; it is not asked for unless it is ours.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "vmcall and vmmcall in the text; look-alike bytes untouched";

/* In .text, not in .rodata: jumped over, never executed. */
__asm__(".text\n"
	"lookalike_table:\n"
	"	.byte 0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, 0x90, 0x0f, 0x01, 0xc1\n"
	"lookalike_mov:\n"
	"	mov $0x90c1010f, %eax\n"
	"	ret\n"
	"lookalike_mov_amd:\n"
	"	mov $0x90d9010f, %eax\n"
	"	ret\n");
extern const uint8_t lookalike_table[];
uint32_t lookalike_mov(void);
uint32_t lookalike_mov_amd(void);

static const uint8_t in_rodata[] = {0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, 0xff, 0x0f, 0x01, 0xc1};
static uint8_t in_data[] = {0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, 0xfe, 0x0f, 0x01, 0xc1};

static long version_by(enum transport t)
{
	return hypercall_by(t, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);
}

static void both_instructions(void)
{
	long version = version_by(BY_PAGE);
	xen_extraversion_t text = "";

	CHECK(version > 0, "by page: %ld", version);
	if (hypercall_native() == BY_VMCALL || !strstr(start_info_cmdline(), "subject=xen"))
		CHECK_EQ(version_by(BY_VMCALL), version);
	if (hypercall_native() == BY_VMMCALL || !strstr(start_info_cmdline(), "subject=xen"))
		CHECK_EQ(version_by(BY_VMMCALL), version);
	CHECK_EQ(hypercall_by(hypercall_native(), __HYPERVISOR_xen_version, XENVER_extraversion,
			      (unsigned long)text, 0, 0, 0),
		 0);
	CHECK(text[0], "extraversion by instruction has written nothing");
}

/* A loop at full speed through one instruction: patched once or trapped each time, same answer. */
static void again_and_again(void)
{
	long version = version_by(BY_PAGE);
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 100; i++)
		wrong += version_by(hypercall_native()) != version;
	CHECK(!wrong, "%u of 100 wrong", wrong);
}

/* The compiler must not know what is in the tables. */
static uint8_t byte_of(const uint8_t *table, unsigned int i)
{
	return *(const volatile uint8_t *)(table + i);
}

static void check_table(const uint8_t *table, uint8_t middle, const char *where)
{
	const uint8_t want[] = {0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, middle, 0x0f, 0x01, 0xc1};

	for (unsigned int i = 0; i < sizeof(want); i++)
		CHECK(byte_of(table, i) == want[i], "byte %u in %s is %#x", i, where,
		      byte_of(table, i));
}

static void lookalikes(void)
{
	check_table(lookalike_table, 0x90, "the table in .text");
	check_table(in_rodata, 0xff, ".rodata");
	check_table(in_data, 0xfe, ".data");
	CHECK(lookalike_mov() == 0x90c1010f, "mov of a constant gives %#x", lookalike_mov());
	CHECK(lookalike_mov_amd() == 0x90d9010f, "mov of a constant gives %#x",
	      lookalike_mov_amd());
}

void test_main(void)
{
	lookalikes();
	both_instructions();
	again_and_again();
	lookalikes();
	test_success();
}
