// SPDX-License-Identifier: BSD-2-Clause
/*
 * Exceptions as a PV kernel gets them, by the handlers of set_trap_table: the frame (rcx, r11, the
 * error code, and what a CPU pushes, with the event mask where the upper half of cs would be:
 * arch-x86/xen.h, saved_upcall_mask), the address in vcpu_info, from kernel and from user mode.
 * Both are ring 3 to the CPU; the guest sees 0 and 3. Xen: create_bounce_frame, pv_inject_event().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "exceptions: vector, frame, error code, address; int n";

/* With a label within: there is one of it. */
#define ONCE __attribute__((noinline, noclone)) static

#define NOT_CANONICAL 0x800000000000UL

extern const uint8_t here_ud[], here_div[], here_after_bp[], here_after_db[];

ONCE void invalid(void *arg)
{
	(void)arg;
	__asm__ volatile("here_ud: ud2");
}

ONCE void divide(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; here_div: divl %%ecx"
			 :
			 :
			 : "rax", "rcx", "rdx");
}

ONCE void breakpoint(void *arg)
{
	(void)arg;
	__asm__ volatile("int3; here_after_bp: nop");
}

ONCE void single_step(void *arg)
{
	(void)arg;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; here_after_db: nop" ::
				 : "memory");
}

static void read_at(void *at)
{
	(void)*(volatile uint8_t *)at;
}

static void write_at(void *at)
{
	*(volatile uint8_t *)at = 1;
}

static void call_at(void *at)
{
	((void (*)(void))at)();
}

static void halt(void *arg)
{
	(void)arg;
	__asm__ volatile("hlt");
}

static void int_48(void *arg)
{
	(void)arg;
	__asm__ volatile("int $0x48");
}

static void int_80(void *arg)
{
	(void)arg;
	__asm__ volatile("int $0x80");
}

static void int_4(void *arg)
{
	(void)arg;
	__asm__ volatile("int $4");
}

static void fpu_error(void *arg)
{
	uint16_t control = 0x037b; /* division by zero is not masked */

	(void)arg;
	__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
}

/* The same of user mode, where the frame begins it. */
static struct fault in_user(void (*fn)(void *), void *arg)
{
	return run_user((void (*)(unsigned long))(void (*)(void))fn, (unsigned long)arg);
}

static void frame_is(struct fault f, bool user, const void *ip)
{
	const struct trap_frame *frame = fault_frame();

	CHECK_EQ((uint16_t)frame->cs, user ? FLAT_USER_CS : FLAT_KERNEL_CS & ~3);
	CHECK_EQ((uint16_t)frame->ss, FLAT_KERNEL_SS);
	/* The mask that was; the interrupt flag is its opposite. */
	CHECK_EQ(frame->cs >> 32, 1);
	CHECK_EQ(frame->flags & EFLAGS_IF, 0);
	CHECK_EQ(frame->flags >> 12 & 3, 0);
	if (ip)
		CHECK(f.ip == (unsigned long)ip, "at %#lx, expected %p", f.ip, ip);
}

static void both(void (*fn)(void *), void *arg, unsigned int vector, unsigned long error,
		 const void *ip)
{
	for (unsigned int user = 0; user < 2; user++) {
		struct fault f = user ? in_user(fn, arg) : catch_fault(fn, arg);

		if (CHECK(f.hit && f.vector == vector && f.error == error,
			  "vector %u error %#lx at %#lx, expected vector %u error %#lx (%s mode)",
			  f.vector, f.error, f.ip, vector, error, user ? "user" : "kernel"))
			frame_is(f, user, ip);
	}
}

static void faults(void)
{
	both(divide, NULL, 0, 0, here_div);
	both(breakpoint, NULL, 3, 0, here_after_bp);
	both(invalid, NULL, 6, 0, here_ud);
	both(read_at, (void *)NOT_CANONICAL, 13, 0, NULL);
	both(halt, NULL, 13, 0, NULL);
	both(fpu_error, NULL, 16, 0, NULL);
	both(single_step, NULL, 1, 0, here_after_db);
}

