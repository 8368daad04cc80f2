// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of ports: EVTCHNOP_reset, the soft reset that follows a kexec, and backends' ends that
 * are left, found again, and disconnected; physical interrupts, which are bound and never come.
 */
#include <string.h>

#include "shim/event_port.h"
#include "shim/fake_events.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define SELF DOMID_SELF
#define NONE 99

static unsigned notified[2];

static void notify(void *opaque)
{
	++*(unsigned *)opaque;
}

static const struct port_backend console = {notify, &notified[0]}, store = {notify, &notified[1]};

static struct evtchn_status status(struct fake *f, evtchn_port_t port)
{
	struct evtchn_status s;

	assert_int_equal(fake_status(f, SELF, port, &s), 0);
	return s;
}

static void reset_errnos(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_bind_ipi(f, 0), 1);
	assert_refused(f, fake_reset(f, NONE), XEN_ESRCH);
	assert_refused(f, fake_reset(f, 0), XEN_EPERM);
	assert_refused(f, fake_reset(f, DOMID_INVALID), XEN_ESRCH);
	assert_refused(f, fake_reset_cont(f, NONE), XEN_ESRCH);
	assert_refused(f, fake_reset_cont(f, 0), XEN_EPERM);
	/* Of a reset that is not under way. */
	assert_refused(f, fake_reset_cont(f, SELF), XEN_EBUSY);
	assert_int_equal(status(f, 1).status, EVTCHNSTAT_ipi);
}

static void all_ports_are_closed(void **state)
{
	struct fake *f = *state;

	event_channel_bind_backend(&f->domain, &console);
	assert_int_equal(fake_alloc_unbound(f, SELF, SELF), 2);
	assert_int_equal(fake_bind_interdomain(f, SELF, 2), 3);
	assert_int_equal(fake_alloc_unbound(f, SELF, 0), 4);
	assert_int_equal(fake_bind_virq(f, VIRQ_TIMER, 1), 5);
	assert_int_equal(fake_bind_virq(f, VIRQ_ARGO, 0), 6);
	assert_int_equal(fake_bind_pirq(f, 9), 7);
	for (evtchn_port_t port = 8; port <= 70; port++)
		assert_int_equal(fake_bind_ipi(f, 2), port);
	assert_int_equal(fake_bind_vcpu(f, 2, 1), 0);
	fake_set_mask(f, 9, true);
	fake_send(f, 9);
	fake_send(f, 70);
	assert_int_equal(fake_reset(f, FAKE_DOMID), 0);
	for (evtchn_port_t port = 1; port <= 70; port++) {
		assert_int_equal(status(f, port).status, EVTCHNSTAT_closed);
		assert_int_equal(status(f, port).vcpu, 0);
		assert_false(fake_pending(f, port));
		assert_int_equal(fake_send(f, port), -XEN_EINVAL);
	}
	assert_true(fake_masked(f, 9));
	/* What has been offered stays so: closed, not invalid. */
	assert_int_equal(status(f, 127).status, EVTCHNSTAT_closed);
	event_channel_raise_virq(f->domain.vcpus[1], VIRQ_TIMER);
	assert_false(fake_pending(f, 5));
	assert_int_equal(fake_bind_virq(f, VIRQ_TIMER, 1), 1);
	assert_int_equal(fake_bind_virq(f, VIRQ_ARGO, 0), 2);
	assert_int_equal(fake_bind_pirq(f, 9), 3);
}

