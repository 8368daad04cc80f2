// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a PV kernel may not do wrong, because nothing can be delivered to it any more: its guest
 * ends as crashed. WAY says which (each is a kernel of its own). Xen: domain_crash() in
 * create_bounce_frame and do_iret().
 */
#include "guest-tests/lib/pv/test.h"

#ifndef WAY
#define WAY NO_HANDLER
#endif

enum { NO_HANDLER, NO_STACK, HYPERVISORS_STACK, NO_USER_TABLES, NO_IRET_FRAME, NO_USER_STACK };

static const char *const what[] = {
	"an exception without a handler",      "an exception without a stack",
	"a stack in the hypervisor's part",    "iret to user mode without page tables",
	"iret with a frame that is not there", "user mode's exception without a kernel stack",
};

const char test_title[] = "a PV kernel that nothing can be delivered to";

static void invalid(unsigned long arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

static void with_stack(unsigned long sp)
{
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(sp));
	__builtin_unreachable();
}

static void iret_at(unsigned long sp)
{
	__asm__ volatile("mov %0, %%rsp; mov %1, %%eax; syscall"
			 :
			 : "r"(sp), "i"(__HYPERVISOR_iret));
	__builtin_unreachable();
}

static void no_handler(void)
{
	/* No table: all handlers are forgotten. */
	CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, 0, 0, 0, 0, 0), 0);
	invalid(0);
}

void test_main(void)
{
	struct trap_frame f = user_frame(invalid, 0);

	printf("%s\nTest result: SUCCESS\n", what[WAY]);
	if (WAY == NO_HANDLER)
		no_handler();
	if (WAY == NO_STACK)
		with_stack(mapped_end() + PAGE_SIZE);
	if (WAY == HYPERVISORS_STACK)
		with_stack(HYPERVISOR_VIRT_START + PAGE_SIZE);
	if (WAY == NO_USER_TABLES)
		pv_iret(&f, 0);
	if (WAY == NO_IRET_FRAME)
		iret_at(mapped_end() + PAGE_SIZE);
	if (WAY == NO_USER_STACK) {
		hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, mapped_end() + PAGE_SIZE, 0, 0,
			  0);
		run_frame(&f, 0);
	}
	test_failure("the guest goes on");
}