/* Bits: present, write, user, reserved, fetch. User is said only of user mode. */
static void page_faults(void)
{
	static const struct {
		void (*fn)(void *);
		uint64_t bits;
		unsigned long error;
	} cases[] = {
		{read_at, 0, 0},
		{write_at, 0, 2},
		{write_at, PTE_READONLY, 3},
		{call_at, PTE_DATA | PTE_NX, 0x11},
		{call_at, 0, 0x10},
	};
	static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		void *at = (uint8_t *)window() + 0x123;
		uint64_t pte = cases[i].bits ? mfn_of(page) * PAGE_SIZE | cases[i].bits : 0;

		CHECK_EQ(update_va_mapping(window(), pte, UVMF_INVLPG), 0);
		for (unsigned int user = 0; user < 2; user++) {
			struct fault f =
				user ? in_user(cases[i].fn, at) : catch_fault(cases[i].fn, at);

			CHECK(f.hit && f.vector == VECTOR_PF &&
				      f.error == (cases[i].error | user << 2),
			      "case %u: vector %u error %#lx in mode %u", i, f.vector, f.error,
			      user);
			CHECK_EQ(fault_address(), (unsigned long)at);
			frame_is(f, user, cases[i].fn == call_at ? at : NULL);
		}
	}
	CHECK_EQ(update_va_mapping(window(), 0, UVMF_INVLPG), 0);
}

/* What a kernel may not see of the hypervisor's is a fault as of a page that is not there, or may
 * not be read. */
static void hypervisors_addresses(void)
{
	struct fault f = catch_fault(read_at, (void *)(HYPERVISOR_VIRT_END - PAGE_SIZE));

	CHECK(f.hit && f.vector == VECTOR_PF, "vector %u", f.vector);
	CHECK_EQ(fault_address(), HYPERVISOR_VIRT_END - PAGE_SIZE);
	CHECK_EQ(f.error & ~1UL, 0);
}

/*
 * An interrupt that the handler's privilege level allows, or #GP with its vector. Kernel mode is
 * level 1 in this. QEMU's emulated CPU of before version 8 gives twice the vector in the error code
 * of the #GP that the hypervisor takes, so that another one is meant there.
 */
static void software_interrupts(void)
{
	struct fault f = catch_fault(int_48, NULL);
	uint8_t vector = (uint8_t)(f.error / 8);

	CHECK(vector == 0x48 || vector == 0x90, "error %#lx", f.error);
	both(int_48, NULL, 13, vector * 8 + 2, NULL);
	CHECK_EQ(trap_table_set(vector, 0), 0);
	both(int_48, NULL, 13, vector * 8 + 2, NULL);
	CHECK_EQ(trap_table_set(vector, 1), 0);
	CHECK_EQ(catch_fault(int_48, NULL).vector, vector);
	CHECK_EQ(in_user(int_48, NULL).vector, 13);
	CHECK_EQ(trap_table_set(vector, 3), 0);
	both(int_48, NULL, vector, 0, NULL);
	CHECK_EQ(trap_table_set(0x80, 3), 0);
	both(int_80, NULL, 0x80, 0, NULL);
	both(int_4, NULL, 4, 0, NULL);
}

static bool masked_within;

static void look(struct trap_frame *f)
{
	masked_within = events_masked();
	f->ip += 2;
}

/* TI: events are masked when the handler begins, and its iret unmasks them, by the flags of the
 * frame. */
static void masking(void)
{
	for (uint8_t flags = 0; flags <= 4; flags += 4) {
		CHECK_EQ(trap_table_set(6, flags), 0);
		irq_set_handler(6, look);
		WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
		invalid(NULL);
		CHECK_EQ(masked_within, flags == 4);
		CHECK_EQ(events_masked(), 0);
		events_mask();
		invalid(NULL);
		CHECK_EQ(masked_within, true);
		CHECK_EQ(events_masked(), true);
		irq_set_handler(6, NULL);
	}
	CHECK_EQ(trap_table_set(6, 0), 0);
}

static void bad_tables(void)
{
	struct trap_info bad = {.vector = 0x91, .cs = FLAT_KERNEL_CS, .address = NOT_CANONICAL};
	static struct trap_info two[2];

	two[0] = bad;
	CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, (unsigned long)two, 0, 0, 0, 0),
		 -XEN_EINVAL);
	CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, mapped_end(), 0, 0, 0, 0), -XEN_EFAULT);
}

void test_main(void)
{
	faults();
	page_faults();
	hypervisors_addresses();
	software_interrupts();
	masking();
	bad_tables();
	test_success();
}
