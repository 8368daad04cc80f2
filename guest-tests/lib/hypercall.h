/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, by three transports: a call into the hypercall page, or the instruction itself, in
 * Intel's (vmcall) or AMD's (vmmcall) form. A test may name the transport; everything else uses the
 * default, which is the page unless the command line says hypercall=vmcall or hypercall=vmmcall
 * ("hypercall=direct": whichever fits the CPU's vendor, as Linux chooses).
 *
 * Return values are Xen's: 0 or more, or a negative XEN_E* number.
 */
#ifndef GUEST_TESTS_HYPERCALL_H
#define GUEST_TESTS_HYPERCALL_H

#include "xen-abi/xen.h"

#include <stdbool.h>

enum transport { BY_PAGE, BY_VMCALL, BY_VMMCALL };

extern enum transport hypercall_default;

/* The direct instruction that fits this CPU. */
enum transport hypercall_native(void);
const char *transport_name(enum transport t);

/* The CPUID leaf at which the Xen leaves begin, 0 if there are none; and the MSR of leaf base + 2.
 */
uint32_t xen_cpuid_base(void);
uint32_t hypercall_msr(void);

/*
 * Find the leaves, have the page at hypercall_page filled (this also tells the hypervisor which
 * word size shared_info shall have), choose the default transport. False without Xen leaves.
 */
bool hypercall_init(void);

/* A test that defines this as true gets no page and no word size: only direct hypercalls. */
extern bool test_without_page;

/* The page that hypercall_init() had filled. */
extern uint8_t hypercall_page[];

long hypercall_by(enum transport t, unsigned int nr, unsigned long a1, unsigned long a2,
		  unsigned long a3, unsigned long a4, unsigned long a5);
long hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5);

/*
 * Every general register before and after a call to `target`: a stub of a hypercall page, or one of
 * the two routines below, which are the bare instruction and a return.
 */
struct hypercall_regs {
	unsigned long ax, bx, cx, dx, si, di, bp;
#ifdef __x86_64__
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
#endif
};

void hypercall_with_regs(struct hypercall_regs *regs, const void *target);
extern const uint8_t vmcall_routine[], vmmcall_routine[];

static inline long hypercall_console_io(int cmd, unsigned int count, const char *text)
{
	return hypercall(__HYPERVISOR_console_io, (unsigned long)cmd, count, (unsigned long)text, 0,
			 0);
}

static inline long hypercall_xen_version(int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_xen_version, (unsigned long)cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hypercall_memory_op(unsigned int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_memory_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hypercall_event_channel_op(int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, (unsigned long)cmd, (unsigned long)arg, 0,
			 0, 0);
}

static inline long hypercall_hvm_op(unsigned long cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_hvm_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hypercall_vcpu_op(int cmd, unsigned int vcpu, const void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, (unsigned long)cmd, vcpu, (unsigned long)arg, 0, 0);
}

static inline long hypercall_sched_op(int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_sched_op, (unsigned long)cmd, (unsigned long)arg, 0, 0, 0);
}

/* The one hypercall with a 64-bit argument: two registers for a 32-bit caller. */
static inline long hypercall_set_timer_op(uint64_t deadline_ns)
{
#ifdef __x86_64__
	return hypercall(__HYPERVISOR_set_timer_op, deadline_ns, 0, 0, 0, 0);
#else
	return hypercall(__HYPERVISOR_set_timer_op, (unsigned long)deadline_ns,
			 (unsigned long)(deadline_ns >> 32), 0, 0, 0);
#endif
}

/* SCHEDOP_shutdown with a SHUTDOWN_* reason; a hypervisor that lets it return gets a triple fault.
 */
void shutdown(unsigned int reason) __attribute__((noreturn));
void triple_fault(void) __attribute__((noreturn));

#endif
