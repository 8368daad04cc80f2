// SPDX-License-Identifier: BSD-2-Clause
/*
 * Routes as a machinery sees them that sends by itself: which ports have one, when they go, and
 * that a route is gone before its port is anybody else's.
 */
#include <string.h>

#include "shim/event_2level.h"
#include "shim/event_port.h"
#include "shim/event_route.h"
#include "shim/fake_events.h"
#include "shim/fake_fifo.h"
#include "shim/fake_test.h"
#include "shim/vcpu_run.h"

#define SELF  DOMID_SELF
#define PORTS 64

/* The machinery: a copy of the routes, kept by what it is told. */
static struct event_route table[PORTS];
static unsigned told_all;
static evtchn_port_t watched; /* 0: none */
static enum port_state watched_state;
static bool watched_pending;

static void renew(struct domain *d, evtchn_port_t port)
{
	if (!event_route(d, port, &table[port]))
		table[port] = (struct event_route){0};
}

static void port_changed(struct domain *d, uint32_t port)
{
	if (port == EVENT_ALL_PORTS) {
		told_all++;
		for (evtchn_port_t p = 1; p < PORTS; p++)
			renew(d, p);
		return;
	}
	renew(d, port);
	if (port == watched) {
		watched_state = port_binding(port_lookup(&d->events, port)).state;
		watched_pending = event_2level_is_pending(d, port);
	}
}

static struct platform_ops ops;

static struct fake *start(void **state)
{
	struct fake *f = *state;

	ops = *f->domain.ops;
	ops.port_changed = port_changed;
	f->domain.ops = &ops;
	memset(table, 0, sizeof(table));
	told_all = 0;
	watched = 0;
	return f;
}

static void assert_route(evtchn_port_t from, evtchn_port_t to, unsigned vcpu, bool ipi)
{
	assert_int_equal(table[from].port, to);
	assert_int_equal(table[from].vcpu, vcpu);
	assert_int_equal(table[from].ipi, ipi);
}

static unsigned routes(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PORTS; i++)
		n += table[i].port != 0;
	return n;
}

static void who_has_one(void **state)
{
	struct fake *f = start(state);
	long ipi = fake_bind_ipi(f, 2), unbound = fake_alloc_unbound(f, SELF, SELF), other;

	assert_route(ipi, ipi, 2, true);
	fake_bind_virq(f, VIRQ_TIMER, 0);
	fake_bind_pirq(f, 3);
	fake_alloc_unbound(f, SELF, 0);
	assert_int_equal(routes(), 1);
	other = fake_bind_interdomain(f, SELF, unbound);
	assert_route(other, unbound, 0, false);
	assert_route(unbound, other, 0, false);
	/* Who moves one end moves where the other's events go. */
	assert_int_equal(fake_bind_vcpu(f, other, 1), 0);
	assert_route(unbound, other, 1, false);
	assert_route(other, unbound, 0, false);
	assert_int_equal(told_all, 0);
}

static void gone_before_the_port_is_free(void **state)
{
	struct fake *f = start(state);
	long unbound = fake_alloc_unbound(f, SELF, SELF);
	long other = fake_bind_interdomain(f, SELF, unbound);
	long ipi = fake_bind_ipi(f, 1);

	fake_send(f, ipi);
	watched = ipi;
	assert_int_equal(fake_close(f, ipi), 0);
	assert_int_equal(watched_state, PORT_CLOSING);
	assert_true(watched_pending); /* and is cleared after the last send */
	assert_false(fake_pending(f, ipi));
	watched = unbound;
	assert_int_equal(fake_close(f, unbound), 0);
	assert_int_equal(watched_state, PORT_CLOSING);
	assert_int_equal(routes(), 0);
	/* The other end waits for a new one, and finds it. */
	watched = 0;
	unbound = fake_bind_interdomain(f, SELF, other);
	assert_route(other, unbound, 0, false);
	assert_route(unbound, other, 0, false);
}

