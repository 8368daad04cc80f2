// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/traps.h"
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"

#define STUB_SIZE 16

/* trap_entry.S */
extern uint8_t trap_stubs[];
int trap_guarded_call(unsigned long *sp, void (*fn)(void *), void *arg);
void trap_unwind(unsigned long sp) __attribute__((noreturn));
void trap_handle(struct trap_frame *f);

/* entry.S */
extern uint64_t gdt_tss[MAX_CPUS][2];

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
#ifdef __x86_64__
	uint32_t offset_high, reserved;
#endif
};

struct tss {
#ifdef __x86_64__
	uint32_t reserved0;
	uint64_t sp0;
	uint32_t rest[23];
#else
	uint32_t back, sp0, ss0, rest[23];
#endif
} __attribute__((packed));

static struct gate idt[256] __attribute__((aligned(16)));
static struct tss tss[MAX_CPUS] __attribute__((aligned(16)));
static uint8_t trap_stack[8192] __attribute__((aligned(16)));
static irq_handler_fn *handlers[256];
static unsigned int handled[MAX_CPUS];

static struct catcher {
	bool armed;
	unsigned long sp;
	struct fault fault;
} catchers[MAX_CPUS];

static void set_gate(unsigned int vector)
{
	unsigned long at = (unsigned long)trap_stubs + vector * STUB_SIZE;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)at,
		.selector = SEL_CODE,
		.type = 0x8e,
		.offset_mid = (uint16_t)(at >> 16),
	};
}

unsigned int cpu_number(void)
{
	unsigned int tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return (tr - SEL_TSS) / 16;
}

/* Ring 3 is for one vCPU, so there is one stack to come back on. */
static void load_tss(unsigned int cpu)
{
	struct tss *t = &tss[cpu];
	uint64_t base = (unsigned long)t;

	t->sp0 = (unsigned long)trap_stack + sizeof(trap_stack);
#ifndef __x86_64__
	t->ss0 = SEL_DATA;
#endif
	gdt_tss[cpu][0] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 |
			  (base >> 24 & 0xff) << 56;
	gdt_tss[cpu][1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS + 16 * cpu) : "memory");
}

void traps_init_cpu(unsigned int cpu)
{
	struct {
		uint16_t limit;
		unsigned long base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (unsigned long)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer));
	load_tss(cpu);
}

void traps_init(void)
{
	for (unsigned int v = 0; v < 32; v++)
		set_gate(v);
	traps_init_cpu(0);
}

void irq_set_handler(unsigned int vector, irq_handler_fn *fn)
{
	handlers[vector] = fn;
	set_gate(vector);
}

void irq_window(void)
{
	const unsigned int *mine = &handled[cpu_number()], before = *mine;

	irq_enable();
	for (unsigned int i = 0; i < 2000 && READ_ONCE(*mine) == before; i++)
		pause();
	irq_disable();
}

static void report_unexpected(const struct trap_frame *f)
{
	catchers[cpu_number()].armed = false;
	console_flush();
	test_failure("unexpected vector %lu, error %#lx at %#lx (cs %#lx flags %#lx)", f->vector,
		     f->error, f->ip, f->cs, f->flags);
	test_finish();
}

void trap_handle(struct trap_frame *f)
{
	irq_handler_fn *fn = handlers[f->vector];
	struct catcher *c = &catchers[cpu_number()];

	handled[cpu_number()]++;
	if (fn) {
		fn(f);
		return;
	}
	if (!c->armed)
		report_unexpected(f);
	c->armed = false;
	c->fault = (struct fault){
		.hit = true,
		.vector = (unsigned int)f->vector,
		.error = f->error,
		.ip = f->ip,
		.ax = f->ax,
	};
	trap_unwind(c->sp);
}

struct fault catch_fault(void (*fn)(void *), void *arg)
{
	struct catcher *c = &catchers[cpu_number()];

	c->fault = (struct fault){0};
	c->armed = true;
	barrier();
	trap_guarded_call(&c->sp, fn, arg);
	c->armed = false;
	return c->fault;
}

struct msr_access {
	uint32_t msr;
	uint64_t value;
};

static void do_wrmsr(void *arg)
{
	struct msr_access *a = arg;

	wrmsr(a->msr, a->value);
}

static void do_rdmsr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->msr);
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	return catch_fault(do_wrmsr, &(struct msr_access){msr, value}).hit;
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	struct msr_access a = {.msr = msr};
	bool hit = catch_fault(do_rdmsr, &a).hit;

	if (!hit)
		*value = a.value;
	return hit;
}
