/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine of plain memory for unit tests and fuzzers of the rules (machine.h): frames, vCPUs
 * whose tables are walked in software, and what has been asked of them.
 */
#ifndef SHIM_PV_FAKE_MACHINE_H
#define SHIM_PV_FAKE_MACHINE_H

#include "shim/pv/monitor/boot.h"

#define FAKE_FRAMES 128u
#define FAKE_VCPUS  3u

#define FAKE_OUTSIDE 0x123456789000ull

/* What has been asked of a vCPU, or by it. */
struct fake_asked {
	unsigned base, gdt, ldt, debug, segment_bases, ts, swaps; /* pv_load_*, pv_swap_gs */
	unsigned flush_all, flush_page, caches;
	uint64_t va; /* of the last flush of a page */
};

/* The host's part in grants: those of the guest to itself, and its handles. */
#define FAKE_GRANTS  8u
#define FAKE_HANDLES 16u

struct fake_host {
	struct fake_grant {
		bool granted, readonly;
		uint64_t mfn;
		unsigned readers, writers;
	} grants[FAKE_GRANTS];
	struct fake_handle {
		uint32_t flags, ref; /* flags 0: free */
	} handles[FAKE_HANDLES];
};

struct fake_machine {
	struct pv_domain domain;
	struct pv_vcpu vcpus[FAKE_VCPUS];
	struct pv_frame frames[FAKE_FRAMES];
	uint64_t m2p[FAKE_FRAMES];
	uint8_t *memory; /* FAKE_FRAMES pages */
	/* Memory that the guest reaches at FAKE_OUTSIDE, whatever its page tables say. */
	uint8_t outside[PV_PAGE_SIZE];
	struct fake_asked asked[FAKE_VCPUS];
	struct fake_host host;
	/* Frames that a vCPU's TLB may know as writable: those that have been, since it has
	 * forgotten. fake_note_writable() adds those that are now. */
	bool may_write[FAKE_VCPUS][FAKE_FRAMES];
	bool threads; /* several threads run vCPUs: TLBs are not looked at */
};

/* Frames without flags, vCPUs without anything in kernel mode; vCPU 0 is the current one. */
struct fake_machine *fake_machine_new(void);
void fake_machine_free(struct fake_machine *m);

/* Which vCPU machine.h is about, for the thread that asks. */
void fake_set_current(struct fake_machine *m, unsigned vcpu);
unsigned fake_current(void);

void fake_note_writable(struct fake_machine *m);

/* As the guest's grant table says: frame mfn may be mapped by the guest itself. */
void fake_grant(struct fake_machine *m, unsigned ref, uint64_t mfn, bool readonly);

static inline uint64_t *fake_table(struct fake_machine *m, uint64_t mfn)
{
	return (uint64_t *)(void *)(m->memory + mfn * PV_PAGE_SIZE);
}

#endif
