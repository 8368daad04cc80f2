/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machinery below the shim, made of plain memory, for unit tests and fuzzers: guest RAM and
 * overlay pages are memfd mappings, time stands where a test has put it, and everything that the
 * shim asks of its platform is recorded.
 *
 * Guest-physical memory: FAKE_RAM_SIZE bytes from 0, FAKE_HIGH_SIZE bytes from FAKE_HIGH, nothing
 * else. Paging is off until a test turns it on (shim/fake_paging.h), so that a guest-virtual
 * address is a guest-physical one.
 */
#ifndef SHIM_FAKE_PLATFORM_H
#define SHIM_FAKE_PLATFORM_H

#include "shim/domain.h"
#include "shim/pv/grant.h"
#include "shim/vcpu_run.h"

#define FAKE_VCPUS     3
#define FAKE_GSIS      48 /* of the I/O APIC, when a test sets domain.nr_gsis */
#define FAKE_DOMID     7
#define FAKE_RAM_SIZE  0x200000ull
#define FAKE_HIGH      0x100000000ull
#define FAKE_HIGH_SIZE 0x40000ull
#define FAKE_PAGES     ((FAKE_RAM_SIZE + FAKE_HIGH_SIZE) / GUEST_PAGE_SIZE)

/* The last part of the low RAM, for page tables: snapshots leave it out. */
#define FAKE_LOW_TABLES (FAKE_RAM_SIZE - 0x20000)

/* Of a PV guest's machine: up to the end of the high RAM. */
#define FAKE_M2P    0x200000ull /* where the M2P begins */
#define FAKE_FRAMES ((FAKE_HIGH + FAKE_HIGH_SIZE) / GUEST_PAGE_SIZE)

#define FAKE_ARG  0x10000ull    /* where fake_op() and its kin put an argument */
#define FAKE_HOLE 0x80000000ull /* a page-aligned address without memory */

/* What one vCPU has asked for. */
struct fake_vcpu {
	struct paging paging;
	const struct paging *likely_paging; /* what is said first, if not NULL */
	unsigned upcalls;                   /* atomic */
	unsigned time_area_moves;
	uint64_t timer; /* deadline, 0: off */
	unsigned timers_set;
	unsigned yields;
	unsigned wakes, nmis; /* atomic */
	unsigned contexts;    /* set_context, and with what: */
	struct vcpu_context context;

	/* What its machinery says of it. */
	bool interrupts; /* enabled */
	bool must_stop;
	uint64_t run_delay; /* ns */
};

struct fake {
	struct domain domain;
	struct fake_vcpu vcpu[FAKE_VCPUS];

	/* The caller of the next hypercall. */
	unsigned current;
	bool long_mode;
	uint8_t cpl;

	uint64_t now;       /* system time, ns */
	uint64_t wallclock; /* wallclock_base, ns */

	/* What the domain has asked for. */
	unsigned methods_changed, word_sizes_latched;
	bool gsi[FAKE_GSIS]; /* the lines' levels */
	unsigned gsi_rises;  /* how often one of them went up */
	unsigned shutdowns;
	int shutdown_reason;
	size_t console_len; /* may pass the buffer's end: the rest is only counted */
	char console[512];
	unsigned results_of_failures; /* arguments of fake_op() that a failed call has changed */

	/* Overlays: failures to order, and calls that did not fail. */
	int overlay_map_rc, overlay_unmap_rc;
	unsigned overlay_unmap_fails; /* how many times, then no more */
	unsigned overlay_maps, overlay_unmaps;

	/* Pages of RAM that were given back and taken again, and in how many calls the former. */
	uint64_t ram_discarded, ram_populated;
	unsigned ram_discards;

	int ram_fd, overlay_fd;
	uint8_t *ram, *high; /* as the guest sees them, overlays included */
	void *overlays;      /* the overlay pages themselves, */
	void *shared_info;   /* and that one */

	/* Of a PV guest: FAKE_FRAMES entries each. */
	void *tables;
	struct pv_frame *frames;
	uint64_t *m2p;
	struct pv_grant grant; /* what its monitor would say of one */
};

/* NULL, errno set: no memory or descriptors. */
struct fake *fake_create(bool long_mode);
void fake_destroy(struct fake *f);

/*
 * It is a PV guest: all of its RAM is allocated and of no type, frame n's pseudo-physical one is
 * n + 256 (no more is done to the tables of the machine), and the hypervisor's frames are at
 * PV_SHARED_FRAMES. 0 or -errno.
 */
int fake_make_pv(struct fake *f);

struct vcpu *fake_current(struct fake *f);

/* The vCPU starts to run now, as the first has at time 0. */
void fake_start(struct fake *f, unsigned vcpu);
/* Undo the end of the domain, so that it can end again. */
void fake_revive(struct fake *f);

/* The guest's memory at a guest-physical address; NULL where there is none. */
void *fake_at(struct fake *f, uint64_t addr);

/* Give the guest `size` bytes at addr, backed by hva, in slot `id`; or take a slot away. 0 or
 * -errno. Slots 0 and 1 are the low RAM and the high RAM. */
int fake_add_memory(struct fake *f, uint32_t id, uint64_t addr, uint64_t size, void *hva);
int fake_remove_memory(struct fake *f, uint32_t id);

/* A hypercall of the current vCPU. */
long fake_call(struct fake *f, uint64_t nr, uint64_t arg0, uint64_t arg1, uint64_t arg2);

/*
 * Hypercall nr with sub-operation cmd and an argument of len bytes, which is put at FAKE_ARG and
 * read back from there afterwards.
 */
long fake_op(struct fake *f, uint64_t nr, uint64_t cmd, void *arg, size_t len);
long fake_vcpu_op(struct fake *f, uint64_t cmd, uint64_t vcpu, void *arg, size_t len);

/* XENMEM_add_to_physmap in the caller's word size; cmd has more bits than the number. */
long fake_add_to_physmap(struct fake *f, uint64_t cmd, const struct xen_add_to_physmap *arg);

/* All that a failed hypercall must leave alone: memory, ports, registrations, recorded requests. */
struct fake_snapshot;
struct fake_snapshot *fake_snapshot(struct fake *f);
/* Free the snapshot; NULL if nothing has changed since, or the name of what has. */
const char *fake_changed(struct fake *f, struct fake_snapshot *before);

#endif
