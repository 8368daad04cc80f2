// SPDX-License-Identifier: BSD-2-Clause
/* IN, OUT, INS, OUTS: who may, and what there is. */
#include "shim/pv/emulate.h"
#include "shim/pv/emulate_io.h"
#include "shim/pv/fake_cpu_test.h"

static enum pv_emulated run(struct fake_cpu *f, const uint8_t *bytes, unsigned count)
{
	f->v.bounce = (struct pv_bounce){0};
	f->r.rip = FAKE_CODE;
	fake_cpu_code(f, bytes, count);
	return pv_emulate_privileged(&f->v, &f->r);
}

#define RUN(f, ...) run((f), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static const uint8_t in_dx[] = {0xec}, inl_dx[] = {0xed}, rep_insb[] = {0xf3, 0x6c},
		     rep_outsl[] = {0xf3, 0x6f};

static void levels(void **state)
{
	struct fake_cpu *f = *state;

	for (unsigned iopl = 0; iopl < 4; iopl++) {
		f->v.iopl = iopl;
		f->v.kernel_mode = true;
		f->domain.vm_assist = 0;
		assert_int_equal(pv_has_iopl(&f->v), iopl >= 1);
		f->domain.vm_assist = 1ull << VMASST_TYPE_architectural_iopl;
		assert_true(pv_has_iopl(&f->v));
		f->v.kernel_mode = false;
		assert_int_equal(pv_has_iopl(&f->v), iopl == 3);
	}
}

static void bitmap(void **state)
{
	struct fake_cpu *f = *state;
	uint8_t *map = fake_cpu_at(f, FAKE_STACK); /* the kernel's alone */

	memset(map, 0xff, 0x1000);
	map[0x60 / 8] = 0xee; /* 0x60, 0x64 */
	map[0x3f8 / 8] = 0;
	map[0x3f8 / 8 + 1] = 0xfe;
	f->v.iobmp = FAKE_STACK;
	f->v.iobmp_limit = 0x400;
	to_user_mode(f);
	f->r.rdx = 0x60;
	assert_int_equal(run(f, in_dx, 1), PV_EMULATED);
	assert_int_equal(f->base_loads, 2);
	assert_false(f->kernel_base);
	assert_false(f->v.kernel_mode);
	assert_int_equal(run(f, inl_dx, 1), PV_NOT_EMULATED);
	f->r.rdx = 0x61;
	assert_int_equal(run(f, in_dx, 1), PV_NOT_EMULATED);
	f->r.rdx = 0x3fc;
	assert_int_equal(run(f, inl_dx, 1), PV_EMULATED);
	f->r.rdx =
		0x3fd; /* four: the last is in the byte after, which is allowed; and at the limit */
	f->v.iobmp_limit = 0x401;
	assert_int_equal(run(f, inl_dx, 1), PV_EMULATED);
	f->v.iobmp_limit = 0x400;
	assert_int_equal(run(f, inl_dx, 1), PV_NOT_EMULATED);
	f->v.iobmp = 0; /* it is not there */
	f->r.rdx = 0x60;
	assert_int_equal(run(f, in_dx, 1), PV_NOT_EMULATED);
	f->v.iobmp = FAKE_STACK + 0x1000 - 0xd; /* its second byte is not */
	fake_cpu_at(f, FAKE_STACK)[0xfff] = 0;
	f->r.rdx = 0x60;
	assert_int_equal(run(f, in_dx, 1), PV_EMULATED);
	f->r.rdx = 0x66;
	assert_int_equal(run(f, inl_dx, 1), PV_NOT_EMULATED);
}

static void in(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 1;
	f->r.rax = 0x1111111111111111;
	RUN(f, 0xe4, 0x61);
	assert_int_equal(f->r.rax, 0x11111111111111ff);
	RUN(f, 0x66, 0xe5, 0x61);
	assert_int_equal(f->r.rax, 0x111111111111ffff);
	RUN(f, 0xe5, 0x61);
	assert_int_equal(f->r.rax, 0xffffffff);
	f->r.rax = 0;
	RUN(f, 0x48, 0xe5, 0x61);
	assert_int_equal(f->r.rax, 0xffffffff);
	assert_int_equal(f->r.rip, FAKE_CODE + 3);
}

