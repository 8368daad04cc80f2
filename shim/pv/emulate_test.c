// SPDX-License-Identifier: BSD-2-Clause
/* Privileged instructions. */
#include "shim/pv/emulate.h"
#include "shim/pv/fake_cpu_test.h"

/* What ends at the end of the code is refused, so there is no byte too many. */
static enum pv_emulated run(struct fake_cpu *f, const uint8_t *bytes, unsigned count)
{
	f->v.bounce = (struct pv_bounce){0};
	f->r.rip = FAKE_CODE + 0x1000 - count;
	fake_cpu_code(f, bytes, count);
	return pv_emulate_privileged(&f->v, &f->r);
}

#define emulated(f, ...)                                                         \
	do {                                                                     \
		const uint8_t bytes_[] = {__VA_ARGS__};                          \
                                                                                 \
		assert_int_equal(run((f), bytes_, sizeof(bytes_)), PV_EMULATED); \
		assert_false((f)->v.bounce.wanted);                              \
		assert_int_equal((f)->r.rip, FAKE_CODE + 0x1000);                \
	} while (0)

#define refused(f, ...)                                                              \
	do {                                                                         \
		const uint8_t bytes_[] = {__VA_ARGS__};                              \
		const struct pv_regs before_ = (f)->r;                               \
                                                                                     \
		assert_int_equal(run((f), bytes_, sizeof(bytes_)), PV_NOT_EMULATED); \
		assert_false((f)->v.bounce.wanted);                                  \
		assert_int_equal((f)->r.rip, FAKE_CODE + 0x1000 - sizeof(bytes_));   \
		(f)->r.rip = before_.rip;                                            \
		assert_memory_equal(&(f)->r, &before_, sizeof(before_));             \
	} while (0)

#define raises(f, vector, ...)                                                     \
	do {                                                                       \
		const uint8_t bytes_[] = {__VA_ARGS__};                            \
                                                                                   \
		assert_int_equal(run((f), bytes_, sizeof(bytes_)), PV_EMULATED);   \
		assert_int_equal((f)->r.rip, FAKE_CODE + 0x1000 - sizeof(bytes_)); \
		assert_raised((f), (vector), -1);                                  \
	} while (0)

static void kernel_only(void **state)
{
	struct fake_cpu *f = *state;

	to_user_mode(f);
	f->v.cr4 = CR4_OSXSAVE;
	refused(f, 0x0f, 0x06);       /* CLTS */
	refused(f, 0x0f, 0x09);       /* WBINVD */
	refused(f, 0x0f, 0x20, 0xc0); /* MOV from CR0 */
	refused(f, 0x0f, 0x22, 0xd0); /* to CR2 */
	refused(f, 0x0f, 0x21, 0xf8); /* from DR7 */
	refused(f, 0x0f, 0x23, 0xf8); /* to DR7 */
	refused(f, 0x0f, 0x30);       /* WRMSR */
	refused(f, 0x0f, 0x32);       /* RDMSR */
	refused(f, 0x0f, 0x01, 0xd1); /* XSETBV */
	refused(f, 0xfa);             /* CLI */
	refused(f, 0xe4, 0x60);       /* IN */
}

static void nobodys(void **state)
{
	struct fake_cpu *f = *state;

	refused(f, 0xf4);                   /* HLT */
	refused(f, 0x0f, 0x08);             /* INVD */
	refused(f, 0x0f, 0x33);             /* RDPMC */
	refused(f, 0x0f, 0x01, 0x38);       /* INVLPG (rax) */
	refused(f, 0x0f, 0x01, 0x10);       /* LGDT (rax) */
	refused(f, 0x0f, 0x01, 0x18);       /* LIDT (rax) */
	refused(f, 0x0f, 0x01, 0xf0);       /* LMSW ax */
	refused(f, 0x0f, 0x01, 0xf8);       /* SWAPGS */
	refused(f, 0x0f, 0x01, 0xd0);       /* XGETBV */
	refused(f, 0x0f, 0x00, 0xd0);       /* LLDT ax */
	refused(f, 0x0f, 0x07);             /* SYSRET */
	refused(f, 0x44, 0x0f, 0x20, 0xc0); /* MOV from CR8 */
	refused(f, 0x44, 0x0f, 0x22, 0xc0); /* to CR8 */
	refused(f, 0x0f, 0x20, 0xc8);       /* from CR1 */
	refused(f, 0xf0, 0x0f, 0x06);       /* LOCK CLTS */
	refused(f, 0x90);                   /* NOP */
	refused(f, 0xcf);                   /* IRET */
	refused(f, 0x9d);                   /* POPF */
}

