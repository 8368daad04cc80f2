/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor's rules need from the machinery below them: host/kvm implements it on KVM,
 * shim/fake_platform.c in unit tests. Each function names the thread that calls it; none may take
 * a lock of the shim but those that come later in its order (shim/domain.h).
 */
#ifndef SHIM_PLATFORM_H
#define SHIM_PLATFORM_H

#include "shim/types.h"

struct domain;
struct memslot_ops;
struct vcpu;

/* Pages of the hypervisor's that a guest may see at a frame of its choice (memslot/overlay.h). */
enum overlay {
	OVERLAY_SHARED_INFO,
	OVERLAY_COUNT,
};

/* The part of a vCPU's state that rules how its virtual addresses are translated. */
struct paging {
	uint64_t cr0, cr3, cr4, efer;
};

struct platform_ops {
	/* What the memslots need (shim/memslot/memslot.h); called with memslots.lock held. */
	const struct memslot_ops *memory;

	/*
	 * The vCPU's translation state, valid until it runs again. On the vCPU's own thread. Unless
	 * `exact`, it may be what is likely (write protection on, the number of levels as when last
	 * seen): a caller that fails with it asks for the exact state and tries again.
	 */
	const struct paging *(*paging)(struct vcpu *v, bool exact);

	/*
	 * evtchn_upcall_pending has gone from 0 to 1, or the way of delivery has changed while it
	 * was 1: interrupt the vCPU as vcpu->upcall_vector or domain->callback says. Any thread.
	 */
	void (*upcall)(struct vcpu *v);

	/* The way of delivery has changed (vcpu->upcall_vector, domain->callback). Any thread. */
	void (*upcall_method_changed)(struct domain *d);

	/*
	 * vcpu_info.time and the wall clock's companion live at v->vcpu_info's new address, or the
	 * second copy of the time at v->time_area's. Keep them current there. Any thread.
	 */
	void (*time_area_moved)(struct vcpu *v);

	/* Guest system time (what pvclock shows), in ns. Any thread. */
	uint64_t (*system_time)(struct vcpu *v);

	/* Real time (UTC) at which guest system time was 0, in ns since 1970. Any thread. */
	uint64_t (*wallclock_base)(struct domain *d);

	/*
	 * Call vcpu_timer_expired(v) once when system time reaches `deadline` ns (0: never). A
	 * later call replaces the earlier one. On the vCPU's own thread.
	 */
	void (*set_timer)(struct vcpu *v, uint64_t deadline);

	/* The guest's scheduling hints and its end (of xen/sched.h, or any other value up to 255).
	 */
	void (*yield)(struct vcpu *v);
	void (*shutdown)(struct domain *d, int reason);

	/* Bytes for the hypervisor's own console (CONSOLEIO_write). The vCPU's thread. */
	void (*console_write)(struct domain *d, const char *bytes, size_t len);

	/* The latched word size of the guest (domain->long_mode) has changed. Any thread. */
	void (*word_size_latched)(struct domain *d);
};

#endif
