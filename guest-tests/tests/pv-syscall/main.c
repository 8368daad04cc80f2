// SPDX-License-Identifier: BSD-2-Clause
/*
 * User mode, which is ring 3 as the kernel is: its SYSCALL goes to the kernel's callback, on the
 * stack of stack_switch, with the kernel's GS base; the iret hypercall goes back. Xen:
 * switch_to_kernel, toggle_guest_mode(), do_iret().
 */
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "SYSCALL of user mode, its frame, segment bases, iret back";

extern uint8_t pv_stacks[];
extern const uint8_t here_after_syscall[];

static struct trap_frame seen;
static unsigned int calls;
static bool masked_within;
static uint64_t gs_within, fs_within;

/* Each has its number at its beginning, so that a base can be told by a load. */
static uint64_t kernel_area = 0x6b65726e, user_area = 0x75736572, fs_area = 0x6673;

static uint64_t gs_word(void)
{
	uint64_t v;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(v));
	return v;
}

static uint64_t fs_word(void)
{
	uint64_t v;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(v));
	return v;
}

static void on_syscall(struct trap_frame *f)
{
	seen = *f;
	calls++;
	masked_within = events_masked();
	gs_within = gs_word();
	fs_within = fs_word();
	f->ax = f->di + f->si + f->dx + f->r10 + f->r8 + f->r9;
}

__attribute__((noinline, noclone)) static unsigned long system_call(void)
{
	unsigned long ax = 1000;
	register unsigned long r10 __asm__("r10") = 4;
	register unsigned long r8 __asm__("r8") = 5;
	register unsigned long r9 __asm__("r9") = 6;

	__asm__ volatile("syscall; here_after_syscall:"
			 : "+a"(ax)
			 : "D"(1UL), "S"(2UL), "d"(3UL), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ax;
}

static void user(unsigned long times)
{
	unsigned long sum = 0;

	while (times--)
		sum += system_call();
	user_exit(sum);
}

static void look_at_gs(unsigned long arg)
{
	(void)arg;
	system_call();
	user_exit(gs_word() << 32 | fs_word());
}

static long set_base(unsigned int which, unsigned long base)
{
	return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0, 0);
}

static void set_bases(void)
{
	CHECK_EQ(set_base(SEGBASE_FS, (unsigned long)&fs_area), 0);
	CHECK_EQ(set_base(SEGBASE_GS_USER, (unsigned long)&user_area), 0);
	CHECK_EQ(set_base(SEGBASE_GS_KERNEL, (unsigned long)&kernel_area), 0);
	CHECK_EQ(gs_word(), kernel_area);
	CHECK_EQ(fs_word(), fs_area);
	for (unsigned int which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++)
		CHECK_EQ(set_base(which, 0x800000000000), -XEN_EINVAL);
	CHECK_EQ(set_base(4, 0), -XEN_EINVAL);
	CHECK_EQ(gs_word(), kernel_area);
}

static void frame(void)
{
	struct fault f = run_user(user, 1);
	unsigned long top = (unsigned long)pv_stacks + PV_STACK_SIZE / 2;

	CHECK_EQ(f.vector, VECTOR_USER_EXIT);
	CHECK_EQ(f.ax, 21);
	CHECK_EQ(calls, 1);
	CHECK_EQ(seen.ax, 1000);
	CHECK_EQ(seen.ip, (unsigned long)here_after_syscall);
	CHECK_EQ(seen.cx, (unsigned long)here_after_syscall);
	CHECK_EQ((uint16_t)seen.cs, FLAT_USER_CS64);
	CHECK_EQ((uint16_t)seen.ss, FLAT_USER_SS64);
	CHECK_EQ(seen.cs >> 32, 1); /* the mask, as run_user() left it */
	CHECK_EQ(seen.flags & (EFLAGS_IF | 3UL << 12), 0);
	CHECK((unsigned long)__builtin_frame_address(0) > top, "the test's own stack");
	CHECK_EQ(gs_within, kernel_area);
	CHECK_EQ(fs_within, fs_area);
	CHECK_EQ(gs_word(), kernel_area);
}

static void many(void)
{
	struct fault f = run_user(user, 1000);

	CHECK_EQ(f.vector, VECTOR_USER_EXIT);
	CHECK_EQ(f.ax, 21000);
	CHECK_EQ(calls, 1001);
}

