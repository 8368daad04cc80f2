/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules of PV guests need from the machine below them. The monitor (monitor/) has it on
 * the CPU that it runs on, shim/pv/fake_machine.c in unit tests and fuzzers. A seam of the linker:
 * each program has one of the two.
 *
 * Everything here is for the current vCPU, and by the monitor's one thread on it, unless it says
 * otherwise. Freestanding.
 */
#ifndef SHIM_PV_MACHINE_H
#define SHIM_PV_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/pv/grant.h"

struct pv_vcpu;

/*
 * Memory by guest-virtual address, through the page tables in use, as the guest's kernel itself
 * would reach it (so its own read-only mappings are not written). The hypervisor's part of the
 * address space is not the guest's. 0, or -XEN_EFAULT: then a part of it may have been copied.
 * *at (may be NULL): the first address that could not be reached.
 */
int pv_copy_from_guest(void *to, uint64_t from, size_t len, uint64_t *at);
int pv_copy_to_guest(uint64_t to, const void *from, size_t len, uint64_t *at);

/*
 * The translations of all addresses, or of the page at one, are forgotten: by this vCPU, or by each
 * whose bit is set in `vcpus` (bit = id; this one's too, if set) before the call returns.
 */
void pv_flush_all(uint64_t vcpus);
void pv_flush_page(uint64_t vcpus, uint64_t va);

/* The CPU's caches. */
void pv_flush_caches(void);

/*
 * The vCPU's guest tables as struct pv_vcpu has them from now on: the base pointer of its mode, its
 * GDT and LDT (frames, entries), debug registers, segment bases, FPU's availability (CR0.TS).
 * The current vCPU forgets all translations with its base pointer.
 */
void pv_load_base(struct pv_vcpu *v);
void pv_load_gdt(struct pv_vcpu *v);
void pv_load_ldt(struct pv_vcpu *v);
void pv_load_debug(struct pv_vcpu *v);
void pv_load_segment_bases(struct pv_vcpu *v);
void pv_load_ts(struct pv_vcpu *v);

/* A step of the host's in an operation on grants (grant.h). With mm.lock held. */
int pv_ask_grant(unsigned cmd, enum pv_grant_step step);

/* The base of GS that is in use, and the other, are exchanged (the CPU's swapgs). */
void pv_swap_gs(void);

/* One for all data of a domain that vCPUs share; not recursive, nobody sleeps with it. */
struct pv_lock {
	uint32_t held;
};
void pv_lock(struct pv_lock *l);
void pv_unlock(struct pv_lock *l);

#endif
