/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's own: the vCPU at hand, instructions, what its files know of each other. */
#ifndef SHIM_PV_MONITOR_PERCPU_H
#define SHIM_PV_MONITOR_PERCPU_H

#include "shim/pv/monitor/boot.h"

/* A vCPU wants others to forget translations (tlb.c). */
#define VECTOR_FLUSH 0xf2

extern struct pv_boot pv_boot;
extern uint64_t monitor_idt[512];

static inline struct pv_window *window_of(uint32_t vcpu)
{
	return (struct pv_window *)(pv_window_address(vcpu) + PV_WINDOW_VCPU);
}

/* The stacks are in the window. */
static inline struct pv_window *this_window(void)
{
	uint64_t rsp;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	return (struct pv_window *)((rsp & ~(PV_WINDOW_SIZE - 1)) + PV_WINDOW_VCPU);
}

static inline struct pv_vcpu *this_vcpu(void)
{
	return &this_window()->vcpu;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

/* entry.S */
long exit_hypercall(uint64_t nr, const uint64_t args[6]);

/* host.c: out to the host; because it wants so. */
long host_hypercall(uint64_t nr, const uint64_t args[6]);
void show_up(void);
void __attribute__((noreturn)) monitor_panic(const char *what, const struct pv_regs *r);
void __attribute__((noreturn)) guest_crash(const char *why, const struct pv_regs *r);

/* tlb.c */
void serve_flush(void);
/* This vCPU runs nothing of the guest's until come_back(): nobody waits for it. */
void go_away(void);
void come_back(void);

/* hypercall.c: a SYSCALL of the guest kernel's. */
void guest_hypercall(struct pv_vcpu *v, struct pv_regs *r);

/* guest_copy.c: where an exception in the monitor at this place goes on; 0: nowhere. */
uint64_t fixup_of(uint64_t rip);

#endif
