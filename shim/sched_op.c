// SPDX-License-Identifier: BSD-2-Clause
#include "shim/sched_op.h"

#include "shim/domain.h"
#include "shim/event_route.h"
#include "shim/guest_access.h"
#include "shim/shared_info.h"
#include "shim/vcpu_run.h"
#include "xen-abi/x86_32.h"

#define POLL_PORTS_MAX 128

static long schedop_yield(struct vcpu *v, const struct hypercall *h)
{
	(void)h;
	v->domain->ops->yield(v);
	return 0;
}

/* A PV guest's interrupts are on from now on. An HVM guest's mask is cleared, too, to no effect. */
static void enable_upcalls(struct vcpu *v)
{
	guest_vcpu_info *info = vcpu_info_lock(v);

	if (!info)
		return;
	__atomic_store_n(&info->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
	vcpu_info_unlock_written(v, info);
}

/*
 * Does it wait for an upcall that does not interrupt it, as it may with interrupts off, or while
 * its local APIC keeps its vector back? The machinery's own wait ends with an interrupt only.
 */
static bool only_we_can_wake(struct vcpu *v)
{
	const struct domain *d = v->domain;

	return d->ops->port_changed && (v->upcall_vector || !vcpu_interrupts_enabled(v));
}

static long schedop_block(struct vcpu *v, const struct hypercall *h)
{
	(void)h;
	enable_upcalls(v);
	vcpu_block(v);
	/* What has come by a route since has not unblocked it. */
	if (only_we_can_wake(v) && event_routes_waiting(v) && event_channels_pending(v))
		vcpu_unblock(v);
	return 0;
}

struct poll {
	struct gva ports;
	uint32_t nr_ports;
	uint64_t timeout; /* system time, ns; 0: none */
};

static int read_poll(struct vcpu *v, const struct hypercall *h, struct poll *poll)
{
	struct sched_poll_x86_32 compat;
	struct sched_poll native;
	int rc;

	if (h->long_mode) {
		rc = guest_read(v, &native, gva(h->args[1]), sizeof(native));
		if (!rc)
			*poll = (struct poll){gva((uintptr_t)native.ports.p), native.nr_ports,
					      native.timeout};
	} else {
		rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
		if (!rc)
			*poll = (struct poll){gva(compat.ports), compat.nr_ports, compat.timeout};
	}
	return rc;
}

/* 1: one is pending; 0: none, and *last is the last of them; -XEN_E*. The first that is not 0. */
static int look_at_ports(struct vcpu *v, const struct poll *poll, evtchn_port_t *last)
{
	int rc = 0;

	for (uint32_t i = 0; i < poll->nr_ports && !rc; i++) {
		rc = guest_read(v, last, gva(poll->ports.v + i * sizeof(*last)), sizeof(*last));
		if (!rc)
			rc = event_channel_poll(v->domain, *last);
	}
	return rc;
}

/*
 * It waits before it looks, so that no event is lost in between. Who waits for several ports, or
 * for none, is woken by any.
 */
static long schedop_poll(struct vcpu *v, const struct hypercall *h)
{
	evtchn_port_t port = 0;
	struct poll poll;
	int rc = read_poll(v, h, &poll);

	if (rc)
		return rc;
	if (poll.nr_ports > POLL_PORTS_MAX)
		return -XEN_EINVAL;
	vcpu_poll_begin(v);
	event_routes_waiting(v);
	rc = vcpu_upcall_deliverable(v) ? 1 : look_at_ports(v, &poll, &port);
	if (rc) {
		vcpu_poll_cancel(v);
		return rc < 0 ? rc : 0;
	}
	vcpu_poll_wait(v, poll.nr_ports == 1 ? (int64_t)port : -1);
	if (poll.timeout)
		timer_set(v, TIMER_POLL, poll.timeout);
	return 0;
}

static long schedop_shutdown(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct sched_shutdown op;
	int code, reason;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	/* Xen keeps one byte, whatever it says: a guest that has made up its mind does not go on.
	 */
	reason = (uint8_t)op.reason;
	code = __atomic_load_n(&d->shutdown_code, __ATOMIC_SEQ_CST);
	/* Needs a resume that is not there yet: refuse, don't lie. */
	if ((code == SHUTDOWN_CODE_NONE ? reason : code) == SHUTDOWN_suspend)
		return -XEN_ENOSYS;
	domain_shutdown(d, reason);
	return 0;
}

/* Why the guest will end, if it does not come to say so itself. The first word counts. */
static long schedop_shutdown_code(struct vcpu *v, const struct hypercall *h)
{
	int none = SHUTDOWN_CODE_NONE;
	struct sched_shutdown op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	__atomic_compare_exchange_n(&v->domain->shutdown_code, &none, (uint8_t)op.reason, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

/* To Xen every guest but domain 0 is unprivileged, its own domain included; DOMID_SELF is no name.
 */
static long schedop_remote_shutdown(struct vcpu *v, const struct hypercall *h)
{
	struct sched_remote_shutdown op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	return op.domain_id == 0 || op.domain_id == v->domain->id ? -XEN_EPERM : -XEN_ESRCH;
}

/* Its timers are vCPU 0's, whoever sets them. Under the domain's lock. */
static void watchdog_arm(struct domain *d, unsigned which, uint32_t seconds)
{
	struct vcpu *v = d->vcpus[0];

	timer_set(v, TIMER_WATCHDOG + which, d->ops->system_time(v) + seconds * 1000000000ull);
}

/*
 * A new one; its number counts from 1. That there is none left Xen says in an unsigned int: a
 * 64-bit caller, who gets a long, sees no negative number.
 */
static long watchdog_add(struct domain *d, uint32_t seconds)
{
	for (unsigned i = 0; i < WATCHDOGS; i++) {
		if (d->watchdogs >> i & 1)
			continue;
		d->watchdogs |= 1u << i;
		watchdog_arm(d, i, seconds);
		return i + 1;
	}
	return (uint32_t)-XEN_ENOSPC;
}

/* id 0: a new one; else it has this much time from now on, or is no more. */
static long watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
	if (!id)
		return watchdog_add(d, seconds);
	if (!(d->watchdogs >> (id - 1) & 1))
		return -XEN_EINVAL;
	if (seconds) {
		watchdog_arm(d, id - 1, seconds);
	} else {
		d->watchdogs &= ~(1u << (id - 1));
		timer_stop(d->vcpus[0], TIMER_WATCHDOG + id - 1);
	}
	return 0;
}

static long schedop_watchdog(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct sched_watchdog op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	if (op.id > WATCHDOGS)
		return -XEN_EINVAL;
	pthread_mutex_lock(&d->lock);
	rc = watchdog(d, op.id, op.timeout);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* For the hardware domain; nobody else's argument is looked at. */
static long schedop_pin_override(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return -XEN_EPERM;
}

const struct suboperation sched_ops[] = {
	SUBOP(SCHEDOP_yield, schedop_yield),
	SUBOP(SCHEDOP_block, schedop_block),
	SUBOP(SCHEDOP_shutdown, schedop_shutdown),
	SUBOP(SCHEDOP_poll, schedop_poll),
	SUBOP(SCHEDOP_remote_shutdown, schedop_remote_shutdown),
	SUBOP(SCHEDOP_shutdown_code, schedop_shutdown_code),
	SUBOP(SCHEDOP_watchdog, schedop_watchdog),
	SUBOP(SCHEDOP_pin_override, schedop_pin_override),
};
const unsigned sched_ops_count = ARRAY_SIZE(sched_ops);
