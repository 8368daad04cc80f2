/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest addresses are types of their own, so that none is mixed with another or dereferenced.
 */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE_SIZE  4096u
#define GUEST_PAGE_MASK  (~(uint64_t)(GUEST_PAGE_SIZE - 1))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Kinds of guests, by what they see of the hypervisor. An HVM guest is as a PVH one here. */
enum domain_type {
	DOMAIN_PVH,
	DOMAIN_PV, /* 64-bit, in ring 3 below a monitor (docs/pv.md) */
	DOMAIN_TYPES,
};

struct gpa { /* guest-physical address, bytes */
	uint64_t v;
};

struct gfn { /* guest frame number: gpa >> 12 */
	uint64_t v;
};

struct gva { /* guest-virtual address, in the page tables of the vCPU at hand */
	uint64_t v;
};

static inline struct gpa gpa(uint64_t v)
{
	return (struct gpa){v};
}

static inline struct gfn gfn(uint64_t v)
{
	return (struct gfn){v};
}

static inline struct gva gva(uint64_t v)
{
	return (struct gva){v};
}

static inline struct gpa gfn_to_gpa(struct gfn g)
{
	return gpa(g.v << GUEST_PAGE_SHIFT);
}

static inline struct gfn gpa_to_gfn(struct gpa a)
{
	return gfn(a.v >> GUEST_PAGE_SHIFT);
}

static inline unsigned gpa_offset(struct gpa a)
{
	return a.v & (GUEST_PAGE_SIZE - 1);
}

#endif
