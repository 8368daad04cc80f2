// SPDX-License-Identifier: BSD-2-Clause
/* The CPUID leaves of Xen (arch-x86/cpuid.h). */
#include "shim/cpuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "xen-abi/xen.h"

static const struct xen_cpuid_config config = {
	.vcpu_id = 3,
	.domid = 7,
	.tsc_khz = 2400000,
	.tsc_to_ns_mul = 0xd5555555,
	.tsc_shift = -1,
	.rdtscp = true,
};

static struct cpuid_leaf leaf(const struct xen_cpuid_config *c, uint32_t number, uint32_t sub)
{
	struct cpuid_leaf leaves[XEN_CPUID_LEAVES];

	memset(leaves, 0xff, sizeof(leaves));
	xen_cpuid(c, leaves);
	for (unsigned i = 0; i < XEN_CPUID_LEAVES; i++)
		if (leaves[i].leaf == number && leaves[i].subleaf == sub)
			return leaves[i];
	fail_msg("no leaf %#x sub-leaf %u", number, sub);
	return leaves[0];
}

static void signature(void **state)
{
	struct cpuid_leaf l = leaf(&config, 0x40000000, 0);

	(void)state;
	assert_int_equal(l.eax, 0x40000004);
	assert_memory_equal(&l.ebx, "XenVMMXenVMM", 12);
	assert_false(l.has_subleaves);
}

static void version_and_page(void **state)
{
	struct cpuid_leaf l = leaf(&config, 0x40000001, 0);

	(void)state;
	assert_int_equal(l.eax, 4 << 16 | 17);
	assert_int_equal(l.ebx | l.ecx | l.edx, 0);
	l = leaf(&config, 0x40000002, 0);
	assert_int_equal(l.eax, 1);
	assert_int_equal(l.ebx, 0x40000000);
	assert_int_equal(l.ecx | l.edx, 0);
}

/* Three sub-leaves that are not one: KVM once mixed them. The shift is signed in all 32 bits. */
static void time_leaves(void **state)
{
	struct xen_cpuid_config no_rdtscp = config;
	struct cpuid_leaf l = leaf(&config, 0x40000003, 0);

	(void)state;
	assert_true(l.has_subleaves);
	assert_int_equal(l.eax, 1 << 1 | 1 << 2);
	assert_int_equal(l.ebx, 2);
	assert_int_equal(l.ecx, 2400000);
	assert_int_equal(l.edx, 0);
	no_rdtscp.rdtscp = false;
	assert_int_equal(leaf(&no_rdtscp, 0x40000003, 0).eax, 1 << 1);
	l = leaf(&config, 0x40000003, 1);
	assert_true(l.has_subleaves);
	assert_int_equal(l.eax | l.ebx, 0);
	assert_int_equal(l.ecx, 0xd5555555);
	assert_int_equal(l.edx, 0xffffffff);
	l = leaf(&config, 0x40000003, 2);
	assert_true(l.has_subleaves);
	assert_int_equal(l.eax, 2400000);
	assert_int_equal(l.ebx | l.ecx | l.edx, 0);
}

static void hvm_leaf(void **state)
{
	struct cpuid_leaf l = leaf(&config, 0x40000004, 0);

	(void)state;
	assert_true(l.has_subleaves);
	assert_true(l.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT);
	assert_true(l.eax & XEN_HVM_CPUID_DOMID_PRESENT);
	assert_true(l.eax & XEN_HVM_CPUID_UPCALL_VECTOR);
	assert_int_equal(l.ebx, 3);
	assert_int_equal(l.ecx, 7);
}

static struct cpuid_leaf pv_leaf(uint32_t number, uint64_t max_mfn)
{
	struct cpuid_leaf leaves[XEN_CPUID_PV_LEAVES];
	struct xen_cpuid_config c = config;

	c.max_mfn = max_mfn;
	memset(leaves, 0xff, sizeof(leaves));
	xen_cpuid_pv(&c, leaves);
	for (unsigned i = 0; i < XEN_CPUID_PV_LEAVES; i++)
		if (leaves[i].leaf == number)
			return leaves[i];
	fail_msg("no leaf %#x", number);
	return leaves[0];
}

static void leaves_of_pv_guests(void **state)
{
	struct cpuid_leaf l = pv_leaf(0x40000000, 1);

	(void)state;
	assert_int_equal(l.eax, 0x40000005);
	assert_memory_equal(&l.ebx, "XenVMMXenVMM", 12);
	l = pv_leaf(0x40000002, 1);
	assert_int_equal(l.eax, 1);
	assert_int_equal(l.ebx, 0x40000000);
	assert_int_equal(l.ecx, 1);
	l = pv_leaf(0x40000003, 1);
	assert_int_equal(l.ecx, 2400000);
	l = pv_leaf(0x40000004, 1);
	assert_int_equal(l.eax | l.ebx | l.ecx | l.edx, 0);
	assert_int_equal(pv_leaf(0x40000005, 0x100000).ebx, 32);
	assert_int_equal(pv_leaf(0x40000005, 0x100001).ebx, 33);
	assert_int_equal(pv_leaf(0x40000005, 1).ebx, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_of_pv_guests),
		cmocka_unit_test(signature),
		cmocka_unit_test(version_and_page),
		cmocka_unit_test(time_leaves),
		cmocka_unit_test(hvm_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
