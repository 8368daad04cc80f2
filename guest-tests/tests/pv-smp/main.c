// SPDX-License-Identifier: BSD-2-Clause
/*
 * Other vCPUs of a PV guest: VCPUOP_initialise with a struct vcpu_guest_context, its errors, up and
 * down; and what one vCPU's changes of the page tables are to another: gone from its TLB when the
 * hypercall that asked for it returns. Xen: do_vcpu_op(), arch_set_info_guest(), flush_tlb_mask().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "VCPUOP_initialise, up and down, TLB flushes that the others see";

#define NOT_CANONICAL 0x800000000000UL
#define MS            1000000ULL
#define LAST          3U
#define OTHER         4U /* which begins in a way of its own */
#define NOBODY        5U

static struct vcpu_guest_context context;

static long initialise(unsigned int cpu)
{
	return hypercall_vcpu_op(VCPUOP_initialise, cpu, &context);
}

static struct vcpu_guest_context *fresh(void)
{
	smp_context(LAST, &context);
	return &context;
}

static void errnos(void)
{
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, LAST, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, NOBODY, NULL), -XEN_ENOENT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, LAST, NULL), -XEN_EINVAL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, LAST, (void *)mapped_end()), -XEN_EFAULT);
	fresh();
	CHECK_EQ(initialise(NOBODY), -XEN_ENOENT);
	CHECK_EQ(initialise(0), -XEN_EEXIST);
	fresh()->ctrlreg[3] = NO_MFN << 12;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->ctrlreg[3] = mfn_of(&context) << 12; /* writable */
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->user_regs.rip = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->event_callback_eip = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->syscall_callback_eip = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->fs_base = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->gs_base_kernel = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->trap_ctxt[14].address = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->ldt_ents = 8193;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->ldt_ents = 1;
	context.ldt_base = NOT_CANONICAL;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->gdt_ents = 14 * 512 + 1;
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	fresh()->gdt_ents = 512;
	context.gdt_frames[0] = mfn_of(&context); /* writable */
	CHECK_EQ(initialise(LAST), -XEN_EINVAL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, LAST, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, LAST, NULL), -XEN_EINVAL);
}

static unsigned int ran[LAST + 1];

static void note(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&ran[cpu_number()], 1, __ATOMIC_SEQ_CST);
}

static void all_run(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int cpu = 1; cpu <= LAST; cpu++)
			smp_run(cpu, note, NULL);
		for (unsigned int cpu = 1; cpu <= LAST; cpu++) {
			if (!smp_wait(cpu))
				return;
			CHECK_EQ(ran[cpu], i + 1);
			CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, cpu, NULL), 1);
		}
	}
	fresh();
	CHECK_EQ(initialise(LAST), -XEN_EEXIST);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, LAST, NULL), 0);
}

#define DESCRIPTOR 0x00cff3000000ffffUL /* data, level 3 */

static uint64_t watched;
static struct {
	uint16_t ds, es, fs, gs;
	long debug[8];
	uint16_t fpu_control;
	uint32_t mxcsr;
	uint64_t xmm1;
	struct fault fault;
	bool done;
} other;

static void write_watched(void *arg)
{
	(void)arg;
	WRITE_ONCE(watched, 1);
}

static void begins_otherwise(void)
{
	__asm__ volatile("mov %%ds, %0" : "=m"(other.ds));
	__asm__ volatile("mov %%es, %0" : "=m"(other.es));
	__asm__ volatile("mov %%fs, %0" : "=m"(other.fs));
	__asm__ volatile("mov %%gs, %0" : "=m"(other.gs));
	__asm__ volatile("fnstcw %0" : "=m"(other.fpu_control));
	__asm__ volatile("stmxcsr %0" : "=m"(other.mxcsr));
	__asm__ volatile("movq %%xmm1, %0" : "=m"(other.xmm1));
	for (unsigned int i = 0; i < 8; i++)
		other.debug[i] = hypercall(__HYPERVISOR_get_debugreg, i, 0, 0, 0, 0);
	traps_init_cpu(OTHER);
	other.fault = catch_fault(write_watched, NULL);
	/* A bed's QEMU that still watches for one guest dies when another sets its own. */
	hypercall(__HYPERVISOR_set_debugreg, 7, 0, 0, 0, 0);
	__atomic_store_n(&other.done, true, __ATOMIC_RELEASE);
	for (;;)
		hypercall_vcpu_op(VCPUOP_down, OTHER, NULL);
}

/* As FXSAVE has it. */
static void put_fpu(uint16_t control, uint32_t mxcsr, uint64_t xmm1)
{
	memcpy(context.fpu_ctxt.x, &control, sizeof(control));
	memcpy(context.fpu_ctxt.x + 24, &mxcsr, sizeof(mxcsr));
	memcpy(context.fpu_ctxt.x + 176, &xmm1, sizeof(xmm1));
	context.flags |= VGCF_i387_valid;
}

