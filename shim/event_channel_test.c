// SPDX-License-Identifier: BSD-2-Clause
/* EVTCHNOP_*: the life of a port, operation by operation, with every errno. */
#include "shim/event_channel.h"

#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define SELF DOMID_SELF
#define NONE 99 /* no domain has this id */

static struct evtchn_status status(struct fake *f, evtchn_port_t port)
{
	struct evtchn_status s;

	assert_int_equal(fake_status(f, SELF, port, &s), 0);
	return s;
}

/* One end in each hand; nothing pending. */
static void loopback(struct fake *f, evtchn_port_t *a, evtchn_port_t *b)
{
	*a = fake_alloc_unbound(f, SELF, SELF);
	*b = fake_bind_interdomain(f, SELF, *a);
	assert_true(*a > 0 && *a < 64 && *b > 0 && *b < 64);
	fake_clear_pending(f, *b);
	fake_take_upcall(f, 0);
}

/* Ports are given out from the lowest; port 0 never. */
static void lowest_port_first(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_bind_ipi(f, 0), 1);
	assert_int_equal(fake_alloc_unbound(f, SELF, 0), 2);
	assert_int_equal(fake_bind_virq(f, VIRQ_TIMER, 0), 3);
	assert_int_equal(fake_close(f, 2), 0);
	assert_int_equal(fake_bind_ipi(f, 1), 2);
	assert_int_equal(fake_bind_ipi(f, 1), 4);
	assert_int_equal(status(f, 0).status, EVTCHNSTAT_closed);
}

static void unbound(void **state)
{
	struct fake *f = *state;
	long port = fake_alloc_unbound(f, SELF, 5);
	struct evtchn_status s = status(f, port);

	assert_int_equal(s.status, EVTCHNSTAT_unbound);
	assert_int_equal(s.u.unbound.dom, 5);
	assert_int_equal(s.vcpu, 0);
	port = fake_alloc_unbound(f, FAKE_DOMID, SELF);
	assert_int_equal(status(f, port).u.unbound.dom, FAKE_DOMID);
	/* An event that nobody listens to is dropped. */
	assert_int_equal(fake_send(f, port), 0);
	assert_false(fake_pending(f, port));
	assert_int_equal(fake_close(f, port), 0);
	assert_int_equal(status(f, port).status, EVTCHNSTAT_closed);
}

static void unbound_for_others(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_alloc_unbound(f, 0, SELF), XEN_EPERM);
	assert_refused(f, fake_alloc_unbound(f, NONE, SELF), XEN_ESRCH);
	assert_refused(f, fake_alloc_unbound(f, DOMID_INVALID, SELF), XEN_ESRCH);
}

static void interdomain(void **state)
{
	struct fake *f = *state;
	long a = fake_alloc_unbound(f, SELF, SELF);
	long b = fake_bind_interdomain(f, SELF, a);
	struct evtchn_status s;

	assert_int_equal(b, a + 1);
	/* What was sent to the unbound end may be lost: one event is made up at the new end. */
	assert_true(fake_pending(f, b));
	assert_false(fake_pending(f, a));
	s = status(f, a);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.dom, FAKE_DOMID);
	assert_int_equal(s.u.interdomain.port, b);
	s = status(f, b);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.port, a);
	/* Both ends are taken now. */
	assert_refused(f, fake_bind_interdomain(f, SELF, a), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, b), XEN_EINVAL);
}

static void bad_interdomain(void **state)
{
	struct fake *f = *state;
	long for_other = fake_alloc_unbound(f, SELF, 5), ipi = fake_bind_ipi(f, 0);

	assert_refused(f, fake_bind_interdomain(f, SELF, 0), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, for_other), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, ipi), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, 3), XEN_EINVAL); /* would be our own */
	assert_refused(f, fake_bind_interdomain(f, SELF, 4), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, 4000), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, SELF, UINT32_MAX), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, NONE, 1), XEN_ESRCH);
	/* Domain 0 is there, but holds no port open for us. */
	assert_refused(f, fake_bind_interdomain(f, 0, 1), XEN_EINVAL);
}

