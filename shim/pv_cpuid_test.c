// SPDX-License-Identifier: BSD-2-Clause
/* What a PV guest sees of CPUID. */
#include "shim/pv_cpuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "xen-abi/xen.h"

/* Bits of features, by the manuals' numbers, not by the header that the code goes by. */
struct expected {
	uint32_t leaf, subleaf;
	uint32_t seen[4], hidden[4]; /* of eax to edx; bits in neither are nobody's here */
};

#define B(n) (1u << (n))

static const struct expected expected[] = {
	{1,
	 0,
	 {~0u, ~0u, B(0) | B(13) | B(19) | B(21) /* x2APIC */ | B(26) | B(27) | B(28) | B(31),
	  B(0) | B(2) | B(6) | B(9) | B(16) | B(24) | B(26) | B(28)},
	 {0, 0, B(3) /* MONITOR */ | B(5) | B(15) | B(17) /* PCID */ | B(24) /* TSC deadline */,
	  B(1) /* VME */ | B(3) /* PSE */ | B(12) /* MTRR */ | B(13) /* PGE */ | B(17)}},
	{7,
	 0,
	 {0, B(0) /* FSGSBASE */ | B(3) | B(5) | B(9) | B(16), B(1) | B(22), B(4) | B(10)},
	 {0, B(1) | B(7) /* SMEP */ | B(10) /* INVPCID */ | B(14) | B(20) /* SMAP */ | B(25),
	  B(2) /* UMIP */ | B(3) /* PKU */ | B(7) /* CET_SS */ | B(16) /* LA57 */,
	  B(20) /* CET_IBT */ | B(22) | B(24) /* AMX */ | B(26) /* SPEC_CTRL */ | B(27) | B(29) |
		  B(31)}},
	{7, 1, {B(4) | B(5), 0, 0, 0}, {B(26), ~0u, ~0u, ~0u}},
	{0xd,
	 0,
	 {B(0) | B(1) | B(2) | B(5), ~0u, ~0u, 0},
	 {B(3) | B(9) | B(17) | B(18), 0, 0, ~0u}},
	{0xd, 1, {B(0) | B(1) | B(2), ~0u, 0, 0}, {B(3) /* XSAVES */ | B(4), 0, ~0u, ~0u}},
	{0xd, 2, {~0u, ~0u, ~0u, ~0u}, {0}},
	{0xd, 9, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0xd, 62, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0x80000001,
	 0,
	 {~0u, ~0u, B(0) | B(5) | B(8), B(0) | B(11) | B(20) | B(27) | B(29) | B(24)},
	 {0, 0, B(2) /* SVM */ | B(10) | B(22) | B(23), B(3) | B(12) | B(13) | B(26) /* 1 GiB */}},
	{0x80000007, 0, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0x80000008, 0, {0xffff, B(0), ~0u, 0}, {~0xffffu, B(12) | B(14) | B(24), 0, ~0u}},
	{0x8000000a, 0, {0}, {~0u, ~0u, ~0u, ~0u}},
	{5, 0, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0xa, 0, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0x80000019, 0, {0}, {~0u, ~0u, ~0u, ~0u}},
	{0x80000002, 0, {~0u, ~0u, ~0u, ~0u}, {0}},
	{0xb, 1, {~0u, ~0u, ~0u, ~0u}, {0}},
	{0, 0, {~0u, ~0u, ~0u, ~0u}, {0}},
};

static void features(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected *e = &expected[i];
		struct cpuid_leaf l = {e->leaf, e->subleaf, true, ~0u, ~0u, ~0u, ~0u};
		uint32_t got[4];

		pv_cpuid_adjust(&l);
		memcpy(got, &l.eax, sizeof(got));
		for (unsigned r = 0; r < 4; r++) {
			assert_int_equal(got[r] & e->seen[r], e->seen[r]);
			assert_int_equal(got[r] & e->hidden[r], 0);
		}
		assert_int_equal(l.leaf, e->leaf);
		assert_int_equal(l.subleaf, e->subleaf);
	}
}

/* What the CPU has not is not there for a PV guest, either. */
static void nothing_comes_of_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct cpuid_leaf l = {expected[i].leaf, expected[i].subleaf, true, 0, 0, 0, 0};

		pv_cpuid_adjust(&l);
		assert_int_equal(l.eax | l.ebx | l.ecx | l.edx, 0);
	}
}

static void sub_leaves_of_features(void **state)
{
	struct cpuid_leaf l = {7, 0, true, 1, 0, 0, 0};

	(void)state;
	pv_cpuid_adjust(&l);
	assert_int_equal(l.eax, 1);
	l.eax = 9;
	pv_cpuid_adjust(&l);
	assert_int_equal(l.eax, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features),
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(sub_leaves_of_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
