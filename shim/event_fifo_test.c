// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FIFO ABI: its operations with every errno, the order of events against a model, events that
 * come before there is room for them.
 */
#include <stdlib.h>
#include <string.h>

#include "shim/event_port.h"
#include "shim/fake_fifo.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BUSY    (1u << EVTCHN_FIFO_BUSY)

#define CONTROL_GFN (FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT)
#define ARRAY_GFN   (FAKE_FIFO_ARRAY >> GUEST_PAGE_SHIFT)
#define HOLE_GFN    (FAKE_HOLE >> GUEST_PAGE_SHIFT)
#define BLOCK       ((uint32_t)sizeof(struct evtchn_fifo_control_block))

static struct fake_fifo_cpu cpu_of(struct fake *f, unsigned vcpu)
{
	return (struct fake_fifo_cpu){.f = f, .vcpu = vcpu};
}

/* The next event that is due, or 0. */
static evtchn_port_t next(struct fake_fifo_cpu *c)
{
	evtchn_port_t port;
	bool due = false;

	do
		port = fake_fifo_next(c, &due);
	while (port && !due);
	return port;
}

static void bind_ports(struct fake *f, evtchn_port_t last, unsigned vcpu)
{
	for (evtchn_port_t port = 1; port <= last; port++)
		assert_int_equal(fake_bind_ipi(f, vcpu), port);
}

static void init_control_errnos(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_init_control(f, FAKE_VCPUS, CONTROL_GFN, 0), XEN_ENOENT);
	assert_refused(f, fake_init_control(f, UINT32_MAX, CONTROL_GFN, 0), XEN_ENOENT);
	assert_refused(f, fake_init_control(f, 0, CONTROL_GFN, 4), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, CONTROL_GFN, 4096 - BLOCK + 1), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, CONTROL_GFN, 4096 - BLOCK + 8), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, CONTROL_GFN, UINT32_MAX), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, CONTROL_GFN, 0xfffffff8), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, HOLE_GFN, 0), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, UINT64_MAX, 0), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, 1ull << 52, 0), XEN_EINVAL);
	/* The vCPU before the offset. */
	assert_refused(f, fake_init_control(f, FAKE_VCPUS, CONTROL_GFN, 1), XEN_ENOENT);
	/* None of these has switched. */
	assert_refused(f, fake_expand_array(f, ARRAY_GFN), XEN_EOPNOTSUPP);

	assert_int_equal(fake_init_control(f, 1, CONTROL_GFN, 4096 - BLOCK), 0);
	assert_refused(f, fake_init_control(f, 1, CONTROL_GFN, 0), XEN_EINVAL);
	assert_refused(f, fake_init_control(f, 0, HOLE_GFN, 0), XEN_EINVAL);
	assert_int_equal(fake_init_control(f, 0, CONTROL_GFN, 0), 0);
	fake_paging_read_only_arg(f);
	assert_refused(f, fake_init_control(f, 2, CONTROL_GFN, 0x100), XEN_EFAULT);
}

static void expand_array_errnos(void **state)
{
	struct fake *f = *state;

	fake_fifo_start(f, 0);
	assert_refused(f, fake_expand_array(f, HOLE_GFN), XEN_EINVAL);
	assert_refused(f, fake_expand_array(f, UINT64_MAX), XEN_EINVAL);
	for (unsigned i = 0; i < FAKE_FIFO_PAGES; i++)
		assert_int_equal(fake_expand_array(f, ARRAY_GFN + i), 0);
	assert_refused(f, fake_expand_array(f, ARRAY_GFN), XEN_ENOSPC);
	assert_refused(f, fake_expand_array(f, HOLE_GFN), XEN_ENOSPC);
}