static void send_to_the_other_end(void **state)
{
	struct fake *f = *state;
	evtchn_port_t a, b;

	loopback(f, &a, &b);
	assert_int_equal(fake_send(f, a), 0);
	assert_true(fake_pending(f, b));
	assert_false(fake_pending(f, a));
	fake_clear_pending(f, b);
	assert_int_equal(fake_send(f, b), 0);
	assert_true(fake_pending(f, a));
	assert_false(fake_pending(f, b));
}

static void closing_one_end_unbinds_the_other(void **state)
{
	struct fake *f = *state;
	evtchn_port_t a, b;

	loopback(f, &a, &b);
	assert_int_equal(fake_bind_vcpu(f, b, 1), 0);
	fake_send(f, a);
	fake_send(f, b);
	assert_int_equal(fake_close(f, a), 0);
	assert_int_equal(status(f, a).status, EVTCHNSTAT_closed);
	assert_false(fake_pending(f, a));
	assert_true(fake_pending(f, b));
	assert_int_equal(status(f, b).status, EVTCHNSTAT_unbound);
	assert_int_equal(status(f, b).u.unbound.dom, FAKE_DOMID);
	assert_int_equal(status(f, b).vcpu, 1);
	/* It can be bound again. */
	assert_int_equal(fake_bind_interdomain(f, SELF, b), a);
	assert_int_equal(fake_close(f, b), 0);
	assert_int_equal(fake_close(f, a), 0);
	assert_refused(f, fake_close(f, a), XEN_EINVAL);
}

static void virq(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_TIMER, 1), other;
	struct evtchn_status s = status(f, port);

	assert_int_equal(s.status, EVTCHNSTAT_virq);
	assert_int_equal(s.u.virq, VIRQ_TIMER);
	assert_int_equal(s.vcpu, 1);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, 1), XEN_EEXIST);
	other = fake_bind_virq(f, VIRQ_TIMER, 0);
	assert_int_equal(other, port + 1);
	/* The guest cannot raise it. */
	assert_refused(f, fake_send(f, port), XEN_EINVAL);
	event_channel_raise_virq(f->domain.vcpus[1], VIRQ_TIMER);
	assert_true(fake_pending(f, port));
	assert_false(fake_pending(f, other));
	assert_true(fake_upcall_pending(f, 1));
	assert_int_equal(fake_close(f, port), 0);
	assert_int_equal(fake_bind_virq(f, VIRQ_TIMER, 1), port);
	assert_false(fake_pending(f, port));
}

static void unbound_virq_is_dropped(void **state)
{
	struct fake *f = *state;
	struct fake_snapshot *before = fake_snapshot(f);

	event_channel_raise_virq(f->domain.vcpus[0], VIRQ_TIMER);
	assert_null(fake_changed(f, before));
}

/* Those of a vCPU each, and those of the domain, which are bound on vCPU 0 only. */
static void virq_kinds(void **state)
{
	struct fake *f = *state;

	for (uint32_t i = 0; i < NR_VIRQS; i++) {
		bool own = i == VIRQ_TIMER || i == VIRQ_DEBUG || i == VIRQ_XENOPROF ||
			   i == VIRQ_XENPMU;

		if (own)
			assert_true(fake_bind_virq(f, i, 2) > 0);
		else
			assert_refused(f, fake_bind_virq(f, i, 2), XEN_EINVAL);
		assert_true(fake_bind_virq(f, i, 0) > 0);
		assert_refused(f, fake_bind_virq(f, i, 0), XEN_EEXIST);
	}
}

static void bad_virqs(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_bind_virq(f, NR_VIRQS, 0), XEN_EINVAL);
	assert_refused(f, fake_bind_virq(f, UINT32_MAX, 0), XEN_EINVAL);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, FAKE_VCPUS), XEN_ENOENT);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, UINT32_MAX), XEN_ENOENT);
	/* The virtual interrupt before the vCPU. */
	assert_refused(f, fake_bind_virq(f, NR_VIRQS, FAKE_VCPUS), XEN_EINVAL);
	assert_refused(f, fake_bind_virq(f, VIRQ_DOM_EXC, FAKE_VCPUS), XEN_EINVAL);
}

