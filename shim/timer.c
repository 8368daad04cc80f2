// SPDX-License-Identifier: BSD-2-Clause
/*
 * The singleshot timer of a vCPU, with its two faces: VCPUOP_set_singleshot_timer and the older
 * set_timer_op. Deadlines are guest system time in ns; expiry raises VIRQ_TIMER.
 */
#include "shim/domain.h"
#include "shim/guest_access.h"
#include "xen-abi/x86_32.h"

void vcpu_timer_expired(struct vcpu *v)
{
	event_channel_raise_virq(v, VIRQ_TIMER);
}

/* A deadline of 0 means "never" to the machinery; the guest's 0 lies in the past. */
static void arm(struct vcpu *v, uint64_t deadline)
{
	v->domain->ops->set_timer(v, deadline ? deadline : 1);
}

/* Only its owner may set a vCPU's timer. */
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
		v->domain->ops->set_timer(v, 0);
		vcpu_timer_expired(v);
	} else {
		arm(v, set.timeout_abs_ns);
	}
	return 0;
}

long vcpuop_stop_singleshot_timer(struct vcpu *v, const struct hypercall *h)
{
	long rc = check_own(v, h);

	if (!rc)
		v->domain->ops->set_timer(v, 0);
	return rc;
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
		v->domain->ops->set_timer(v, 0);
		return 0;
	}
	now = v->domain->ops->system_time(v);
	if ((int64_t)timeout < 0 || (timeout > now && timeout - now >= far))
		timeout = now + nudge;
	arm(v, timeout);
	return 0;
}
