// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/pv/traps.h"
#include "guest-tests/lib/report.h"

extern const uint8_t user_exit_here[];

static uint8_t user_stack[4096] __attribute__((aligned(16)));

struct frame_run {
	const struct trap_frame *frame;
	unsigned long flags;
};

static void enter(void *arg)
{
	const struct frame_run *r = arg;

	pv_iret(r->frame, r->flags);
}

/* A user mode without page tables would end the guest. They may be the kernel's: ring 3 is all
 * there is. */
static void have_user_tables(void)
{
	static bool had;

	if (!had)
		CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4_table()), 0), 0);
	had = true;
}

struct fault run_frame(const struct trap_frame *frame, unsigned long flags)
{
	struct fault f;

	have_user_tables();
	f = catch_fault(enter, &(struct frame_run){frame, flags});
	if (f.hit && f.vector == VECTOR_UD && f.ip == (unsigned long)user_exit_here)
		f.vector = VECTOR_USER_EXIT;
	return f;
}

struct trap_frame user_frame(void (*fn)(unsigned long), unsigned long arg)
{
	return (struct trap_frame){
		.di = arg,
		.ip = (unsigned long)fn,
		.cs = FLAT_USER_CS,
		.flags = 2,
		.sp = (unsigned long)user_stack + sizeof(user_stack) - 8,
		.ss = FLAT_USER_SS,
	};
}

struct fault run_user(void (*fn)(unsigned long), unsigned long arg)
{
	struct trap_frame frame = user_frame(fn, arg);

	return run_frame(&frame, 0);
}

/* As ../user.c does. */
void user_exit(unsigned long value)
{
	__asm__ volatile(".globl user_exit_here; user_exit_here: ud2" : : "a"(value));
	__builtin_unreachable();
}