static void control_0(void **state)
{
	struct fake_cpu *f = *state;

	f->v.cr0_ts = CR0_TS;
	emulated(f, 0x0f, 0x20, 0xc3); /* to rbx */
	assert_int_equal(f->r.rbx, 0x8005003b);
	emulated(f, 0x0f, 0x06);
	assert_int_equal(f->v.cr0_ts, 0);
	emulated(f, 0x41, 0x0f, 0x20, 0xc7); /* to r15 */
	assert_int_equal(f->r.r15, 0x80050033);
	f->r.r15 |= CR0_TS;
	emulated(f, 0x41, 0x0f, 0x22, 0xc7);
	assert_int_equal(f->v.cr0_ts, CR0_TS);
	assert_int_equal(f->ts, CR0_TS);
	f->r.r15 &= ~CR0_WP;
	refused(f, 0x41, 0x0f, 0x22, 0xc7);
	f->r.r15 = 0x80050033 | 1ull << 32;
	refused(f, 0x41, 0x0f, 0x22, 0xc7);
	assert_int_equal(f->v.cr0_ts, CR0_TS);
}

static void control_2_and_3(void **state)
{
	struct fake_cpu *f = *state;

	f->r.rax = 0x123456789abcdef0;
	emulated(f, 0x0f, 0x22, 0xd0);
	assert_int_equal(f->v.info->arch.cr2, 0x123456789abcdef0);
	emulated(f, 0x0f, 0x20, 0xd1);
	assert_int_equal(f->r.rcx, 0x123456789abcdef0);

	emulated(f, 0x0f, 0x20, 0xd9);
	assert_int_equal(f->r.rcx, 7 << 12);
	f->good_base = 9;
	f->r.rax = 0x9fff;
	emulated(f, 0x0f, 0x22, 0xd8);
	assert_int_equal(f->v.roots.kernel, 9);
	f->r.rax = 10 << 12;
	refused(f, 0x0f, 0x22, 0xd8);
	f->r.rax = 9 << 12 | 1ull << 63;
	refused(f, 0x0f, 0x22, 0xd8);
	assert_int_equal(f->v.roots.kernel, 9);
	assert_false(f->locked);
}

static void control_4(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t always = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	f->r.rax = ~0ull;
	emulated(f, 0x0f, 0x22, 0xe0);
	assert_int_equal(f->v.cr4, always | CR4_TSD | CR4_DE);
	assert_int_equal(f->cr4, f->v.cr4);
	f->leaf1[2] = 1u << 26;
	f->leaf7[1] = 1;
	emulated(f, 0x0f, 0x22, 0xe0);
	emulated(f, 0x0f, 0x20, 0xe2);
	assert_int_equal(f->r.rdx, always | PV_CR4_OWN | CR4_OSXSAVE);
	f->r.rax = 0;
	emulated(f, 0x0f, 0x22, 0xe0);
	assert_int_equal(f->v.cr4, always);
	assert_int_equal(PV_CR4_OWN, CR4_TSD | CR4_DE | CR4_FSGSBASE);
}

