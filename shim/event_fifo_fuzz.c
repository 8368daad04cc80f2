// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that does anything with event channels of the FIFO kind: operations, the contents of
 * words and control blocks, memory that goes and comes, all of the fuzzer's choice. After each step
 * the tables agree, and queues end where ports are.
 *
 * The input is read front to back; where it ends everything is 0, so any bytes are a sequence.
 */
#include <string.h>

#include "shim/event_fifo.h"
#include "shim/event_port.h"
#include "shim/fake_fifo.h"
#include "shim/fuzz_input.h"
#include "shim/shared_info.h"

#define MAX_STEPS 300

/* Frames for control blocks and pages: in low RAM, in the RAM that goes, and where there is none.
 */
static const uint64_t frames[] = {
	FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT,
	(FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT) + 1,
	FAKE_FIFO_ARRAY >> GUEST_PAGE_SHIFT,
	(FAKE_FIFO_ARRAY >> GUEST_PAGE_SHIFT) + 1,
	FAKE_HIGH >> GUEST_PAGE_SHIFT,
	(FAKE_HIGH >> GUEST_PAGE_SHIFT) + 1,
	(FAKE_RAM_SIZE >> GUEST_PAGE_SHIFT) - 1,
	FAKE_HOLE >> GUEST_PAGE_SHIFT,
	UINT64_MAX,
};

struct fuzz {
	struct fake *f;
	struct input in;
	bool high_gone;
	int backend_port;
};

static void notify(void *opaque)
{
	(void)opaque;
}

static const struct port_backend backend = {.notify = notify};

static evtchn_port_t port(struct fuzz *z)
{
	evtchn_port_t p = take(&z->in, 1);

	return p < 0xf0 ? p % 80 : (evtchn_port_t)take(&z->in, 3);
}

static uint32_t vcpu(struct fuzz *z)
{
	return take(&z->in, 1) % (FAKE_VCPUS + 1);
}

static uint64_t frame(struct fuzz *z)
{
	return frames[take(&z->in, 1) % ARRAY_SIZE(frames)];
}

static long step_control(struct fuzz *z)
{
	static const uint32_t offsets[] = {0, 8, 72, 4024, 4028, 4032, 1};
	struct fake *f = z->f;

	switch (take(&z->in, 1) % 8) {
	case 0:
	case 1:
	case 2:
		return fake_init_control(f, vcpu(z), frame(z),
					 offsets[take(&z->in, 1) % ARRAY_SIZE(offsets)]);
	case 3:
		return fake_reset(f, DOMID_SELF);
	case 4:
		domain_latch_word_size(&f->domain, take(&z->in, 1) & 1);
		return 0;
	default:
		return fake_expand_array(f, frame(z));
	}
}

static long step_bind(struct fuzz *z)
{
	struct fake *f = z->f;

	switch (take(&z->in, 1) % 6) {
	case 0:
		return fake_alloc_unbound(f, DOMID_SELF, take(&z->in, 1) & 1 ? DOMID_SELF : 0);
	case 1:
		return fake_bind_interdomain(f, take(&z->in, 1) & 1 ? DOMID_SELF : 0, port(z));
	case 2:
		return fake_bind_virq(f, take(&z->in, 1) % (NR_VIRQS + 1), vcpu(z));
	case 3:
		return fake_bind_pirq(f, take(&z->in, 1));
	case 4:
		return fake_close(f, port(z));
	default:
		return fake_bind_ipi(f, vcpu(z));
	}
}

static long step_use(struct fuzz *z)
{
	struct fake *f = z->f;

	switch (take(&z->in, 1) % 7) {
	case 0:
		return fake_unmask(f, port(z));
	case 1:
		return fake_bind_vcpu(f, port(z), vcpu(z));
	case 2:
		return fake_set_priority(f, port(z), take(&z->in, 1) % 17);
	case 3:
		event_channel_raise_virq(f->domain.vcpus[vcpu(z) % FAKE_VCPUS],
					 take(&z->in, 1) % NR_VIRQS);
		return 0;
	case 4:
		event_channel_notify_guest(&f->domain, z->backend_port, &backend);
		return 0;
	default:
		return fake_send(f, port(z));
	}
}

