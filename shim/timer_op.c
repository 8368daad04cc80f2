// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a guest sets its timers: VCPUOP_set_singleshot_timer, VCPUOP_set_periodic_timer (public
 * header vcpu.h) and the older set_timer_op. Expiry raises VIRQ_TIMER.
 */
#include "shim/domain.h"
#include "shim/guest_access.h"
#include "xen-abi/x86_32.h"

/* Xen's limits of a period. */
#define PERIOD_MIN 1000000ull
#define PERIOD_MAX (UINT64_MAX >> 2)

/* Only its owner may set a vCPU's singleshot timer. */
static long check_own(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);

	if (!t)
		return -XEN_ENOENT;
	return t == v ? 0 : -XEN_EINVAL;
}

/*
 * What is past comes at once. VCPU_SSHOTTMR_future asks for -ETIME then, but "can be ignored by the
 * hypervisor" (vcpu.h): Xen has since 4.17, and so has KVM_XEN. Times from 2^63 up are negative to
 * Xen.
 */
long vcpuop_set_singleshot_timer(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu_set_singleshot_timer set = {0};
	long rc = check_own(v, h);

	if (!rc)
		rc = guest_read(v, &set, gva(h->args[2]),
				h->long_mode ? sizeof(set) : VCPU_SET_SINGLESHOT_TIMER_SIZE_X86_32);
	if (rc)
		return rc;
	if ((int64_t)set.timeout_abs_ns < (int64_t)v->domain->ops->system_time(v)) {
		timer_stop(v, TIMER_SINGLESHOT);
		event_channel_raise_virq(v, VIRQ_TIMER);
	} else {
		timer_set(v, TIMER_SINGLESHOT, set.timeout_abs_ns);
	}
	return 0;
}

long vcpuop_stop_singleshot_timer(struct vcpu *v, const struct hypercall *h)
{
	long rc = check_own(v, h);

	if (!rc)
		timer_stop(v, TIMER_SINGLESHOT);
	return rc;
}

/* Anybody may set anybody's. Xen lets it rest while the vCPU is blocked; ours ticks on. */
long vcpuop_set_periodic_timer(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct vcpu_set_periodic_timer set;
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_read(v, &set, gva(h->args[2]), sizeof(set));
	if (rc)
		return rc;
	if (set.period_ns < PERIOD_MIN || set.period_ns > PERIOD_MAX)
		return -XEN_EINVAL;
	timer_set_period(t, set.period_ns);
	return 0;
}

long vcpuop_stop_periodic_timer(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);

	if (!t)
		return -XEN_ENOENT;
	timer_set_period(t, 0);
	return 0;
}

/*
 * set_timer_op(timeout): 0 stops. Old Linux asks for "never" by a negative or absurdly far time;
 * Xen lets such a timer fire after 100 ms instead, and guests rely on waking up.
 */
long do_set_timer_op(struct vcpu *v, const struct hypercall *h)
{
	const uint64_t far = 1ull << 50, nudge = 100000000;
	uint64_t timeout = h->args[0], now;

	if (!h->long_mode)
		timeout = (uint32_t)h->args[0] | h->args[1] << 32;
	if (!timeout) {
		timer_stop(v, TIMER_SINGLESHOT);
		return 0;
	}
	now = v->domain->ops->system_time(v);
	if ((int64_t)timeout < 0 || (timeout > now && timeout - now >= far))
		timeout = now + nudge;
	timer_set(v, TIMER_SINGLESHOT, timeout);
	return 0;
}
