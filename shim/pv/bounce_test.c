// SPDX-License-Identifier: BSD-2-Clause
/* Frames on the kernel's stack, word by word, and what is delivered before a return. */
#include "shim/pv/fake_cpu_test.h"

#define HANDLER 0xffffffff81234560ull

/* Registers of which each is itself. */
static void registers(struct fake_cpu *f)
{
	f->r.rcx = 0xc0c0c0c0c0c0c0c0;
	f->r.r11 = 0x1111111111111111;
	f->r.rip = 0x401234;
	f->r.rflags = RFLAGS_IF | RFLAGS_IOPL | RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC |
		      RFLAGS_DF | RFLAGS_CF | 2;
}

static void bounce(struct fake_cpu *f, bool masks, int64_t error)
{
	f->v.bounce = (struct pv_bounce){
		.wanted = true,
		.has_error = error >= 0,
		.error = error,
		.masks = masks,
		.address = HANDLER,
	};
	assert_int_equal(pv_deliver(&f->v, &f->r), 0);
}

static void in_the_handler(struct fake_cpu *f, uint64_t rsp)
{
	assert_int_equal(f->r.rip, HANDLER);
	assert_int_equal(f->r.rsp, rsp);
	assert_int_equal(f->r.cs, FLAT_KERNEL_CS);
	assert_int_equal(f->r.ss, FLAT_KERNEL_SS);
	assert_int_equal(f->r.rflags, RFLAGS_IF | RFLAGS_DF | RFLAGS_CF | 2);
	assert_int_equal(f->r.vector, PV_ENTRY_SYSCALL);
	assert_false(f->v.bounce.wanted);
}

static void from_user(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t expected[] = {0xc0c0c0c0c0c0c0c0,
				     0x1111111111111111,
				     0x401234,
				     FLAT_USER_CS,
				     RFLAGS_IF | RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC |
					     RFLAGS_DF | RFLAGS_CF | 2,
				     0x7fff12345678,
				     FLAT_USER_SS};
	uint64_t rsp = FAKE_STACK + 0x800 - sizeof(expected);

	registers(f);
	to_user_mode(f);
	f->r.rsp = 0x7fff12345678;
	f->v.kernel_sp = FAKE_STACK + 0x80f; /* aligned down */
	f->v.info->evtchn_upcall_mask = 0;
	f->bases[PV_BASE_GS] = 0x11000;
	f->bases[PV_BASE_GS_OTHER] = 0x22000;
	bounce(f, true, -1);
	in_the_handler(f, rsp);
	assert_memory_equal(fake_cpu_at(f, rsp), expected, sizeof(expected));
	assert_true(f->v.kernel_mode);
	assert_true(f->kernel_base);
	assert_int_equal(f->bases[PV_BASE_GS], 0x22000);
	assert_int_equal(f->bases[PV_BASE_GS_OTHER], 0x11000);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
}

static void from_kernel_with_error(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t expected[] = {
		0xc0c0c0c0c0c0c0c0, 0x1111111111111111, 0xdeadbeef, 0x401234,
		/* low bits of the selector: the kernel's; events were masked */
		0xe030 | 1ull << 32,
		RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_DF | RFLAGS_CF | 2,
		FAKE_STACK + 0x408, FLAT_KERNEL_SS};
	uint64_t rsp = FAKE_STACK + 0x400 - sizeof(expected);

	registers(f);
	f->r.rsp = FAKE_STACK + 0x408;
	bounce(f, false, 0xdeadbeef);
	in_the_handler(f, rsp);
	assert_memory_equal(fake_cpu_at(f, rsp), expected, sizeof(expected));
	assert_int_equal(f->gs_swaps, 0);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
}

/* A handler that does not mask leaves the mask; IOPL is shown if the guest wants the real thing. */
static void mask_and_iopl(void **state)
{
	struct fake_cpu *f = *state;

	f->v.info->evtchn_upcall_mask = 0;
	f->v.iopl = 2;
	bounce(f, false, -1);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	assert_int_equal(word_at(f, f->r.rsp + 4 * 8), RFLAGS_IF | 2);
	f->domain.vm_assist = 1ull << VMASST_TYPE_architectural_iopl;
	bounce(f, false, -1);
	assert_int_equal(word_at(f, f->r.rsp + 4 * 8), RFLAGS_IF | 2 | 2 << 12);
}

