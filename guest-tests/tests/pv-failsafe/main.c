// SPDX-License-Identifier: BSD-2-Clause
/*
 * The failsafe callback: where a vCPU goes on when ds, es, fs or gs cannot be loaded, which is when
 * it begins with such a selector. Xen: load_segments().
 */
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "the failsafe callback: selectors that cannot be loaded";

/* Of a descriptor that is not there; of one that is everywhere. */
#define BAD  0x1b
#define GOOD FLAT_USER_DS32

#define LIMIT 5000000000ULL

extern uint8_t pv_stacks[];
void pv_smp_entry(void);

/* What the callback has found. */
static struct found {
	bool done;
	struct trap_frame frame;
	uint64_t selectors[4];
	uint16_t ds, es;
	bool masked;
} found[PV_MAX_CPUS];

static void on_failsafe(struct trap_frame *f)
{
	struct found *to = &found[cpu_number()];

	to->frame = *f;
	memcpy(to->selectors, pv_failsafe_selectors, sizeof(to->selectors));
	to->masked = events_masked();
	__asm__("mov %%ds, %0" : "=r"(to->ds));
	__asm__("mov %%es, %0" : "=r"(to->es));
	events_mask();
	__atomic_store_n(&to->done, true, __ATOMIC_RELEASE);
	if ((uint16_t)f->cs == FLAT_USER_CS) /* it has nothing to do there */
		for (;;)
			hypercall_sched_op(SCHEDOP_yield, NULL);
}

static bool came(unsigned int cpu)
{
	uint64_t end = clock_now() + LIMIT;

	while (!__atomic_load_n(&found[cpu].done, __ATOMIC_ACQUIRE)) {
		if (clock_now() > end)
			return CHECK(false, "vCPU %u is not there", cpu);
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
	return true;
}

static struct vcpu_guest_context context;

static void prepare(unsigned int cpu)
{
	smp_context(cpu, &context);
	context.failsafe_callback_eip = (unsigned long)pv_failsafe_entry;
	context.user_regs.ds = context.user_regs.es = GOOD;
	context.user_regs.fs = context.user_regs.gs = GOOD;
}

static void start(unsigned int cpu)
{
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, cpu, &context), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, cpu, NULL), 0);
}

/* The mask was the frame's before, and its flags say so, too. */
static void check_mask(const struct found *f)
{
	CHECK_EQ(f->frame.flags & EFLAGS_IF, f->frame.cs >> 32 ? 0 : EFLAGS_IF);
}

static void in_kernel_mode(void)
{
	const struct found *f = &found[1];

	prepare(1);
	context.flags |= VGCF_failsafe_disables_events;
	context.user_regs.ds = BAD;
	context.user_regs.rcx = 0x1234;
	context.user_regs.r11 = 0x5678;
	start(1);
	if (!came(1))
		return;
	CHECK_EQ(f->selectors[0], BAD);
	for (unsigned int i = 1; i < 4; i++)
		CHECK_EQ(f->selectors[i], GOOD);
	CHECK_EQ(f->ds, 0);
	CHECK_EQ(f->es, GOOD);
	CHECK_EQ(f->frame.ip, (unsigned long)pv_smp_entry);
	CHECK_EQ((uint16_t)f->frame.cs, FLAT_KERNEL_CS & ~3);
	CHECK_EQ((uint16_t)f->frame.ss, FLAT_KERNEL_SS);
	CHECK_EQ(f->frame.sp, context.user_regs.rsp);
	CHECK_EQ(f->frame.cx, 0x1234);
	CHECK_EQ(f->frame.r11, 0x5678);
	CHECK_EQ(f->masked, true);
	check_mask(f);
}

static void nowhere(void)
{
}

/* The kernel's stack then, and the mask as it was. */
static void in_user_mode(void)
{
	const struct found *f = &found[2];
	unsigned long top = (unsigned long)pv_stacks + 2 * PV_STACK_SIZE + PV_STACK_SIZE / 2;

	prepare(2);
	context.flags = 0;
	context.ctrlreg[1] = context.ctrlreg[3];
	context.user_regs.cs = FLAT_USER_CS;
	context.user_regs.ss = FLAT_USER_SS;
	context.user_regs.rip = (unsigned long)nowhere;
	context.user_regs.gs = BAD;
	context.kernel_sp = top;
	start(2);
	if (!came(2))
		return;
	CHECK_EQ(f->selectors[3], BAD);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(f->selectors[i], GOOD);
	CHECK_EQ(f->ds, GOOD);
	CHECK_EQ(f->frame.ip, (unsigned long)nowhere);
	CHECK_EQ((uint16_t)f->frame.cs, FLAT_USER_CS);
	CHECK_EQ((uint16_t)f->frame.ss, FLAT_USER_SS);
	CHECK_EQ(f->frame.sp, context.user_regs.rsp);
	CHECK_EQ(f->masked, f->frame.cs >> 32);
	check_mask(f);
}

void test_main(void)
{
	irq_set_handler(VECTOR_FAILSAFE, on_failsafe);
	in_kernel_mode();
	in_user_mode();
	test_success();
}