/* The FPU, debug registers, and selectors of data segments (pv-failsafe has those that cannot be
 * loaded). */
static void context_is_loaded(void)
{
	uint64_t *table = page_alloc(), end = clock_now() + 5000 * MS;

	table[1] = DESCRIPTOR;
	page_protect(table, PTE_READONLY);
	smp_context(OTHER, &context);
	put_fpu(0x27f, 0x3f80, 0x1122334455667788);
	context.user_regs.rip = (unsigned long)begins_otherwise;
	context.user_regs.rsp -= 8;
	context.user_regs.ds = 1 << 3 | 3;
	context.user_regs.es = FLAT_USER_DS32;
	context.user_regs.fs = FLAT_USER_DS32;
	context.gdt_ents = 512;
	context.gdt_frames[0] = mfn_of(table);
	context.debugreg[0] = (unsigned long)&watched;
	context.debugreg[1] = HYPERVISOR_VIRT_START; /* not the guest's to watch */
	context.debugreg[7] = 0x90001;               /* writes of 8 bytes at the first */
	CHECK_EQ(initialise(OTHER), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, OTHER, NULL), 0);
	while (!__atomic_load_n(&other.done, __ATOMIC_ACQUIRE) && clock_now() < end)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	CHECK_EQ(other.done, true);
	CHECK_EQ(other.ds, 1 << 3 | 3);
	CHECK_EQ(other.es, FLAT_USER_DS32);
	CHECK_EQ(other.fs, FLAT_USER_DS32);
	CHECK_EQ(other.gs, 0);
	CHECK_EQ(other.fpu_control, 0x27f);
	CHECK_EQ(other.mxcsr, 0x3f80U);
	CHECK_EQ(other.xmm1, 0x1122334455667788UL);
	CHECK_EQ(other.debug[0], (long)&watched);
	CHECK_EQ(other.debug[1], 0);
	CHECK_EQ(other.debug[7] & 0xf0003, 0x90001);
	CHECK_EQ(other.fault.hit, true);
	CHECK_EQ(other.fault.vector, 1U);
}

static uint64_t cr3_there;
static struct fault fault_there;

static void touch_nothing(void *arg)
{
	*(volatile uint8_t *)arg = 1;
}

/* Each has its traps, its page fault's address, its CR3 and its mask. */
static void look_around(void *arg)
{
	(void)arg;
	cr3_there = read_cr3();
	fault_there = catch_fault(touch_nothing, (void *)8);
	CHECK_EQ(fault_address(), 8);
}

static void state_of_another(void)
{
	vcpu_info_of(0)->arch.cr2 = 77;
	smp_run(1, look_around, NULL);
	smp_wait(1);
	CHECK_EQ(cr3_there, mfn_of(l4_table()) * PAGE_SIZE);
	CHECK_EQ(fault_there.vector, VECTOR_PF);
	CHECK_EQ(fault_address(), 77);
}

static void goes_down(void *arg)
{
	hypercall_vcpu_op(VCPUOP_down, cpu_number(), NULL);
	*(volatile bool *)arg = true;
}

static void down_and_up(void)
{
	static volatile bool back;
	uint64_t end = clock_now() + 5000 * MS;

	smp_run(2, goes_down, (void *)(unsigned long)&back);
	while (hypercall_vcpu_op(VCPUOP_is_up, 2, NULL) && clock_now() < end)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 2, NULL), 0);
	CHECK_EQ(back, false);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 2, NULL), 0);
	smp_wait(2);
	CHECK_EQ(back, true);
	/* By another one, too. */
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, 3, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 3, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 3, NULL), 0);
	smp_run(3, note, NULL);
	smp_wait(3);
}

static struct watch {
	const volatile uint8_t *at;
	bool stop;
	unsigned int rounds;
	uint8_t seen;
} watch;

static void reads_on(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&watch.stop, __ATOMIC_SEQ_CST)) {
		WRITE_ONCE(watch.seen, *watch.at);
		__atomic_fetch_add(&watch.rounds, 1, __ATOMIC_SEQ_CST);
	}
}

