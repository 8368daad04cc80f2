/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions, events and calls of a PV guest: what becomes of each, the frame that its kernel's
 * handler finds on the stack (xen/arch-x86/xen-x86_64.h and Xen's create_bounce_frame), and the way
 * back by HYPERVISOR_iret.
 *
 * All is for the current vCPU, without locks. Where the guest cannot go on, v->dying says why and
 * pv_before_return() answers -XEN_EFAULT: the caller ends the domain. Freestanding.
 */
#ifndef SHIM_PV_TRAPS_H
#define SHIM_PV_TRAPS_H

#include "shim/pv/cpu.h"

/*
 * The exception r->vector (and r->error) in ring 3; cr2: of a page fault. It is emulated (then *r
 * is what it made of it), or its cause is removed, or v->bounce is set. Vector 0x80 may come here
 * too, if its gate is open to ring 3. An exception of the monitor's own iret to the guest is one of
 * the guest's, with the registers that the iret was to load.
 */
void pv_exception(struct pv_vcpu *v, struct pv_regs *r, uint64_t cr2);

/* The guest's handler of `vector` is next: v->bounce. An error code of -1: there is none. */
void pv_inject(struct pv_vcpu *v, uint32_t vector, int64_t error);
void pv_inject_page_fault(struct pv_vcpu *v, uint32_t error, uint64_t cr2);

/*
 * The bounce at hand becomes a frame on the stack of the guest's kernel, and *r goes on in the
 * handler; from user mode the mode changes. 0, or -XEN_EFAULT: there is no handler, or the frame
 * cannot be written.
 */
int pv_deliver(struct pv_vcpu *v, struct pv_regs *r);

/*
 * Before any return to the guest: the bounce at hand, a machine check, an NMI, an upcall, until
 * none is to be delivered. 0 or -XEN_EFAULT.
 */
int pv_before_return(struct pv_vcpu *v, struct pv_regs *r);

/*
 * SYSCALL in user mode, SYSCALL from 32-bit code and SYSENTER in any (r->vector, PV_ENTRY_*): to
 * the callback, or #UD or #GP where there is none. In kernel mode a 64-bit SYSCALL is a hypercall,
 * and the caller's.
 */
void pv_guest_syscall(struct pv_vcpu *v, struct pv_regs *r);

/* HYPERVISOR_iret: *r becomes what the frame at r->rsp says, and rax is the result. */
long pv_op_iret(struct pv_vcpu *v, struct pv_regs *r);

/* ds, es, fs or gs of *r (all four are set) could not be loaded: the failsafe callback is next. */
void pv_failsafe(struct pv_vcpu *v, struct pv_regs *r);

/* From kernel mode to user mode, or back: base pointer and GS. */
void pv_toggle_mode(struct pv_vcpu *v);

#endif
