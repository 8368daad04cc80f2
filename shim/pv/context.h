/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers with which a PV vCPU begins: struct vcpu_guest_context, of the domain's builder for
 * the first, of VCPUOP_initialise for the others (Xen: arch_set_info_guest()). Freestanding.
 */
#ifndef SHIM_PV_CONTEXT_H
#define SHIM_PV_CONTEXT_H

#include "shim/pv/cpu.h"

/*
 * *v, which does not run and has had no context, becomes what *c says, with references to its
 * tables. Selectors and flags in c->user_regs become what a guest may have. -XEN_EINVAL: an address
 * that is not canonical, an LDT or GDT that is too big, a table that is none; and see
 * pv_get_type(). Then nothing is held. Wants mm.lock not held.
 */
int pv_set_context(struct pv_vcpu *v, struct vcpu_guest_context *c);

/* What it holds is put again: it has not begun. */
void pv_release_context(struct pv_vcpu *v);

/*
 * On the vCPU's own CPU: it goes on with *r, as its context says, or in its failsafe callback if
 * ds, es, fs or gs cannot be loaded.
 */
void pv_start_context(struct pv_vcpu *v, struct pv_regs *r, const struct vcpu_guest_context *c);

#endif