/* The registers that a guest has. */
static void own_ports(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 1;
	f->r.rdx = 0xcf8;
	f->r.rax = 0x80001234;
	RUN(f, 0xef);
	f->r.rax = 0;
	RUN(f, 0xed);
	assert_int_equal(f->r.rax, 0x80001234);
	RUN(f, 0x66, 0xed); /* not in part */
	assert_int_equal(f->r.rax, 0x8000ffff);
	f->r.rax = 0x5a;
	RUN(f, 0xee);
	assert_int_equal(f->domain.pci_address, 0x80001234);

	RUN(f, 0xe6, 0x70);
	RUN(f, 0xe5, 0x6f);
	assert_int_equal(f->r.rax, 0xffff5aff);
	f->r.rax = 0x44332211;
	RUN(f, 0xe7, 0x6d);
	RUN(f, 0xe4, 0x70);
	assert_int_equal(f->r.rax, 0x44332244);
	RUN(f, 0xe4, 0x71);
	assert_int_equal(f->r.rax, 0x443322ff);

	RUN(f, 0xe4, 0x42); /* the PIT's counter is not there, and at its end */
	assert_int_equal(f->r.rax, 0x44332200);
	RUN(f, 0xe5, 0x42);
	assert_int_equal(f->r.rax, 0xffffffff);
}

static void strings(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 1;
	f->r.rdx = 0x70;
	f->domain.cmos_index = 0x5a;
	f->r.rdi = FAKE_DATA;
	f->r.rcx = 5;
	assert_int_equal(run(f, rep_insb, 2), PV_EMULATED);
	assert_memory_equal(fake_cpu_at(f, FAKE_DATA), "\x5a\x5a\x5a\x5a\x5a\0", 6);
	assert_int_equal(f->r.rdi, FAKE_DATA + 5);
	assert_int_equal(f->r.rcx, 0);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);

	/* Nothing to do. */
	f->r.rdi = 1;
	assert_int_equal(run(f, rep_insb, 2), PV_EMULATED);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);

	/* Backwards, once, 32 bits of address. */
	f->r.rflags |= RFLAGS_DF;
	f->r.rcx = 7;
	f->r.rdi = 0xffffffff00000000 | FAKE_DATA;
	RUN(f, 0x67, 0x6c);
	assert_int_equal(f->r.rdi, FAKE_DATA - 1);
	assert_int_equal(f->r.rcx, 7);

	/* With the base of a segment. */
	f->r.rflags &= ~RFLAGS_DF;
	f->bases[PV_BASE_FS] = FAKE_DATA;
	memcpy(fake_cpu_at(f, FAKE_DATA + 0x10), "\x78\x56\x34\x12", 4);
	f->r.rsi = 0x10;
	f->r.rdx = 0xcf8;
	f->r.rcx = 1;
	RUN(f, 0x64, 0xf3, 0x6f);
	assert_int_equal(f->domain.pci_address, 0x12345678);
	assert_int_equal(f->r.rsi, 0x14);
}

/* Others have a turn, and then it goes on where it was. */
static void long_strings(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 1;
	f->r.rdx = 0x80;
	f->r.rdi = FAKE_DATA;
	f->r.rcx = 700;
	assert_int_equal(run(f, rep_insb, 2), PV_EMULATED);
	assert_int_equal(f->r.rip, FAKE_CODE);
	assert_int_equal(f->r.rcx, 700 - 512);
	assert_int_equal(f->r.rdi, FAKE_DATA + 512);
	assert_int_equal(run(f, rep_insb, 2), PV_EMULATED);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);
	assert_int_equal(f->r.rcx, 0);
}