/* A backend's end waits for its guest, as drivers of other systems rely on that reset first. */
static void backends_are_found_again(void **state)
{
	struct fake *f = *state;
	int port = event_channel_bind_backend(&f->domain, &console);
	evtchn_port_t far = status(f, port).u.interdomain.port;
	long again;

	assert_refused(f, fake_bind_interdomain(f, 0, far), XEN_EINVAL); /* it is taken */
	assert_int_equal(fake_reset(f, SELF), 0);
	memset(notified, 0, sizeof(notified));
	assert_int_equal(fake_bind_ipi(f, 0), port);
	event_channel_notify_guest(&f->domain, port, &console);
	assert_false(fake_pending(f, port));
	assert_refused(f, fake_bind_interdomain(f, 0, far + 1), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, 0, 0), XEN_EINVAL);
	assert_refused(f, fake_bind_interdomain(f, 0, UINT32_MAX), XEN_EINVAL);

	again = fake_bind_interdomain(f, 0, far);
	assert_int_equal(again, port + 1);
	assert_true(fake_pending(f, again));
	fake_clear_pending(f, again);
	assert_int_equal(fake_send(f, again), 0);
	assert_int_equal(notified[0], 1);
	/* The backend need not know. */
	event_channel_notify_guest(&f->domain, port, &console);
	assert_true(fake_pending(f, again));
	assert_false(fake_pending(f, port));
	assert_int_equal(status(f, again).u.interdomain.dom, 0);
	assert_int_equal(status(f, again).u.interdomain.port, far);
}

/* kexec: the next kernel finds console and store where HVM parameters say. */
static void soft_reset(void **state)
{
	struct fake *f = *state;
	int c = event_channel_bind_backend(&f->domain, &console);
	int s = event_channel_bind_backend(&f->domain, &store);

	for (unsigned i = 0; i < 10; i++)
		fake_bind_ipi(f, 0);
	assert_int_equal(fake_close(f, c), 0);
	assert_int_equal(fake_bind_ipi(f, 0), c);
	assert_int_equal(fake_bind_vcpu(f, s, 1), 0);
	fake_send(f, c);
	event_channels_soft_reset(&f->domain);
	memset(notified, 0, sizeof(notified));
	assert_int_equal(status(f, c).status, EVTCHNSTAT_interdomain);
	assert_int_equal(status(f, s).vcpu, 0);
	assert_false(fake_pending(f, c));
	fake_send(f, c);
	fake_send(f, s);
	fake_send(f, s);
	assert_int_equal(notified[0], 1);
	assert_int_equal(notified[1], 2);
	event_channel_notify_guest(&f->domain, s, &store);
	assert_true(fake_pending(f, s));
	assert_int_equal(fake_bind_ipi(f, 0), s + 1);
}

/* A front end's port, whose number the store has told. */
static void connecting_a_backend(void **state)
{
	struct fake *f = *state;
	long port = fake_alloc_unbound(f, SELF, 0), other = fake_alloc_unbound(f, SELF, SELF);

	assert_int_equal(event_channel_connect_backend(&f->domain, other, &store), -XEN_EINVAL);
	assert_int_equal(event_channel_connect_backend(&f->domain, 0, &store), -XEN_EINVAL);
	assert_int_equal(event_channel_connect_backend(&f->domain, 5000, &store), -XEN_EINVAL);
	assert_int_equal(fake_bind_vcpu(f, port, 2), 0);
	assert_int_equal(event_channel_connect_backend(&f->domain, port, &store), 0);
	assert_int_equal(event_channel_connect_backend(&f->domain, port, &console), -XEN_EINVAL);
	assert_int_equal(status(f, port).status, EVTCHNSTAT_interdomain);
	memset(notified, 0, sizeof(notified));
	fake_send(f, port);
	assert_int_equal(notified[1], 1);
	event_channel_notify_guest(&f->domain, port, &store);
	assert_int_equal(f->vcpu[2].upcalls, 1);

	event_channel_unbind_backend(&f->domain, &store);
	assert_int_equal(status(f, port).status, EVTCHNSTAT_unbound);
	assert_int_equal(status(f, port).vcpu, 2);
	assert_int_equal(fake_send(f, port), 0);
	assert_int_equal(notified[1], 1);
	fake_clear_pending(f, port);
	event_channel_notify_guest(&f->domain, port, &store);
	assert_false(fake_pending(f, port));
	assert_int_equal(event_channel_connect_backend(&f->domain, port, &console), 0);
	/* After a soft reset there is no such port: the guest makes a new one. */
	event_channels_soft_reset(&f->domain);
	assert_int_equal(status(f, port).status, EVTCHNSTAT_closed);
	event_channel_unbind_backend(&f->domain, &console);
	assert_refused(f, fake_bind_interdomain(f, 0, 1), XEN_EINVAL);
}