static void set_priority_errnos(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 1, 0);
	assert_refused(f, fake_set_priority(f, 64, 0), XEN_EINVAL);
	assert_refused(f, fake_set_priority(f, 1, 0), XEN_ENOSYS);
	assert_refused(f, fake_set_priority(f, 2, 16), XEN_ENOSYS);
	fake_fifo_start(f, 1);
	assert_refused(f, fake_set_priority(f, 64, 16), XEN_EINVAL);
	assert_refused(f, fake_set_priority(f, 0, 16), XEN_EACCES);
	assert_refused(f, fake_set_priority(f, 2, 0), XEN_EACCES);
	assert_refused(f, fake_set_priority(f, 1, 16), XEN_EINVAL);
	assert_refused(f, fake_set_priority(f, 1, UINT32_MAX), XEN_EINVAL);
	assert_int_equal(fake_set_priority(f, 1, 15), 0);
}

/* One event: word, head, ready bit, flag and interrupt. */
static void an_event_on_its_way(void **state)
{
	struct fake *f = *state;
	struct evtchn_fifo_control_block *control = fake_fifo_control(f, 1);

	fake_fifo_start(f, 1);
	bind_ports(f, 5, 1);
	assert_int_equal(fake_send(f, 5), 0);
	assert_int_equal(*fake_fifo_word(f, 5), PENDING | LINKED);
	assert_int_equal(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 5);
	assert_int_equal(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	assert_true(fake_upcall_pending(f, 1));
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_false(fake_pending(f, 5)); /* nothing in shared_info */
	assert_int_equal(fake_selector(f, 1), 0);
	assert_int_equal(event_channel_poll(&f->domain, 5), 1);
	assert_int_equal(event_channel_poll(&f->domain, 4), 0);
	assert_int_equal(event_channel_poll(&f->domain, 6), -XEN_EINVAL);
	assert_int_equal(event_channel_poll(&f->domain, 64), -XEN_EINVAL);

	/* The next one goes behind it, and needs no interrupt. */
	f->vcpu[1].upcalls = 0;
	fake_take_upcall(f, 1);
	assert_int_equal(fake_send(f, 3), 0);
	assert_int_equal(*fake_fifo_word(f, 5), PENDING | LINKED | 3);
	assert_int_equal(*fake_fifo_word(f, 3), PENDING | LINKED);
	assert_int_equal(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 5);
	assert_int_equal(f->vcpu[1].upcalls, 0);
}

/* The queue is empty again, but the vCPU has been told and has not looked yet. */
static void ready_already(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 2, 0);
	fake_send(f, 1);
	assert_int_equal(next(&c), 1);
	fake_fifo_control(f, 0)->ready = 1u << EVTCHN_FIFO_PRIORITY_DEFAULT;
	fake_take_upcall(f, 0);
	fake_send(f, 2);
	assert_int_equal(fake_fifo_control(f, 0)->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 2);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_false(fake_upcall_pending(f, 0));
}

static void masked_and_unmasked(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 2, 0);
	*fake_fifo_word(f, 2) = MASKED;
	fake_send(f, 2);
	assert_int_equal(*fake_fifo_word(f, 2), MASKED | PENDING);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(fake_unmask(f, 2), 0);
	assert_int_equal(*fake_fifo_word(f, 2), PENDING | LINKED);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	assert_int_equal(next(&c), 2);
	/* A quiet one is only unmasked, one that nobody has not even that. */
	*fake_fifo_word(f, 2) = *fake_fifo_word(f, 3) = MASKED;
	assert_int_equal(fake_unmask(f, 2), 0);
	assert_int_equal(fake_unmask(f, 3), 0);
	assert_int_equal(*fake_fifo_word(f, 2), 0);
	assert_int_equal(*fake_fifo_word(f, 3), MASKED);
	assert_int_equal(next(&c), 0);
}

/* Unlike the 2-level one, unmask links a pending event again even if it was not masked. */
static void unmask_links_what_is_pending(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 1, 0);
	*fake_fifo_word(f, 1) = PENDING;
	assert_int_equal(fake_unmask(f, 1), 0);
	assert_int_equal(next(&c), 1);
}

