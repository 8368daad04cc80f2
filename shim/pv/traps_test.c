// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of each exception. */
#include "shim/pv/fake_cpu_test.h"

static void passed_on(void **state)
{
	struct fake_cpu *f = *state;
	static const uint8_t plain[] = {VECTOR_DE, VECTOR_BP, VECTOR_OF,
					VECTOR_BR, VECTOR_MF, VECTOR_XM};
	static const uint8_t with_code[] = {VECTOR_NP, VECTOR_SS, VECTOR_AC};

	set_handlers(f);
	for (unsigned n = 0; n < sizeof(plain); n++) {
		exception(f, plain[n], 0, 0);
		assert_raised(f, plain[n], -1);
	}
	for (unsigned n = 0; n < sizeof(with_code); n++) {
		exception(f, with_code[n], 0x58, 0);
		assert_raised(f, with_code[n], 0x58);
	}
	assert_int_equal(f->r.rip, FAKE_CODE);
}

static void handlers_that_mask(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	exception(f, VECTOR_DE, 0, 0);
	assert_false(f->v.bounce.masks);
	f->v.traps[VECTOR_DE].flags = PV_TRAP_MASKS | 3;
	exception(f, VECTOR_DE, 0, 0);
	assert_true(f->v.bounce.masks);
}

static void cannot_be(void **state)
{
	struct fake_cpu *f = *state;
	static const uint8_t vectors[] = {VECTOR_NMI, 8,  9,  10, 15,  VECTOR_MC,
					  20,         21, 31, 32, 0x81};

	for (unsigned n = 0; n < sizeof(vectors); n++) {
		fresh_cpu(state);
		exception(f, vectors[n], 0, 0);
		assert_non_null(f->v.dying);
		assert_false(f->v.bounce.wanted);
	}
}

/* INT n: its gate's level says who may. */
static void software_interrupts(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	for (unsigned level = 0; level < 4; level++) {
		for (unsigned user = 0; user < 2; user++) {
			bool may = user ? level == 3 : level >= 1;

			f->v.kernel_mode = !user;
			f->v.traps[0x42].flags = level;
			f->r.rip = FAKE_CODE;
			exception(f, VECTOR_GP, 0x42 << 3 | EC_IDT, 0);
			if (may) {
				assert_raised(f, 0x42, -1);
				assert_int_equal(f->r.rip, FAKE_CODE + 2);
			} else {
				assert_raised(f, VECTOR_GP, 0x42 << 3 | EC_IDT);
				assert_int_equal(f->r.rip, FAKE_CODE);
			}
		}
	}
}

static void int_80(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	to_user_mode(f);
	f->r.rip = FAKE_CODE + 2;
	exception(f, 0x80, 0, 0);
	assert_raised(f, 0x80, -1);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);

	f->v.traps[0x80].address = 0;
	exception(f, 0x80, 0, 0);
	assert_raised(f, VECTOR_GP, 0x80 << 3 | EC_IDT);
	assert_int_equal(f->r.rip, FAKE_CODE);
}

static void protection(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	exception(f, VECTOR_GP, 0x10, 0); /* a selector */
	assert_raised(f, VECTOR_GP, 0x10);
	code(f, 0xf4); /* HLT, which Xen does not emulate */
	exception(f, VECTOR_GP, 0, 0);
	assert_raised(f, VECTOR_GP, 0);
	code(f, 0x0f, 0x06); /* CLTS */
	f->v.bounce.wanted = false;
	exception(f, VECTOR_GP, 0, 0);
	assert_false(f->v.bounce.wanted);
	assert_int_equal(f->r.rip, FAKE_CODE + 2);
}

static void page_faults(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t addresses[] = {0, 0x7fffffffe000, PV_HYPER_START, PV_HYPER_END, ~0ull};

	set_handlers(f);
	for (unsigned n = 0; n < 5; n++) {
		exception(f, VECTOR_PF, PF_USER | PF_WRITE, addresses[n]);
		assert_raised(f, VECTOR_PF, PF_WRITE);
		assert_int_equal(f->v.cr2, addresses[n]);
		assert_int_equal(f->v.info->arch.cr2, addresses[n]);
	}
	to_user_mode(f);
	exception(f, VECTOR_PF, PF_USER | PF_PRESENT | PF_FETCH, 0x1000);
	assert_raised(f, VECTOR_PF, PF_USER | PF_PRESENT | PF_FETCH);
	exception(f, VECTOR_PF, PF_PRESENT | PF_RESERVED, 0x1000);
	assert_non_null(f->v.dying);
}

/* mov %rax, (%rdi) to a page table */
static void table_writes(void **state)
{
	struct fake_cpu *f = *state;
	const uint32_t error = PF_USER | PF_PRESENT | PF_WRITE;

	set_handlers(f);
	code(f, 0x48, 0x89, 0x07);
	f->r.rax = 0x1234067;
	f->r.rdi = FAKE_PTES + 0x18;
	exception(f, VECTOR_PF, error, f->r.rdi); /* not asked for */
	assert_raised(f, VECTOR_PF, PF_PRESENT | PF_WRITE);

	f->domain.vm_assist = 1ull << VMASST_TYPE_writable_pagetables;
	f->v.bounce.wanted = false;
	exception(f, VECTOR_PF, error, f->r.rdi);
	assert_false(f->v.bounce.wanted);
	assert_int_equal(word_at(f, f->r.rdi), 0x1234067);
	assert_int_equal(f->r.rip, FAKE_CODE + 3);

	/* Not these: not present, a fetch, user mode, the rules refuse. */
	f->r.rip = FAKE_CODE;
	exception(f, VECTOR_PF, PF_USER | PF_WRITE, f->r.rdi);
	assert_raised(f, VECTOR_PF, PF_WRITE);
	exception(f, VECTOR_PF, error | PF_FETCH, f->r.rdi);
	assert_raised(f, VECTOR_PF, PF_PRESENT | PF_WRITE | PF_FETCH);
	f->refuse_entries = true;
	exception(f, VECTOR_PF, error, f->r.rdi);
	assert_raised(f, VECTOR_PF, PF_PRESENT | PF_WRITE);
	f->refuse_entries = false;
	f->v.kernel_mode = false;
	exception(f, VECTOR_PF, error, f->r.rdi);
	assert_raised(f, VECTOR_PF, error);
	assert_int_equal(f->entry_writes, 1);
}

