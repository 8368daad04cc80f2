// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/traps.h"

/* trap_entry.S */
void user_enter(void (*fn)(unsigned long), unsigned long arg, unsigned long sp)
	__attribute__((noreturn));

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
	return catch_fault(enter, &(struct user_run){fn, arg});
}

void user_exit(unsigned long value)
{
	__asm__ volatile("int %1" : : "a"(value), "i"(VECTOR_USER_EXIT));
	__builtin_unreachable();
}
