// SPDX-License-Identifier: BSD-2-Clause
/* MSRs: what a guest may read and write, on CPUs of each vendor. */
#include "shim/pv/emulate.h"
#include "shim/pv/fake_cpu_test.h"

static void vendor(struct fake_cpu *f, const char *name)
{
	memcpy(f->vendor, name, sizeof(f->vendor));
}

#define INTEL   "GenuntelineI"
#define AMD     "AuthcAMDenti"
#define HYGON   "HygouineGen!"
#define CENTAUR "CentaulsaurH"

/* Registers are ebx, ecx, edx. */
static const char *const vendors[] = {INTEL, AMD, HYGON, CENTAUR};

static bool reads(struct fake_cpu *f, uint32_t index, uint64_t expected)
{
	uint64_t value = 0x5555;

	if (!pv_guest_read_msr(&f->v, index, &value))
		return false;
	assert_int_equal(value, expected);
	return true;
}

static bool writes(struct fake_cpu *f, uint32_t index, uint64_t value)
{
	return pv_guest_write_msr(&f->v, index, value);
}

/* One bit for each of the four above. */
static void assert_reads_zero(struct fake_cpu *f, uint32_t index, unsigned on)
{
	for (unsigned n = 0; n < 4; n++) {
		vendor(f, vendors[n]);
		assert_int_equal(reads(f, index, 0), on >> n & 1);
	}
}

static void assert_writes(struct fake_cpu *f, uint32_t index, uint64_t value, unsigned on)
{
	for (unsigned n = 0; n < 4; n++) {
		vendor(f, vendors[n]);
		assert_int_equal(writes(f, index, value), on >> n & 1);
	}
}

enum { ON_INTEL = 1, ON_AMD = 2, ON_HYGON = 4, ON_CENTAUR = 8, ON_ALL = 15 };

static void bases(void **state)
{
	struct fake_cpu *f = *state;

	for (unsigned n = 0; n < 3; n++) {
		f->bases[n] = 0x7000 + n;
		assert_true(reads(f, 0xc0000100 + n, 0x7000 + n));
		assert_true(writes(f, 0xc0000100 + n, PV_HYPER_START + n));
		assert_int_equal(f->bases[n], PV_HYPER_START + n);
		assert_false(writes(f, 0xc0000100 + n, 1ull << 47));
	}
}

static void fixed(void **state)
{
	struct fake_cpu *f = *state;

	f->tsc = 0x123456789a;
	assert_true(reads(f, 0x10, 0x123456789a));
	assert_false(writes(f, 0x10, 0));
	assert_true(reads(f, 0x1b, 0xfee00900));
	f->v.id = 1;
	assert_true(reads(f, 0x1b, 0xfee00800));
	assert_false(writes(f, 0x1b, 0xfee00800));
	assert_true(reads(f, 0x277, 0x50100070406));
	assert_false(writes(f, 0x277, 0x50100070406));
	assert_true(reads(f, 0x3a, 1));
	vendor(f, AMD);
	assert_false(reads(f, 0x3a, 1));
	assert_true(reads(f, 0xc0011029, 2));
	vendor(f, INTEL);
	assert_false(reads(f, 0xc0011029, 2));
}

static void efer(void **state)
{
	struct fake_cpu *f = *state;

	assert_false(reads(f, 0xc0000080, 0));
	fake_cpu_msr(f, 0xc0000080, 0x207d01); /* SVME and LMSLE too */
	assert_true(reads(f, 0xc0000080, 0x4d01));
	assert_true(writes(f, 0xc0000080, 0x4d01));
	assert_false(writes(f, 0xc0000080, 0x4501));
}

static void misc_enable(void **state)
{
	struct fake_cpu *f = *state;

	assert_false(reads(f, 0x1a0, 0));
	assert_false(writes(f, 0x1a0, 0));
	fake_cpu_msr(f, 0x1a0, 1u << 7 | 1u << 18 | 1);
	assert_true(reads(f, 0x1a0, 1u << 11 | 1u << 12 | 1u << 23 | 1));
	assert_true(writes(f, 0x1a0, 0));
	assert_int_equal(f->msrs[0].value, 1u << 7 | 1u << 18 | 1);
}

