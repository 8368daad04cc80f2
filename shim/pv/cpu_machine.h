/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules of a PV guest's CPU need from the machine, beside machine.h: of the current vCPU's
 * CPU. The monitor has it, and shim/pv/fake_cpu.c for tests. Freestanding.
 */
#ifndef SHIM_PV_CPU_MACHINE_H
#define SHIM_PV_CPU_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct pv_regs;
struct pv_vcpu;

/* Bases of segments as they are now: FS; GS of the mode that the vCPU is in, and of the other. */
enum pv_base { PV_BASE_FS, PV_BASE_GS, PV_BASE_GS_OTHER };
uint64_t pv_read_base(enum pv_base which);
void pv_write_base(enum pv_base which, uint64_t canonical);

/*
 * The other mode's GS (user mode's, in a hypercall): this selector is loaded, with what it brings
 * as base; a null one where that faults.
 */
void pv_load_gs_other(uint16_t selector);

/* ds, es, fs and gs as the CPU has them, into their places in *r. */
void pv_read_selectors(struct pv_regs *r);
/*
 * And back, from the vCPU's tables; null selectors where that faults: then false. The bases of FS
 * and GS are to be written afterwards.
 */
bool pv_load_selectors(const struct pv_regs *r);

/*
 * The FPU's registers, as FXSAVE has them (512 bytes), while CR0.TS is clear. If that faults, they
 * stay as they are.
 */
void pv_load_fpu(const void *saved);

/* CR4 as the guest may have it: the bits of v->cr4 that are its own (PV_CR4_OWN in emulate.h). */
void pv_load_cr4(struct pv_vcpu *v);

/* DR6 of the CPU, which is as after a reset from then on. */
uint64_t pv_take_dr6(void);

/* XCR0: false if the CPU refuses the value. */
bool pv_set_xcr0(uint64_t value);

/* A leaf as the guest sees it: eax, ebx, ecx, edx. */
void pv_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* The TSC as the guest reads it. */
uint64_t pv_read_tsc(void);

/* An MSR of the CPU's; false if it faults. Which a guest may have is decided before (msr.c). */
bool pv_read_msr(uint32_t index, uint64_t *value);
bool pv_write_msr(uint32_t index, uint64_t value);

#endif
