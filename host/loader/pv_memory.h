/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's pseudo-physical memory: which machine frame each pfn is, and where the host has it.
 * docs/pv.md: pfn n is RAM frame n + PV_MEMORY_SHIFT, modulo their number, so there are as many
 * pieces that lie side by side as RAM has blocks, and one more.
 */
#ifndef HOST_LOADER_PV_MEMORY_H
#define HOST_LOADER_PV_MEMORY_H

#include "host/loader/ram.h"
#include "host/problem.h"
#include "shim/pv/layout.h"

#define PV_MEMORY_SHIFT 256

/* Frames that are neighbours in all three ways. */
struct pv_run {
	uint64_t pfn, pages, mfn;
	uint8_t *hva;
};

struct pv_memory {
	uint64_t pages;
	unsigned count;
	struct pv_run runs[RAM_BLOCKS_MAX + 1]; /* sorted by pfn; the first begins at 0 */
};

/* RAM is made of whole pages. Returns 0, or -1 with the reason in *p. */
int pv_memory_init(struct pv_memory *m, const struct ram *ram, struct problem *p);

/* Machine frame of a pfn below m->pages. */
uint64_t pv_memory_mfn(const struct pv_memory *m, uint64_t pfn);

/*
 * Where the byte at pseudo-physical address `at` is in the host. *size, at least 1, becomes how
 * many bytes from there lie side by side, at most as many as it was. All must be in memory.
 */
uint8_t *pv_memory_at(const struct pv_memory *m, uint64_t at, uint64_t *size);

/* The page of a pfn below m->pages. */
void *pv_memory_page(const struct pv_memory *m, uint64_t pfn);

/* [at, at + size) must be in memory. */
void pv_memory_write(const struct pv_memory *m, uint64_t at, const void *bytes, uint64_t size);

/* Frames from 0 up to and with the last of RAM. */
uint64_t pv_memory_max_mfn(const struct pv_memory *m);

/*
 * Fill `entries` (at least pv_memory_max_mfn()) of the machine-to-physical table; those of frames
 * that are not RAM become all ones, which is no pfn.
 */
void pv_memory_fill_m2p(const struct pv_memory *m, uint64_t *m2p, uint64_t entries);

#endif
