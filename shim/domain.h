/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest, and the one lock order.
 *
 * Lifecycle: domain_init; domain_make_pv (shim/pv_frames.h) for a PV guest; memslots_set_slot for
 *its RAM; domain_add_vcpu for each vCPU; then hypercalls (hypercall_dispatch) and events from any
 *thread; domain_destroy when no thread is left in it.
 *
 * Locks, in the order in which they may be taken:
 *	domain.lock		shared_info's place, HVM parameters, vCPUs' coming and going, the
 *				grant table's size and version
 *	domain.events.lock	states of event channel ports (pending and mask bits are atomics)
 *	vcpu.timers.lock	its deadlines; and
 *	vcpu.runstate_lock	the record of its times: nobody waits for anything with one of these
 *	domain.reservation.lock	which pages of RAM there are
 *	domain.memslots.lock	changes of slots, overlays and of the areas of caches
 *	gpc.lock		what one cache knows, and its use by pieces
 *	domain.grants.lock	uses of grants: nobody takes another one with it, or waits
 *	a read section		every access to guest memory (memslots_enter, gpc_lock). A change
 *				waits for it: so who is in one takes no lock but a gpc's, and goes
 *				on soon
 *
 * Error policy. Three classes, never mixed:
 *	a bad argument of the guest: -XEN_E* in its result register, and nothing has changed;
 *	a failure of the host: -errno to the caller in host/;
 *	a guest that cannot go on: domain_shutdown(SHUTDOWN_crash), the process lives.
 * No assertion is reachable from guest input.
 */
#ifndef SHIM_DOMAIN_H
#define SHIM_DOMAIN_H

#include <pthread.h>

#include "shim/grant_table.h"
#include "shim/memslot/memslot.h"
#include "shim/platform.h"
#include "shim/pv_frames.h"
#include "shim/reservation.h"
#include "shim/vcpu.h"
#include "xen-abi/xen.h"

#define DOMAIN_MAX_VCPUS 128

enum callback_type {
	CALLBACK_NONE,
	CALLBACK_GSI,
	CALLBACK_PCI_INTX,
	CALLBACK_VECTOR,
};

/* Under the domain's lock; rules: shim/callback.h. */
struct callback {
	enum callback_type type;
	uint32_t where; /* GSI, (dev << 2 | pin), or vector */
	bool up;        /* its level, of a GSI or PCI_INTX that of a line; atomic */
};

struct domain {
	const struct platform_ops *ops;
	void *host; /* the machinery's own */

	domid_t id;
	uint8_t uuid[16];
	enum domain_type type; /* fixed after domain_init (shim/pv_frames.h) */

	pthread_mutex_t lock;
	struct memslots memslots;
	struct reservation reservation;

	/*
	 * The latched word size: rules the layout of shared_info and the number of ports, not how
	 * the arguments of a hypercall are read. Atomic, written under lock; readers take it once
	 * per operation.
	 */
	bool long_mode;

	void *shared_info;          /* the overlay page, as we see it; never unmapped */
	struct gfn shared_info_gfn; /* where the guest has put it, if mapped */
	bool shared_info_mapped;

	/*
	 * Inputs of its I/O APIC, which is the machinery's (shim/ioapic.h has one): 48 for one like
	 * Xen's, 0: there is none, as in a PVH guest. Set before the guest runs.
	 */
	unsigned nr_gsis;

	struct grant_table grants;

	struct callback callback;
	uint64_t hvm_params[HVM_NR_PARAMS];

	struct event_channels events;

	/*
	 * What XENMEM_memory_map tells; owned by the caller of domain_init. In place of it, what
	 * the guest has set (XENMEM_set_memory_map); NULL: nothing.
	 */
	struct memory_map *guest_memmap;
	const struct hvm_memmap_table_entry *memmap;
	unsigned memmap_entries;

	/*
	 * How it ends: the first reason given counts, even if given before the end
	 * (SCHEDOP_shutdown_code). SHUTDOWN_CODE_NONE: none yet. Both atomic.
	 */
	int shutdown_code;
	bool shut_down;

	uint64_t vm_assist; /* VMASST_TYPE_* bits that are on; atomic */

	/* Watchdogs in use, a bit each; under `lock`. Their timers are vCPU 0's. */
	uint32_t watchdogs;

	/* vCPUs in SCHEDOP_poll, a bit each; atomic. */
	uint64_t pollers[(DOMAIN_MAX_VCPUS + 63) / 64];

	/* Bits that a vCPU's first CR4 and EFER may have: a new domain's are Xen's own. */
	uint64_t cr4_valid, efer_valid;

	struct pv_machine pv; /* of a PV domain */

	unsigned nr_vcpus;
	struct vcpu *vcpus[DOMAIN_MAX_VCPUS];
};

#define SHUTDOWN_CODE_NONE -1

/*
 * Make *d an empty domain. overlays: the first OVERLAY_MAPPED pages of enum overlay as mapped
 * here, zeroed, owned by the caller. 0 or -ENOMEM.
 */
int domain_init(struct domain *d, const struct platform_ops *ops, void *host, domid_t id,
		void *overlays);
void domain_destroy(struct domain *d);

/* The next vCPU (ids count up from 0); owned by the domain. NULL: no memory or DOMAIN_MAX_VCPUS. */
struct vcpu *domain_add_vcpu(struct domain *d, void *host);

/* The vCPU with that id, or NULL. */
static inline struct vcpu *domain_vcpu(const struct domain *d, uint64_t id)
{
	return id < d->nr_vcpus ? d->vcpus[id] : NULL;
}

/* The guest ends, for this reason or the one it has given before. Any thread. */
void domain_shutdown(struct domain *d, int reason);

/* Is this VMASST_TYPE_* on? */
static inline bool domain_assists(const struct domain *d, unsigned type)
{
	return __atomic_load_n(&d->vm_assist, __ATOMIC_RELAXED) >> type & 1;
}

/* The latched word size, for those who do not hold the lock. */
static inline bool domain_long_mode(const struct domain *d)
{
	return __atomic_load_n(&d->long_mode, __ATOMIC_RELAXED);
}

/*
 * Which domain a domid names for a caller inside d: 0 if it is d itself (DOMID_SELF or its own id),
 * -XEN_EPERM for the privileged domain 0, that is always there on Xen, -XEN_ESRCH for any other.
 */
int domain_check_self(const struct domain *d, domid_t domid);

/*
 * The same for what places pages at frames of the guest's choice. -XEN_EACCES: d is a PV guest,
 * whose frames are the machine's.
 */
int domain_check_translated(const struct domain *d, domid_t domid);

#endif
