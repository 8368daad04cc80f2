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
struct vcpu_context;

/* Frames that any domain's grant table can have, and frames of version 2's status words for them.
 */
#define GRANT_FRAMES_MAX 1024
#define GRANT_STATUS_MAX (GRANT_FRAMES_MAX / 8)
/* Pages that a guest can have mapped by grants of its own at a time. */
#define GRANT_LENT_MAX 65536

/* Pages of the hypervisor's that a guest may see at a frame of its choice (memslot/overlay.h). */
enum overlay {
	OVERLAY_SHARED_INFO,
	OVERLAY_GRANT_FRAMES,
	OVERLAY_GRANT_STATUS = OVERLAY_GRANT_FRAMES + GRANT_FRAMES_MAX,
	/* So many are mapped in one piece, for us to use; the others are only seen by the guest. */
	OVERLAY_MAPPED = OVERLAY_GRANT_STATUS + GRANT_STATUS_MAX,
	/* Its own RAM, lent to be seen at two frames (shim/grant_self.h). */
	OVERLAY_LENT = OVERLAY_MAPPED,
	OVERLAY_COUNT = OVERLAY_LENT + GRANT_LENT_MAX,
};

/* Port 0, which nobody has. */
#define EVENT_ALL_PORTS 0u

/* The part of a vCPU's state that rules how its virtual addresses are translated. */
struct paging {
	uint64_t cr0, cr3, cr4, efer;
};

struct platform_ops {
	/* What the memslots need (shim/memslot/memslot.h); called with memslots.lock held. */
	const struct memslot_ops *memory;

	/*
	 * The guest has given back these pages of its RAM (shim/reservation.h): their contents go,
	 * and they cost the host nothing until somebody touches them, who finds zeros. Never called
	 * in a read section; the reservation's lock is held, as below.
	 */
	void (*ram_discard)(struct domain *d, struct gfn base, uint64_t npages);

	/* May be NULL. Such pages are the guest's again: it may be expected to use them. */
	void (*ram_populated)(struct domain *d, struct gfn base, uint64_t npages);

	/*
	 * The vCPU's translation state, valid until it runs again. On the vCPU's own thread. Unless
	 * `exact`, it may be what is likely (write protection on, the number of levels as when last
	 * seen): a caller that fails with it asks for the exact state and tries again.
	 */
	const struct paging *(*paging)(struct vcpu *v, bool exact);

	/*
	 * evtchn_upcall_pending has gone from 0 to 1, or the way of delivery has changed while it
	 * was 1: interrupt the vCPU as vcpu->upcall_vector or domain->callback says, and then call
	 * vcpu_upcall_sent(v) (shim/vcpu_run.h). Any thread, also in a read section.
	 * Where it is a line that interrupts vCPU 0 (callback_is_line), its thread calls
	 * callback_raise() before it enters the guest.
	 */
	void (*upcall)(struct vcpu *v);

	/*
	 * May be NULL. What a send to this port does may have changed (event_route() tells), or to
	 * any: EVENT_ALL_PORTS. On return nothing is sent any more as it was before. Any thread,
	 * with events.lock held.
	 */
	void (*port_changed)(struct domain *d, uint32_t port);

	/*
	 * The level of this input of the I/O APIC is from now on high or low (active high, whatever
	 * the redirection entry says). Only if domain.nr_gsis is more than that. Any thread, with
	 * the domain's lock held.
	 */
	void (*set_gsi)(struct domain *d, unsigned gsi, bool level);

	/* The way of delivery has changed (vcpu->upcall_vector, domain->callback). Any thread. */
	void (*upcall_method_changed)(struct domain *d);

	/*
	 * vcpu_info.time and the wall clock's companion live at v->vcpu_info's new address, or the
	 * second copy of the time at v->time_area's. Keep them current there. A PV guest's monitor
	 * looks for upcalls at vcpu_info, and does so at the new address when this returns. Any
	 * thread, with the domain's lock held.
	 */
	void (*time_area_moved)(struct vcpu *v);

	/* Guest system time (what pvclock shows), in ns. Any thread. */
	uint64_t (*system_time)(struct vcpu *v);

	/* Real time (UTC) at which guest system time was 0, in ns since 1970. Any thread. */
	uint64_t (*wallclock_base)(struct domain *d);

	/*
	 * Call vcpu_timer_expired(v) when system time reaches `deadline` ns (0: never); a call that
	 * comes early is answered by asking again. A later request replaces the earlier one. Any
	 * thread, with v's timers.lock held: never two at once.
	 */
	void (*set_timer)(struct vcpu *v, uint64_t deadline);

	/*
	 * A vCPU's thread asks vcpu_may_run() (shim/vcpu_run.h) before it enters the guest, and
	 * waits while that is false. wake: it may be true now, let the thread ask again. Any
	 * thread, also in a read section and with any lock held; v's thread need not be waiting.
	 */
	void (*wake)(struct vcpu *v);

	/* v starts with these registers, all others as after a reset. On its own thread. */
	void (*set_context)(struct vcpu *v, const struct vcpu_context *c);

	/*
	 * Give v an NMI as soon as it can take one; one is kept. A PV guest's monitor gives it:
	 * pv_vcpu.nmi_pending, and an interrupt that makes it look. Any thread.
	 */
	void (*nmi)(struct vcpu *v);

	/* RFLAGS.IF of the caller, which is not a PV guest's. On the vCPU's own thread, in a
	 * hypercall. */
	bool (*interrupts_enabled)(struct vcpu *v);

	/*
	 * How long v's thread has waited for a CPU of the host so far, in ns; never less than
	 * before. 0 for ever where the host does not tell. Any thread, with v's runstate_lock held.
	 */
	uint64_t (*run_delay)(struct vcpu *v);

	/* v shall not come back to the guest: do not begin anything long. Its own thread. */
	bool (*must_stop)(struct vcpu *v);

	/* The guest's scheduling hint. The vCPU's thread. */
	void (*yield)(struct vcpu *v);

	/*
	 * Its end: a reason of xen/sched.h or any other value up to 255. Once. Any thread.
	 *
	 * SHUTDOWN_soft_reset is none: no vCPU shall run on (the caller's may be in a hypercall),
	 * then domain_soft_reset() (shim/soft_reset.h), then all run on.
	 */
	void (*shutdown)(struct domain *d, int reason);

	/* Bytes for the hypervisor's own console (CONSOLEIO_write). The vCPU's thread. */
	void (*console_write)(struct domain *d, const char *bytes, size_t len);

	/* The latched word size of the guest (domain->long_mode) has changed. Any thread. */
	void (*word_size_latched)(struct domain *d);
};

#endif