/* A domain's VIRQ that has been moved to another vCPU is still the domain's. */
static void global_virq_moves(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_virq(f, VIRQ_ARGO, 0);

	assert_int_equal(fake_bind_vcpu(f, port, 2), 0);
	assert_int_equal(status(f, port).vcpu, 2);
	event_channel_raise_virq(f->domain.vcpus[0], VIRQ_ARGO);
	assert_true(fake_pending(f, port));
	assert_true(fake_upcall_pending(f, 2));
	assert_false(fake_upcall_pending(f, 0));
	assert_int_equal(fake_close(f, port), 0);
	assert_int_equal(fake_bind_virq(f, VIRQ_ARGO, 0), port);
	assert_int_equal(status(f, port).vcpu, 0);
}

static void ipi(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_ipi(f, 2);
	struct evtchn_status s = status(f, port);

	assert_int_equal(s.status, EVTCHNSTAT_ipi);
	assert_int_equal(s.vcpu, 2);
	assert_int_equal(fake_send(f, port), 0);
	assert_true(fake_pending(f, port));
	assert_true(fake_upcall_pending(f, 2));
	assert_int_equal(f->vcpu[2].upcalls, 1);
	assert_int_equal(fake_close(f, port), 0);
	assert_false(fake_pending(f, port));
	assert_refused(f, fake_bind_ipi(f, FAKE_VCPUS), XEN_ENOENT);
	assert_refused(f, fake_bind_ipi(f, UINT32_MAX), XEN_ENOENT);
}

static void bind_vcpu(void **state)
{
	struct fake *f = *state;
	long ub = fake_alloc_unbound(f, SELF, 0), ipi_port = fake_bind_ipi(f, 0);
	long timer = fake_bind_virq(f, VIRQ_TIMER, 0);
	evtchn_port_t a, b;

	loopback(f, &a, &b);
	assert_int_equal(fake_bind_vcpu(f, ub, 1), 0);
	assert_int_equal(status(f, ub).vcpu, 1);
	assert_int_equal(fake_bind_vcpu(f, b, 2), 0);
	fake_send(f, a);
	assert_true(fake_upcall_pending(f, 2));
	assert_false(fake_upcall_pending(f, 0));
	assert_refused(f, fake_bind_vcpu(f, ipi_port, 1), XEN_EINVAL);
	assert_refused(f, fake_bind_vcpu(f, timer, 1), XEN_EINVAL);
	assert_refused(f, fake_bind_vcpu(f, 0, 1), XEN_EINVAL);
	assert_refused(f, fake_bind_vcpu(f, b + 1, 1), XEN_EINVAL);
	assert_refused(f, fake_bind_vcpu(f, 5000, 1), XEN_EINVAL);
	assert_refused(f, fake_bind_vcpu(f, b, FAKE_VCPUS), XEN_ENOENT);
	/* The vCPU before the port. */
	assert_refused(f, fake_bind_vcpu(f, 5000, FAKE_VCPUS), XEN_ENOENT);
	/* A new port on an old number starts on vCPU 0. */
	assert_int_equal(fake_close(f, b), 0);
	assert_int_equal(fake_alloc_unbound(f, SELF, 0), b);
	assert_int_equal(status(f, b).vcpu, 0);
}

static void bad_ports(void **state)
{
	static const evtchn_port_t bad[] = {128, 1024, 4095, 4096, 4097, 1u << 31, UINT32_MAX};
	struct fake *f = *state;
	struct evtchn_status s;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_refused(f, fake_close(f, bad[i]), XEN_EINVAL);
		assert_refused(f, fake_send(f, bad[i]), XEN_EINVAL);
		assert_refused(f, fake_unmask(f, bad[i]), XEN_EINVAL);
		assert_refused(f, fake_status(f, SELF, bad[i], &s), XEN_EINVAL);
	}
	assert_refused(f, fake_close(f, 0), XEN_EINVAL);
	assert_refused(f, fake_send(f, 0), XEN_EINVAL);
	assert_refused(f, fake_close(f, 1), XEN_EINVAL);
	assert_refused(f, fake_send(f, 1), XEN_EINVAL);
	assert_refused(f, fake_status(f, 0, 1, &s), XEN_EPERM);
	assert_refused(f, fake_status(f, NONE, 1, &s), XEN_ESRCH);
	assert_refused(f, fake_status(f, NONE, 5000, &s), XEN_ESRCH);
}