/* A word or a few, of the frames that may be in use. */
static void step_memory(struct fuzz *z)
{
	uint64_t at = frame(z) << GUEST_PAGE_SHIFT | (take(&z->in, 2) & 0xffc);
	uint8_t *to = fake_at(z->f, at);
	unsigned words = take(&z->in, 1) % 8 + 1;

	for (unsigned i = 0; to && i < words && (at & 0xfff) + 4 * i < GUEST_PAGE_SIZE; i++) {
		uint32_t word = take(&z->in, 1);

		/* Likely ones: all four flags, and a link that is near. */
		word = (word & 0xf0) << 24 | (word & 0x0f);
		if ((word & 0xf) == 0xf)
			word = take(&z->in, 4);
		memcpy(to + 4 * i, &word, sizeof(word));
	}
}

static void step_slots(struct fuzz *z)
{
	struct fake *f = z->f;
	int rc = z->high_gone ? fake_add_memory(f, 1, FAKE_HIGH, FAKE_HIGH_SIZE, f->high)
			      : fake_remove_memory(f, 1);

	if (rc)
		fail("slots: %d\n", rc);
	z->high_gone = !z->high_gone;
}

/* As a kernel does, at most so many: a guest may have made a loop for itself. */
static void step_consume(struct fuzz *z)
{
	struct fake_fifo_cpu c = {.f = z->f, .vcpu = vcpu(z) % FAKE_VCPUS};
	uint32_t *ready = &fake_fifo_control(z->f, c.vcpu)->ready;
	bool due;

	*ready &= 0xffff;
	for (unsigned i = 0; i < 32; i++) {
		for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			fake_fifo_control(z->f, c.vcpu)->head[q] %= 1024;
		for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			c.head[q] %= 1024;
		if (!fake_fifo_next(&c, &due))
			break;
	}
}

static void check_port(const struct domain *d, evtchn_port_t i)
{
	const struct port *p = port_lookup(&d->events, i);
	const struct port_binding b = port_binding(p);

	if ((b.state == PORT_RESERVED) != (i == 0) || b.state == PORT_CLOSING)
		fail("port %u has state %u\n", i, b.state);
	if (b.vcpu >= d->nr_vcpus || p->priority > EVTCHN_FIFO_PRIORITY_MIN)
		fail("port %u: vCPU %u, priority %u\n", i, b.vcpu, p->priority);
	if (p->last_queue >> 8 >= d->nr_vcpus || (p->last_queue & 0xff) >= EVTCHN_FIFO_MAX_QUEUES)
		fail("port %u was in queue %#x\n", i, p->last_queue);
}

static void check(const struct fuzz *z)
{
	const struct event_channels *e = &z->f->domain.events;

	for (evtchn_port_t i = 0; i < e->valid; i++)
		check_port(&z->f->domain, i);
	for (evtchn_port_t i = 1; i < e->lowest_free; i++)
		if (port_binding(port_lookup(e, i)).state == PORT_FREE)
			fail("port %u is free, below %u\n", i, e->lowest_free);
	if (!e->fifo)
		return;
	for (unsigned v = 0; v < FAKE_VCPUS; v++)
		for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			if (e->fifo->vcpus[v].queue[q].tail >=
			    (e->fifo->nr_pages * FIFO_WORDS_PER_PAGE ?: 1))
				fail("vCPU %u: tail %u\n", v, e->fifo->vcpus[v].queue[q].tail);
}

static void step(struct fuzz *z)
{
	long rc = 0;

	switch (take(&z->in, 1) % 16) {
	case 0:
	case 1:
		rc = step_control(z);
		break;
	case 2:
	case 3:
	case 4:
		rc = step_bind(z);
		break;
	case 5:
	case 6:
		step_memory(z);
		break;
	case 7:
		step_consume(z);
		break;
	case 8:
		step_slots(z);
		break;
	default:
		rc = step_use(z);
	}
	if (rc < 0 && rc < -XEN_EISCONN)
		fail("result %ld\n", rc);
	check(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = {.in = {data, size}};
	uint8_t modes = take(&z.in, 1);

	z.f = fake_create(modes & 1);
	if (!z.f)
		fail("no memory for a fake\n");
	z.backend_port = event_channel_bind_backend(&z.f->domain, &backend);
	if (modes & 2)
		fake_fifo_start(z.f, 1);
	for (unsigned i = 0; i < MAX_STEPS && z.in.left; i++)
		step(&z);
	fake_destroy(z.f);
	return 0;
}