static void no_stack(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t bad[] = {0x600000,
				FAKE_CODE,
				FAKE_PTES + 0x800,
				PV_HYPER_START + 0x800,
				PV_HYPER_END + 0x20,
				1ull << 47};

	for (unsigned n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		fake_cpu_init(f);
		f->r.rsp = bad[n];
		f->v.bounce = (struct pv_bounce){.wanted = true, .address = HANDLER};
		assert_int_equal(pv_before_return(&f->v, &f->r), -XEN_EFAULT);
		assert_non_null(f->v.dying);
	}
}

static void no_handler(void **state)
{
	struct fake_cpu *f = *state;

	pv_inject(&f->v, VECTOR_UD, -1);
	assert_int_equal(pv_before_return(&f->v, &f->r), -XEN_EFAULT);
	assert_non_null(f->v.dying);
}

static void dying_does_not_return(void **state)
{
	struct fake_cpu *f = *state;

	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	f->v.dying = "for a test";
	assert_int_equal(pv_before_return(&f->v, &f->r), -XEN_EFAULT);
}

static void upcall(void **state)
{
	struct fake_cpu *f = *state;

	f->v.event.address = HANDLER;
	f->v.info->evtchn_upcall_pending = 1;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, FAKE_CODE); /* masked */

	f->v.info->evtchn_upcall_mask = 0;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, HANDLER);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
	assert_int_equal(f->v.info->evtchn_upcall_pending, 1); /* the guest clears it */
	assert_int_equal(word_at(f, f->r.rsp + 4 * 8), RFLAGS_IF | 2);
	assert_int_equal(f->r.rsp, FAKE_STACK + 0x1000 - 7 * 8);
}

/* An exception first, whose handler is then interrupted if it does not mask. */
static void exception_then_upcall(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.event.address = HANDLER;
	f->v.info->evtchn_upcall_pending = 1;
	f->v.info->evtchn_upcall_mask = 0;
	pv_inject(&f->v, VECTOR_DE, -1);
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, HANDLER);
	assert_int_equal(word_at(f, f->r.rsp + 2 * 8), handler_of(VECTOR_DE));
	assert_int_equal(word_at(f, f->r.rsp + 3 * 8), FLAT_KERNEL_CS & ~3);
}

static void exception_that_masks(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.traps[VECTOR_DE].flags = PV_TRAP_MASKS;
	f->v.event.address = HANDLER;
	f->v.info->evtchn_upcall_pending = 1;
	f->v.info->evtchn_upcall_mask = 0;
	pv_inject(&f->v, VECTOR_DE, -1);
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, handler_of(VECTOR_DE));
}

static void nmi(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.traps[VECTOR_NMI].flags = PV_TRAP_MASKS;
	f->v.nmi_pending = true;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, handler_of(VECTOR_NMI));
	assert_int_equal(f->v.async_mask, PV_ASYNC_NMI);
	assert_false(f->v.nmi_pending);

	/* A second one waits. */
	f->r.rip = FAKE_CODE;
	f->v.nmi_pending = true;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, FAKE_CODE);
	assert_true(f->v.nmi_pending);

	/* A machine check does not. */
	f->v.mce_pending = true;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, handler_of(VECTOR_MC));
	assert_int_equal(f->v.async_mask, PV_ASYNC_NMI | PV_ASYNC_MCE);
}

static void nmi_nobody_wants(void **state)
{
	struct fake_cpu *f = *state;

	f->v.nmi_pending = f->v.mce_pending = true;
	assert_int_equal(pv_before_return(&f->v, &f->r), 0);
	assert_int_equal(f->r.rip, FAKE_CODE);
	assert_int_equal(f->v.async_mask, 0);
	assert_false(f->v.nmi_pending || f->v.mce_pending);
}

static void system_call(struct fake_cpu *f, unsigned entry)
{
	registers(f);
	to_user_mode(f);
	f->v.info->evtchn_upcall_mask = 0;
	f->r.vector = entry;
	f->r.rsp = 0x7fff00000000;
	pv_guest_syscall(&f->v, &f->r);
	assert_true(f->v.kernel_mode);
}

