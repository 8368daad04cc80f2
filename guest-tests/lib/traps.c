// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/catch.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/segments.h"

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

static void set_gate(unsigned int vector)
{
	unsigned long at = (unsigned long)trap_stubs + vector * TRAP_STUB_SIZE;

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
	trap_handlers[vector] = fn;
	set_gate(vector);
}

void irq_window(void)
{
	const unsigned int before = traps_handled();

	irq_enable();
	for (unsigned int i = 0; i < 2000 && traps_handled() == before; i++)
		pause();
	irq_disable();
}
