// SPDX-License-Identifier: BSD-2-Clause
/*
 * The iret hypercall (struct iret_context of the public header): every register and flag of the
 * frame, to kernel and to user mode; the mask of events for the interrupt flag; frames that the CPU
 * refuses; NMIs, which wait for it. Xen: do_iret(), restore_all_guest.
 */
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "iret: registers, flags, bad frames, NMI";

extern uint8_t pv_stacks[];
extern const uint8_t user_exit_here[]; /* an invalid instruction, whose frame tells all */

#define CF   (1UL << 0)
#define PF   (1UL << 2)
#define AF   (1UL << 4)
#define ZF   (1UL << 6)
#define SF   (1UL << 7)
#define DF   (1UL << 10)
#define OF   (1UL << 11)
#define IOPL (3UL << 12)
#define ID   (1UL << 21)

static struct trap_frame frame_to(bool user)
{
	struct trap_frame f = {
		.ax = 1,
		.bx = 2,
		.cx = 3,
		.dx = 4,
		.si = 5,
		.di = 6,
		.bp = 7,
		.r8 = 8,
		.r9 = 9,
		.r10 = 10,
		.r11 = 11,
		.r12 = 12,
		.r13 = 13,
		.r14 = 14,
		.r15 = 15,
		.ip = (unsigned long)user_exit_here,
		.cs = user ? FLAT_USER_CS : FLAT_KERNEL_CS & ~3,
		.flags = 2,
		.ss = FLAT_KERNEL_SS,
	};

	/* The kernel's: in the half of its stack that user mode's entries use. */
	f.sp = user ? user_frame(NULL, 0).sp : (unsigned long)pv_stacks + PV_STACK_SIZE / 2 - 64;
	return f;
}

static void registers(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		bool user = i & 1, fast = i & 2;
		struct trap_frame f = frame_to(user);
		const struct trap_frame *seen = fault_frame();

		CHECK_EQ(run_frame(&f, fast ? VGCF_in_syscall : 0).vector, VECTOR_USER_EXIT);
		CHECK_EQ(seen->ip, f.ip);
		CHECK_EQ((uint16_t)seen->cs, f.cs);
		CHECK_EQ((uint16_t)seen->ss, f.ss);
		CHECK_EQ(seen->sp, f.sp);
		/* By sysret, rcx and r11 are the processor's. */
		CHECK_EQ(seen->cx, fast ? f.ip : 3);
		if (!fast)
			CHECK_EQ(seen->r11, 11);
		CHECK(seen->ax == 1 && seen->bx == 2 && seen->dx == 4 && seen->si == 5 &&
			      seen->di == 6 && seen->bp == 7 && seen->r8 == 8 && seen->r9 == 9 &&
			      seen->r10 == 10 && seen->r12 == 12 && seen->r13 == 13 &&
			      seen->r14 == 14 && seen->r15 == 15,
		      "registers are lost (case %u)", i);
	}
}

static void flags(void)
{
	static const unsigned long each[] = {0,
					     CF,
					     PF,
					     AF,
					     ZF,
					     SF,
					     DF,
					     OF,
					     ID,
					     EFLAGS_IF,
					     CF | PF | AF | ZF | SF | DF | OF | ID | EFLAGS_IF};

	for (unsigned int i = 0; i < ARRAY_SIZE(each); i++)
		for (unsigned int user = 0; user < 2; user++) {
			struct trap_frame f = frame_to(user);
			const struct trap_frame *seen = fault_frame();

			f.flags = 2 | each[i];
			CHECK_EQ(run_frame(&f, 0).vector, VECTOR_USER_EXIT);
			/* RF is of the invalid instruction. */
			CHECK((seen->flags & ~(1UL << 16)) == f.flags, "flags %#lx became %#lx",
			      f.flags, seen->flags);
			CHECK_EQ(seen->cs >> 32, !(each[i] & EFLAGS_IF));
			CHECK_EQ(events_masked(), !(each[i] & EFLAGS_IF));
			events_mask();
		}
}

