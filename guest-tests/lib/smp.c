// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/lapic.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/start_info.h"
#include "guest-tests/lib/string.h"
#include "guest-tests/lib/traps.h"

#define MS 1000000ULL
#define US 1000ULL

/* A page of RAM below 1 MiB that nothing else has: SIPI can name it. */
#define TRAMPOLINE 0x8000UL

#define CR4_PAE  (1UL << 5)
#define CR0_ET   (1UL << 4)
#define CR0_WP   (1UL << 16)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)

/* smp_entry.S */
extern uint8_t smp_trampoline[], smp_trampoline_end[], smp_start_32[], smp_start_64[];
extern uint8_t smp_stacks[MAX_CPUS][SMP_STACK_SIZE];
unsigned long smp_boot_stack;
void smp_main(void) __attribute__((noreturn));

static struct {
	unsigned int starts, arrivals;
	uint64_t born;
	void (*fn)(void *arg);
	void *arg;
} cpus[MAX_CPUS];

/* Whom it is that starts; they do so one at a time. */
static unsigned int boot_cpu;

unsigned int smp_cpus(void)
{
	unsigned int n = 0;

	while (n < MAX_CPUS && hypercall_vcpu_op(VCPUOP_is_up, n, NULL) >= 0)
		n++;
	return n;
}

unsigned int smp_cpus_up_to(unsigned int most)
{
	unsigned int n = smp_cpus();

	if (n >= 2 && n <= most)
		return n;
	test_skip("%u vCPUs, not 2 to %u", n, most);
	return 0;
}

uint32_t smp_apic_id(unsigned int cpu)
{
	static uint32_t known[MAX_CPUS]; /* ID + 1 */
	uint32_t id = 0;

	if (!known[cpu]) {
		CHECK(madt_apic_id(cpu, &id), "the MADT has no vCPU %u", cpu);
		known[cpu] = id + 1;
	}
	return known[cpu] - 1;
}

void smp_check_identity(void *unused)
{
	unsigned int cpu = cpu_number();
	uint32_t id = smp_apic_id(cpu), top = cpuid(0, 0).eax;
	struct cpuid xen = cpuid(xen_cpuid_base() + 4, 0);

	(void)unused;
	lapic_init();
	CHECK_EQ(lapic_id(), id);
	CHECK_EQ(cpuid(1, 0).ebx >> 24, id & 0xff);
	if (top >= 0xb && cpuid(0xb, 0).ebx)
		CHECK_EQ(cpuid(0xb, 0).edx, id);
	CHECK(xen.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT, "no vCPU ID in the Xen leaf of vCPU %u",
	      cpu);
	CHECK_EQ(xen.ebx, cpu);
}

void smp_sleep_until(uint64_t ns)
{
	struct sched_poll arg = {.timeout = ns};

	hypercall_sched_op(SCHEDOP_poll, &arg);
}

void smp_relax(void)
{
	for (unsigned int i = 0; i < 20; i++)
		pause();
	hypercall_sched_op(SCHEDOP_yield, NULL);
}

void smp_main(void)
{
	unsigned int cpu = boot_cpu;

	traps_init_cpu(cpu);
	if (vcpu_info_of(cpu))
		cpus[cpu].born = clock_now();
	__atomic_store_n(&cpus[cpu].arrivals, cpus[cpu].starts, __ATOMIC_RELEASE);
	for (;;) {
		void (*fn)(void *) = __atomic_load_n(&cpus[cpu].fn, __ATOMIC_ACQUIRE);

		if (fn) {
			fn(cpus[cpu].arg);
			__atomic_store_n(&cpus[cpu].fn, NULL, __ATOMIC_RELEASE);
		} else {
			smp_sleep_until(clock_now_of(0) + 3 * MS);
		}
	}
}

uint64_t smp_born(unsigned int cpu)
{
	return cpus[cpu].born;
}

void smp_run(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	cpus[cpu].arg = arg;
	__atomic_store_n(&cpus[cpu].fn, fn, __ATOMIC_RELEASE);
}

bool smp_busy(unsigned int cpu)
{
	return __atomic_load_n(&cpus[cpu].fn, __ATOMIC_ACQUIRE);
}

bool smp_wait(unsigned int cpu, unsigned int ms)
{
	uint64_t until = clock_now() + ms * MS;

	while (smp_busy(cpu)) {
		if (clock_now() > until)
			return CHECK(false, "vCPU %u is busy after %u ms", cpu, ms);
		smp_relax();
	}
	return true;
}

