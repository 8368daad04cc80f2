// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercalls without a page: the bare instruction, Intel's and AMD's.
 *
 * Linux since XSA-466 never asks for a hypercall page; it executes vmcall or vmmcall, whichever
 * fits the CPU. Where KVM would answer the instruction itself, the only way to see it is to put
 * another one in its place, and that must never reach bytes that are not this instruction: the
 * tables of instructions that kernels keep in .rodata (KVM itself has both of these in one), which
 * lies in the executable segment; a table of numbers between two functions; a constant inside
 * another instruction.
 *
 * The foreign vendor's form works on KVM and not on Xen (subject=xen), and is not asked for there.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "vmcall and vmmcall in the text; look-alike bytes untouched";

#define LOOKALIKE     0x00c1010f /* the bytes 0f 01 c1 00 */
#define LOOKALIKE_AMD 0x00d9010f

/* A table of offsets in .text, as a switch or an exception table may be placed. */
__asm__(".text\n"
	"	jmp lookalike_mov\n"
	"	.balign 16\n"
	"lookalike_table:\n"
	"	.long 0x1c0, 0x00c1010f, 0x240, 0x00d9010f, 0x2f8, 0x310\n"
	"	.balign 16\n"
	"lookalike_mov:\n"
	"	mov $0x90c1010f, %eax\n"
	"	ret\n"
	"lookalike_mov_amd:\n"
	"	mov $0x90d9010f, %eax\n"
	"	ret\n");
extern const uint32_t lookalike_table[];
uint32_t lookalike_mov(void);
uint32_t lookalike_mov_amd(void);

static const uint8_t in_rodata[] = {0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, 0x90, 0x0f, 0x01, 0xc1};
static uint8_t in_data[] = {0x0f, 0x01, 0xc1, 0x0f, 0x01, 0xd9, 0x90, 0x0f, 0x01, 0xc1};

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

static void check_table(const uint8_t *table, const char *where)
{
	static const uint8_t pairs[] = {0xf0, 0xfe, 0x3e, 0xf0, 0xfe, 0x26, 0x6f, 0xf0, 0xfe, 0x3e};

	for (unsigned int i = 0; i < sizeof(pairs); i++) { /* complements: they look like nothing */
		uint8_t want = (uint8_t)(pairs[i] ^ 0xff);

		CHECK(byte_of(table, i) == want, "byte %u in %s is %#x", i, where,
		      byte_of(table, i));
	}
}

static void lookalikes(void)
{
	check_table(in_rodata, ".rodata");
	check_table(in_data, ".data");
	CHECK(READ_ONCE(lookalike_table[1]) == LOOKALIKE, "in .text %#x is %#x", LOOKALIKE,
	      lookalike_table[1]);
	CHECK(READ_ONCE(lookalike_table[3]) == LOOKALIKE_AMD, "in .text %#x is %#x", LOOKALIKE_AMD,
	      lookalike_table[3]);
	CHECK(lookalike_mov() == 0x90c1010f, "mov of a constant gives %#x", lookalike_mov());
	CHECK(lookalike_mov_amd() == 0x90d9010f, "mov of a constant gives %#x",
	      lookalike_mov_amd());
}

/* Bit 31 marks a Hyper-V hypercall to KVM, and nothing to Xen. */
static void no_hyperv(void)
{
	const unsigned int nr = 0x80000000U | __HYPERVISOR_xen_version;

	CHECK_EQ(hypercall_by(hypercall_native(), nr, XENVER_version, 0, 0, 0, 0), -XEN_ENOSYS);
}

void test_main(void)
{
	lookalikes();
	both_instructions();
	again_and_again();
	no_hyperv();
	lookalikes();
	test_success();
}
