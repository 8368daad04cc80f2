/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that a PV guest cannot run in ring 3, and Xen runs for it: privileged ones, CPUID
 * behind Xen's prefix, and writes to page tables. Bytes and operands are the guest's, read once.
 *
 * Freestanding.
 */
#ifndef SHIM_PV_EMULATE_H
#define SHIM_PV_EMULATE_H

#include "shim/pv/cpu.h"

/*
 * What has become of an instruction. PV_EMULATED: *r is as after it, or v->bounce is what it
 * raised, or it is to be run again (with the registers as they are now: a step of a repeated one).
 * Else nothing has changed, and the fault that brought us here is the guest's.
 */
enum pv_emulated { PV_NOT_EMULATED, PV_EMULATED };

/* #GP(0), in any mode of the guest's and any code segment. */
enum pv_emulated pv_emulate_privileged(struct pv_vcpu *v, struct pv_regs *r);

/* #UD: UD2, "xen", CPUID. */
enum pv_emulated pv_emulate_forced(struct pv_vcpu *v, struct pv_regs *r);

/* A write of the kernel's to a present page that is not writable: is it a page table? */
enum pv_emulated pv_emulate_write(struct pv_vcpu *v, struct pv_regs *r, uint64_t cr2);

/*
 * CR4: the bits that the guest chooses and the CPU has, TSD, DE and FSGSBASE, and what it then
 * reads; `wanted` is what it writes. OSXSAVE it chooses for itself only: the CPU has it from the
 * start, which kernels see by CPUID and take for the hypervisor's leave to use XSAVE.
 */
#define PV_CR4_OWN (1ull << 2 | 1ull << 3 | 1ull << 16)
uint64_t pv_guest_cr4(uint64_t wanted);

/* CR0 as the guest reads it, but for TS. */
#define PV_CR0 0x80050033ull

/*
 * MSRs as Xen 4.17 shows them to a guest without hardware of its own. False: #GP. A read that only
 * this saves from an end (no handler for #GP is there yet) is 0.
 */
bool pv_guest_read_msr(struct pv_vcpu *v, uint32_t index, uint64_t *value);
bool pv_guest_write_msr(struct pv_vcpu *v, uint32_t index, uint64_t value);

#endif
