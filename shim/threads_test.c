// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many threads in one domain: vCPUs that send, bind and close, backends and timers that notify, a
 * guest that takes its upcalls meanwhile. No event is lost, the tables agree afterwards, and (in
 * the build with ThreadSanitizer) every access that is shared is locked or atomic.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "shim/event_port.h"
#include "shim/fake_events.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"

#define ROUNDS 20000

/* A thread that is a vCPU: its hypercalls' arguments have a page of their own. */
struct caller {
	struct fake *f;
	struct vcpu *v;
	unsigned failures; /* answers that should not have been */
};

static long call(struct caller *c, uint64_t nr, uint64_t cmd, void *arg, size_t len)
{
	uint64_t at = 0x100000 + c->v->id * GUEST_PAGE_SIZE;
	struct hypercall h = {.nr = nr, .args = {cmd, at}, .long_mode = c->f->long_mode};
	long rc;

	memcpy(c->f->ram + at, arg, len);
	rc = hypercall_dispatch(c->v, &h);
	memcpy(arg, c->f->ram + at, len);
	return rc;
}

static long event_op(struct caller *c, unsigned cmd, void *arg, size_t len)
{
	return call(c, __HYPERVISOR_event_channel_op, cmd, arg, len);
}

static void expect(struct caller *c, long rc)
{
	if (rc)
		c->failures++;
}

static void send(struct caller *c, evtchn_port_t port)
{
	struct evtchn_send op = {.port = port};

	expect(c, event_op(c, EVTCHNOP_send, &op, sizeof(op)));
}

static void unmask(struct caller *c, evtchn_port_t port)
{
	struct evtchn_unmask op = {.port = port};

	expect(c, event_op(c, EVTCHNOP_unmask, &op, sizeof(op)));
}

/*
 * Two senders and one receiver, which masks, clears and unmasks as a guest does. Each port counts
 * what has been sent and how often it was seen; the last event must be seen.
 */
#define PORTS 100

struct traffic {
	struct caller sender[2], receiver;
	uint32_t sent[PORTS + 1], handled[PORTS + 1]; /* handled: value of sent at the last time */
	unsigned senders;                             /* atomic: still at work */
};

struct sender {
	struct traffic *t;
	struct caller *c;
	unsigned step;
};

