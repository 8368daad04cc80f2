// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a PV kernel's own ways cost, in TSC ticks; on a bed that counts instructions a tick is one.
 * Prints a line "COST name ticks" for each: the least of several rounds' means.
 */
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "the cost of what a PV kernel does all the time";

#define ROUNDS 8
#define CALLS  200

/* Where traps.c has told the hypervisor that our stack begins. */
#define STACK ((unsigned long)pv_stacks + PV_STACK_SIZE / 2)
extern uint8_t pv_stacks[];

static uint64_t *data_page, *empty_table;
static uint64_t *pte;
static struct mmuext_op flush_op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL}, page_op, pin_op, unpin_op;
static struct mmuext_op base_ops[2];

static void nothing(void)
{
}

static void stack_switch(void)
{
	hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, STACK, 0, 0, 0);
}

static void set_segment_base(void)
{
	hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x1000, 0, 0, 0);
}

static void fpu_taskswitch(void)
{
	hypercall(__HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0, 0);
}

static void update_descriptor(void)
{
	hypercall(__HYPERVISOR_update_descriptor, maddr_of(empty_table), 0, 0, 0, 0);
}

static void version(void)
{
	hypercall_xen_version(XENVER_version, NULL);
}

/* One entry, that is present, becomes another page's and back; each is one call. */
static void mmu_update_entry(void)
{
	mmu_update_1(maddr_of(pte), *pte ^ PTE_RW);
}

static void update_va_mapping_entry(void)
{
	update_va_mapping(data_page, *pte ^ PTE_RW, UVMF_INVLPG);
}

static void write_entry(void)
{
	*(volatile uint64_t *)pte = *pte ^ PTE_RW;
}

static void tlb_flush(void)
{
	mmuext_op(&flush_op, 1, NULL);
}

static void flush_page(void)
{
	mmuext_op(&page_op, 1, NULL);
}

static void pin_and_unpin(void)
{
	mmuext_op(&pin_op, 1, NULL);
	mmuext_op(&unpin_op, 1, NULL);
}

static void new_base(void)
{
	mmuext_op(base_ops, 2, NULL);
}

static void multicall(void)
{
	struct multicall_entry e[2] = {
		{.op = __HYPERVISOR_stack_switch, .args = {FLAT_KERNEL_SS, STACK}},
		{.op = __HYPERVISOR_fpu_taskswitch, .args = {0}},
	};

	hypercall(__HYPERVISOR_multicall, (unsigned long)e, 2, 0, 0, 0);
}

/* The shortest handlers: back at once. */
void returning_syscall(void);
void returning_fault(void);
extern const uint8_t faulting[];
__asm__(".text\n"
	"returning_syscall:\n"
	"	mov	(%rsp), %rcx\n"
	"	mov	8(%rsp), %r11\n"
	"	add	$16, %rsp\n"
	"	push	$0x100\n" /* VGCF_in_syscall */
	"	jmp	hypercall_page + 23 * 32\n"
	"returning_fault:\n"
	"	mov	(%rsp), %rcx\n"
	"	mov	8(%rsp), %r11\n"
	"	add	$24, %rsp\n"
	"	addq	$2, (%rsp)\n" /* behind `faulting` */
	"	push	$0\n"
	"	jmp	hypercall_page + 23 * 32\n");

static void system_calls(unsigned long n)
{
	uint64_t start = rdtsc();

	for (unsigned long i = 0; i < n; i++)
		__asm__ volatile("syscall" ::: "rax", "rcx", "r11", "memory");
	user_exit(rdtsc() - start);
}

__attribute__((noinline, noclone)) static void page_fault(void)
{
	unsigned long ax;

	__asm__ volatile("faulting: mov (%1), %%al" : "=a"(ax) : "b"(mapped_end() + PAGE_SIZE));
}

static void measure(const char *name, void (*call)(void))
{
	uint64_t best = ~0UL;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = rdtsc(), cost;

		for (int i = 0; i < CALLS; i++)
			call();
		cost = (rdtsc() - start) / CALLS;
		if (cost < best)
			best = cost;
	}
	printf("COST %s %lu\n", name, best);
}

static void measure_system_calls(void)
{
	uint64_t best = ~0UL;

	callback_register(CALLBACKTYPE_syscall, 0, returning_syscall);
	for (int round = 0; round < ROUNDS; round++) {
		struct fault f = run_user(system_calls, CALLS);

		CHECK_EQ(f.vector, VECTOR_USER_EXIT);
		if (f.ax / CALLS < best)
			best = f.ax / CALLS;
	}
	printf("COST system-call %lu\n", best);
}

static void measure_page_faults(void)
{
	struct trap_info table[2] = {
		{.vector = 14, .cs = FLAT_KERNEL_CS, .address = (unsigned long)returning_fault}};

	CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, (unsigned long)table, 0, 0, 0, 0), 0);
	measure("page-fault", page_fault);
}

static void prepare(void)
{
	uint64_t *l1 = page_alloc();

	data_page = page_alloc();
	empty_table = page_alloc();
	pte = pte_of(data_page, 1);
	page_protect(l1, PTE_READONLY);
	page_op = (struct mmuext_op){.cmd = MMUEXT_INVLPG_LOCAL,
				     .arg1.linear_addr = (unsigned long)data_page};
	pin_op = (struct mmuext_op){.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = mfn_of(l1)};
	unpin_op = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfn_of(l1)};
	base_ops[0] = (struct mmuext_op){.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfn_of(l4_table())};
	base_ops[1] =
		(struct mmuext_op){.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn_of(l4_table())};
}

void test_main(void)
{
	prepare();
	hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0, 0,
		  0);
	measure("nothing", nothing);
	measure("stack-switch", stack_switch);
	measure("set-segment-base", set_segment_base);
	measure("fpu-taskswitch", fpu_taskswitch);
	measure("update-descriptor", update_descriptor);
	measure("version", version);
	measure("mmu-update", mmu_update_entry);
	measure("update-va-mapping", update_va_mapping_entry);
	measure("table-write", write_entry);
	measure("tlb-flush", tlb_flush);
	measure("invlpg", flush_page);
	measure("new-base", new_base);
	measure("pin-and-unpin", pin_and_unpin);
	measure("multicall", multicall);
	measure_system_calls();
	measure_page_faults();
	test_success();
}
