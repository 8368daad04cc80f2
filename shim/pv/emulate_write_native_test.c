// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes to page tables. Instructions that a CPU runs in any memory are run on this one, too, with
 * the same registers, bytes and addresses: what it makes of them is what the emulator has to.
 * Those that are not so ordinary are in emulate_write_test.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "shim/pv/decode.h"
#include "shim/pv/emulate.h"
#include "shim/pv/fake_cpu_test.h"

/* The same addresses for the fake's pages and for real ones. */
#define CODE_AT 0x200000000000ull
#define DATA_AT 0x200000010000ull
#define READ_AT 0x200000020000ull

#define EFLAGS_COMPARED (RFLAGS_ARITHMETIC | RFLAGS_DF)

static struct native {
	struct pv_regs regs; /* general ones and rflags, before and after */
	void *entry;
	uint64_t rsp, rdi;
} native __asm__("native") __attribute__((used));

void native_run(void);
extern const char native_return[];

/* Offsets of struct pv_regs: 15 registers in its order, rflags at 144. */
__asm__(".text\n"
	"native_run:\n"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"lea native(%rip), %rdi\n"
	"pushq 144(%rdi); popfq\n"
	"mov 0(%rdi), %r15; mov 8(%rdi), %r14; mov 16(%rdi), %r13; mov 24(%rdi), %r12\n"
	"mov 32(%rdi), %rbp; mov 40(%rdi), %rbx; mov 48(%rdi), %r11; mov 56(%rdi), %r10\n"
	"mov 64(%rdi), %r9; mov 72(%rdi), %r8; mov 80(%rdi), %rax; mov 88(%rdi), %rcx\n"
	"mov 96(%rdi), %rdx; mov 104(%rdi), %rsi; mov 112(%rdi), %rdi\n"
	"jmp *200+native(%rip)\n"
	"native_return:\n"
	"mov %rdi, 216+native(%rip)\n"
	"lea native(%rip), %rdi\n"
	"mov %r15, 0(%rdi); mov %r14, 8(%rdi); mov %r13, 16(%rdi); mov %r12, 24(%rdi)\n"
	"mov %rbp, 32(%rdi); mov %rbx, 40(%rdi); mov %r11, 48(%rdi); mov %r10, 56(%rdi)\n"
	"mov %r9, 64(%rdi); mov %r8, 72(%rdi); mov %rax, 80(%rdi); mov %rcx, 88(%rdi)\n"
	"mov %rdx, 96(%rdi); mov %rsi, 104(%rdi)\n"
	"pushfq; popq 144(%rdi)\n"
	"cld\n"
	"mov 216(%rdi), %rax; mov %rax, 112(%rdi)\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n");

_Static_assert(offsetof(struct native, entry) == 200, "as in the assembly");
_Static_assert(offsetof(struct native, rdi) == 216, "as in the assembly");