static void *send_many(void *opaque)
{
	struct sender *s = opaque;
	unsigned port = s->step;

	for (unsigned i = 0; i < ROUNDS; i++) {
		port = (port + s->step) % PORTS + 1;
		__atomic_fetch_add(&s->t->sent[port], 1, __ATOMIC_SEQ_CST);
		send(s->c, port);
	}
	__atomic_fetch_sub(&s->t->senders, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static uint8_t *guest_byte(struct traffic *t, evtchn_port_t port, unsigned wide, unsigned narrow)
{
	struct fake *f = t->receiver.f;

	return (uint8_t *)f->shared_info + (f->long_mode ? wide : narrow) + port / 8;
}

static void handle(struct traffic *t, evtchn_port_t port)
{
	uint8_t *pending = guest_byte(t, port, 0x800, 0x800);
	uint8_t *mask = guest_byte(t, port, 0xa00, 0x880), bit = 1u << port % 8;

	if (!(__atomic_load_n(pending, __ATOMIC_SEQ_CST) & bit))
		return;
	__atomic_fetch_or(mask, bit, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(pending, ~bit, __ATOMIC_SEQ_CST);
	t->handled[port] = __atomic_load_n(&t->sent[port], __ATOMIC_SEQ_CST);
	unmask(&t->receiver, port);
}

/* As a guest's upcall handler: flag, selector, then the words that it names. */
static void take_upcall(struct traffic *t)
{
	struct fake *f = t->receiver.f;
	uint8_t *info = f->shared_info;
	unsigned word = f->long_mode ? 64 : 32, ports_left = PORTS;
	uint32_t *selector = (uint32_t *)(info + (f->long_mode ? 8 : 4));
	uint32_t words;

	__atomic_store_n(info, 0, __ATOMIC_SEQ_CST);
	words = __atomic_exchange_n(selector, 0, __ATOMIC_SEQ_CST);
	for (evtchn_port_t port = 1; ports_left--; port++)
		if (words >> port / word & 1)
			handle(t, port);
}

static void *receive(void *opaque)
{
	struct traffic *t = opaque;
	unsigned *upcalls = &t->receiver.f->vcpu[0].upcalls, working;

	do {
		working = __atomic_load_n(&t->senders, __ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(upcalls, 0, __ATOMIC_SEQ_CST))
			take_upcall(t);
		else
			sched_yield();
	} while (working || __atomic_load_n(upcalls, __ATOMIC_SEQ_CST));
	return NULL;
}

static void no_event_is_lost(void **state)
{
	struct fake *f = *state;
	struct traffic t = {.senders = 2, .receiver = {f, f->domain.vcpus[0], 0}};
	struct sender s[2];
	pthread_t thread[3];

	for (evtchn_port_t port = 1; port <= PORTS; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	for (unsigned i = 0; i < 2; i++) {
		t.sender[i] = (struct caller){f, f->domain.vcpus[i + 1], 0};
		s[i] = (struct sender){&t, &t.sender[i], i ? 7 : 3};
		assert_int_equal(pthread_create(&thread[i], NULL, send_many, &s[i]), 0);
	}
	assert_int_equal(pthread_create(&thread[2], NULL, receive, &t), 0);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (evtchn_port_t port = 1; port <= PORTS; port++) {
		assert_int_equal(t.handled[port], t.sent[port]);
		assert_false(fake_pending(f, port));
		assert_false(fake_masked(f, port));
	}
	assert_int_equal(t.sender[0].failures + t.sender[1].failures + t.receiver.failures, 0);
}

/* Ports that come and go, under backends, timers and a guest that changes everything else. */
static evtchn_port_t new_pair(struct caller *c, evtchn_port_t *far)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

	expect(c, event_op(c, EVTCHNOP_alloc_unbound, &a, sizeof(a)));
	b.remote_port = a.port;
	expect(c, event_op(c, EVTCHNOP_bind_interdomain, &b, sizeof(b)));
	*far = b.local_port;
	return a.port;
}

static void close_port(struct caller *c, evtchn_port_t port)
{
	struct evtchn_close op = {.port = port};

	expect(c, event_op(c, EVTCHNOP_close, &op, sizeof(op)));
}

static void *open_and_close(void *opaque)
{
	struct caller *c = opaque;

	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = c->v->id};
		struct evtchn_bind_vcpu bind = {.vcpu = i % FAKE_VCPUS};
		struct evtchn_status status = {.dom = DOMID_SELF};
		evtchn_port_t far, near = new_pair(c, &far);

		expect(c, event_op(c, EVTCHNOP_bind_virq, &virq, sizeof(virq)));
		bind.port = far;
		expect(c, event_op(c, EVTCHNOP_bind_vcpu, &bind, sizeof(bind)));
		send(c, near);
		unmask(c, far);
		status.port = near;
		expect(c, event_op(c, EVTCHNOP_status, &status, sizeof(status)));
		if (status.status != EVTCHNSTAT_interdomain || status.u.interdomain.port != far)
			c->failures++;
		close_port(c, near);
		close_port(c, virq.port);
		close_port(c, far);
	}
	return NULL;
}

static void notify(void *opaque)
{
	__atomic_fetch_add((unsigned *)opaque, 1, __ATOMIC_RELAXED);
}

static unsigned notified;
static const struct port_backend backend = {notify, &notified};

struct machinery {
	struct fake *f;
	int port;
	bool stop; /* atomic */
};

static void *run_machinery(void *opaque)
{
	struct machinery *m = opaque;

	for (unsigned i = 0; !__atomic_load_n(&m->stop, __ATOMIC_RELAXED); i++) {
		struct vcpu *v = m->f->domain.vcpus[i % FAKE_VCPUS];

		event_channel_notify_guest(&m->f->domain, m->port, &backend);
		vcpu_timer_expired(v);
		event_channels_recheck_upcall(v);
		sched_yield();
	}
	return NULL;
}

static void *change_everything_else(void *opaque)
{
	struct caller *c = opaque;

	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct xen_hvm_param callback = {
			.domid = DOMID_SELF,
			.index = HVM_PARAM_CALLBACK_IRQ,
			.value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | (0x40 + i % 8)};
		struct xen_hvm_evtchn_upcall_vector vector = {.vcpu = i % FAKE_VCPUS,
							      .vector = 0x50 + i % 8};

		domain_latch_word_size(&c->f->domain, i & 1);
		expect(c,
		       call(c, __HYPERVISOR_hvm_op, HVMOP_set_param, &callback, sizeof(callback)));
		expect(c, call(c, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &vector,
			       sizeof(vector)));
		expect(c, shared_info_map(&c->f->domain, gfn(0x40 + i % 3)));
	}
	return NULL;
}