/* The I/O privilege level is not in the frames unless it is asked for
 * (VMASST_TYPE_architectural_iopl). */
static void io_level(void)
{
	struct trap_frame f = frame_to(false);

	f.flags |= IOPL;
	run_frame(&f, 0);
	CHECK_EQ(fault_frame()->flags & IOPL, 0);
	CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
			   VMASST_TYPE_architectural_iopl, 0, 0, 0),
		 0);
	run_frame(&f, 0);
	CHECK_EQ(fault_frame()->flags & IOPL, IOPL);
	f.flags &= ~IOPL;
	run_frame(&f, 0);
	CHECK_EQ(fault_frame()->flags & IOPL, 0);
	CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable,
			   VMASST_TYPE_architectural_iopl, 0, 0, 0),
		 0);
}

static void single_step(void)
{
	struct trap_frame f = frame_to(true);
	struct fault fault;

	f.flags |= EFLAGS_TF;
	f.ip = (unsigned long)hypercall_page; /* push %rcx */
	fault = run_frame(&f, 0);
	CHECK_EQ(fault.vector, 1);
	CHECK_EQ(fault.ip, (unsigned long)hypercall_page + 1);
	CHECK_EQ(fault_frame()->flags & EFLAGS_TF, EFLAGS_TF);
}

/* What the processor's own iret refuses is an exception at the frame that was wanted. */
static void bad_frames(void)
{
	for (unsigned int user = 0; user < 2; user++) {
		struct trap_frame f = frame_to(user);
		struct fault fault;

		f.cs = 0x1230 | (user ? 3 : 0);
		fault = run_frame(&f, 0);
		CHECK(fault.hit && fault.vector == VECTOR_GP && fault.error == 0x1230,
		      "vector %u error %#lx", fault.vector, fault.error);
		CHECK_EQ(fault.ip, (unsigned long)user_exit_here);
		CHECK_EQ((uint16_t)fault_frame()->cs, f.cs);

		f = frame_to(user);
		f.ss = 0x1233;
		fault = run_frame(&f, 0);
		CHECK(fault.hit && fault.vector == VECTOR_GP && fault.error == 0x1230,
		      "vector %u error %#lx", fault.vector, fault.error);

		f = frame_to(user);
		f.ip = 0x800000000000;
		fault = run_frame(&f, 0);
		CHECK(fault.hit && fault.vector == VECTOR_GP && fault.error == 0,
		      "vector %u error %#lx", fault.vector, fault.error);
		CHECK_EQ(fault.ip, f.ip);
	}
}

static unsigned int nmis, deepest, depth;
static bool masked_within;

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
	masked_within = events_masked();
	if (++depth > deepest)
		deepest = depth;
	if (nmis == 1) {
		CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
		CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	}
	depth--;
}

/* One at a time: those that come meanwhile are one, after the iret. Its mask of events is not
 * theirs. */
static void nmi(void)
{
	irq_set_handler(2, on_nmi);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	CHECK_EQ(nmis, 2);
	CHECK_EQ(deepest, 1);
	irq_set_handler(2, NULL);
}

static void nmi_callback(void)
{
	struct callback_unregister un = {.type = CALLBACKTYPE_nmi};

	irq_set_handler(VECTOR_NMI_CALLBACK, on_nmi);
	CHECK_EQ(callback_register(CALLBACKTYPE_nmi, 0, pv_nmi_entry), 0);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	CHECK_EQ(nmis, 3);
	CHECK_EQ(masked_within, true);
	CHECK_EQ(events_masked(), false);
	events_mask();
	/* Without a handler it is lost. */
	CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister, (unsigned long)&un, 0,
			   0, 0),
		 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	CHECK_EQ(callback_register(CALLBACKTYPE_nmi, 0, pv_nmi_entry), 0);
	hypercall_xen_version(XENVER_version, NULL);
	CHECK_EQ(nmis, 3);
}

void test_main(void)
{
	registers();
	flags();
	io_level();
	single_step();
	bad_frames();
	nmi();
	nmi_callback();
	test_success();
}
