// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_iret. */
#include "shim/pv/fake_cpu_test.h"

static struct iret_context *frame(struct fake_cpu *f)
{
	static const struct iret_context c = {
		.rax = 0xa0a0a0a0a0a0a0a0,
		.r11 = 0x1111,
		.rcx = 0xc0c0,
		.rip = 0x401000,
		.cs = FLAT_USER_CS,
		.rflags = RFLAGS_IF | RFLAGS_IOPL | RFLAGS_VM | RFLAGS_TF | RFLAGS_CF | 2,
		.rsp = 0x7fff00001000,
		.ss = FLAT_USER_SS,
	};

	f->r.rsp = FAKE_STACK + 0x700;
	f->r.vector = PV_ENTRY_SYSCALL;
	memcpy(fake_cpu_at(f, f->r.rsp), &c, sizeof(c));
	return (void *)fake_cpu_at(f, f->r.rsp);
}

static long iret(struct fake_cpu *f)
{
	return pv_op_iret(&f->v, &f->r);
}

static void to_user(void **state)
{
	struct fake_cpu *f = *state;

	frame(f);
	f->bases[PV_BASE_GS] = 0x22000;
	assert_int_equal(iret(f), 0xa0a0a0a0a0a0a0a0);
	assert_null(f->v.dying);
	assert_false(f->v.kernel_mode);
	assert_false(f->kernel_base);
	assert_int_equal(f->bases[PV_BASE_GS_OTHER], 0x22000);
	assert_int_equal(f->r.rip, 0x401000);
	assert_int_equal(f->r.cs, FLAT_USER_CS);
	assert_int_equal(f->r.rflags, RFLAGS_IF | RFLAGS_TF | RFLAGS_CF | 2);
	assert_int_equal(f->r.rsp, 0x7fff00001000);
	assert_int_equal(f->r.ss, FLAT_USER_SS);
	assert_int_equal(f->r.rcx, 0xc0c0);
	assert_int_equal(f->r.r11, 0x1111);
	assert_int_equal(f->r.vector, 0);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	assert_int_equal(f->v.iopl, 0);
}

/* To the kernel: the selectors say so by their low bits, and are ring 3's all the same. */
static void to_kernel(void **state)
{
	struct fake_cpu *f = *state;
	struct iret_context *c = frame(f);

	c->cs = 0xe030 | 1ull << 32; /* with the saved mask */
	c->ss = 0xe028;
	c->rflags = 2;
	f->v.info->evtchn_upcall_mask = 0;
	iret(f);
	assert_true(f->v.kernel_mode);
	assert_int_equal(f->gs_swaps, 0);
	assert_int_equal(f->r.cs, FLAT_KERNEL_CS);
	assert_int_equal(f->r.ss, FLAT_KERNEL_SS);
	assert_int_equal(f->r.rflags, RFLAGS_IF | 2);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
}

static void like_sysret(void **state)
{
	struct fake_cpu *f = *state;
	struct iret_context *c = frame(f);

	c->flags = VGCF_in_syscall;
	c->cs = 0x33;
	c->ss = 0x2b;
	iret(f);
	assert_int_equal(f->r.cs, FLAT_USER_CS);
	assert_int_equal(f->r.ss, FLAT_USER_SS);
	assert_int_equal(f->r.rcx, 0x401000);
	assert_int_equal(f->r.r11, RFLAGS_IF | RFLAGS_TF | RFLAGS_CF | 2);
	assert_int_equal(f->r.vector, PV_ENTRY_SYSCALL);

	fake_cpu_init(f);
	c = frame(f);
	c->flags = VGCF_in_syscall;
	c->cs = FLAT_USER_CS32;
	iret(f);
	assert_int_equal(f->r.cs, FLAT_USER_CS32);
}

static void iopl(void **state)
{
	struct fake_cpu *f = *state;

	f->domain.vm_assist = 1ull << VMASST_TYPE_architectural_iopl;
	frame(f);
	iret(f);
	assert_int_equal(f->v.iopl, 3);
	assert_int_equal(f->r.rflags & RFLAGS_IOPL, 0);
}

static void cannot(void **state)
{
	struct fake_cpu *f = *state;

	frame(f);
	f->r.rsp = FAKE_STACK + 0x1000 - 8;
	iret(f);
	assert_non_null(f->v.dying);
	assert_true(f->v.kernel_mode);

	fake_cpu_init(f);
	frame(f);
	f->v.roots.user = 0;
	iret(f);
	assert_non_null(f->v.dying);
	assert_true(f->v.kernel_mode);
	assert_int_equal(pv_before_return(&f->v, &f->r), -XEN_EFAULT);
}

/* What is under way ends in the order of a stack. */
static void nmi_and_mce(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t kernel_cs = 0xe030;
	struct iret_context *c;

	for (unsigned mce_first = 0; mce_first < 2; mce_first++) {
		bool *first = mce_first ? &f->v.mce_pending : &f->v.nmi_pending;
		bool *second = mce_first ? &f->v.nmi_pending : &f->v.mce_pending;

		fake_cpu_init(f);
		set_handlers(f);
		*first = true;
		assert_int_equal(pv_before_return(&f->v, &f->r), 0);
		*second = true;
		assert_int_equal(pv_before_return(&f->v, &f->r), 0);
		assert_int_equal(f->v.async_mask, PV_ASYNC_NMI | PV_ASYNC_MCE);
		c = frame(f);
		c->cs = kernel_cs;
		iret(f);
		assert_int_equal(f->v.async_mask, mce_first ? PV_ASYNC_MCE : PV_ASYNC_NMI);
		frame(f)->cs = kernel_cs;
		iret(f);
		assert_int_equal(f->v.async_mask, 0);
		frame(f)->cs = kernel_cs;
		iret(f);
		assert_int_equal(f->v.async_mask, 0);
	}
}

/* What pv_deliver() has pushed is what iret reads, but for rax and the flags above it. */
static void there_and_back(void **state)
{
	struct fake_cpu *f = *state;
	struct pv_regs before;
	uint64_t *stub;

	to_user_mode(f);
	set_handlers(f);
	f->r.rcx = 1;
	f->r.r11 = 2;
	f->r.rip = 0x401000;
	f->r.cs = FLAT_USER_CS;
	f->r.rsp = 0x7fff00001000;
	f->v.info->evtchn_upcall_mask = 0;
	before = f->r;
	pv_inject(&f->v, VECTOR_DE, -1);
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);

	/* The handler has popped rcx and r11; what it pushes, with the hypercall page's stub: */
	f->r.rsp += 16 - 4 * 8;
	stub = (void *)fake_cpu_at(f, f->r.rsp);
	stub[0] = before.rax;
	stub[1] = before.r11;
	stub[2] = before.rcx;
	stub[3] = 0;
	f->r.rax = iret(f);
	assert_memory_equal(&f->r, &before, sizeof(before));
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_user), TEST(to_kernel),   TEST(like_sysret),    TEST(iopl),
		TEST(cannot),  TEST(nmi_and_mce), TEST(there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