/* As many ports as the latched word size has bits in a word of words, and port 0. */
static void all_ports(void **state)
{
	struct fake *f = *state;
	long last = f->domain.long_mode ? 4095 : 1023;

	for (long port = 1; port <= last; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	assert_refused(f, fake_bind_ipi(f, 0), XEN_ENOSPC);
	assert_refused(f, fake_alloc_unbound(f, SELF, SELF), XEN_ENOSPC);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, 0), XEN_ENOSPC);
	assert_int_equal(event_channel_bind_backend(&f->domain, NULL), -XEN_ENOSPC);
	/* A virtual interrupt that could not be bound is not bound. */
	assert_int_equal(fake_close(f, 77), 0);
	assert_int_equal(fake_bind_virq(f, VIRQ_TIMER, 0), 77);
	assert_int_equal(fake_send(f, last), 0);
	assert_true(fake_pending(f, last));
}

/* Ports of a 64-bit guest that has turned 32-bit: those beyond are no longer reached. */
static void ports_beyond_the_word_size(void **state)
{
	struct fake *f = *state;

	for (long port = 1; port <= 1030; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	f->domain.long_mode = false;
	assert_refused(f, fake_bind_ipi(f, 0), XEN_ENOSPC);
	assert_int_equal(fake_send(f, 1023), 0);
	assert_true(fake_pending(f, 1023));
	assert_refused(f, fake_bind_vcpu(f, 1024, 1), XEN_EINVAL); /* as it is an IPI */
	assert_int_equal(fake_send(f, 1024), 0);
	assert_int_equal(fake_unmask(f, 1024), 0);
	assert_false(fake_masked(f, 0)); /* where the narrow mask begins */
	assert_int_equal(fake_close(f, 1024), 0);
}

static unsigned notified;

static void notify(void *opaque)
{
	assert_ptr_equal(opaque, &notified);
	notified++;
}

static void backend_ports(void **state)
{
	static const struct port_backend backend = {notify, &notified}, other = {notify, NULL};
	struct fake *f = *state;
	int port = event_channel_bind_backend(&f->domain, &backend);
	struct evtchn_status s = status(f, port);

	assert_int_equal(port, 1);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.dom, 0);
	notified = 0;
	assert_int_equal(fake_send(f, port), 0);
	assert_int_equal(notified, 1);
	assert_false(fake_pending(f, port));

	assert_int_equal(fake_bind_vcpu(f, port, 1), 0);
	event_channel_notify_guest(&f->domain, port, &backend);
	assert_true(fake_pending(f, port));
	assert_true(fake_upcall_pending(f, 1));

	fake_clear_pending(f, port);
	event_channel_notify_guest(&f->domain, port, &other);
	assert_false(fake_pending(f, port));
	/* The guest may close it; whoever has the number then is not the backend's. */
	assert_int_equal(fake_close(f, port), 0);
	event_channel_notify_guest(&f->domain, port, &backend);
	assert_false(fake_pending(f, port));
	assert_int_equal(fake_bind_ipi(f, 0), port);
	event_channel_notify_guest(&f->domain, port, &backend);
	assert_false(fake_pending(f, port));
	event_channel_notify_guest(&f->domain, 0, &backend);
	event_channel_notify_guest(&f->domain, UINT32_MAX, &backend);
	assert_int_equal(notified, 1);
}

