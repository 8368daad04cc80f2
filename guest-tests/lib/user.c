// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/traps.h"

/* trap_entry.S */
void user_enter(void (*fn)(unsigned long), unsigned long arg, unsigned long sp)
	__attribute__((noreturn));

extern const uint8_t user_exit_here[];

static uint8_t user_stack[4096] __attribute__((aligned(16)));

struct user_run {
	void (*fn)(unsigned long);
	unsigned long arg;
};

static void enter(void *arg)
{
	struct user_run *r = arg;

	user_enter(r->fn, r->arg, (unsigned long)user_stack + sizeof(user_stack));
}

struct fault run_user(void (*fn)(unsigned long), unsigned long arg)
{
	struct fault f = catch_fault(enter, &(struct user_run){fn, arg});

	if (f.hit && f.vector == VECTOR_UD && f.ip == (unsigned long)user_exit_here)
		f.vector = VECTOR_USER_EXIT;
	return f;
}

/*
 * An invalid instruction at a known place. A software interrupt would be the usual way, but a KVM
 * that emulates ring 0 may not take one from ring 3.
 */
void user_exit(unsigned long value)
{
	__asm__ volatile("user_exit_here: ud2" : : "a"(value));
	__builtin_unreachable();
}