static void by_priority_then_by_time(void **state)
{
	static const uint8_t priority[] = {7, 15, 0, 7, 0, 3};
	static const evtchn_port_t expected[] = {3, 5, 6, 1, 4, 2, 0};
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 6, 0);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(fake_set_priority(f, i + 1, priority[i]), 0);
	for (evtchn_port_t port = 1; port <= 6; port++)
		fake_send(f, port);
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(next(&c), expected[i]);
}

/* A linked event stays where it is, at its old priority and on its old vCPU. */
static void moving_what_is_linked(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c0 = cpu_of(f, 0), c2 = cpu_of(f, 2);
	evtchn_port_t far;

	fake_fifo_start(f, 1);
	assert_int_equal(fake_alloc_unbound(f, DOMID_SELF, DOMID_SELF), 1);
	far = fake_bind_interdomain(f, DOMID_SELF, 1);
	assert_int_equal(far, 2);
	assert_int_equal(fake_bind_ipi(f, 0), 3);
	assert_int_equal(next(&c0), far);

	fake_send(f, 1);
	assert_int_equal(fake_bind_vcpu(f, far, 2), 0);
	assert_int_equal(fake_set_priority(f, far, 0), 0);
	fake_send(f, 1);
	assert_int_equal(fake_fifo_control(f, 2)->ready, 0);
	/* It is the tail of the old queue: others go behind it there. */
	fake_send(f, 3);
	assert_int_equal(next(&c0), far);
	/* Not linked any more: now it moves, and the old queue goes on without it. */
	fake_send(f, 1);
	assert_int_equal(fake_fifo_control(f, 2)->head[0], far);
	assert_int_equal(f->vcpu[2].upcalls, 1);
	assert_int_equal(next(&c2), far);
	assert_int_equal(next(&c0), 3);
	assert_int_equal(next(&c0), 0);
}

/* The tail of one queue becomes an event of another: nothing is linked behind it in the first. */
static void the_tail_that_moved(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 2, 0);
	fake_send(f, 1);
	assert_int_equal(next(&c), 1);
	assert_int_equal(fake_set_priority(f, 1, 3), 0);
	fake_send(f, 1);
	fake_send(f, 2);
	assert_int_equal(*fake_fifo_word(f, 1), PENDING | LINKED);
	assert_int_equal(fake_fifo_control(f, 0)->head[7], 2);
	assert_int_equal(next(&c), 1);
	assert_int_equal(next(&c), 2);
	assert_int_equal(next(&c), 0);
}

/*
 * A model: for each vCPU and priority the list of events in order. Sends, masks, priorities and
 * vCPUs at random; what is consumed is what the model says.
 */
#define MODEL_PORTS 40

struct model {
	struct {
		unsigned vcpu, priority;
		bool pending, masked, linked;
	} port[MODEL_PORTS + 1];
	evtchn_port_t queue[FAKE_VCPUS][EVTCHN_FIFO_MAX_QUEUES][MODEL_PORTS];
	unsigned len[FAKE_VCPUS][EVTCHN_FIFO_MAX_QUEUES];
};

static void model_set(struct model *m, evtchn_port_t p)
{
	unsigned v = m->port[p].vcpu, q = m->port[p].priority;

	m->port[p].pending = true;
	if (m->port[p].masked || m->port[p].linked)
		return;
	m->port[p].linked = true;
	m->queue[v][q][m->len[v][q]++] = p;
}

/* The next due event of a vCPU; those that are masked are passed over, and are no longer linked. */
static evtchn_port_t model_next(struct model *m, unsigned v)
{
	for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
		while (m->len[v][q]) {
			evtchn_port_t p = m->queue[v][q][0];

			memmove(m->queue[v][q], m->queue[v][q] + 1,
				--m->len[v][q] * sizeof(m->queue[v][q][0]));
			m->port[p].linked = false;
			if (m->port[p].masked)
				continue;
			m->port[p].pending = false;
			return p;
		}
	}
	return 0;
}