static void bases_of_user_mode(void)
{
	struct fault f = run_user(look_at_gs, 0);

	CHECK_EQ(f.vector, VECTOR_USER_EXIT);
	CHECK_EQ(f.ax, user_area << 32 | fs_area);
	CHECK_EQ(gs_word(), kernel_area);
	CHECK_EQ(gs_within, kernel_area);
}

/* A mask of the callback's flags; without, the mask is as in user mode. */
static void masking(void)
{
	struct trap_frame frame_open = user_frame(user, 1);

	frame_open.flags |= EFLAGS_IF;
	for (unsigned int masks = 0; masks < 2; masks++) {
		CHECK_EQ(callback_register(CALLBACKTYPE_syscall, masks ? CALLBACKF_mask_events : 0,
					   pv_syscall_entry),
			 0);
		CHECK_EQ(run_frame(&frame_open, 0).vector, VECTOR_USER_EXIT);
		CHECK_EQ(masked_within, masks);
		CHECK_EQ(seen.cs >> 32, 0);
		CHECK_EQ(seen.flags & EFLAGS_IF, EFLAGS_IF);
		/* The exit's #UD does not mask. */
		CHECK_EQ(events_masked(), false);
		events_mask();
	}
}

/* In user mode the instruction is no hypercall, whatever the registers say. */
static void is_no_hypercall(void)
{
	struct trap_frame f = user_frame(NULL, SCHEDOP_shutdown);

	f.ip = (unsigned long)hypercall_page + 32 * __HYPERVISOR_sched_op;
	f.sp -= 8;
	*(uint64_t *)f.sp = (unsigned long)user_exit;
	calls = 0;
	CHECK_EQ(run_frame(&f, 0).hit, true);
	CHECK_EQ(calls, 1);
	CHECK_EQ(seen.ax, __HYPERVISOR_sched_op);
}

static void bad_callbacks(void)
{
	struct callback_register arg = {.type = CALLBACKTYPE_syscall, .address = 0x800000000000};
	struct callback_unregister un = {.type = CALLBACKTYPE_syscall};

	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&arg, 0, 0,
			   0),
		 -XEN_EINVAL);
	arg.address = (unsigned long)pv_syscall_entry;
	arg.type = 77;
	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&arg, 0, 0,
			   0),
		 -XEN_ENOSYS);
	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister, (unsigned long)&un, 0,
			   0, 0),
		 -XEN_EINVAL);
	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, 5, (unsigned long)&un, 0, 0, 0), -XEN_ENOSYS);
	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, mapped_end(), 0, 0, 0),
		 -XEN_EFAULT);
	CHECK_EQ(run_user(user, 1).ax, 21);
}

/* 32-bit code of AMD's processors has SYSCALL, too; Intel's have an invalid instruction there. */
static void of_32_bits(void)
{
	static const uint8_t code[] = {0x0f, 0x05, 0x0f, 0x0b}; /* syscall; ud2 */
	uint8_t *page = page_alloc();
	void *at = (void *)0x400000;
	struct trap_frame f = user_frame(NULL, 1);
	bool amd = cpuid(0, 0).ebx != 0x756e6547; /* Genu */

	memcpy(page, code, sizeof(code));
	tables_for(at);
	CHECK_EQ(update_va_mapping(at, pte_for(page, PTE_DATA), UVMF_INVLPG), 0);
	f.ip = (unsigned long)at;
	f.cs = FLAT_USER_CS32;
	f.sp = (unsigned long)at + PAGE_SIZE;
	CHECK_EQ(callback_register(CALLBACKTYPE_syscall32, 0, pv_syscall32_entry), 0);
	irq_set_handler(VECTOR_SYSCALL32, on_syscall);
	calls = 0;
	CHECK_EQ(run_frame(&f, 0).vector, VECTOR_UD);
	CHECK_EQ(calls, amd);
	CHECK_EQ(fault_frame()->ip, (unsigned long)at + (amd ? 2 : 0));
	CHECK_EQ((uint16_t)fault_frame()->cs, FLAT_USER_CS32);
	if (amd) {
		CHECK_EQ((uint16_t)seen.cs, FLAT_USER_CS32);
		CHECK_EQ((uint16_t)seen.ss, FLAT_USER_SS32);
	}
}

void test_main(void)
{
	irq_set_handler(VECTOR_SYSCALL, on_syscall);
	set_bases();
	frame();
	many();
	bases_of_user_mode();
	masking();
	is_no_hypercall();
	bad_callbacks();
	of_32_bits();
	test_success();
}
