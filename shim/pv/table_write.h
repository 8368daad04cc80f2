/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules of the CPU need of those of memory. Each takes mm.lock itself. Freestanding.
 */
#ifndef SHIM_PV_TABLE_WRITE_H
#define SHIM_PV_TABLE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

struct pv_vcpu;

/*
 * The 8 bytes at `va` (a multiple of 8), which the guest's kernel sees read-only, become `value`,
 * if they are an entry of a page table that the guest may write so (Xen: of an L1), and `value` may
 * be there. With `expected`: only if they are what it points to, by one atomic exchange. 0;
 * PV_ENTRY_CHANGED: they are not, and nothing has changed; or -XEN_E*: not the guest's to do.
 */
#define PV_ENTRY_CHANGED 1
int pv_write_entry(struct pv_vcpu *v, uint64_t va, const uint64_t *expected, uint64_t value);

/* The kernel's base pointer from now on (MMUEXT_NEW_BASEPTR). 0 or -XEN_E*. */
long pv_new_base(struct pv_vcpu *v, uint64_t mfn);

/* The page (0 to 15) of the LDT is mapped into the window, from where the guest has it now. False:
 * it is not there, or not of descriptors. */
bool pv_map_ldt_page(struct pv_vcpu *v, unsigned page);

#endif