/* The same numbers at every run. */
static uint32_t draw(uint32_t below)
{
	static uint32_t seed = 1;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void model_step(struct fake *f, struct model *m, struct fake_fifo_cpu *c)
{
	evtchn_port_t p = 1 + draw(MODEL_PORTS);
	evtchn_port_t near = 2 * p - 1, far = 2 * p;
	unsigned v = draw(FAKE_VCPUS);

	switch (draw(8)) {
	case 0:
		m->port[p].priority = draw(EVTCHN_FIFO_MAX_QUEUES);
		assert_int_equal(fake_set_priority(f, far, m->port[p].priority), 0);
		break;
	case 1:
		m->port[p].vcpu = v;
		assert_int_equal(fake_bind_vcpu(f, far, v), 0);
		break;
	case 2:
		m->port[p].masked = true;
		*fake_fifo_word(f, far) |= MASKED;
		break;
	case 3:
		m->port[p].masked = false;
		assert_int_equal(fake_unmask(f, far), 0);
		if (m->port[p].pending)
			model_set(m, p);
		break;
	case 4: {
		evtchn_port_t wanted = model_next(m, v), got = next(&c[v]);

		assert_int_equal(got, wanted ? 2 * wanted : 0);
		break;
	}
	default:
		assert_int_equal(fake_send(f, near), 0);
		model_set(m, p);
	}
}

static void as_the_model_says(void **state)
{
	struct fake *f = *state;
	static struct model m;
	struct fake_fifo_cpu c[FAKE_VCPUS];

	memset(&m, 0, sizeof(m));
	fake_fifo_start(f, 1);
	for (unsigned v = 0; v < FAKE_VCPUS; v++)
		c[v] = cpu_of(f, v);
	for (evtchn_port_t p = 1; p <= MODEL_PORTS; p++) {
		assert_int_equal(fake_alloc_unbound(f, DOMID_SELF, DOMID_SELF), 2 * p - 1);
		assert_int_equal(fake_bind_interdomain(f, DOMID_SELF, 2 * p - 1), 2 * p);
		m.port[p].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		model_set(&m, p);
	}
	for (unsigned i = 0; i < 20000; i++)
		model_step(f, &m, c);
}

/* Bits of shared_info become words, when there are pages for them. */
static void what_was_pending_before(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	bind_ports(f, 1023, 0);
	assert_int_equal(fake_close(f, 9), 0);
	fake_send(f, 1023);
	fake_set_mask(f, 7, true);
	fake_send(f, 7);
	assert_int_equal(fake_init_control(f, 0, CONTROL_GFN, 0), 0);
	fake_take_upcall(f, 0);
	/* Nobody is interrupted before the page comes, also for what comes now. */
	fake_send(f, 500);
	assert_int_equal(event_channel_poll(&f->domain, 500), 0);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(fake_bind_ipi(f, 0), 9);
	fake_send(f, 9);
	assert_int_equal(fake_close(f, 9), 0); /* and is gone */
	assert_int_equal(fake_expand_array(f, ARRAY_GFN), 0);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	assert_int_equal(next(&c), 7); /* the masks of shared_info are no more */
	assert_int_equal(next(&c), 500);
	assert_int_equal(next(&c), 1023);
	assert_int_equal(next(&c), 0);
}

/* Saved events, page after page; each is told once. */
static void pages_come_late(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 0);
	bind_ports(f, 2100, 0);
	fake_send(f, 2100);
	fake_send(f, 1030);
	fake_send(f, 3);
	assert_int_equal(fake_unmask(f, 4), 0); /* nothing to be seen of it */
	assert_int_equal(fake_expand_array(f, ARRAY_GFN), 0);
	assert_int_equal(next(&c), 3);
	assert_int_equal(next(&c), 0);
	assert_int_equal(fake_expand_array(f, ARRAY_GFN + 1), 0);
	assert_int_equal(next(&c), 1030);
	assert_int_equal(next(&c), 0);
	assert_int_equal(fake_expand_array(f, ARRAY_GFN + 2), 0);
	assert_int_equal(next(&c), 2100);
	assert_int_equal(next(&c), 0);
}