static void none_in_fifo(void **state)
{
	struct fake *f = start(state);

	fake_bind_ipi(f, 0);
	assert_int_equal(routes(), 1);
	fake_fifo_start(f, 1);
	assert_int_equal(routes(), 0);
	fake_bind_ipi(f, 0);
	assert_int_equal(routes(), 0);
	assert_int_equal(fake_reset(f, SELF), 0);
	assert_int_equal(fake_bind_ipi(f, 0), 1);
	assert_route(1, 1, 0, true);
}

/* All at once, not one by one. */
static void none_after_reset(void **state)
{
	struct fake *f = start(state);

	for (unsigned i = 0; i < 20; i++)
		fake_bind_ipi(f, i % 3);
	assert_int_equal(routes(), 20);
	assert_int_equal(fake_reset(f, SELF), 0);
	assert_int_equal(routes(), 0);
	assert_int_equal(told_all, 2);
	assert_int_equal(fake_bind_ipi(f, 2), 1);
	assert_route(1, 1, 2, true);
}

static long poll_port(struct fake *f, evtchn_port_t port)
{
	memcpy(fake_at(f, FAKE_ARG + 512), &port, sizeof(port));
	if (f->long_mode) {
		struct sched_poll op = {.nr_ports = 1};

		op.ports.p = (evtchn_port_t *)(uintptr_t)(FAKE_ARG + 512);
		return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &op, sizeof(op));
	}
	struct sched_poll_x86_32 op = {.ports = FAKE_ARG + 512, .nr_ports = 1};

	return fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &op, sizeof(op));
}

/* Who polls is woken by us: no routes from then on, until nobody waits and a port is bound. */
static void none_while_somebody_polls(void **state)
{
	struct fake *f = start(state);
	long port = fake_bind_ipi(f, 0);

	fake_start(f, 0);
	fake_set_mask(f, port, true);
	assert_int_equal(poll_port(f, port), 0);
	assert_int_equal(routes(), 0);
	f->current = 1;
	fake_bind_ipi(f, 1);
	assert_int_equal(routes(), 0);
	fake_send(f, port);
	assert_true(vcpu_may_run(f->domain.vcpus[0]));
	assert_int_equal(routes(), 0);
	fake_bind_ipi(f, 1);
	assert_int_equal(routes(), 3);
}

/* Who has polled once, and now sends and sends, has them back. */
static void back_after_many_sends(void **state)
{
	struct fake *f = start(state);
	long port = fake_bind_ipi(f, 0), other = fake_bind_ipi(f, 1);

	fake_start(f, 0);
	fake_set_mask(f, port, true);
	assert_int_equal(poll_port(f, port), 0);
	f->current = 1;
	for (unsigned i = 0; i < 1000; i++)
		fake_send(f, other);
	assert_int_equal(routes(), 0); /* somebody waits */
	fake_send(f, port);
	assert_int_equal(routes(), 0);
	for (unsigned i = 0; i < 256; i++)
		fake_send(f, other);
	assert_int_equal(routes(), 2);
	assert_int_equal(told_all, 2);
}

/* What has come by a route just before the wait began ends it. */
static void blocks_with_interrupts_off(void **state)
{
	struct fake *f = start(state);
	long port = fake_bind_ipi(f, 0);

	fake_start(f, 0);
	f->vcpu[0].interrupts = false;
	fake_send(f, port);
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(routes(), 0);
	assert_true(vcpu_may_run(f->domain.vcpus[0]));
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_false(vcpu_may_run(f->domain.vcpus[0]));
}

/* With interrupts on, and no vector of its own, the machinery's interrupt wakes it. */
static void blocks_with_interrupts_on(void **state)
{
	struct fake *f = start(state);

	fake_bind_ipi(f, 0);
	fake_start(f, 0);
	f->vcpu[0].interrupts = true;
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_false(vcpu_may_run(f->domain.vcpus[0]));
	assert_int_equal(routes(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(who_has_one),
		TEST_BOTH(gone_before_the_port_is_free),
		TEST_BOTH(none_in_fifo),
		TEST_BOTH(none_after_reset),
		TEST_BOTH(none_while_somebody_polls),
		TEST_BOTH(back_after_many_sends),
		TEST_BOTH(blocks_with_interrupts_off),
		TEST_BOTH(blocks_with_interrupts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
