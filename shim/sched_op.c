// SPDX-License-Identifier: BSD-2-Clause
#include "shim/sched_op.h"

#include "shim/domain.h"
#include "shim/guest_access.h"

static long schedop_yield(struct vcpu *v, const struct hypercall *h)
{
	(void)h;
	v->domain->ops->yield(v);
	return 0;
}

static long schedop_shutdown(struct vcpu *v, const struct hypercall *h)
{
	struct sched_shutdown op;
	uint8_t reason;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	/* Xen keeps one byte, whatever it says: a guest that has made up its mind does not go on.
	 */
	reason = op.reason;
	/* Need a resume and a new beginning that are not there yet: refuse, don't lie. */
	if (reason == SHUTDOWN_suspend || reason == SHUTDOWN_soft_reset)
		return -XEN_ENOSYS;
	v->domain->ops->shutdown(v->domain, reason);
	return 0;
}

const struct suboperation sched_ops[] = {
	SUBOP(SCHEDOP_yield, schedop_yield),
	SUBOP_ENOSYS(SCHEDOP_block),
	SUBOP(SCHEDOP_shutdown, schedop_shutdown),
	SUBOP_ENOSYS(SCHEDOP_poll),
	SUBOP_ENOSYS(SCHEDOP_remote_shutdown),
	SUBOP_ENOSYS(SCHEDOP_shutdown_code),
	SUBOP_ENOSYS(SCHEDOP_watchdog),
	SUBOP_ENOSYS(SCHEDOP_pin_override),
};
const unsigned sched_ops_count = ARRAY_SIZE(sched_ops);
