// SPDX-License-Identifier: BSD-2-Clause
/*
 * A hypercall that does not exist answers -ENOSYS and touches nothing else.
 *
 * Guests probe: Linux tries a newer operation and falls back on -ENOSYS, so a made-up success or
 * another errno changes what a guest believes. The numbers here are those that no HVM guest has
 * ever had (PV-only, retired, never used), and sub-operations past the end of each family. A
 * 64-bit caller's number is all 64 bits of rax: 17 with bit 32 set is not xen_version. All other
 * registers must be as they were, rcx and r11 too, since compilers believe so.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "unimplemented numbers and sub-operations answer -ENOSYS";

/* The registers a compiler would keep something in, filled so that any change shows. */
static const struct hypercall_regs pattern = {
	.bx = (unsigned long)0x1b1b1b1b1b1b1b1bULL,
	.cx = (unsigned long)0x1c1c1c1c1c1c1c1cULL,
	.dx = (unsigned long)0x1d1d1d1d1d1d1d1dULL,
	.si = (unsigned long)0x2525252525252525ULL,
	.di = (unsigned long)0x2d2d2d2d2d2d2d2dULL,
	.bp = (unsigned long)0x3b3b3b3b3b3b3b3bULL,
#ifdef __x86_64__
	.r8 = 0x0808080808080808,
	.r9 = 0x0909090909090909,
	.r10 = 0x1010101010101010,
	.r11 = 0x1111111111111111,
	.r12 = 0x1212121212121212,
	.r13 = 0x1313131313131313,
	.r14 = 0x1414141414141414,
	.r15 = 0x1515151515151515,
#endif
};

static const void *direct_routine(void)
{
	return hypercall_native() == BY_VMCALL ? vmcall_routine : vmmcall_routine;
}

static void expect_enosys(unsigned long nr, const void *target, const char *how)
{
	struct hypercall_regs r = pattern;

	r.ax = nr;
	hypercall_with_regs(&r, target);
	CHECK((long)r.ax == -XEN_ENOSYS, "hypercall %#lx by %s gives %#lx", nr, how, r.ax);
	r.ax = pattern.ax;
	CHECK(!memcmp(&r, &pattern, sizeof(r)), "hypercall %#lx by %s changed a register", nr, how);
}

static void numbers(void)
{
	static const unsigned int none[] = {
		__HYPERVISOR_set_trap_table,
		__HYPERVISOR_mmu_update,
		__HYPERVISOR_set_gdt,
		__HYPERVISOR_fpu_taskswitch,
		11,
		__HYPERVISOR_update_va_mapping,
		__HYPERVISOR_set_segment_base,
		__HYPERVISOR_callback_op,
		38,
		43,
		47,
		56,
		63,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++) {
		expect_enosys(none[i], direct_routine(), "instruction");
		expect_enosys(none[i], hypercall_page + none[i] * 32, "page");
	}
	expect_enosys(127, hypercall_page + 127 * 32, "page");
	expect_enosys(200, direct_routine(), "instruction");
	expect_enosys(0x7fffffff, direct_routine(), "instruction");
	expect_enosys(0xffffffff, direct_routine(), "instruction");
#ifdef __x86_64__
	expect_enosys(1UL << 32 | __HYPERVISOR_xen_version, direct_routine(), "instruction");
	expect_enosys(~0UL, direct_routine(), "instruction");
#endif
}

static void sub_operations(void)
{
	static const unsigned int families[] = {
		__HYPERVISOR_xen_version, __HYPERVISOR_sched_op,   __HYPERVISOR_event_channel_op,
		__HYPERVISOR_hvm_op,      __HYPERVISOR_physdev_op, __HYPERVISOR_grant_table_op,
	};
	static uint8_t arg[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		long rc = hypercall(families[i], 0x3fff, (unsigned long)arg, 0, 0, 0);

		CHECK(rc == -XEN_ENOSYS, "hypercall %u sub-operation 0x3fff gives %ld", families[i],
		      rc);
	}
	CHECK_EQ(hypercall_memory_op(63, arg), -XEN_ENOSYS);
	CHECK_EQ(hypercall_vcpu_op(99, 0, arg), -XEN_ENOSYS);
}

void test_main(void)
{
	numbers();
	sub_operations();
	CHECK(hypercall_xen_version(XENVER_version, NULL) > 0,
	      "a known hypercall fails afterwards");
	test_success();
}
