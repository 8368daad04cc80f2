// SPDX-License-Identifier: BSD-2-Clause
/*
 * Only ring 0 may make hypercalls.
 *
 * A guest's user program can execute vmcall, and can jump into the hypercall page if the kernel
 * maps it readable. Xen answers -EPERM and does nothing (hvm_hypercall() in Xen). A hypervisor
 * that fills the page with something else than vmcall, or rewrites vmcall instructions, must still
 * answer so; and an instruction that a program wrote into memory at run time was never rewritten.
 * (The kernel's own rewritten text is not run in ring 3 here: no kernel lets a program do that.)
 * The operation asked for is one whose success would show: it sets a vector, or makes a port.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "a ring-3 caller gets -EPERM and changes nothing";

static struct evtchn_bind_ipi bind;

/* mov %cs, ...: the code proves to itself where it runs before it answers. */
static bool in_ring3(void)
{
	unsigned int cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return (cs & 3) == 3;
}

static void user_page(unsigned long nr)
{
	long rc = hypercall_by(BY_PAGE, (unsigned int)nr, EVTCHNOP_bind_ipi, (unsigned long)&bind,
			       0, 0, 0);

	user_exit(in_ring3() ? (unsigned long)rc : 1);
}

/* The instruction and a return, put together where no loader can have seen it. */
static uint8_t written[16];

static void write_routine(void)
{
	written[0] = 0x0f;
	written[1] = 0x01;
	written[2] = hypercall_native() == BY_VMCALL ? 0xc1 : 0xd9;
	written[3] = 0xc3;
}

static void user_written(unsigned long nr)
{
	struct hypercall_regs r = {.ax = nr};

#ifdef __x86_64__
	r.di = EVTCHNOP_bind_ipi;
	r.si = (unsigned long)&bind;
#else
	r.bx = EVTCHNOP_bind_ipi;
	r.cx = (unsigned long)&bind;
#endif
	hypercall_with_regs(&r, written);
	user_exit(in_ring3() ? r.ax : 1);
}

static void expect_eperm(void (*fn)(unsigned long), const char *how)
{
	struct fault f;

	bind = (struct evtchn_bind_ipi){.vcpu = 0, .port = 0x5a5a};
	f = run_user(fn, __HYPERVISOR_event_channel_op);
	CHECK(f.hit && f.vector == VECTOR_USER_EXIT, "%s: vector %u error %#lx at %#lx", how,
	      f.vector, f.error, f.ip);
	CHECK((long)f.ax == -XEN_EPERM, "%s: %ld", how, (long)f.ax);
	CHECK(bind.port == 0x5a5a, "%s: the argument was written to: port %u", how, bind.port);
}

void test_main(void)
{
	long before = evtchn_bind_ipi(0), after;

	CHECK(before > 0, "bind_ipi in ring 0 gives %ld", before);
	CHECK_EQ(evtchn_close((evtchn_port_t)before), 0);
	write_routine();
	expect_eperm(user_page, "by page");
	expect_eperm(user_written, "by instruction written at run time");
	after = evtchn_bind_ipi(0);
	CHECK(after == before, "the next free port was %ld and is %ld: one was made", before,
	      after);
	test_success();
}