static void faulting_cpuid(void **state)
{
	struct fake_cpu *f = *state;

	assert_true(reads(f, 0xce, 0));
	assert_true(writes(f, 0x140, 0));
	assert_false(writes(f, 0x140, 1));
	fake_cpu_msr(f, 0xce, 0xffffffffffffffff);
	fake_cpu_msr(f, 0x140, 0);
	assert_true(reads(f, 0xce, 1u << 31));
	assert_false(writes(f, 0xce, 0));
	assert_true(writes(f, 0x140, 1));
	assert_true(reads(f, 0x140, 1));
	assert_int_equal(f->msrs[1].value, 1);
	assert_false(writes(f, 0x140, 3));
}

static void machine_check(void **state)
{
	struct fake_cpu *f = *state;

	assert_true(reads(f, 0x179, 2 | 1u << 10 | 1u << 11 | 1u << 24));
	assert_true(writes(f, 0x179, 0));
	assert_true(writes(f, 0x17a, 5));
	assert_true(reads(f, 0x17a, 5));
	assert_true(reads(f, 0x17b, 0));
	assert_true(writes(f, 0x17b, ~0ull));
	assert_true(reads(f, 0x400, ~0ull));
	assert_true(reads(f, 0x404, ~0ull));
	assert_true(reads(f, 0x408, 0));
	assert_true(writes(f, 0x400, 0));
	for (unsigned n = 1; n < 4; n++) {
		assert_true(reads(f, 0x404 + n, 0));
		assert_true(writes(f, 0x404 + n, 0));
		assert_false(writes(f, 0x404 + n, 1));
		assert_true(writes(f, 0x408 + n, 1));
	}
	assert_true(writes(f, 0x281, 0x40000001));
	assert_true(reads(f, 0x281, 0x40000001));
	assert_true(writes(f, 0x282, 1));
	assert_true(reads(f, 0x282, 0));
	assert_false(reads(f, 0x4d0, 0));
	assert_true(reads(f, 0, 0));
	vendor(f, AMD);
	assert_true(reads(f, 0x179, 2));
	assert_true(reads(f, 0x281, 0));
}

static void by_vendor(void **state)
{
	struct fake_cpu *f = *state;

	assert_reads_zero(f, 0x198, ON_INTEL | ON_CENTAUR);
	assert_reads_zero(f, 0x199, ON_INTEL | ON_CENTAUR);
	assert_writes(f, 0x199, 5, ON_INTEL | ON_CENTAUR);
	assert_reads_zero(f, 0x19c, ON_INTEL);
	assert_writes(f, 0x19a, 5, ON_INTEL);
	assert_writes(f, 0x1b0, 5, ON_INTEL);
	assert_writes(f, 0xe7, 0, ON_INTEL | ON_AMD | ON_HYGON);
	assert_writes(f, 0xe8, 0, ON_INTEL | ON_AMD | ON_HYGON);
	assert_reads_zero(f, 0xc0010015, ON_AMD | ON_HYGON);
	assert_writes(f, 0xc0010015, 1, ON_AMD | ON_HYGON);
	assert_writes(f, 0xc0011029, 1, ON_AMD | ON_HYGON);
	assert_reads_zero(f, 0xc0010064, ON_AMD);
	assert_writes(f, 0xc0010064, 1, ON_AMD | ON_HYGON);
	assert_reads_zero(f, 0xc001001f, ON_ALL);
	assert_writes(f, 0xc001001f, 1, ON_ALL);
	assert_reads_zero(f, 0x345, ON_ALL);
	assert_writes(f, 0x345, 1, 0);
	assert_reads_zero(f, 0x186, ON_INTEL);
	assert_writes(f, 0xc1, 1, ON_INTEL);
	assert_reads_zero(f, 0x38f, ON_INTEL);
	assert_reads_zero(f, 0xc0010004, ON_AMD | ON_HYGON);
	assert_writes(f, 0xc0010200, 1, ON_AMD | ON_HYGON);
	assert_reads_zero(f, 0xc0010058, 0);
	f->leaf1[0] = 0x00100f00; /* family 16 */
	assert_reads_zero(f, 0xc0010058, ON_AMD);
	f->leaf1[0] = 0x00800f00; /* 23 */
	assert_reads_zero(f, 0xc0010058, 0);
}

