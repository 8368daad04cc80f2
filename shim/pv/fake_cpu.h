/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU and memory for tests and fuzzers of what a PV guest does to them (machine.h, cpu_machine.h,
 * and the ends of mm.h that they touch): a few frames, mapped where the test wants them, and a
 * record of what was loaded. One at a time.
 */
#ifndef SHIM_PV_FAKE_CPU_H
#define SHIM_PV_FAKE_CPU_H

#include "shim/pv/cpu_machine.h"
#include "shim/pv/monitor/boot.h"

#define FAKE_CPU_FRAMES 16u
#define FAKE_CPU_PAGES  16u
#define FAKE_CPU_MSRS   32u

/* Frames with a use; the last one has entries for the pages below, in their order. */
enum {
	FAKE_SHARED_INFO = 1,
	FAKE_GDT,
	FAKE_LDT,
	FAKE_TABLE,
	FAKE_FREE,
	FAKE_MAP = FAKE_CPU_FRAMES - 1
};

/* What fake_cpu_init() maps: code and data everywhere, the kernel's stack in its mode only, a page
 * table read-only. */
#define FAKE_CODE  0x400000ull
#define FAKE_DATA  0x500000ull
#define FAKE_STACK 0xffff888000010000ull
#define FAKE_PTES  0xffff888000020000ull

struct fake_cpu {
	uint8_t ram[FAKE_CPU_FRAMES][PV_PAGE_SIZE] __attribute__((aligned(4096)));

	struct pv_domain domain;
	struct pv_vcpu v;
	struct pv_regs r;

	struct fake_page {
		uint64_t va; /* 0: none */
		unsigned frame;
		bool writable, kernels;
	} pages[FAKE_CPU_PAGES];

	/* In the CPU. The base of GS in use is swapped with the other. */
	uint64_t bases[3];
	bool kernel_base; /* the base pointer loaded is the kernel's */
	uint64_t ts, cr4, dr6, debug[8], xcr0, tsc;
	uint16_t gs_other, selectors[4]; /* ds, es, fs, gs */
	uint16_t bad_selector;           /* that cannot be loaded */
	uint8_t fpu[512];                /* as FXSAVE has it */

	/* CPUID: as Intel's, with leaves 1, 7, 0xd.1 and 0x8000000x as a test sets them. */
	uint32_t vendor[3]; /* ebx, ecx, edx */
	uint32_t leaf1[4], leaf7[4], leafd1[4], ext1[4], ext8[4];
	struct {
		uint32_t index;
		uint64_t value;
	} msrs[FAKE_CPU_MSRS];
	unsigned nr_msrs;

	/* Memory's rules: a frame of page tables, in which any value may be written. */
	bool refuse_entries;
	unsigned changes_left; /* how often an exchange finds the entry changed */
	unsigned entry_writes;
	bool last_was_blind;
	bool ldt_works;
	uint32_t ldt_offset; /* asked for last */
	uint64_t good_base;  /* the mfn that pv_new_base() accepts */

	bool locked;
	uint64_t held; /* a frame, typed */

	unsigned gs_swaps, base_loads, debug_loads, cr4_loads;
};

/* A vCPU 0 in its kernel, upcalls masked, all else 0, at FAKE_CODE. */
void fake_cpu_init(struct fake_cpu *f);

/* Another page; where it is in the RAM. */
uint8_t *fake_cpu_map(struct fake_cpu *f, uint64_t va, unsigned frame, bool writable);

/* Memory at an address that is mapped. */
uint8_t *fake_cpu_at(struct fake_cpu *f, uint64_t va);

/* The bytes at r.rip. */
void fake_cpu_code(struct fake_cpu *f, const void *bytes, unsigned count);

void fake_cpu_msr(struct fake_cpu *f, uint32_t index, uint64_t value);

/* vcpu_info */
struct vcpu_info *fake_cpu_info(struct fake_cpu *f);

#endif