static void syscalls(void **state)
{
	struct fake_cpu *f = *state;

	f->v.syscall = (struct pv_callback){HANDLER, true};
	f->v.syscall32 = (struct pv_callback){HANDLER + 16, false};
	f->v.sysenter = (struct pv_callback){HANDLER + 32, false};
	system_call(f, PV_ENTRY_SYSCALL);
	assert_int_equal(f->r.rip, HANDLER);
	assert_int_equal(f->r.rflags & RFLAGS_DF, 0);
	assert_int_equal(word_at(f, f->r.rsp + 4 * 8) & RFLAGS_DF, RFLAGS_DF);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
	assert_int_equal(f->r.rsp, FAKE_STACK + 0x800 - 7 * 8);

	/* The 32-bit one masks as the 64-bit one is said to. */
	f->r.cs = FLAT_USER_CS32;
	system_call(f, PV_ENTRY_SYSCALL32);
	assert_int_equal(f->r.rip, HANDLER + 16);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);

	system_call(f, PV_ENTRY_SYSENTER);
	assert_int_equal(f->r.rip, HANDLER + 32);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	assert_int_equal(f->r.rflags & RFLAGS_DF, RFLAGS_DF);
}

static void syscalls_nobody_takes(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->v.traps[VECTOR_UD].flags = PV_TRAP_MASKS;
	system_call(f, PV_ENTRY_SYSCALL);
	assert_int_equal(f->r.rip, handler_of(VECTOR_UD));
	assert_int_equal(word_at(f, f->r.rsp + 2 * 8), 0x401232);
	assert_int_equal(f->r.rflags & RFLAGS_DF, RFLAGS_DF);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);

	system_call(f, PV_ENTRY_SYSENTER);
	assert_int_equal(f->r.rip, handler_of(VECTOR_GP));
	assert_int_equal(word_at(f, f->r.rsp + 2 * 8), 0); /* error code */
	assert_int_equal(word_at(f, f->r.rsp + 3 * 8), 0x401234);
}

static void failsafe(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t expected[] = {0xc0c0c0c0c0c0c0c0,
				     0x1111111111111111,
				     0xd5,
				     0xe5,
				     0xf5,
				     0x65,
				     0x401234,
				     FLAT_USER_CS | 1ull << 32,
				     RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_DF |
					     RFLAGS_CF | 2,
				     0x7fff12345678,
				     FLAT_USER_SS};
	uint64_t rsp = FAKE_STACK + 0x800 - sizeof(expected);

	registers(f);
	to_user_mode(f);
	f->v.failsafe = (struct pv_callback){HANDLER, true};
	f->r.rsp = 0x7fff12345678;
	f->r.ds = 0xd5;
	f->r.es = 0xe5;
	f->r.fs = 0xf5;
	f->r.gs = 0x65;
	pv_failsafe(&f->v, &f->r);
	in_the_handler(f, rsp);
	assert_memory_equal(fake_cpu_at(f, rsp), expected, sizeof(expected));
	assert_int_equal(f->v.info->evtchn_upcall_mask, 1);
	assert_true(f->v.kernel_mode);

	f->v.info->evtchn_upcall_mask = 0;
	f->v.failsafe.masks_events = false;
	pv_failsafe(&f->v, &f->r);
	assert_int_equal(f->v.info->evtchn_upcall_mask, 0);
	assert_int_equal(word_at(f, f->r.rsp + 7 * 8), 0xe030);
	assert_null(f->v.dying);
	f->r.rsp = 0x600000;
	pv_failsafe(&f->v, &f->r);
	assert_non_null(f->v.dying);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_user),
		TEST(from_kernel_with_error),
		TEST(mask_and_iopl),
		TEST(no_stack),
		TEST(no_handler),
		TEST(dying_does_not_return),
		TEST(upcall),
		TEST(exception_then_upcall),
		TEST(exception_that_masks),
		TEST(nmi),
		TEST(nmi_nobody_wants),
		TEST(syscalls),
		TEST(syscalls_nobody_takes),
		TEST(failsafe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