static bool two_rounds_more(void)
{
	unsigned int from = __atomic_load_n(&watch.rounds, __ATOMIC_SEQ_CST);
	uint64_t end = clock_now() + 5000 * MS;

	while (__atomic_load_n(&watch.rounds, __ATOMIC_SEQ_CST) - from < 2) {
		if (clock_now() > end)
			return CHECK(false, "the other vCPU does not run");
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
	return true;
}

/* Hypercalls that hold the lock of the memory's state, within the monitor and out of it. */
static void locks_on(void *arg)
{
	const domid_t self = DOMID_SELF;

	(void)arg;
	while (!__atomic_load_n(&watch.stop, __ATOMIC_SEQ_CST)) {
		hypercall_memory_op(XENMEM_current_reservation, (void *)(unsigned long)&self);
		mmuext(MMUEXT_UNPIN_TABLE, NO_MFN, 0);
		__atomic_fetch_add(&watch.rounds, 1, __ATOMIC_SEQ_CST);
	}
}

static void down_while_locking(void)
{
	smp_run(3, locks_on, NULL);
	for (unsigned int i = 0; i < 30; i++) {
		two_rounds_more();
		CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, 3, NULL), 0);
		hypercall_sched_op(SCHEDOP_yield, NULL);
		CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, NO_MFN, 0), -XEN_EINVAL);
		CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 3, NULL), 0);
	}
	__atomic_store_n(&watch.stop, true, __ATOMIC_SEQ_CST);
	smp_wait(3);
	watch.stop = false;
}

/* One that another has called down, wherever it was, keeps nobody waiting. */
static void down_while_running(void)
{
	unsigned int rounds;

	watch.at = &watch.seen;
	smp_run(3, reads_on, NULL);
	two_rounds_more();
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, 3, NULL), 0);
	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	for (unsigned int i = 0; i < 20; i++)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	rounds = __atomic_load_n(&watch.rounds, __ATOMIC_SEQ_CST);
	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	CHECK_EQ(watch.rounds, rounds);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 3, NULL), 0);
	two_rounds_more();
	__atomic_store_n(&watch.stop, true, __ATOMIC_SEQ_CST);
	smp_wait(3);
	watch.stop = false;
}

static uint8_t pages[2][PAGE_SIZE] PAGE_ALIGNED;

/* What was the last to ask for it: a change with its flush, or the flush alone. */
static void change(unsigned int way, unsigned int to)
{
	static uint64_t mask = 1 << 1;
	static const unsigned long flags[] = {UVMF_INVLPG | UVMF_ALL, UVMF_TLB_FLUSH | UVMF_ALL};
	void *at = (void *)(unsigned long)watch.at;
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI};
	uint64_t val = pte_for(pages[to], PTE_DATA);

	if (way < 2) {
		CHECK_EQ(update_va_mapping(at, val, flags[way]), 0);
		return;
	}
	if (way == 2) {
		CHECK_EQ(update_va_mapping(at, val, UVMF_INVLPG | (unsigned long)&mask), 0);
		return;
	}
	CHECK_EQ(pte_write(pte_of(at, 1), val), 0);
	if (way == 3)
		CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	else if (way == 4)
		CHECK_EQ(mmuext(MMUEXT_INVLPG_ALL, (unsigned long)at, 0), 0);
	else {
		set_xen_guest_handle(op.arg2.vcpumask, &mask);
		CHECK_EQ(mmuext_op(&op, 1, NULL), 0);
	}
}

static void flushes(void)
{
	void *at = window();

	memset(pages[1], 1, PAGE_SIZE);
	CHECK_EQ(update_va_mapping(at, pte_for(pages[0], PTE_DATA), UVMF_INVLPG | UVMF_ALL), 0);
	watch.at = at;
	smp_run(1, reads_on, NULL);
	for (unsigned int i = 0; i < 60; i++) {
		unsigned int way = i / 2 % 6, to = ~i & 1;

		if (!two_rounds_more())
			break;
		change(way, to);
		if (!two_rounds_more())
			break;
		if (!CHECK(READ_ONCE(watch.seen) == to, "way %u: the other vCPU sees page %u", way,
			   !to))
			break;
	}
	__atomic_store_n(&watch.stop, true, __ATOMIC_SEQ_CST);
	smp_wait(1);
}

/* All at once change entries of the same table, each its own. */
static void write_entries(void *arg)
{
	uint8_t *at = (uint8_t *)arg + cpu_number() * PAGE_SIZE;
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 300; i++) {
		unsigned int to = i & 1;

		wrong += update_va_mapping(at, pte_for(pages[to], PTE_DATA),
					   UVMF_INVLPG | UVMF_LOCAL) != 0;
		wrong += READ_ONCE(at[9]) != to;
	}
	CHECK(!wrong, "%u changes by vCPU %u were not as asked for", wrong, cpu_number());
}

static void together(void)
{
	for (unsigned int cpu = 1; cpu <= LAST; cpu++)
		smp_run(cpu, write_entries, window());
	write_entries(window());
	for (unsigned int cpu = 1; cpu <= LAST; cpu++)
		smp_wait(cpu);
}

void test_main(void)
{
	errnos();
	context_is_loaded();
	all_run();
	state_of_another();
	down_and_up();
	down_while_running();
	down_while_locking();
	flushes();
	together();
	test_success();
}
