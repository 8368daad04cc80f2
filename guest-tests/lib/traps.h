/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables, exceptions and interrupts.
 *
 * An exception that nobody expected prints where it happened and ends the test as FAILURE. One that
 * is expected is caught around a function call, with catch_fault().
 */
#ifndef GUEST_TESTS_TRAPS_H
#define GUEST_TESTS_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

/* As trap_entry.S pushes it. In 32-bit code sp and ss are there only when the trap came from
 * ring 3. */
struct trap_frame {
#ifdef __x86_64__
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
	unsigned long di, si, bp, bx, dx, cx, ax;
#else
	unsigned long di, si, bp, bx, dx, cx, ax;
#endif
	unsigned long vector, error;
	unsigned long ip, cs, flags, sp, ss;
};

/* Make and load IDT and TSS; on another vCPU, load the same IDT and a TSS of its own. */
void traps_init(void);
void traps_init_cpu(unsigned int cpu);

/* The vCPU that this runs on. */
unsigned int cpu_number(void);

/*
 * Call fn, with interrupts off, for each interrupt or exception with this vector, on whichever
 * vCPU; NULL takes it away. The handler does what end-of-interrupt its vector needs (lapic.h), and
 * returns to where the interrupt happened.
 */
typedef void irq_handler_fn(struct trap_frame *frame);
void irq_set_handler(unsigned int vector, irq_handler_fn *fn);

/*
 * Interrupts on until one has come, or for a while; then off. A CPU delivers what is pending at
 * once; a KVM that emulates ring 0 looks for interrupts every few thousand instructions only.
 */
void irq_window(void);
/* Sleep until an interrupt has been handled; interrupts are off again afterwards. Not for PV. */
void irq_wait(void);

/* Those of the CPU, and behind them what else enters a PV kernel (pv/traps.h). */
#define NR_VECTORS 263U

struct fault {
	bool hit;
	unsigned int vector;
	unsigned long error;
	unsigned long ip;
	unsigned long ax;
};

/*
 * Run fn(arg). An exception, or an interrupt without a handler, ends it and is described in the
 * result; interrupts are then off. Does not nest.
 */
struct fault catch_fault(void (*fn)(void *), void *arg);

/* Everything that the last caught fault had in its frame, of this vCPU. */
const struct trap_frame *fault_frame(void);

/* wrmsr; true if it faulted. */
bool wrmsr_safe(uint32_t msr, uint64_t value);
/* rdmsr; true if it faulted, and *value is then untouched. */
bool rdmsr_safe(uint32_t msr, uint64_t *value);

/*
 * Run fn(arg) in ring 3, on a stack of its own, interrupts off. It ends with user_exit(value),
 * which shows as vector VECTOR_USER_EXIT and ax = value, or with a fault.
 */
#define VECTOR_USER_EXIT 256U
struct fault run_user(void (*fn)(unsigned long), unsigned long arg);
void user_exit(unsigned long value) __attribute__((noreturn));

#endif
