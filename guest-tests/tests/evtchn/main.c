// SPDX-License-Identifier: BSD-2-Clause
/*
 * Event channels: what each operation answers, in the good case and in the bad.
 *
 * The errnos are those of common/event_channel.c in Xen; kernels and drivers tell cases apart by
 * them (-EEXIST of a second bind_virq is no bug to some, -ENOENT of a vCPU that is not there is how
 * others count). A failed operation must not keep the port that it would have used. No upcall is
 * wanted here: every port stays masked and is looked at in shared_info.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "event-channel operations of the 2-level kind and their errnos";

#define NO_DOMAIN 0x1234
#define NO_PORT   0x100000U
#define NO_VCPU   77

/* The status of a port of our own: its EVTCHNSTAT_*, or the negative errno. */
static long status_of(evtchn_port_t port)
{
	struct evtchn_status s;

	return evtchn_status(DOMID_SELF, port, &s) ?: (long)s.status;
}

/* The lowest free port: every allocation takes it. */
static evtchn_port_t next_free(void)
{
	long port = evtchn_bind_ipi(0);

	CHECK(port > 0, "bind_ipi: %ld", port);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), 0);
	return (evtchn_port_t)port;
}

static void unbound(void)
{
	long port = evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF);
	struct evtchn_status s;

	CHECK(port > 0, "alloc_unbound: %ld", port);
	CHECK_EQ(evtchn_status(DOMID_SELF, (evtchn_port_t)port, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_unbound);
	CHECK_EQ(s.vcpu, 0);
	CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
	CHECK(!port_is_pending((evtchn_port_t)port), "an event to nobody became pending here");
	CHECK_EQ(evtchn_bind_vcpu((evtchn_port_t)port, 0), 0);
	CHECK_EQ(evtchn_bind_vcpu((evtchn_port_t)port, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), 0);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), -XEN_EINVAL);
	CHECK_EQ(status_of((evtchn_port_t)port), EVTCHNSTAT_closed);
	CHECK_EQ(evtchn_alloc_unbound(NO_DOMAIN, DOMID_SELF), -XEN_ESRCH);
}

static void loopback(void)
{
	long a = evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF), b;
	evtchn_port_t pa = (evtchn_port_t)a, pb;
	struct evtchn_status s;

	b = evtchn_bind_interdomain(DOMID_SELF, pa);
	CHECK(a > 0 && b > 0 && a != b, "ports %ld and %ld", a, b);
	pb = (evtchn_port_t)b;
	CHECK(port_test_and_clear_pending(pb), "binding must set the new end pending");
	CHECK_EQ(evtchn_status(DOMID_SELF, pa, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
	CHECK_EQ(s.u.interdomain.port, pb);
	CHECK_EQ(evtchn_send(pa), 0);
	CHECK(port_is_pending(pb) && !port_is_pending(pa), "send on one end sets the other");
	CHECK_EQ(evtchn_send(pb), 0);
	CHECK(port_test_and_clear_pending(pa), "send on the other end sets the one");
	CHECK_EQ(evtchn_bind_interdomain(DOMID_SELF, pa), -XEN_EINVAL);
	CHECK_EQ(evtchn_close(pa), 0);
	CHECK_EQ(status_of(pa), EVTCHNSTAT_closed);
	CHECK_EQ(status_of(pb), EVTCHNSTAT_unbound);
	CHECK_EQ(evtchn_close(pb), 0);
	CHECK(!port_is_pending(pb), "a closed port stays pending");
}

static void interdomain_refused(void)
{
	evtchn_port_t before = next_free();

	CHECK_EQ(evtchn_bind_interdomain(DOMID_SELF, NO_PORT), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_interdomain(DOMID_SELF, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_interdomain(NO_DOMAIN, 1), -XEN_ESRCH);
	CHECK_EQ(next_free(), before);
}

static void virq(void)
{
	long port = evtchn_bind_virq(VIRQ_TIMER, 0);
	evtchn_port_t p = (evtchn_port_t)port;
	struct evtchn_status s;

	CHECK(port > 0, "bind_virq: %ld", port);
	CHECK_EQ(evtchn_status(DOMID_SELF, p, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_virq);
	CHECK_EQ(s.u.virq, VIRQ_TIMER);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, 0), -XEN_EEXIST);
	CHECK_EQ(evtchn_send(p), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu(p, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_virq(NR_VIRQS, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_virq(~0U, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(evtchn_bind_virq(VIRQ_DOM_EXC, 1), -XEN_EINVAL);
	CHECK_EQ(evtchn_close(p), 0);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, 0), port);
	CHECK_EQ(evtchn_close(p), 0);
	port = evtchn_bind_virq(VIRQ_DEBUG, 0);
	CHECK(port > 0, "bind_virq of VIRQ_DEBUG: %ld", port);
	CHECK_EQ(evtchn_close((evtchn_port_t)port), 0);
}

static void ipi(void)
{
	long port = evtchn_bind_ipi(0);
	evtchn_port_t p = (evtchn_port_t)port;

	CHECK(port > 0, "bind_ipi: %ld", port);
	CHECK_EQ(status_of(p), EVTCHNSTAT_ipi);
	CHECK_EQ(evtchn_bind_ipi(NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(evtchn_bind_vcpu(p, 0), -XEN_EINVAL);
	port_set_mask(p, true);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(port_is_pending(p), "send did not set the port pending");
	CHECK_EQ(evtchn_close(p), 0);
	CHECK(!port_is_pending(p), "a closed port stays pending");
}

static void masks(void)
{
	evtchn_port_t p = (evtchn_port_t)evtchn_bind_ipi(0);

	port_set_mask(p, true);
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK(!port_is_masked(p), "unmask left the mask on");
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK_EQ(evtchn_unmask(NO_PORT), -XEN_EINVAL);
	port_set_mask(p, true);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_pending, 0);
	WRITE_ONCE(vcpu_info()->evtchn_pending_sel, 0);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(!READ_ONCE(vcpu_info()->evtchn_upcall_pending), "a masked port raised an upcall");
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK(READ_ONCE(vcpu_info()->evtchn_upcall_pending), "unmask of a pending port did not");
	CHECK_EQ(READ_ONCE(vcpu_info()->evtchn_pending_sel),
		 (xen_ulong_t)1 << p / (8 * sizeof(xen_ulong_t)));
	CHECK_EQ(evtchn_close(p), 0);
	evtchn_drain(NULL);
}

static void bad_ports(void)
{
	struct evtchn_status s;

	CHECK_EQ(evtchn_close(0), -XEN_EINVAL);
	CHECK_EQ(evtchn_close(NO_PORT), -XEN_EINVAL);
	CHECK_EQ(evtchn_close(~0U), -XEN_EINVAL);
	CHECK_EQ(evtchn_send(0), -XEN_EINVAL);
	CHECK_EQ(evtchn_send(NO_PORT), -XEN_EINVAL);
	CHECK_EQ(evtchn_send(next_free()), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu(NO_PORT, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu(0, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_status(DOMID_SELF, NO_PORT, &s), -XEN_EINVAL);
	CHECK_EQ(evtchn_status(NO_DOMAIN, 1, &s), -XEN_ESRCH);
	CHECK_EQ(status_of(0), EVTCHNSTAT_closed);
}

void test_main(void)
{
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	unbound();
	loopback();
	interdomain_refused();
	virq();
	ipi();
	masks();
	bad_ports();
	test_success();
}
