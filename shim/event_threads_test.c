// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is lost and nothing doubled: threads that send, vCPUs that take events as kernels do, and
 * one thread that moves ports between vCPUs, masks and unmasks them, and changes priorities
 * meanwhile. Each port's next event is sent when the last one has been seen, so that every one is
 * seen exactly once.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "shim/fake_fifo.h"
#include "shim/fake_test.h"

#define SENDERS 4
#define EVENTS  25000 /* of each sender */
#define PAIRS   16    /* of each sender: it sends on one end, the other one is looked at */
#define PORTS   (2 * PAIRS * SENDERS)

/* vCPUs that receive are FAKE_VCPUS; the others only make hypercalls. */
#define CALLERS (FAKE_VCPUS + SENDERS + 1)

struct traffic {
	struct fake *f;
	bool fifo;
	uint32_t sent[PORTS + 1], seen[PORTS + 1];
	unsigned working; /* senders */
	unsigned failures;
};

struct thread {
	struct traffic *t;
	struct vcpu *v;
	unsigned index;
	struct fake_fifo_cpu cpu;
	pthread_t id;
};

static void event_op(struct thread *me, unsigned cmd, const void *op, size_t len)
{
	uint64_t at = 0x110000 + me->v->id * GUEST_PAGE_SIZE;
	struct fake *f = me->t->f;
	const struct hypercall h = {
		.nr = __HYPERVISOR_event_channel_op, .args = {cmd, at}, .long_mode = f->long_mode};

	memcpy(f->ram + at, op, len);
	if (hypercall_dispatch(me->v, &h))
		__atomic_fetch_add(&me->t->failures, 1, __ATOMIC_RELAXED);
}

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void *run_sender(void *opaque)
{
	struct thread *me = opaque;
	struct traffic *t = me->t;

	for (unsigned i = 0; i < EVENTS; i++) {
		struct evtchn_send op = {.port = 1 + 2 * (me->index * PAIRS + i * 7 % PAIRS)};
		evtchn_port_t far = op.port + 1;

		while (load(&t->seen[far]) < t->sent[far])
			sched_yield();
		__atomic_fetch_add(&t->sent[far], 1, __ATOMIC_SEQ_CST);
		event_op(me, EVTCHNOP_send, &op, sizeof(op));
	}
	__atomic_fetch_sub(&t->working, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void see(struct traffic *t, evtchn_port_t port)
{
	/* Fewer than were sent, and the sender waits for ever. */
	if (__atomic_add_fetch(&t->seen[port], 1, __ATOMIC_SEQ_CST) > load(&t->sent[port]))
		__atomic_fetch_add(&t->failures, 1, __ATOMIC_RELAXED);
}

/*
 * The guest's side of the 2-level ABI, by 32-bit words.
 */

static uint32_t *bits_of(struct traffic *t, bool mask)
{
	size_t at = t->f->long_mode ? (mask ? offsetof(struct shared_info, evtchn_mask)
					    : offsetof(struct shared_info, evtchn_pending))
				    : (mask ? offsetof(struct shared_info_x86_32, evtchn_mask)
					    : offsetof(struct shared_info_x86_32, evtchn_pending));

	return (uint32_t *)((uint8_t *)t->f->shared_info + at);
}

static void look_at_port(struct traffic *t, evtchn_port_t port)
{
	uint32_t bit = 1u << port % 32, *pending = &bits_of(t, false)[port / 32];

	if (load(&bits_of(t, true)[port / 32]) & bit || !(load(pending) & bit))
		return;
	if (__atomic_fetch_and(pending, ~bit, __ATOMIC_SEQ_CST) & bit)
		see(t, port);
}

static void take_bits(struct thread *me)
{
	struct traffic *t = me->t;
	bool wide = t->f->long_mode;
	uint8_t *info = (uint8_t *)t->f->shared_info + me->v->id * sizeof(struct vcpu_info);
	uint32_t *selector = (uint32_t *)(info + (wide ? 8 : 4));
	uint32_t words = __atomic_exchange_n(selector, 0, __ATOMIC_SEQ_CST);

	for (evtchn_port_t port = 1; port <= PORTS; port++)
		if (words >> port / (wide ? 64 : 32) & 1)
			look_at_port(t, port);
}

static void take_words(struct thread *me)
{
	evtchn_port_t port;
	bool due;

	while ((port = fake_fifo_next(&me->cpu, &due)))
		if (due)
			see(me->t, port);
}

static void *run_receiver(void *opaque)
{
	struct thread *me = opaque;
	struct fake *f = me->t->f;
	uint8_t *flag = (uint8_t *)f->shared_info + me->v->id * sizeof(struct vcpu_info);
	unsigned *upcalls = &f->vcpu[me->v->id].upcalls, working;

	do {
		working = __atomic_load_n(&me->t->working, __ATOMIC_SEQ_CST);
		if (!__atomic_exchange_n(upcalls, 0, __ATOMIC_SEQ_CST)) {
			sched_yield();
			continue;
		}
		__atomic_store_n(flag, 0, __ATOMIC_SEQ_CST);
		if (me->t->fifo)
			take_words(me);
		else
			take_bits(me);
	} while (working || __atomic_load_n(upcalls, __ATOMIC_SEQ_CST));
	return NULL;
}

/* Events of ports that it has masked wait until it unmasks them. */
static void mask_and_unmask(struct thread *me, evtchn_port_t port)
{
	struct evtchn_unmask op = {.port = port};
	struct traffic *t = me->t;

	if (t->fifo)
		__atomic_fetch_or(fake_fifo_word(t->f, port), 1u << EVTCHN_FIFO_MASKED,
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_or(&bits_of(t, true)[port / 32], 1u << port % 32, __ATOMIC_SEQ_CST);
	sched_yield();
	event_op(me, EVTCHNOP_unmask, &op, sizeof(op));
}

static void *run_mover(void *opaque)
{
	struct thread *me = opaque;
	struct traffic *t = me->t;

	for (unsigned i = 0; __atomic_load_n(&t->working, __ATOMIC_SEQ_CST); i++) {
		evtchn_port_t port = 2 + 2 * (i * 5 % (PORTS / 2));
		struct evtchn_bind_vcpu bind = {.port = port, .vcpu = i % FAKE_VCPUS};
		struct evtchn_set_priority priority = {.port = port, .priority = i % 11 % 4};

		event_op(me, EVTCHNOP_bind_vcpu, &bind, sizeof(bind));
		if (t->fifo)
			event_op(me, EVTCHNOP_set_priority, &priority, sizeof(priority));
		mask_and_unmask(me, port);
	}
	return NULL;
}

static void start(struct thread *thread, void *(*run)(void *))
{
	assert_int_equal(pthread_create(&thread->id, NULL, run, thread), 0);
}

/* Loopbacks, whose first event is the one that binding makes up. */
static void bind_all(struct traffic *t)
{
	for (evtchn_port_t port = 1; port < PORTS; port += 2) {
		assert_int_equal(fake_alloc_unbound(t->f, DOMID_SELF, DOMID_SELF), port);
		assert_int_equal(fake_bind_interdomain(t->f, DOMID_SELF, port), port + 1);
		t->sent[port + 1] = 1;
	}
}

static void run_traffic(struct traffic *t)
{
	struct domain *d = &t->f->domain;
	struct thread thread[CALLERS];

	bind_all(t);
	t->working = SENDERS;
	for (unsigned i = 0; i < CALLERS; i++) {
		unsigned sender = i - FAKE_VCPUS;

		thread[i] = (struct thread){.t = t, .v = d->vcpus[i], .index = sender};
		thread[i].cpu = (struct fake_fifo_cpu){.f = t->f, .vcpu = i};
		start(&thread[i], i < FAKE_VCPUS     ? run_receiver
				  : sender < SENDERS ? run_sender
						     : run_mover);
	}
	for (unsigned i = 0; i < CALLERS; i++)
		pthread_join(thread[i].id, NULL);
	/* What the mover has unmasked last may have come after a receiver had gone. */
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		run_receiver(&thread[i]);
	assert_int_equal(t->failures, 0);
	for (evtchn_port_t port = 2; port <= PORTS; port += 2)
		assert_int_equal(t->seen[port], t->sent[port]);
}

static void add_callers(struct fake *f)
{
	while (f->domain.nr_vcpus < CALLERS)
		assert_non_null(domain_add_vcpu(&f->domain, &f->vcpu[0]));
}

static void each_once_2level(void **state)
{
	struct traffic t = {.f = *state};

	add_callers(t.f);
	run_traffic(&t);
}

static void each_once_fifo(void **state)
{
	struct traffic t = {.f = *state, .fifo = true};

	add_callers(t.f);
	fake_fifo_start(t.f, 1);
	run_traffic(&t);
}

/* The guest goes to FIFO while events come: those that were pending arrive in the new way. */
static void *run_switch(void *opaque)
{
	struct thread *me = opaque;

	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		struct evtchn_init_control op = {
			.control_gfn = (FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT) + i, .vcpu = i};

		event_op(me, EVTCHNOP_init_control, &op, sizeof(op));
		sched_yield();
	}
	for (unsigned i = 0; i < 1; i++) {
		struct evtchn_expand_array op = {.array_gfn = FAKE_FIFO_ARRAY >> GUEST_PAGE_SHIFT};

		event_op(me, EVTCHNOP_expand_array, &op, sizeof(op));
	}
	return NULL;
}

/* Each port once, from several threads. */
static void *run_once(void *opaque)
{
	struct thread *me = opaque;

	for (unsigned i = 0; i < PAIRS; i++) {
		struct evtchn_send op = {.port = 1 + 2 * (me->index * PAIRS + i)};

		event_op(me, EVTCHNOP_send, &op, sizeof(op));
		sched_yield();
	}
	return NULL;
}

static void switching_loses_nothing(void **state)
{
	struct traffic t = {.f = *state, .fifo = true};
	struct domain *d = &t.f->domain;
	struct thread thread[SENDERS + 1];
	uint32_t words[PORTS + 1];

	add_callers(t.f);
	bind_all(&t);
	memset(t.f->shared_info, 0, GUEST_PAGE_SIZE);
	for (unsigned i = 0; i <= SENDERS; i++) {
		thread[i] = (struct thread){.t = &t, .v = d->vcpus[FAKE_VCPUS + i], .index = i};
		start(&thread[i], i < SENDERS ? run_once : run_switch);
	}
	for (unsigned i = 0; i <= SENDERS; i++)
		pthread_join(thread[i].id, NULL);
	assert_int_equal(t.failures, 0);
	memcpy(words, fake_fifo_word(t.f, 0), sizeof(words));
	for (evtchn_port_t port = 2; port <= PORTS; port += 2)
		assert_true(words[port] >> EVTCHN_FIFO_PENDING & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(each_once_2level),      TEST_64(each_once_fifo),
		TEST_64(switching_loses_nothing), TEST_64(switching_loses_nothing),
		TEST_64(switching_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
