// SPDX-License-Identifier: BSD-2-Clause
/* stack_switch, set_segment_base, fpu_taskswitch, debug registers, vm_assist, physdev_op. */
#include "shim/pv/cpu_op.h"
#include "shim/pv/fake_cpu_test.h"

#define NOT_CANONICAL 0x800000000000ull
#define NOT_THERE     0x600000ull

typedef long (*hypercall)(struct pv_vcpu *v, const uint64_t args[6]);

static long call(struct fake_cpu *f, hypercall h, uint64_t a, uint64_t b)
{
	const uint64_t args[6] = {a, b};

	return h(&f->v, args);
}

static void stack_switch(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(call(f, pv_op_stack_switch, 0xe028, NOT_CANONICAL), 0);
	assert_int_equal(f->v.kernel_ss, 0xe02b);
	assert_int_equal(f->v.kernel_sp, NOT_CANONICAL);
}

static void segment_bases(void **state)
{
	struct fake_cpu *f = *state;
	const struct {
		unsigned which;
		enum pv_base base;
	} all[] = {
		{SEGBASE_FS, PV_BASE_FS},
		{SEGBASE_GS_KERNEL, PV_BASE_GS},
		{SEGBASE_GS_USER, PV_BASE_GS_OTHER},
	};

	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(call(f, pv_op_set_segment_base, all[n].which, 0x7000 + n), 0);
		assert_int_equal(f->bases[all[n].base], 0x7000 + n);
		assert_int_equal(call(f, pv_op_set_segment_base, all[n].which, NOT_CANONICAL),
				 -XEN_EINVAL);
		assert_int_equal(f->bases[all[n].base], 0x7000 + n);
	}
	assert_int_equal(call(f, pv_op_set_segment_base, 4, 0), -XEN_EINVAL);
}

static void gs_selector(void **state)
{
	struct fake_cpu *f = *state;

	f->bases[PV_BASE_GS] = 0x1234;
	assert_int_equal(call(f, pv_op_set_segment_base, SEGBASE_GS_USER_SEL, 0x10058), 0);
	assert_int_equal(f->gs_other, 0x5b);
	assert_int_equal(f->bases[PV_BASE_GS_OTHER], 0x5b000);
	assert_int_equal(f->bases[PV_BASE_GS], 0x1234);
	assert_int_equal(call(f, pv_op_set_segment_base, SEGBASE_GS_USER_SEL, 2), 0);
	assert_int_equal(f->gs_other, 2);
	f->bad_selector = 0x63;
	assert_int_equal(call(f, pv_op_set_segment_base, SEGBASE_GS_USER_SEL, 0x60), 0);
	assert_int_equal(f->gs_other, 0);
}

static void taskswitch(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(call(f, pv_op_fpu_taskswitch, 1, 0), 0);
	assert_int_equal(f->v.cr0_ts, CR0_TS);
	assert_int_equal(f->ts, CR0_TS);
	assert_int_equal(call(f, pv_op_fpu_taskswitch, 1ull << 32, 0), 0); /* an int */
	assert_int_equal(f->v.cr0_ts, 0);
	assert_int_equal(f->ts, 0);
}

static long set_dr(struct fake_cpu *f, uint64_t reg, uint64_t value)
{
	return call(f, pv_op_set_debugreg, reg, value);
}

static long get_dr(struct fake_cpu *f, uint64_t reg)
{
	return call(f, pv_op_get_debugreg, reg, 0);
}

static void debug_addresses(void **state)
{
	struct fake_cpu *f = *state;

	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(set_dr(f, n, 0x7fffffffffff), 0);
		assert_int_equal(set_dr(f, n, PV_HYPER_END + n), 0);
		assert_int_equal(f->debug[n], PV_HYPER_END + n);
		assert_int_equal(set_dr(f, n, PV_HYPER_START), -XEN_EPERM);
		assert_int_equal(set_dr(f, n, PV_HYPER_END - 1), -XEN_EPERM);
		assert_int_equal(set_dr(f, n, 1ull << 47), -XEN_EPERM);
		assert_int_equal(get_dr(f, n), PV_HYPER_END + n);
	}
}