static void descriptors(void **state)
{
	struct fake_cpu *f = *state;
	uint64_t window;

	set_handlers(f);
	f->v.id = 3;
	window = pv_window_address(3);
	f->v.ldt_base = FAKE_DATA;
	f->ldt_works = true;
	exception(f, VECTOR_PF, 0, window + PV_WINDOW_LDT + 0x2010);
	assert_false(f->v.bounce.wanted);
	assert_int_equal(f->ldt_offset, 0x2010);

	f->ldt_works = false;
	exception(f, VECTOR_PF, 0, window + PV_WINDOW_LDT + 0x2010);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, FAKE_DATA + 0x2010);

	f->v.ldt_base = 0x7ffffffff000;
	exception(f, VECTOR_PF, 0, window + PV_WINDOW_LDT + 0x2013);
	assert_raised(f, VECTOR_GP, 0x2010 | EC_LDT);

	exception(f, VECTOR_PF, 0, window + PV_WINDOW_GDT + 0x1017);
	assert_raised(f, VECTOR_GP, 0x1010);

	/* Another vCPU's, or by a load and not by the CPU itself: addresses like others. */
	exception(f, VECTOR_PF, 0, pv_window_address(2) + PV_WINDOW_LDT);
	assert_raised(f, VECTOR_PF, 0);
	exception(f, VECTOR_PF, PF_USER, window + PV_WINDOW_LDT);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, window + PV_WINDOW_LDT);
}

static void fpu(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.cr0_ts = f->ts = CR0_TS;
	exception(f, VECTOR_NM, 0, 0);
	assert_raised(f, VECTOR_NM, -1);
	assert_int_equal(f->v.cr0_ts, 0);
	assert_int_equal(f->ts, 0);

	/* One that the guest knows nothing of. */
	f->v.bounce.wanted = false;
	f->ts = CR0_TS;
	exception(f, VECTOR_NM, 0, 0);
	assert_false(f->v.bounce.wanted);
	assert_int_equal(f->ts, 0);
}

static void debug(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.debug[6] = DR6_RESERVED_ONE | 2;
	f->dr6 = (DR6_RESERVED_ONE & ~(1ull << 16)) | DR6_STEP | 1; /* in an RTM region */
	exception(f, VECTOR_DB, 0, 0);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->v.debug[6], (DR6_RESERVED_ONE & ~(1ull << 16)) | DR6_STEP | 3);
	assert_int_equal(f->dr6, DR6_RESERVED_ONE);
}

static void forced_cpuid(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	to_user_mode(f);
	code(f, 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2);
	f->r.rax = 0xffffffff40000001;
	f->r.rcx = 0xffffffff00000005;
	f->r.rflags |= RFLAGS_RF;
	exception(f, VECTOR_UD, 0, 0);
	assert_false(f->v.bounce.wanted);
	assert_int_equal(f->r.rip, FAKE_CODE + 7);
	assert_int_equal(f->r.rax, 0x40000001);
	assert_int_equal(f->r.rbx, 5);
	assert_int_equal(f->r.rcx, 0xbffffffe);
	assert_int_equal(f->r.rdx, 0xfffffffa);
	assert_int_equal(f->r.rflags, RFLAGS_IF | 2);

	/* A step over it. */
	f->r.rip = FAKE_CODE;
	f->r.rflags |= RFLAGS_TF;
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->r.rip, FAKE_CODE + 7);
	assert_true(f->v.debug[6] & DR6_STEP);
}

static void forced_cpuid_faults(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	code(f, 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2);
	f->v.misc_features = 1;
	exception(f, VECTOR_UD, 0, 0); /* the kernel's does not */
	assert_false(f->v.bounce.wanted);
	to_user_mode(f);
	f->r.rip = FAKE_CODE;
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_GP, 0);
	assert_int_equal(f->r.rip, FAKE_CODE + 5);
}

static void invalid_opcodes(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	code(f, 0x0f, 0x0b, 'x', 'e', 'm', 0x0f, 0xa2);
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_UD, -1);
	code(f, 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa3);
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_UD, -1);
	assert_int_equal(f->r.rip, FAKE_CODE);

	/* They cannot be read. */
	f->r.rip = FAKE_CODE + 0x1000 - 2;
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, FAKE_CODE + 0x1000);
	f->r.rip = FAKE_CODE + 0x1000 - 6;
	memcpy(fake_cpu_at(f, f->r.rip), "\x0f\x0bxen\x0f", 6);
	to_user_mode(f);
	exception(f, VECTOR_UD, 0, 0);
	assert_raised(f, VECTOR_PF, PF_USER);
	assert_int_equal(f->v.cr2, FAKE_CODE + 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passed_on),
		TEST(handlers_that_mask),
		TEST(cannot_be),
		TEST(software_interrupts),
		TEST(int_80),
		TEST(protection),
		TEST(page_faults),
		TEST(table_writes),
		TEST(descriptors),
		TEST(fpu),
		TEST(debug),
		TEST(forced_cpuid),
		TEST(forced_cpuid_faults),
		TEST(invalid_opcodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
