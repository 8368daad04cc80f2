/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of one hypercall: the machinery reads the registers into a struct hypercall and calls
 * hypercall_dispatch; the result goes into rax (eax). One table names every hypercall
 * (hypercall.c), and each family's file one more that names its sub-operations.
 */
#ifndef SHIM_HYPERCALL_H
#define SHIM_HYPERCALL_H

#include "shim/types.h"

struct vcpu;

/* Hypercall numbers are below this (xen.h: 64 stubs of 32 bytes fill half the page). */
#define HYPERCALL_MAX 64
/* Sub-operation numbers are below this in every family that a guest can reach. */
#define SUBOP_MAX 64

struct hypercall {
	uint64_t nr;
	uint64_t args[6]; /* rdi rsi rdx r10 r8 r9, or ebx ecx edx esi edi ebp zero-extended */
	bool long_mode;   /* the caller's word size now, not the latched one */
	uint8_t cpl;
};

typedef long (*hypercall_handler)(struct vcpu *v, const struct hypercall *h);

/*
 * A sub-operation, and who serves it for each kind of guest. NULL: known to the ABI, answers
 * -ENOSYS and is counted by name.
 */
struct suboperation {
	const char *name;
	hypercall_handler handler[DOMAIN_TYPES];
};

#define SUBOP(op, fn)              [op] = {#op, {fn, fn}}
#define SUBOP_EACH(op, pvh_fn, fn) [op] = {#op, {pvh_fn, fn}}
#define SUBOP_PVH(op, fn)          [op] = {#op, {fn, NULL}}
#define SUBOP_PV(op, fn)           [op] = {#op, {NULL, fn}}
#define SUBOP_ENOSYS(op)           [op] = {#op, {NULL, NULL}}

/* A hypercall: either handlers, or sub-operations by number in args[0] & cmd_mask. */
struct hypercall_family {
	const char *name;
	hypercall_handler handler[DOMAIN_TYPES];
	const struct suboperation *ops;
	const unsigned *ops_count;
	uint64_t cmd_mask; /* as wide as the parameter is in Xen */
};

/* The table's row for nr; NULL at or above HYPERCALL_MAX; a row without a name is not in the ABI.
 */
const struct hypercall_family *hypercall_family(uint64_t nr);

/* Who serves this sub-operation for such guests; NULL: nobody. cmd: any number; not looked at
 * where the hypercall has none.
 */
hypercall_handler hypercall_served_by(const struct hypercall_family *f, enum domain_type type,
				      uint64_t cmd);

/* How often each (hypercall, sub-operation) was called; sub-operations from SUBOP_MAX - 1 up share.
 */
struct hypercall_counts {
	uint32_t calls[HYPERCALL_MAX][SUBOP_MAX];
	uint32_t out_of_range; /* numbers from HYPERCALL_MAX up */
};

/*
 * What a PV guest's monitor has a rule for it does itself (docs/pv.md): a row without a PV handler.
 *
 * Carry out one hypercall on the vCPU's own thread. Never sleeps. Returns what the guest sees in
 * rax: 0 or more, or -XEN_E*; -XEN_EPERM for callers outside ring 0, -XEN_ENOSYS for what is not
 * there.
 */
long hypercall_dispatch(struct vcpu *v, const struct hypercall *h);

/* Visit every (family, sub-operation) that was called on v. `implemented` false: it got -ENOSYS. */
void hypercall_counts_visit(const struct vcpu *v,
			    void (*visit)(void *opaque, const char *name, uint32_t calls,
					  bool implemented),
			    void *opaque);

/*
 * Fill one 4096-byte hypercall page with stubs for callers of the given word size. port < 0: the
 * stubs hold vmmcall (amd) or vmcall, for a KVM that hands these to us; otherwise each stub checks
 * the caller's ring and writes to that I/O port.
 */
struct hypercall_stub {
	bool long_mode;
	bool amd;
	int port;
};
void hypercall_page_fill(uint8_t *page, const struct hypercall_stub *stub);

#endif