static void debug_status(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(set_dr(f, 6, 0), 0);
	assert_int_equal(get_dr(f, 6), 0xffff0ff0);
	assert_int_equal(set_dr(f, 6, 0xffffffff), 0);
	assert_int_equal(get_dr(f, 6), 0xffffefff);
	assert_int_equal(set_dr(f, 6, 1ull << 32), -XEN_EINVAL);
	assert_int_equal(f->debug[6], 0xffffefff);
}

static void debug_control(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(set_dr(f, 7, 0xffff03ff & ~0xaaaa0000), 0); /* all four, to be executed */
	assert_int_equal(get_dr(f, 7), (0xffff03ff & ~0xaaaa0000) | 0x400);
	assert_int_equal(set_dr(f, 7, 0xd800), 0);
	assert_int_equal(get_dr(f, 7), 0x400);
	assert_int_equal(set_dr(f, 7, 1ull << 32), -XEN_EINVAL);
	assert_int_equal(set_dr(f, 7, 1u << 13), -XEN_EPERM);
	assert_int_equal(get_dr(f, 7), 0x400);
}

/* Breakpoints on ports want the debugging extensions, and are not the CPU's. */
static void debug_ports(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t second = 1u << 2 | 2u << 20, both = second | 1u << 0 | 1u << 16;

	assert_int_equal(set_dr(f, 7, second), -XEN_EPERM);
	assert_int_equal(set_dr(f, 7, 2u << 20), 0); /* not enabled: may be anything */
	f->v.cr4 = CR4_DE;
	assert_int_equal(set_dr(f, 7, both), 0);
	assert_int_equal(f->v.dr7_ports, 1u << 2);
	assert_int_equal(f->debug[7], (both | 0x400) & ~(1u << 2));
	assert_int_equal(get_dr(f, 7), both | 0x400);
	assert_int_equal(set_dr(f, 7, 0), 0);
	assert_int_equal(f->v.dr7_ports, 0);
}

static void debug_aliases(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(set_dr(f, 4, 1), 0);
	assert_int_equal(get_dr(f, 6), 0xffff0ff1);
	assert_int_equal(get_dr(f, 4), 0xffff0ff1);
	assert_int_equal(set_dr(f, 5, 1), 0);
	assert_int_equal(get_dr(f, 7), 0x401);
	assert_int_equal(get_dr(f, 5), 0x401);
	f->v.cr4 = CR4_DE;
	for (unsigned n = 4; n < 6; n++) {
		assert_int_equal(set_dr(f, n, 0), -XEN_ENODEV);
		assert_int_equal(get_dr(f, n), -XEN_ENODEV);
	}
	assert_int_equal(set_dr(f, 8, 0), -XEN_ENODEV);
	assert_int_equal(get_dr(f, 8), -XEN_ENODEV);
	assert_int_equal(get_dr(f, 0xffffffff), -XEN_ENODEV);
	assert_int_equal(get_dr(f, 1ull << 32 | 7), 0x401); /* an int */
}

static void vm_assist(void **state)
{
	struct fake_cpu *f = *state;
	static const unsigned ours[] = {0, 1, 2, 3, 4, VMASST_TYPE_m2p_strict};

	for (unsigned n = 0; n < 6; n++) {
		assert_int_equal(call(f, pv_op_vm_assist, VMASST_CMD_enable, ours[n]), 0);
		assert_int_equal(f->domain.vm_assist, 1ull << ours[n]);
		assert_int_equal(f->domain.mm.m2p_strict, ours[n] == VMASST_TYPE_m2p_strict);
		assert_int_equal(call(f, pv_op_vm_assist, 2, ours[n]), -XEN_ENOSYS);
		assert_int_equal(call(f, pv_op_vm_assist, VMASST_CMD_disable, ours[n]), 0);
		assert_int_equal(f->domain.vm_assist, 0);
	}
	for (unsigned n = 6; n < 70; n++)
		if (n != VMASST_TYPE_m2p_strict)
			assert_int_equal(call(f, pv_op_vm_assist, 2, n), -XEN_EINVAL);
	assert_true(call(f, pv_op_vm_assist, 0, VMASST_TYPE_runstate_update_flag) == PV_OP_HOST);
}