/* Dropped: the guest must not unmask before. */
static void no_control_block(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_init_control(f, 0, CONTROL_GFN, 0), 0);
	assert_int_equal(fake_expand_array(f, ARRAY_GFN), 0);
	bind_ports(f, 1, 1);
	assert_int_equal(fake_send(f, 1), 0);
	assert_int_equal(*fake_fifo_word(f, 1), 0);
	assert_int_equal(f->vcpu[1].upcalls, 0);
	assert_int_equal(fake_init_control(f, 1, CONTROL_GFN + 1, 0), 0);
	assert_int_equal(fake_send(f, 1), 0);
	assert_int_equal(*fake_fifo_word(f, 1), PENDING | LINKED);
}

static void closing_clears_pending_only(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 1);
	bind_ports(f, 3, 0);
	fake_send(f, 1);
	fake_send(f, 2);
	fake_send(f, 3);
	assert_int_equal(fake_close(f, 2), 0);
	assert_int_equal(*fake_fifo_word(f, 2), LINKED | 3);
	/* It is in a queue: its number is not given out before it has left it. */
	assert_int_equal(fake_bind_ipi(f, 0), 4);
	assert_int_equal(next(&c), 1);
	assert_int_equal(next(&c), 3);
	assert_int_equal(fake_bind_ipi(f, 0), 2);
	/* A new port begins with the default priority. */
	assert_int_equal(fake_set_priority(f, 2, 1), 0);
	assert_int_equal(fake_close(f, 2), 0);
	assert_int_equal(fake_bind_ipi(f, 0), 2);
	fake_send(f, 2);
	assert_int_equal(fake_fifo_control(f, 0)->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
}

static void all_ports(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);
	const evtchn_port_t last = EVTCHN_FIFO_NR_CHANNELS - 1;

	fake_fifo_start(f, FAKE_FIFO_PAGES);
	bind_ports(f, last, 0);
	assert_int_equal(fake_bind_ipi(f, 0), -XEN_ENOSPC);
	assert_int_equal(fake_send(f, last), 0);
	assert_int_equal(fake_send(f, 1024), 0);
	assert_int_equal(*fake_fifo_word(f, last), PENDING | LINKED | 1024);
	assert_int_equal(next(&c), last);
	assert_int_equal(next(&c), 1024);
	assert_int_equal(fake_send(f, last + 1), -XEN_EINVAL);
	assert_int_equal(fake_close(f, 77777), 0);
	assert_int_equal(fake_alloc_unbound(f, DOMID_SELF, DOMID_SELF), 77777);
	assert_int_equal(fake_reset(f, DOMID_SELF), 0);
	assert_int_equal(fake_send(f, last), -XEN_EINVAL);
	assert_int_equal(fake_bind_ipi(f, 0), 1);
}

/* Back to bits, and to words once more: nothing is left of the first time. */
static void reset(void **state)
{
	struct fake *f = *state;
	struct fake_fifo_cpu c = cpu_of(f, 0);

	fake_fifo_start(f, 2);
	bind_ports(f, 3, 0);
	fake_send(f, 1);
	fake_send(f, 2);
	assert_int_equal(fake_reset(f, DOMID_SELF), 0);
	assert_int_equal(*fake_fifo_word(f, 1), LINKED | 2);
	assert_refused(f, fake_expand_array(f, ARRAY_GFN), XEN_EOPNOTSUPP);
	bind_ports(f, 2, 0);
	assert_int_equal(fake_set_priority(f, 1, 1), -XEN_ENOSYS);
	fake_send(f, 1);
	assert_true(fake_pending(f, 1));
	assert_int_equal(*fake_fifo_word(f, 1), LINKED | 2);
	fake_clear_pending(f, 1);
	fake_take_upcall(f, 0);

	memset(f->ram + FAKE_FIFO_CONTROL, 0, GUEST_PAGE_SIZE * FAKE_VCPUS);
	memset(f->ram + FAKE_FIFO_ARRAY, 0, GUEST_PAGE_SIZE);
	fake_fifo_start(f, 1);
	fake_send(f, 2);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	assert_int_equal(next(&c), 2);
	assert_int_equal(next(&c), 0);
}