/* Xen makes its port structures by the page of 64; what is beyond is no port at all. */
static void ports_come_into_being_by_64(void **state)
{
	struct fake *f = *state;
	struct evtchn_status s;

	assert_int_equal(status(f, 63).status, EVTCHNSTAT_closed);
	assert_refused(f, fake_status(f, SELF, 64, &s), XEN_EINVAL);
	for (long port = 1; port <= 64; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	assert_int_equal(status(f, 127).status, EVTCHNSTAT_closed);
	assert_refused(f, fake_status(f, SELF, 128, &s), XEN_EINVAL);
	/* They stay. */
	assert_int_equal(fake_close(f, 64), 0);
	assert_int_equal(status(f, 127).status, EVTCHNSTAT_closed);
}

/* The local port is taken first: without one the rest is not looked at, but for the domain. */
static void no_port_left_for_a_bad_bind(void **state)
{
	struct fake *f = *state;

	while (fake_bind_ipi(f, 0) > 0)
		;
	assert_refused(f, fake_bind_interdomain(f, SELF, 1), XEN_ENOSPC);
	assert_refused(f, fake_bind_interdomain(f, SELF, UINT32_MAX), XEN_ENOSPC);
	assert_refused(f, fake_bind_interdomain(f, 0, 1), XEN_ENOSPC);
	assert_refused(f, fake_bind_interdomain(f, NONE, 1), XEN_ESRCH);
	assert_refused(f, fake_bind_ipi(f, FAKE_VCPUS), XEN_ENOENT);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, FAKE_VCPUS), XEN_ENOENT);
	assert_refused(f, fake_alloc_unbound(f, NONE, SELF), XEN_ESRCH);
}

/* Nothing has happened when the answer cannot be written: what is wrong in itself is told first. */
static void status_to_a_read_only_page(void **state)
{
	struct fake *f = *state;
	struct evtchn_status s;

	fake_paging_read_only_arg(f);
	assert_refused(f, fake_status(f, SELF, 1, &s), XEN_EFAULT);
	assert_refused(f, fake_status(f, SELF, 5000, &s), XEN_EINVAL);
	assert_refused(f, fake_status(f, NONE, 1, &s), XEN_ESRCH);
}

/* But no port is made that the caller would not hear of. */
static void results_to_a_read_only_page(void **state)
{
	struct fake *f = *state;
	long port = fake_alloc_unbound(f, SELF, SELF);

	fake_paging_read_only_arg(f);
	assert_refused(f, fake_alloc_unbound(f, SELF, SELF), XEN_EFAULT);
	assert_refused(f, fake_bind_interdomain(f, SELF, port), XEN_EFAULT);
	assert_refused(f, fake_bind_virq(f, VIRQ_TIMER, 0), XEN_EFAULT);
	assert_refused(f, fake_bind_ipi(f, 0), XEN_EFAULT);
	/* What carries nothing back does not mind. */
	assert_int_equal(fake_send(f, port), 0);
	assert_int_equal(fake_unmask(f, port), 0);
	assert_int_equal(fake_bind_vcpu(f, port, 1), 0);
	assert_int_equal(fake_close(f, port), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(lowest_port_first),
		TEST_BOTH(unbound),
		TEST_BOTH(unbound_for_others),
		TEST_BOTH(interdomain),
		TEST_BOTH(bad_interdomain),
		TEST_BOTH(send_to_the_other_end),
		TEST_BOTH(closing_one_end_unbinds_the_other),
		TEST_BOTH(virq),
		TEST_BOTH(unbound_virq_is_dropped),
		TEST_BOTH(virq_kinds),
		TEST_BOTH(bad_virqs),
		TEST_BOTH(global_virq_moves),
		TEST_BOTH(ipi),
		TEST_BOTH(bind_vcpu),
		TEST_BOTH(bad_ports),
		TEST_BOTH(all_ports),
		TEST_64(ports_beyond_the_word_size),
		TEST_BOTH(backend_ports),
		TEST_BOTH(ports_come_into_being_by_64),
		TEST_BOTH(no_port_left_for_a_bad_bind),
		TEST_BOTH(status_to_a_read_only_page),
		TEST_BOTH(results_to_a_read_only_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
