// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/event_channel.h"
#include "guest-tests/lib/pv/pv.h"

/*
 * Tell the console's daemon. A test may close all ports (EVTCHNOP_reset); then ours is bound to the
 * daemon's again.
 */
static void notify(void)
{
	static evtchn_port_t port;
	static struct evtchn_status other;

	if (!port) {
		port = pv_start_info()->console.domU.evtchn;
		evtchn_status(DOMID_SELF, port, &other);
	}
	if (evtchn_send(port))
		port = (evtchn_port_t)evtchn_bind_interdomain(other.u.interdomain.dom,
							      other.u.interdomain.port);
}

/* The ring that start_info names: what a release build of Xen shows of a PV guest. Waits for room.
 */
void console_fallback(const char *text, size_t n)
{
	struct xencons_interface *ring = page_of_mfn(pv_start_info()->console.domU.mfn);

	for (size_t i = 0; i < n; i++) {
		XENCONS_RING_IDX prod = ring->out_prod;

		while (prod - READ_ONCE(ring->out_cons) >= sizeof(ring->out)) {
			notify();
			hypercall_sched_op(SCHEDOP_yield, NULL);
		}
		ring->out[prod % sizeof(ring->out)] = text[i];
		barrier();
		WRITE_ONCE(ring->out_prod, prod + 1);
	}
	notify();
}