/* What the CPU has, if CPUID says so. */
static void its_own(void **state)
{
	struct fake_cpu *f = *state;

	fake_cpu_msr(f, 0x48, 1);
	fake_cpu_msr(f, 0x49, 0);
	fake_cpu_msr(f, 0x10a, 0xfd);
	fake_cpu_msr(f, 0xc0000103, 3);
	fake_cpu_msr(f, 0x8b, 0x1100000000);
	fake_cpu_msr(f, 0x17, 0x44);
	f->v.traps[VECTOR_GP].address = 1;
	assert_false(reads(f, 0x48, 1));
	assert_false(writes(f, 0x48, 1));
	assert_false(writes(f, 0x49, 1));
	assert_false(reads(f, 0x10a, 0xfd));
	assert_false(reads(f, 0xc0000103, 3));
	f->leaf7[3] = 1u << 26 | 1u << 29;
	f->leaf7[2] = 1u << 22;
	assert_true(reads(f, 0x48, 1));
	assert_true(writes(f, 0x48, 4));
	assert_true(reads(f, 0x48, 4));
	assert_false(reads(f, 0x49, 0));
	assert_true(writes(f, 0x49, 1));
	assert_false(writes(f, 0x49, 2));
	assert_false(writes(f, 0x10b, 1));
	assert_true(reads(f, 0x10a, 0xfd));
	assert_false(writes(f, 0x10a, 0xfd));
	assert_true(reads(f, 0xc0000103, 3));
	assert_true(writes(f, 0xc0000103, 0xffffffff));
	assert_false(writes(f, 0xc0000103, 1ull << 32));
	assert_true(reads(f, 0x8b, 0x1100000000));
	assert_true(writes(f, 0x8b, 0));
	assert_false(writes(f, 0x8b, 1));
	assert_true(reads(f, 0x17, 0x44));
	assert_false(writes(f, 0x17, 0x44));
	vendor(f, CENTAUR);
	assert_false(reads(f, 0x8b, 0x1100000000));
	assert_false(reads(f, 0x17, 0x44));
	assert_false(reads(f, 0xda0, 0));
	f->leafd1[0] = 8;
	assert_true(reads(f, 0xda0, 0));
	assert_true(writes(f, 0xda0, 0));
	assert_false(writes(f, 0xda0, 1));
}

static void unknown(void **state)
{
	struct fake_cpu *f = *state;
	static const uint32_t none[] = {0x33,       0x79,       0x122,      0x1d9,      0x200,
					0x2ff,      0x570,      0x6a0,      0x802,      0x832,
					0xd90,      0x40000001, 0x400002ff, 0x4b564d00, 0xc0000081,
					0xc0000082, 0xc0000084, 0xc0010010, 0xc0010020, 0xc0010114,
					0xc001011f, 0xc0011027};

	f->v.traps[VECTOR_GP].address = 1;
	for (unsigned n = 0; n < sizeof(none) / sizeof(none[0]); n++) {
		f->nr_msrs = 0;
		fake_cpu_msr(f, none[n], 5);
		assert_false(reads(f, none[n], 0));
		assert_false(writes(f, none[n], 5));
		assert_int_equal(f->msrs[0].value, 5);
	}
}

static void hypercall_page(void **state)
{
	struct fake_cpu *f = *state;
	const uint8_t stub_3[] = {0x51, 0x41, 0x53, 0xb8, 3, 0, 0, 0, 0x0f, 0x05};

	assert_true(reads(f, 0x40000000, 0));
	assert_true(writes(f, 0x40000000, (uint64_t)FAKE_FREE << 12));
	assert_memory_equal(f->ram[FAKE_FREE] + 3 * 32, stub_3, sizeof(stub_3));
	assert_int_equal(f->held, 0);
	assert_false(f->locked);
	assert_false(writes(f, 0x40000000, (uint64_t)FAKE_FREE << 12 | 1));
	assert_false(writes(f, 0x40000000, (uint64_t)FAKE_TABLE << 12));
	assert_false(writes(f, 0x40000000, ~0xfffull));
	assert_false(f->locked);
}

/* Before there is a handler for #GP, an MSR that there is reads as 0. */
static void early(void **state)
{
	struct fake_cpu *f = *state;

	fake_cpu_msr(f, 0x1d9, 5);
	fake_cpu_msr(f, 0x40000001, 5);
	assert_true(reads(f, 0x1d9, 0));
	assert_false(reads(f, 0x1da, 0));
	assert_false(reads(f, 0x40000001, 0));
	assert_false(writes(f, 0x1d9, 0));
	f->v.traps[VECTOR_GP].address = 1;
	assert_false(reads(f, 0x1d9, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bases),          TEST(fixed),          TEST(efer),      TEST(misc_enable),
		TEST(faulting_cpuid), TEST(machine_check),  TEST(by_vendor), TEST(its_own),
		TEST(unknown),        TEST(hypercall_page), TEST(early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