static void *real(uint64_t at)
{
	void *p = mmap((void *)(uintptr_t)at, PV_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == (void *)(uintptr_t)at ? p : NULL;
}

static int pages(void **state)
{
	(void)state;
	return real(CODE_AT) && real(DATA_AT) && real(READ_AT) ? 0 : -1;
}

/* The bytes, and a jump back, at the end of the code's page so that nothing behind it is read. */
static void on_the_cpu(const uint8_t *bytes, unsigned count, const struct pv_regs *r)
{
	uint8_t *code_page = (uint8_t *)(uintptr_t)CODE_AT;
	const uint64_t back = (uintptr_t)native_return;

	memcpy(code_page, bytes, count);
	memcpy(code_page + count, "\xff\x25\0\0\0\0", 6);
	memcpy(code_page + count + 6, &back, 8);
	native.regs = *r;
	native.entry = code_page;
	native_run();
}

static uint64_t seed = 88172645463325252ull;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Often one at an edge. */
static uint64_t any_value(void)
{
	static const uint64_t edges[] = {0,          1,      ~0ull,      0x80,       0x7f,
					 0x8000,     0x7fff, 0x80000000, 0x7fffffff, 1ull << 63,
					 ~0ull >> 1, 0xff,   0xffffffff};

	return any() & 1 ? any() : edges[any() % (sizeof(edges) / sizeof(edges[0]))];
}

static void any_registers(struct pv_regs *r)
{
	for (unsigned n = 0; n < 16; n++)
		if (n != GPR_SP)
			*pv_gpr(r, n) = any_value();
	r->rflags = 0x202 | (any() & RFLAGS_ARITHMETIC);
}

struct insn {
	uint8_t bytes[24];
	unsigned count;
	unsigned operand;   /* bytes of the memory operand, for its alignment */
	uint64_t undefined; /* flags */
	bool string;
};

static void put(struct insn *i, uint8_t byte)
{
	i->bytes[i->count++] = byte;
}

static void put_number(struct insn *i, uint64_t value, unsigned bytes)
{
	for (unsigned n = 0; n < bytes; n++)
		put(i, value >> n * 8);
}

/* Legacy prefixes, then REX with these bits, then the opcode. */
static void put_opcode(struct insn *i, unsigned width, bool lock, unsigned rex, unsigned opcode)
{
	if (lock)
		put(i, 0xf0);
	if (width == 2)
		put(i, 0x66);
	if (width == 8)
		rex |= 0x48;
	if (rex || any() & 1)
		put(i, 0x40 | rex);
	if (opcode & PV_0F)
		put(i, 0x0f);
	put(i, opcode);
}

/* ModRM for a memory operand at `at`, in one of its forms; `after`: bytes of an immediate. REX's B
 * and X are 0, so bases are the first eight. */
static void put_memory(struct insn *i, struct pv_regs *r, unsigned reg, uint64_t at, unsigned after)
{
	static const uint8_t bases[] = {GPR_DX, GPR_BX, GPR_BP, GPR_SI, GPR_DI};
	unsigned base = bases[any() % 5], index = bases[any() % 5];
	int32_t disp = any();

	reg = (reg & 7) << 3;
	switch (any() % 5) {
	case 0: /* (base) or disp8(base) */
		*pv_gpr(r, base) = at - (int8_t)disp;
		put(i, 0x40 | reg | base);
		put(i, disp);
		break;
	case 1: /* disp32(base) */
		*pv_gpr(r, base) = at - disp;
		put(i, 0x80 | reg | base);
		put_number(i, disp, 4);
		break;
	case 2: /* disp32(base, index, 4), the two not the same */
		if (index == base)
			index = GPR_SP; /* none */
		else
			*pv_gpr(r, index) = any();
		*pv_gpr(r, base) = at - disp - (index == GPR_SP ? 0 : *pv_gpr(r, index) << 2);
		put(i, 0x84 | reg);
		put(i, 0x80 | index << 3 | base);
		put_number(i, disp, 4);
		break;
	case 3: /* disp32(%rip) */
		put(i, 0x05 | reg);
		put_number(i, at - (CODE_AT + i->count + 4 + after), 4);
		break;
	case 4: /* disp32(, index, 8) */
		*pv_gpr(r, index) = (at - disp) >> 3;
		disp = at - (*pv_gpr(r, index) << 3);
		put(i, 0x04 | reg);
		put(i, 0xc5 | index << 3);
		put_number(i, disp, 4);
		break;
	}
}

static unsigned any_width(unsigned opcode)
{
	static const uint8_t widths[] = {2, 4, 8};

	return opcode & 1 ? widths[any() % 3] : 1;
}

/* rm is never read after this: what holds the address may be the register operand, too. */
static void operand_insn(struct insn *i, struct pv_regs *r, unsigned opcode, bool lockable,
			 unsigned group, unsigned immediate)
{
	bool reg_operand = group > 7;
	unsigned reg = reg_operand ? any() % 16 : group;
	uint64_t at;

	if (reg_operand && reg == GPR_SP)
		reg = GPR_CX;
	i->operand = any_width(opcode);
	if (i->operand == 1 && reg_operand)
		reg = 8 + (reg & 3); /* with REX: no high bytes, which are tested elsewhere */
	if (immediate == 4 && i->operand == 2)
		immediate = 2;
	at = DATA_AT + (any() & 0xff8 & -(uint64_t)i->operand);
	put_opcode(i, i->operand, lockable && any() & 1, reg_operand && reg > 7 ? 0x44 : 0, opcode);
	put_memory(i, r, reg, at, immediate);
	put_number(i, any_value(), immediate);
}

static void string_insn(struct insn *i, struct pv_regs *r, unsigned opcode)
{
	i->operand = any_width(opcode);
	i->string = true;
	r->rdi = DATA_AT + (any() & 0xff8);
	r->rsi = READ_AT + (any() & 0xff0);
	if (any() & 1)
		r->rflags |= RFLAGS_DF;
	put_opcode(i, i->operand, false, 0, opcode);
}

static void bit_insn(struct insn *i, struct pv_regs *r)
{
	static const uint16_t opcodes[] = {PV_0F | 0xab, PV_0F | 0xb3, PV_0F | 0xbb};
	int64_t bit = (int64_t)(any() % 1024) - 512;
	uint64_t at = DATA_AT + 0x800;

	i->undefined = RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF;
	i->operand = any_width(1);
	put_opcode(i, i->operand, any() & 1, 0, opcodes[any() % 3]);
	put_memory(i, r, GPR_CX, at, 0);
	r->rcx = (r->rcx & ~pv_low_bytes(~0ull, i->operand)) | pv_low_bytes(bit, i->operand);
}

static void any_insn(struct insn *i, struct pv_regs *r)
{
	static const uint8_t groups[] = {0x80, 0x81, 0x83};
	unsigned n = any() % 16, op = any() % 7, width = any() & 1, opcode;

	memset(i, 0, sizeof(*i));
	if (n < 3 && (op == 1 || op == 4 || op == 6))
		i->undefined = RFLAGS_AF;
	switch (n) {
	case 0:
	case 1:
		operand_insn(i, r, op << 3 | width, true, 8, 0);
		break;
	case 2:
		opcode = groups[any() % 3];
		operand_insn(i, r, opcode, true, op, opcode == 0x81 ? 4 : 1);
		break;
	case 3:
		operand_insn(i, r, 0x86 | width, true, 8, 0);
		break;
	case 4:
		operand_insn(i, r, 0x88 | width, false, 8, 0);
		break;
	case 5:
		operand_insn(i, r, 0xc6 | width, false, 0, width ? 4 : 1);
		break;
	case 6:
		operand_insn(i, r, 0xf6 | width, true, 2 + (any() & 1), 0);
		break;
	case 7:
		operand_insn(i, r, 0xfe | width, true, any() & 1, 0);
		break;
	case 8:
	case 9:
		operand_insn(i, r, PV_0F | 0xb0 | width, true, 8, 0);
		break;
	case 10:
		operand_insn(i, r, PV_0F | 0xc0 | width, true, 8, 0);
		break;
	case 11:
		i->operand = 8;
		put_opcode(i, 4, any() & 1, 0, PV_0F | 0xc7);
		put_memory(i, r, 1, DATA_AT + (any() & 0xff8), 0);
		break;
	case 12:
		i->undefined = RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF;
		operand_insn(i, r, PV_0F | 0xba | 1, true, 5 + any() % 3, 1);
		/* The opcode is even, but its operands are not bytes. */
		for (unsigned b = 0; b < 5; b++) {
			if (i->bytes[b] == 0x0f && i->bytes[b + 1] == 0xbb) {
				i->bytes[b + 1] = 0xba;
				break;
			}
		}
		break;
	case 13:
		bit_insn(i, r);
		break;
	case 14:
		string_insn(i, r, 0xaa | width);
		break;
	case 15:
		string_insn(i, r, 0xa4 | width);
		break;
	}
}

static void memory(struct fake_cpu *f)
{
	uint64_t *table = (void *)fake_cpu_at(f, DATA_AT),
		 *source = (void *)fake_cpu_at(f, READ_AT);

	for (unsigned n = 0; n < 512; n++) {
		table[n] = any_value();
		source[n] = any_value();
	}
	memcpy((void *)(uintptr_t)DATA_AT, table, PV_PAGE_SIZE);
	memcpy((void *)(uintptr_t)READ_AT, source, PV_PAGE_SIZE);
}

/* A compare that succeeds now and then. */
static void sometimes_equal(struct fake_cpu *f, const struct insn *i, uint64_t at)
{
	uint64_t entry = 0;

	if (any() & 1)
		return;
	memcpy(&entry, fake_cpu_at(f, at), i->operand);
	f->r.rax = entry;
	f->r.rdx = entry >> 32;
}

/* False: the registers do not lead to the table. */
static bool one(struct fake_cpu *f)
{
	struct insn i;
	struct pv_insn decoded;
	uint64_t at;
	enum pv_emulated result;

	fake_cpu_init(f);
	fake_cpu_map(f, CODE_AT, FAKE_FREE, true);
	fake_cpu_map(f, DATA_AT, FAKE_TABLE, false);
	fake_cpu_map(f, READ_AT, FAKE_FREE + 1, true);
	memory(f);
	any_registers(&f->r);
	any_insn(&i, &f->r);
	f->r.rip = CODE_AT;
	assert_int_equal(pv_decode(&decoded, i.bytes, i.count, 8), PV_DECODED);
	assert_int_equal(decoded.length, i.count);
	at = i.string ? f->r.rdi : pv_effective_address(&f->r, &decoded);
	if (at & (i.operand - 1) || (at ^ DATA_AT) >> 12)
		return false; /* a base was the index as well */
	sometimes_equal(f, &i, at);
	if (!i.string && pv_effective_address(&f->r, &decoded) != at)
		return false; /* rdx was part of the address */

	on_the_cpu(i.bytes, i.count, &f->r);
	fake_cpu_code(f, i.bytes, i.count);
	result = pv_emulate_write(&f->v, &f->r, at);
	if (result != PV_EMULATED ||
	    memcmp(fake_cpu_at(f, DATA_AT), (void *)(uintptr_t)DATA_AT, 4096))
		for (unsigned n = 0; n < i.count; n++)
			fprintf(stderr, "%02x ", i.bytes[n]);
	assert_int_equal(result, PV_EMULATED);
	assert_memory_equal(fake_cpu_at(f, DATA_AT), (void *)(uintptr_t)DATA_AT, PV_PAGE_SIZE);
	for (unsigned n = 0; n < 16; n++)
		if (n != GPR_SP)
			assert_int_equal(*pv_gpr(&f->r, n), *pv_gpr(&native.regs, n));
	assert_int_equal(f->r.rflags & EFLAGS_COMPARED & ~i.undefined,
			 native.regs.rflags & EFLAGS_COMPARED & ~i.undefined);
	assert_int_equal(f->r.rip, CODE_AT + i.count);
	assert_int_equal(f->entry_writes, 1);
	return true;
}

static void as_the_cpu_does(void **state)
{
	unsigned ran = 0;

	for (unsigned n = 0; n < 100000; n++)
		ran += one(*state);
	assert_true(ran > 80000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(as_the_cpu_does),
	};

	return cmocka_run_group_tests(tests, pages, NULL);
}