static void debug_registers(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rax = 0x401000;
	emulated(f, 0x0f, 0x23, 0xd8); /* DR3 */
	assert_int_equal(f->debug[3], 0x401000);
	emulated(f, 0x0f, 0x21, 0xdb);
	assert_int_equal(f->r.rbx, 0x401000);
	f->r.rax = PV_HYPER_START;
	refused(f, 0x0f, 0x23, 0xd8);
	f->r.rax = 1ull << 32;
	refused(f, 0x0f, 0x23, 0xf8);
	f->v.cr4 = CR4_DE;
	raises(f, VECTOR_UD, 0x0f, 0x23, 0xe0);
	raises(f, VECTOR_UD, 0x0f, 0x21, 0xe8);
	/* DR15 */
	raises(f, VECTOR_UD, 0x44, 0x0f, 0x21, 0xf8);
}

static void cpuid(void **state)
{
	struct fake_cpu *f = *state;

	to_user_mode(f);
	f->r.rax = 0xffffffff40000000;
	f->r.rcx = 3;
	emulated(f, 0x0f, 0xa2);
	assert_int_equal(f->r.rax, 0x40000000);
	assert_int_equal(f->r.rbx, 3);
	f->v.misc_features = 1;
	refused(f, 0x0f, 0xa2);
	f->v.kernel_mode = true;
	emulated(f, 0x0f, 0xa2);
}

static uint32_t forced_leaf_1_ecx(struct fake_cpu *f)
{
	f->r.rax = 1;
	f->r.rip = FAKE_CODE;
	code(f, 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2);
	assert_int_equal(pv_emulate_forced(&f->v, &f->r), PV_EMULATED);
	return f->r.rcx;
}

static uint32_t leaf_1_ecx(struct fake_cpu *f)
{
	f->r.rax = 1;
	emulated(f, 0x0f, 0xa2);
	return f->r.rcx;
}

/* The hypervisor's OSXSAVE is seen by a kernel that asks the hypervisor; its own by everybody. */
static void osxsave(void **state)
{
	struct fake_cpu *f = *state;
	const uint32_t both = 3u << 26;

	f->leaf1[2] = both;
	assert_int_equal(forced_leaf_1_ecx(f), both);
	assert_int_equal(leaf_1_ecx(f), 1u << 26);
	to_user_mode(f);
	assert_int_equal(forced_leaf_1_ecx(f), 1u << 26);
	f->v.cr4 |= CR4_OSXSAVE;
	assert_int_equal(forced_leaf_1_ecx(f), both);
	assert_int_equal(leaf_1_ecx(f), both);
	f->leaf1[2] = 0;
	assert_int_equal(forced_leaf_1_ecx(f), 0);
}

static void tsc(void **state)
{
	struct fake_cpu *f = *state;

	f->tsc = 0x123456789abcdef0;
	f->r.rax = f->r.rdx = f->r.rcx = ~0ull;
	emulated(f, 0x0f, 0x31);
	assert_int_equal(f->r.rax, 0x9abcdef0);
	assert_int_equal(f->r.rdx, 0x12345678);

	refused(f, 0x0f, 0x01, 0xf9); /* RDTSCP, which there is not */
	f->ext1[3] = 1u << 27;
	fake_cpu_msr(f, 0xc0000103, 0x1000000005);
	emulated(f, 0x0f, 0x01, 0xf9);
	assert_int_equal(f->r.rcx, 5);

	f->v.cr4 = CR4_TSD;
	emulated(f, 0x0f, 0x31);
	f->v.kernel_mode = false;
	refused(f, 0x0f, 0x31);
	refused(f, 0x0f, 0x01, 0xf9);
	f->v.cr4 = 0;
	emulated(f, 0x0f, 0x31);
}

static void xsetbv(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rax = ~0ull << 32 | 7;
	f->r.rdx = f->r.rcx = 0;
	raises(f, VECTOR_UD, 0x0f, 0x01, 0xd1);
	f->v.cr4 = CR4_OSXSAVE;
	emulated(f, 0x0f, 0x01, 0xd1);
	assert_int_equal(f->xcr0, 7);
	raises(f, VECTOR_UD, 0x66, 0x0f, 0x01, 0xd1);
	raises(f, VECTOR_UD, 0xf3, 0x0f, 0x01, 0xd1);
	f->r.rdx = 1;
	refused(f, 0x0f, 0x01, 0xd1);
	f->r.rdx = 0;
	f->r.rcx = 1;
	refused(f, 0x0f, 0x01, 0xd1);
	assert_int_equal(f->xcr0, 7);
}