static void string_faults(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.iopl = 1;
	f->r.rcx = 0x10;
	f->r.rdi = FAKE_DATA + 0x1000 - 2;
	assert_int_equal(run(f, rep_insb, 2), PV_EMULATED);
	assert_raised(f, VECTOR_PF, PF_WRITE);
	assert_int_equal(f->v.cr2, FAKE_DATA + 0x1000);
	assert_int_equal(f->r.rcx, 0xe);
	assert_int_equal(f->r.rdi, FAKE_DATA + 0x1000);
	assert_int_equal(f->r.rip, FAKE_CODE);

	f->r.rcx = 1;
	f->r.rsi = FAKE_DATA + 0x1000 - 2;
	assert_int_equal(run(f, rep_outsl, 2), PV_EMULATED);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, FAKE_DATA + 0x1000);

	f->r.rsi = PV_HYPER_START;
	assert_int_equal(run(f, rep_outsl, 2), PV_EMULATED);
	assert_raised(f, VECTOR_GP, 0);
	f->r.rsi = PV_HYPER_START;
	RUN(f, 0x36, 0x6f); /* ss means nothing in 64-bit code */
	assert_raised(f, VECTOR_GP, 0);
}

/* 32-bit code: what its segments are counts. */
static void segments(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t data = 0x0040f2000000001full | (uint64_t)FAKE_DATA << 16; /* 32 bytes */

	set_handlers(f);
	f->v.iopl = 1;
	f->v.gdt_frames[0] = FAKE_GDT;
	f->v.gdt_entries = 8;
	((uint64_t *)(void *)f->ram[FAKE_GDT])[4] = data;
	((uint64_t *)(void *)f->ram[FAKE_GDT])[5] = data & ~(1ull << 41); /* read-only */
	((uint64_t *)(void *)f->ram[FAKE_GDT])[6] = data & ~(1ull << 47); /* not present */
	f->r.cs = FLAT_KERNEL_CS32;
	f->selectors[0] = 5 << 3 | 3;
	f->selectors[1] = 4 << 3 | 3;
	f->r.rdx = 0x70;
	f->domain.cmos_index = 0x77;
	f->r.rdi = 0xffffffff00000000 | 0x1f;
	RUN(f, 0x6c);
	assert_int_equal(*fake_cpu_at(f, FAKE_DATA + 0x1f), 0x77);
	assert_int_equal(f->r.rdi, 0x20);
	RUN(f, 0x6c);
	assert_raised(f, VECTOR_GP, 0);
	f->r.rdi = 0x1d;
	RUN(f, 0x6d);
	assert_raised(f, VECTOR_GP, 0);

	f->selectors[1] = 5 << 3 | 3;
	f->r.rdi = 0;
	RUN(f, 0x6c);
	assert_raised(f, VECTOR_GP, 0);
	f->r.rsi = 0;
	assert_int_equal(RUN(f, 0x6e), PV_EMULATED); /* it may be read */
	assert_int_equal(f->domain.cmos_index, 0);
	f->r.ss = 4 << 3 | 3;
	f->r.rsi = 0x20;
	RUN(f, 0x36, 0x6e);
	assert_raised(f, VECTOR_SS, 0);

	f->selectors[0] = 6 << 3 | 3;
	assert_int_equal(RUN(f, 0x6e), PV_NOT_EMULATED);
	f->selectors[0] = 0;
	assert_int_equal(RUN(f, 0x6e), PV_NOT_EMULATED);
}

static void breakpoints(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.iopl = 1;
	f->v.debug[1] = 0x62;
	f->v.debug[7] = 1u << 22; /* two bytes, 0x62 and 0x63 */
	f->v.dr7_ports = 1u << 2;
	RUN(f, 0xe4, 0x62);
	assert_false(f->v.bounce.wanted); /* without the extensions */
	f->v.cr4 = CR4_DE;
	RUN(f, 0xe4, 0x61);
	assert_false(f->v.bounce.wanted);
	RUN(f, 0xe4, 0x64);
	assert_false(f->v.bounce.wanted);
	RUN(f, 0xe7, 0x60);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->v.debug[6], DR6_RESERVED_ONE | 2);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);

	/* Within a repeated one, after its first step. */
	f->r.rdx = 0x63;
	f->r.rdi = FAKE_DATA;
	f->r.rcx = 3;
	run(f, rep_insb, 2);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->r.rcx, 2);
	assert_int_equal(f->r.rip, FAKE_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(levels),        TEST(bitmap),   TEST(in),
		TEST(own_ports),     TEST(strings),  TEST(long_strings),
		TEST(string_faults), TEST(segments), TEST(breakpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