/* What poll and the memory log hear. */
static unsigned woken;
static evtchn_port_t woken_by;

static void poll_wake(struct domain *d, evtchn_port_t port)
{
	(void)d;
	woken++;
	woken_by = port;
}

static void pollers_are_told(void **state)
{
	struct fake *f = *state;

	fake_fifo_start(f, 1);
	bind_ports(f, 2, 0);
	f->domain.events.poll_wake = poll_wake;
	woken = 0;
	fake_send(f, 1);
	assert_int_equal(woken, 0);
	f->domain.events.pollers = 1;
	*fake_fifo_word(f, 2) = MASKED;
	fake_send(f, 2);
	assert_int_equal(woken, 1);
	assert_int_equal(woken_by, 2);
	fake_send(f, 2); /* pending already */
	assert_int_equal(woken, 1);
}

/* Guest memory that goes away, and comes back: events are lost meanwhile, and nothing else. */
static void memory_that_goes(void **state)
{
	struct fake *f = *state;
	const uint64_t gfn = FAKE_HIGH >> GUEST_PAGE_SHIFT;

	assert_int_equal(fake_init_control(f, 0, CONTROL_GFN, 0), 0);
	assert_int_equal(fake_init_control(f, 1, gfn + 2, 0), 0);
	assert_int_equal(fake_expand_array(f, ARRAY_GFN), 0);
	assert_int_equal(fake_expand_array(f, gfn), 0);
	bind_ports(f, 1030, 0);
	assert_int_equal(fake_bind_ipi(f, 1), 1031);
	assert_int_equal(fake_bind_ipi(f, 0), 1032);
	fake_send(f, 1030); /* the tail is in what goes */
	assert_int_equal(fake_remove_memory(f, 1), 0);
	assert_int_equal(fake_send(f, 1029), 0);
	assert_int_equal(fake_send(f, 1031), 0);
	assert_int_equal(fake_unmask(f, 1029), 0);
	assert_int_equal(event_channel_poll(&f->domain, 1029), 0);
	assert_int_equal(fake_close(f, 1032), 0);
	/* Behind a tail that is gone: as if the queue were empty. */
	assert_int_equal(fake_send(f, 5), 0);
	assert_int_equal(fake_fifo_control(f, 0)->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 5);
	assert_int_equal(fake_add_memory(f, 1, FAKE_HIGH, FAKE_HIGH_SIZE, f->high), 0);
	assert_int_equal(fake_send(f, 1029), 0);
	assert_int_equal(((uint32_t *)f->high)[1029 - 1024], PENDING | LINKED);
	assert_int_equal(*fake_fifo_word(f, 5), PENDING | LINKED | 1029);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(init_control_errnos),
		TEST_BOTH(expand_array_errnos),
		TEST_BOTH(set_priority_errnos),
		TEST_BOTH(an_event_on_its_way),
		TEST_BOTH(ready_already),
		TEST_BOTH(masked_and_unmasked),
		TEST_64(unmask_links_what_is_pending),
		TEST_64(by_priority_then_by_time),
		TEST_64(moving_what_is_linked),
		TEST_64(the_tail_that_moved),
		TEST_64(as_the_model_says),
		TEST_BOTH(what_was_pending_before),
		TEST_64(pages_come_late),
		TEST_64(no_control_block),
		TEST_BOTH(closing_clears_pending_only),
		TEST_64(all_ports),
		TEST_BOTH(reset),
		TEST_64(pollers_are_told),
		TEST_64(memory_that_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