bool smp_call(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	smp_run(cpu, fn, arg);
	return smp_wait(cpu, 10000);
}

static void prepare(unsigned int cpu)
{
	boot_cpu = cpu;
	smp_boot_stack = (unsigned long)smp_stacks[cpu] + SMP_STACK_SIZE;
	cpus[cpu].fn = NULL;
	__atomic_store_n(&cpus[cpu].starts, cpus[cpu].starts + 1, __ATOMIC_RELEASE);
}

static struct vcpu_hvm_context context_32(void)
{
	return (struct vcpu_hvm_context){
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 =
			{
				.eip = (uint32_t)(unsigned long)smp_start_32,
				.eflags = 2,
				.cr0 = CR0_PE | CR0_ET,
				.cs_limit = 0xfffff,
				.ds_limit = 0xfffff,
				.ss_limit = 0xfffff,
				.es_limit = 0xfffff,
				.tr_limit = 0x67,
				.cs_ar = 0xc9b,
				.ds_ar = 0xc93,
				.ss_ar = 0xc93,
				.es_ar = 0xc93,
				.tr_ar = 0x8b,
			},
	};
}

#ifdef __x86_64__
static struct vcpu_hvm_context context_own(void)
{
	return (struct vcpu_hvm_context){
		.mode = VCPU_HVM_MODE_64B,
		.cpu_regs.x86_64 =
			{
				.rip = (unsigned long)smp_start_64,
				.rflags = 2,
				.cr0 = CR0_PE | CR0_ET | CR0_WP | CR0_PG,
				.cr3 = read_cr3(),
				.cr4 = CR4_PAE,
				.efer = EFER_LME | EFER_LMA,
			},
	};
}
#else
#define context_own context_32
#endif

long smp_initialise(unsigned int cpu, bool in_32bit)
{
	struct vcpu_hvm_context context = in_32bit ? context_32() : context_own();
	long rc = hypercall_vcpu_op(VCPUOP_initialise, cpu, &context);

	if (!rc)
		prepare(cpu);
	return rc;
}

static void by_context(unsigned int cpu, bool in_32bit)
{
	CHECK_EQ(smp_initialise(cpu, in_32bit), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, cpu, NULL), 0);
}

static void delay(uint64_t ns)
{
	uint64_t until = clock_now() + ns;

	while (clock_now() < until)
		pause();
}

void smp_send_init(unsigned int cpu)
{
	lapic_init();
	lapic_send(smp_apic_id(cpu), ICR_INIT | ICR_ASSERT);
}

static void by_sipi(unsigned int cpu, uint64_t pause)
{
	if (!start_info_is_ram(TRAMPOLINE, PAGE_SIZE)) {
		test_error("no RAM at %#lx for the code that SIPI starts", TRAMPOLINE);
		return;
	}
	memcpy((void *)TRAMPOLINE, smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
	prepare(cpu);
	smp_send_init(cpu);
	delay(pause);
	lapic_send(smp_apic_id(cpu), ICR_STARTUP | ICR_ASSERT | TRAMPOLINE / PAGE_SIZE);
}

static bool has_arrived(unsigned int cpu)
{
	return __atomic_load_n(&cpus[cpu].arrivals, __ATOMIC_ACQUIRE) == cpus[cpu].starts &&
	       hypercall_vcpu_op(VCPUOP_is_up, cpu, NULL) == 1;
}

bool smp_arrived(unsigned int cpu)
{
	uint64_t until = clock_now() + 15000 * MS;

	while (!has_arrived(cpu)) {
		if (clock_now() > until)
			return CHECK(false, "vCPU %u does not come", cpu);
		smp_relax();
	}
	return true;
}

bool smp_start(unsigned int cpu, enum smp_start how)
{
	switch (how) {
	case SMP_BY_CONTEXT:
	case SMP_BY_CONTEXT_32:
		by_context(cpu, how == SMP_BY_CONTEXT_32);
		break;
	case SMP_BY_SIPI:
		by_sipi(cpu, 200 * US);
		break;
	case SMP_BY_QUICK_SIPI:
		by_sipi(cpu, 0);
		break;
	}
	return smp_arrived(cpu);
}

bool smp_start_all(enum smp_start how)
{
	unsigned int n = smp_cpus();

	for (unsigned int cpu = 1; cpu < n; cpu++)
		if (!smp_start(cpu, how))
			return false;
	return true;
}
