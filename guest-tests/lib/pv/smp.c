// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/pv/smp.h"
#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/pv/traps.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/string.h"

#define LIMIT 10000000000ULL

extern uint8_t pv_stacks[];
void pv_smp_entry(void);
void pv_smp_main(void) __attribute__((noreturn));

static struct worker {
	bool started;
	void (*fn)(void *);
	void *arg;
} workers[PV_MAX_CPUS];

void smp_context(unsigned int cpu, struct vcpu_guest_context *c)
{
	memset(c, 0, sizeof(*c));
	/* Not VGCF_online, with which Xen calls it up but does not wake it. */
	c->flags = VGCF_in_kernel;
	c->user_regs.rip = (unsigned long)pv_smp_entry;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->user_regs.rsp = (unsigned long)pv_stacks + (cpu + 1UL) * PV_STACK_SIZE;
	c->user_regs.rflags = EFLAGS_IF;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->kernel_sp = c->user_regs.rsp - PV_STACK_SIZE / 2;
	c->ctrlreg[3] = mfn_of(l4_table()) * PAGE_SIZE;
}

void pv_smp_main(void)
{
	struct worker *w = &workers[cpu_number()];

	events_mask();
	traps_init_cpu(cpu_number());
	for (;;) {
		void (*fn)(void *) = __atomic_load_n(&w->fn, __ATOMIC_ACQUIRE);

		if (fn) {
			fn(w->arg);
			__atomic_store_n(&w->fn, NULL, __ATOMIC_RELEASE);
		}
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
}

void smp_run(unsigned int cpu, void (*fn)(void *), void *arg)
{
	static struct vcpu_guest_context context;
	struct worker *w = &workers[cpu];

	w->arg = arg;
	__atomic_store_n(&w->fn, fn, __ATOMIC_RELEASE);
	if (w->started)
		return;
	w->started = true;
	smp_context(cpu, &context);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, cpu, &context), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, cpu, NULL), 0);
}

bool smp_wait(unsigned int cpu)
{
	uint64_t end = clock_now() + LIMIT;

	while (__atomic_load_n(&workers[cpu].fn, __ATOMIC_ACQUIRE)) {
		if (clock_now() > end)
			return CHECK(false, "vCPU %u does not come to an end", cpu);
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
	return true;
}