static long set_iopl(struct fake_cpu *f, uint32_t iopl)
{
	memcpy(fake_cpu_at(f, FAKE_DATA), &iopl, sizeof(iopl));
	return call(f, pv_op_physdev, PHYSDEVOP_set_iopl, FAKE_DATA);
}

static void iopl(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(set_iopl(f, 3), 0);
	assert_int_equal(f->v.iopl, 3);
	assert_int_equal(set_iopl(f, 4), -XEN_EINVAL);
	assert_int_equal(f->v.iopl, 3);
	assert_int_equal(call(f, pv_op_physdev, PHYSDEVOP_set_iopl, NOT_THERE), -XEN_EFAULT);
	assert_true(call(f, pv_op_physdev, PHYSDEVOP_eoi, 0) == PV_OP_HOST);
}

static long set_iobitmap(struct fake_cpu *f, uint64_t at, uint32_t ports)
{
	struct physdev_set_iobitmap op = {.nr_ports = ports};

	memcpy(&op.bitmap, &at, sizeof(at));
	memcpy(fake_cpu_at(f, FAKE_DATA), &op, sizeof(op));
	return call(f, pv_op_physdev, PHYSDEVOP_set_iobitmap, FAKE_DATA);
}

static void iobitmap(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(set_iobitmap(f, NOT_THERE, 65536), 0);
	assert_int_equal(f->v.iobmp, NOT_THERE);
	assert_int_equal(f->v.iobmp_limit, 65536);
	assert_int_equal(set_iobitmap(f, 0x1000, 65537), -XEN_EINVAL);
	assert_int_equal(set_iobitmap(f, PV_HYPER_START, 1), -XEN_EINVAL);
	assert_int_equal(f->v.iobmp, NOT_THERE);
	assert_int_equal(call(f, pv_op_physdev, PHYSDEVOP_set_iobitmap, NOT_THERE), -XEN_EFAULT);
	assert_int_equal(set_iobitmap(f, 0, 0), 0);
	assert_int_equal(f->v.iobmp_limit, 0);
}

static void version(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(call(f, pv_op_xen_version, XENVER_version, NOT_THERE), 4 << 16 | 17);
	assert_true(call(f, pv_op_xen_version, XENVER_extraversion, NOT_THERE) == PV_OP_HOST);
}

/* Without an event the host is to wait; with the mask off in any case. */
static void block(void **state)
{
	struct fake_cpu *f = *state;

	f->v.info->evtchn_upcall_mask = 1;
	assert_true(call(f, pv_op_sched, SCHEDOP_block, NOT_THERE) == PV_OP_HOST);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	f->v.info->evtchn_upcall_mask = 1;
	f->v.info->evtchn_upcall_pending = 1;
	assert_true(call(f, pv_op_sched, SCHEDOP_yield, NOT_THERE) == PV_OP_HOST);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
	assert_int_equal(call(f, pv_op_sched, SCHEDOP_block, NOT_THERE), 0);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	assert_int_equal(f->v.info->evtchn_upcall_pending, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stack_switch),    TEST(segment_bases), TEST(gs_selector),   TEST(taskswitch),
		TEST(debug_addresses), TEST(debug_status),  TEST(debug_control), TEST(debug_ports),
		TEST(debug_aliases),   TEST(vm_assist),     TEST(iopl),          TEST(iobitmap),
		TEST(version),         TEST(block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
