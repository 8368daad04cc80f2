// SPDX-License-Identifier: BSD-2-Clause
/* The hypercall page: every stub is decoded, and the ring 3 branch of the port's stubs is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>
#include <cmocka.h>

#include "shim/hypercall.h"
#include "xen-abi/xen.h"

#define STUB  32
#define STUBS (GUEST_PAGE_SIZE / STUB)
#define PORT  0xa8

static const struct hypercall_stub stubs[] = {
	{.long_mode = true, .amd = false, .port = -1},
	{.long_mode = true, .amd = true, .port = -1},
	{.long_mode = false, .amd = false, .port = -1},
	{.long_mode = false, .amd = true, .port = -1},
	{.long_mode = true, .port = PORT},
	{.long_mode = false, .port = PORT},
};
#define FOR_EACH_STUB(s) \
	for (const struct hypercall_stub *s = stubs; s < stubs + ARRAY_SIZE(stubs); s++)

/* One stub as instructions, up to and with the last `ret` or an invalid opcode. */
struct decoded {
	ZydisDecodedInstruction insn[16];
	ZydisDecodedOperand operand[16][ZYDIS_MAX_OPERAND_COUNT];
	size_t offset[16];
	unsigned count;
};

static void decode(const uint8_t *code, bool long_mode, struct decoded *d)
{
	ZydisDecoder decoder;
	size_t at = 0;

	if (long_mode)
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	for (d->count = 0; d->count < ARRAY_SIZE(d->insn) && at < STUB; d->count++) {
		ZydisDecodedInstruction *i = &d->insn[d->count];

		if (code[at] == 0xcc) /* the filling */
			return;
		assert_true(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + at, STUB - at, i,
								d->operand[d->count])));
		d->offset[d->count] = at;
		at += i->length;
	}
}

static void fill(uint8_t *page, const struct hypercall_stub *s)
{
	memset(page, 0x5a, GUEST_PAGE_SIZE);
	hypercall_page_fill(page, s);
}

static void assert_register(const ZydisDecodedOperand *o, ZydisRegister narrow)
{
	assert_int_equal(o->type, ZYDIS_OPERAND_TYPE_REGISTER);
	assert_int_equal(o->reg.value, narrow);
}

/* mov $nr, %eax; vmcall or vmmcall; ret */
static void check_direct(const struct decoded *d, const struct hypercall_stub *s, unsigned nr)
{
	assert_int_equal(d->count, 3);
	assert_int_equal(d->insn[0].mnemonic, ZYDIS_MNEMONIC_MOV);
	assert_register(&d->operand[0][0], ZYDIS_REGISTER_EAX);
	assert_int_equal(d->operand[0][1].imm.value.u, nr);
	assert_int_equal(d->insn[1].mnemonic,
			 s->amd ? ZYDIS_MNEMONIC_VMMCALL : ZYDIS_MNEMONIC_VMCALL);
	assert_int_equal(d->insn[2].mnemonic, ZYDIS_MNEMONIC_RET);
}

static void assert_jump(const struct decoded *d, unsigned from, unsigned to)
{
	assert_int_equal(d->insn[from].mnemonic, ZYDIS_MNEMONIC_JNZ);
	assert_int_equal(d->offset[from] + d->insn[from].length + d->operand[from][0].imm.value.s,
			 d->offset[to]);
}

static void assert_loads(const struct decoded *d, unsigned i, ZydisRegister reg, unsigned value)
{
	assert_int_equal(d->insn[i].mnemonic, ZYDIS_MNEMONIC_MOV);
	assert_register(&d->operand[i][0], reg);
	assert_int_equal((uint32_t)d->operand[i][1].imm.value.u, value);
}

static void assert_reads_port(const struct decoded *d, unsigned i)
{
	assert_int_equal(d->insn[i].mnemonic, ZYDIS_MNEMONIC_IN);
	assert_register(&d->operand[i][0], ZYDIS_REGISTER_EAX);
	assert_int_equal(d->operand[i][1].imm.value.u, PORT);
}

static void assert_tests_ring(const struct decoded *d, unsigned i, ZydisRegister wide,
			      ZydisRegister low)
{
	assert_int_equal(d->insn[i].mnemonic, ZYDIS_MNEMONIC_MOV);
	assert_register(&d->operand[i][0], wide);
	assert_register(&d->operand[i][1], ZYDIS_REGISTER_CS);
	assert_int_equal(d->insn[i + 1].mnemonic, ZYDIS_MNEMONIC_TEST);
	assert_register(&d->operand[i + 1][0], low);
	assert_int_equal(d->operand[i + 1][1].imm.value.u, 3);
}

/* mov %cs, %eax; test $3, %al; jnz 1f; mov $nr, %eax; in $port, %eax; ret; 1: mov $-1, %eax; ret */
static void check_port_32(const struct decoded *d, unsigned nr)
{
	assert_int_equal(d->count, 8);
	assert_tests_ring(d, 0, ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_AL);
	assert_jump(d, 2, 6);
	assert_loads(d, 3, ZYDIS_REGISTER_EAX, nr);
	assert_reads_port(d, 4);
	assert_int_equal(d->insn[5].mnemonic, ZYDIS_MNEMONIC_RET);
	assert_loads(d, 6, ZYDIS_REGISTER_EAX, -XEN_EPERM);
	assert_int_equal(d->insn[7].mnemonic, ZYDIS_MNEMONIC_RET);
}