static void many_backends(void **state)
{
	static struct port_backend many[EVENT_FAR_ENDS + 1];
	struct fake *f = *state;

	f->domain.long_mode = true;
	for (unsigned i = 0; i < EVENT_FAR_ENDS; i++)
		assert_int_equal(event_channel_bind_backend(&f->domain, &many[i]), i + 1);
	assert_int_equal(event_channel_bind_backend(&f->domain, &many[EVENT_FAR_ENDS]),
			 -XEN_ENOSPC);
	assert_int_equal(status(f, EVENT_FAR_ENDS + 1).status, EVTCHNSTAT_closed);
	event_channel_unbind_backend(&f->domain, &many[7]);
	assert_int_equal(fake_close(f, 8), 0);
	assert_int_equal(event_channel_bind_backend(&f->domain, &many[EVENT_FAR_ENDS]), 8);
}

static void pirqs(void **state)
{
	struct fake *f = *state;
	long port = fake_bind_pirq(f, 9);

	assert_int_equal(port, 1);
	assert_int_equal(status(f, port).status, EVTCHNSTAT_pirq);
	assert_int_equal(status(f, port).u.pirq, 9);
	assert_int_equal(fake_bind_pirq(f, EVENT_PIRQS - 1), 2);
	assert_refused(f, fake_bind_pirq(f, EVENT_PIRQS), XEN_EINVAL);
	assert_refused(f, fake_bind_pirq(f, UINT32_MAX), XEN_EINVAL);
	assert_refused(f, fake_bind_pirq(f, 9), XEN_EEXIST);
	assert_refused(f, fake_send(f, port), XEN_EINVAL);
	assert_int_equal(fake_unmask(f, port), 0);
	assert_int_equal(fake_bind_vcpu(f, port, 2), 0);
	assert_int_equal(status(f, port).vcpu, 2);
	assert_int_equal(event_channel_poll(&f->domain, port), 0);
	assert_int_equal(fake_close(f, port), 0);
	assert_int_equal(fake_bind_pirq(f, 9), port);
	fake_paging_read_only_arg(f);
	assert_refused(f, fake_bind_pirq(f, 10), XEN_EFAULT);
}

/* A guest that turns from one word size to the other and back, with ports of both. */
static void word_size_switch(void **state)
{
	struct fake *f = *state;

	for (evtchn_port_t port = 1; port <= 1100; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	fake_send(f, 1100);
	fake_take_upcall(f, 0);
	f->domain.long_mode = false;
	memset(f->shared_info, 0, GUEST_PAGE_SIZE);
	assert_int_equal(fake_bind_ipi(f, 0), -XEN_ENOSPC);
	assert_int_equal(event_channel_poll(&f->domain, 1100), 0);
	fake_send(f, 1023);
	assert_true(fake_pending(f, 1023));
	assert_int_equal(fake_selector(f, 0), 1u << 31);
	assert_int_equal(fake_close(f, 1099), 0);
	f->domain.long_mode = true;
	memset(f->shared_info, 0, GUEST_PAGE_SIZE);
	assert_int_equal(fake_bind_ipi(f, 0), 1099);
	assert_int_equal(fake_bind_ipi(f, 0), 1101);
	fake_send(f, 1100);
	assert_true(fake_pending(f, 1100));
	assert_int_equal(event_channel_poll(&f->domain, 1100), 1);
	assert_int_equal(fake_selector(f, 0), 1u << 1100 / 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(reset_errnos),
		TEST_BOTH(all_ports_are_closed),
		TEST_BOTH(backends_are_found_again),
		TEST_BOTH(soft_reset),
		TEST_BOTH(connecting_a_backend),
		TEST_64(many_backends),
		TEST_BOTH(pirqs),
		TEST_64(word_size_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
