/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a vCPU runs. A hypercall that waits (SCHEDOP_block, SCHEDOP_poll) never sleeps: it leaves
 * a mark, and the vCPU's thread, which asks before it enters the guest, does the waiting.
 *
 *	for (;;) {
 *		serve requests;
 *		if (vcpu_may_run(v))
 *			enter the guest, handle the exit;
 *		else
 *			wait for platform_ops.wake(v), or for an interrupt to v: then
 *vcpu_unblock(v);
 *	}
 */
#ifndef SHIM_VCPU_RUN_H
#define SHIM_VCPU_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/vcpu.h"

/* Bits of vcpu.hold. */
enum vcpu_hold {
	HOLD_BLOCKED = 1 << 0, /* until vcpu_unblock() */
	HOLD_DOWN = 1 << 1,    /* until VCPUOP_up or vcpu_started() */
	HOLD_LATER = 1 << 2,   /* nothing holds it, but there is something to do before it runs */
};

bool vcpu_may_run_slowly(struct vcpu *v);

/*
 * May v enter the guest? Its own thread asks, each time, and this keeps its runstate: a thread that
 * hears false is blocked or offline from then on, one that hears true is running.
 */
static inline bool vcpu_may_run(struct vcpu *v)
{
	return __builtin_expect(!__atomic_load_n(&v->hold, __ATOMIC_ACQUIRE), 1) ||
	       vcpu_may_run_slowly(v);
}

/* Why it may not. False for a vCPU that is blocked only. */
static inline bool vcpu_is_down(const struct vcpu *v)
{
	return __atomic_load_n(&v->hold, __ATOMIC_ACQUIRE) & HOLD_DOWN;
}

/*
 * The vCPU runs without VCPUOP_up: it is the first, or INIT and SIPI have started it. Until then it
 * is down: other vCPUs may register its vcpu_info, as kernels do before they start it, and
 * afterwards only it may. On its own thread, before vcpu_may_run().
 */
void vcpu_started(struct vcpu *v);

/*
 * INIT has come for it: it is down, does not block or poll any more, and what registers it had are
 * gone; VCPUOP_initialise or a SIPI gives it others. Any thread.
 */
void vcpu_reset(struct vcpu *v);

/* Block v unless it has an upcall to take: SCHEDOP_block. Its own thread. */
void vcpu_block(struct vcpu *v);

/* Something has come for v: whatever it waits for, it goes on. Any thread, in a read section too.
 */
void vcpu_unblock(struct vcpu *v);

/*
 * v has been sent an upcall, and its wait, if it is one that this has found, is over: the vector
 * may have ended another sleep (hlt), and the vCPU have taken its events and wait anew. The same
 * threads.
 */
static inline void vcpu_upcall_sent(struct vcpu *v)
{
	if (__builtin_expect(__atomic_load_n(&v->hold, __ATOMIC_SEQ_CST) & HOLD_BLOCKED, 0) &&
	    !event_channels_taken(v))
		vcpu_unblock(v);
}

/*
 * SCHEDOP_poll. begin: v waits for any port. Who has then looked at the ports says either which one
 * it is (-1: any), or that v does not wait. v's own thread.
 */
void vcpu_poll_begin(struct vcpu *v);
void vcpu_poll_wait(struct vcpu *v, int64_t port);
void vcpu_poll_cancel(struct vcpu *v);
/* Can v be interrupted? A PV vCPU's interrupts are evtchn_upcall_mask. Its own thread. */
bool vcpu_interrupts_enabled(struct vcpu *v);
/* Has v an upcall that it can take at once? Then it does not wait. Its own thread. */
bool vcpu_upcall_deliverable(struct vcpu *v);

/*
 * The port has become pending, masked or not: event_channels.poll_wake. Any thread, not in a read
 * section.
 */
void vcpu_wake_pollers(struct domain *d, evtchn_port_t port);
/* The timeout has come. Any thread. */
void vcpu_poll_timeout(struct vcpu *v);

/* VCPUOP_down and VCPUOP_up of a vCPU that has its registers. Any thread. */
void vcpu_hold_down(struct vcpu *v);
void vcpu_let_up(struct vcpu *v);

#endif