static void cache_and_interrupts(void **state)
{
	struct fake_cpu *f = *state;

	emulated(f, 0x0f, 0x09);
	refused(f, 0xfa);
	refused(f, 0xfb);
	f->v.iopl = 1;
	f->v.info->evtchn_upcall_mask = 0;
	emulated(f, 0xfa);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	f->v.info->evtchn_upcall_mask = 1;
	emulated(f, 0xfb);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
	to_user_mode(f);
	refused(f, 0xfa);
	f->v.iopl = 3;
	emulated(f, 0xfa);
}

static void msrs(void **state)
{
	struct fake_cpu *f = *state;

	f->bases[PV_BASE_FS] = 0x7fff12345678;
	f->r.rcx = 0xffffffffc0000100;
	emulated(f, 0x0f, 0x32);
	assert_int_equal(f->r.rax, 0x12345678);
	assert_int_equal(f->r.rdx, 0x7fff);
	f->r.rax = 0xdeadbeef00001000;
	emulated(f, 0x0f, 0x30);
	assert_int_equal(f->bases[PV_BASE_FS], 0x7fff00001000);
	f->r.rcx = 0x12345;
	f->v.traps[VECTOR_GP].address = 1;
	refused(f, 0x0f, 0x32);
	refused(f, 0x0f, 0x30);
}

static void flags_after(void **state)
{
	struct fake_cpu *f = *state;
	const uint8_t wbinvd[] = {0x0f, 0x09};

	set_handlers(f);
	f->r.rflags |= RFLAGS_RF | RFLAGS_ZF;
	emulated(f, 0x0f, 0x09);
	assert_int_equal(f->r.rflags, RFLAGS_IF | RFLAGS_ZF | 2);
	f->r.rflags |= RFLAGS_TF;
	run(f, wbinvd, 2);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->v.debug[6], DR6_STEP | DR6_RESERVED_ONE);
	assert_int_equal(f->r.rip, FAKE_CODE + 0x1000);
}

static void cannot_be_read(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rip = FAKE_CODE + 0x1000 - 1;
	fake_cpu_code(f, "\x0f", 1);
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_EMULATED);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, FAKE_CODE + 0x1000);
	/* No code of the guest's can be there: that is the #GP that it has. */
	f->v.bounce.wanted = false;
	f->r.rip = PV_HYPER_START;
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_NOT_EMULATED);
	f->r.rip = 1ull << 47;
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_NOT_EMULATED);
	assert_false(f->v.bounce.wanted);
}

static void too_long(void **state)
{
	struct fake_cpu *f = *state;
	uint8_t bytes[16];

	memset(bytes, 0x66, sizeof(bytes));
	bytes[13] = 0x0f;
	bytes[14] = 0x09;
	fake_cpu_code(f, bytes, 16);
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_EMULATED);
	bytes[13] = 0x66;
	bytes[14] = 0x0f;
	bytes[15] = 0x09;
	f->r.rip = FAKE_CODE;
	fake_cpu_code(f, bytes, 16);
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_NOT_EMULATED);
}

static void set_descriptor(struct fake_cpu *f, unsigned frame, unsigned index, uint64_t d)
{
	memcpy(f->ram[frame] + index * 8, &d, 8);
}

#define CODE_32 0x00cffa000000ffffull
#define CODE_16 0x000ffa000000ffffull