static void check_nothing_is_left(struct domain *d, evtchn_port_t kept)
{
	for (evtchn_port_t i = 1; i < d->events.valid; i++)
		assert_int_equal(port_binding(port_lookup(&d->events, i)).state,
				 i == kept ? PORT_BACKEND : PORT_FREE);
	for (unsigned v = 0; v < d->nr_vcpus; v++)
		assert_int_equal(d->vcpus[v]->virq_port[VIRQ_TIMER], 0);
}

static void ports_come_and_go(void **state)
{
	struct fake *f = *state;
	struct machinery m = {.f = f, .port = event_channel_bind_backend(&f->domain, &backend)};
	struct caller c[FAKE_VCPUS];
	pthread_t thread[FAKE_VCPUS], machinery;

	assert_int_equal(pthread_create(&machinery, NULL, run_machinery, &m), 0);
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		c[i] = (struct caller){f, f->domain.vcpus[i], 0};
		assert_int_equal(pthread_create(&thread[i], NULL,
						i ? open_and_close : change_everything_else, &c[i]),
				 0);
	}
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(c[i].failures, 0);
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(machinery, NULL);
	check_nothing_is_left(&f->domain, m.port);
}

/* A vCPU comes and goes while others ask how it has fared: its times never are less than its entry
 * time. */
static void *change_again_and_again(void *opaque)
{
	struct caller *c = opaque;

	for (unsigned i = 1; i < ROUNDS; i++) {
		__atomic_fetch_add(&c->f->now, 1, __ATOMIC_RELAXED);
		runstate_set(c->v, i % 2 ? RUNSTATE_running : RUNSTATE_blocked, i % 3);
	}
	return NULL;
}

static void *look_at_the_other(void *opaque)
{
	struct caller *c = opaque;
	uint64_t at = 0x100000 + c->v->id * GUEST_PAGE_SIZE;
	const struct hypercall h = {.nr = __HYPERVISOR_vcpu_op,
				    .args = {VCPUOP_get_runstate_info, 1, at},
				    .long_mode = true};

	for (unsigned i = 1; i < ROUNDS; i++) {
		struct vcpu_runstate_info r;

		expect(c, hypercall_dispatch(c->v, &h));
		memcpy(&r, c->f->ram + at, sizeof(r));
		if (r.time[0] + r.time[1] + r.time[2] + r.time[3] < r.state_entry_time)
			c->failures++;
	}
	return NULL;
}

static void runstate_of_another(void **state)
{
	struct fake *f = *state;
	struct caller other = {f, f->domain.vcpus[0], 0}, self = {f, f->domain.vcpus[1], 0};
	pthread_t thread[2];

	assert_int_equal(pthread_create(&thread[0], NULL, look_at_the_other, &other), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, change_again_and_again, &self), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(other.failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(no_event_is_lost),
		TEST_BOTH(ports_come_and_go),
		TEST_64(runstate_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