/*
 * push %rbx; mov %cs, %ebx; test $3, %bl; jnz 1f; mov $nr, %eax; mov %cr3, %rbx; in $port, %eax;
 * pop %rbx; cltq; ret; 1: or $-1, %rax; pop %rbx; ret
 */
static void check_port_64(const struct decoded *d, unsigned nr)
{
	assert_int_equal(d->count, 13);
	assert_int_equal(d->insn[0].mnemonic, ZYDIS_MNEMONIC_PUSH);
	assert_register(&d->operand[0][0], ZYDIS_REGISTER_RBX);
	assert_tests_ring(d, 1, ZYDIS_REGISTER_EBX, ZYDIS_REGISTER_BL);
	assert_jump(d, 3, 10);
	assert_loads(d, 4, ZYDIS_REGISTER_EAX, nr);
	assert_int_equal(d->insn[5].mnemonic, ZYDIS_MNEMONIC_MOV);
	assert_register(&d->operand[5][0], ZYDIS_REGISTER_RBX);
	assert_register(&d->operand[5][1], ZYDIS_REGISTER_CR3);
	assert_reads_port(d, 6);
	assert_int_equal(d->insn[7].mnemonic, ZYDIS_MNEMONIC_POP);
	assert_register(&d->operand[7][0], ZYDIS_REGISTER_RBX);
	assert_int_equal(d->insn[8].mnemonic, ZYDIS_MNEMONIC_CDQE);
	assert_int_equal(d->insn[9].mnemonic, ZYDIS_MNEMONIC_RET);
	assert_int_equal(d->insn[10].mnemonic, ZYDIS_MNEMONIC_OR);
	assert_register(&d->operand[10][0], ZYDIS_REGISTER_RAX);
	assert_int_equal(d->operand[10][1].imm.value.s, -XEN_EPERM);
	assert_int_equal(d->insn[11].mnemonic, ZYDIS_MNEMONIC_POP);
	assert_register(&d->operand[11][0], ZYDIS_REGISTER_RBX);
	assert_int_equal(d->insn[12].mnemonic, ZYDIS_MNEMONIC_RET);
}

static void every_stub(void **state)
{
	uint8_t page[GUEST_PAGE_SIZE];
	struct decoded d = {0};

	(void)state;
	FOR_EACH_STUB(s)
	{
		fill(page, s);
		for (unsigned nr = 0; nr < STUBS; nr++) {
			if (nr == __HYPERVISOR_iret)
				continue;
			decode(page + nr * STUB, s->long_mode, &d);
			if (s->port < 0)
				check_direct(&d, s, nr);
			else if (s->long_mode)
				check_port_64(&d, nr);
			else
				check_port_32(&d, nr);
		}
	}
}

static void iret_is_an_invalid_opcode(void **state)
{
	static const uint8_t expected[3] = {0x0f, 0x0b, 0xcc};
	uint8_t page[GUEST_PAGE_SIZE];

	(void)state;
	FOR_EACH_STUB(s)
	{
		fill(page, s);
		assert_memory_equal(page + __HYPERVISOR_iret * STUB, expected, sizeof(expected));
	}
}

/* What is behind a stub traps, and nothing of the page's old contents is left. */
static void the_rest_traps(void **state)
{
	uint8_t page[GUEST_PAGE_SIZE];

	(void)state;
	FOR_EACH_STUB(s)
	{
		unsigned used = s->port < 0 ? 9 : s->long_mode ? 28 : 20;

		fill(page, s);
		for (unsigned nr = 0; nr < STUBS; nr++)
			for (unsigned i = nr == __HYPERVISOR_iret ? 2 : used; i < STUB; i++)
				assert_int_equal(page[nr * STUB + i], 0xcc);
	}
}

/* This test runs in ring 3 of a 64-bit processor: there the stub must answer by itself. */
static void ring_3_is_told_so(void **state)
{
	const struct hypercall_stub s = {.long_mode = true, .port = PORT};
	void *page = mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	hypercall_page_fill(page, &s);
	assert_int_equal(mprotect(page, GUEST_PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
	for (unsigned nr = 0; nr < STUBS; nr++) {
		register uint64_t r10 __asm__("r10") = 0x1010, r8 __asm__("r8") = 0x88;
		uint64_t rdi = 1, rsi = 2, rdx = 3, rcx = 4, rax = 5;

		if (nr == __HYPERVISOR_iret)
			continue;
		__asm__ volatile("call *%[stub]"
				 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+c"(rcx), "+r"(r10),
				   "+r"(r8)
				 : [stub] "b"((uint8_t *)page + nr * STUB)
				 : "r9", "r11", "memory", "cc");
		assert_int_equal(rax, -XEN_EPERM);
		assert_int_equal(rdi, 1);
		assert_int_equal(rsi, 2);
		assert_int_equal(rdx, 3);
		assert_int_equal(rcx, 4);
		assert_int_equal(r10, 0x1010);
		assert_int_equal(r8, 0x88);
	}
	munmap(page, GUEST_PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stub),
		cmocka_unit_test(iret_is_an_invalid_opcode),
		cmocka_unit_test(the_rest_traps),
		cmocka_unit_test(ring_3_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