/* The code's segment says how it is read: 48 is DEC in 32-bit code, a prefix in 64-bit code. */
static void segments(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 3;
	f->v.gdt_frames[0] = FAKE_GDT;
	f->v.gdt_entries = 8;
	set_descriptor(f, FAKE_GDT, 7, CODE_32);
	set_descriptor(f, FAKE_GDT, 6, CODE_32 & ~(1ull << 47)); /* not present */
	set_descriptor(f, FAKE_GDT, 5, CODE_32 & ~(1ull << 43)); /* data */
	set_descriptor(f, FAKE_GDT, 4, CODE_32 & ~(1ull << 44)); /* a system's */
	set_descriptor(f, FAKE_GDT, 3, CODE_16);
	set_descriptor(f, FAKE_GDT, 8, CODE_32); /* behind the end */

	f->r.cs = FLAT_KERNEL_CS;
	emulated(f, 0x48, 0xed); /* IN eax, dx */
	f->r.cs = FLAT_KERNEL_CS32;
	refused(f, 0x48, 0xed);
	emulated(f, 0xed);
	f->r.cs = 7 << 3 | 3;
	f->r.rax = 0;
	emulated(f, 0xed);
	assert_int_equal(f->r.rax, 0xffffffff);
	f->r.cs = 3 << 3 | 3;
	f->r.rax = 0;
	refused(f, 0xed); /* its limit is 1 MiB */
	set_descriptor(f, FAKE_GDT, 3, CODE_16 | (FAKE_CODE & 0xffffff) << 16);
	f->r.rip = 0x10;
	*fake_cpu_at(f, FAKE_CODE + 0x10) = 0xed;
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_EMULATED);
	assert_int_equal(f->r.rax, 0xffff);
	assert_int_equal(f->r.rip, 0x11);
	static const uint16_t bad[] = {6 << 3 | 3, 5 << 3 | 3, 4 << 3 | 3, 8 << 3 | 3,
				       0,          3,          0xe010,     0xe02b};
	for (unsigned n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		f->r.cs = bad[n];
		refused(f, 0xed);
	}
}

static void ldt_segments(void **state)
{
	struct fake_cpu *f = *state;

	f->v.iopl = 3;
	f->v.ldt_entries = 600;
	f->v.ldt_frames[1] = FAKE_LDT;
	set_descriptor(f, FAKE_LDT, 513 - 512, CODE_32);
	f->r.cs = 513 << 3 | 7;
	refused(f, 0xed); /* it is not mapped */
	f->v.ldt_mapped = 2;
	emulated(f, 0xed);
	f->v.ldt_entries = 513;
	refused(f, 0xed);
	f->v.ldt_entries = 600;
	f->v.ldt_frames[1] = FAKE_CPU_FRAMES;
	refused(f, 0xed);
}

/* Code of 32 bits: operands, too, and its end is its limit. */
static void code_32(void **state)
{
	struct fake_cpu *f = *state;

	f->v.cr0_ts = CR0_TS;
	f->r.cs = FLAT_KERNEL_CS32;
	f->r.rbx = ~0ull;
	emulated(f, 0x0f, 0x20, 0xc3);
	assert_int_equal(f->r.rbx, 0x8005003b);
	f->v.gdt_frames[0] = FAKE_GDT;
	f->v.gdt_entries = 2;
	set_descriptor(f, FAKE_GDT, 1,
		       (CODE_32 & ~(1ull << 55) & ~0xf000000000000ull & ~0xffffull) | 0x10 |
			       (uint64_t)FAKE_CODE << 16);
	f->r.cs = 1 << 3 | 3;
	f->r.rip = 0xf;
	memcpy(fake_cpu_at(f, FAKE_CODE + 0xf), "\x0f\x09\x0f\x09", 4);
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_EMULATED);
	assert_int_equal(f->r.rip, 0x11);
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_NOT_EMULATED);
	f->r.rip = 0x10;
	assert_int_equal(pv_emulate_privileged(&f->v, &f->r), PV_NOT_EMULATED);
	assert_false(f->v.bounce.wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kernel_only),
		TEST(nobodys),
		TEST(control_0),
		TEST(control_2_and_3),
		TEST(control_4),
		TEST(debug_registers),
		TEST(cpuid),
		TEST(osxsave),
		TEST(tsc),
		TEST(xsetbv),
		TEST(cache_and_interrupts),
		TEST(msrs),
		TEST(flags_after),
		TEST(cannot_be_read),
		TEST(too_long),
		TEST(segments),
		TEST(ldt_segments),
		TEST(code_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
