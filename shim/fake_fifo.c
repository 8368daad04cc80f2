// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_fifo.h"

#include <stdlib.h>

#define WORDS (GUEST_PAGE_SIZE / sizeof(uint32_t))

long fake_init_control(struct fake *f, uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
	struct evtchn_init_control op = {.control_gfn = gfn, .offset = offset, .vcpu = vcpu};
	long rc = fake_op(f, __HYPERVISOR_event_channel_op, EVTCHNOP_init_control, &op, sizeof(op));

	if (!rc && op.link_bits != EVTCHN_FIFO_LINK_BITS)
		abort();
	return rc;
}

long fake_expand_array(struct fake *f, uint64_t gfn)
{
	struct evtchn_expand_array op = {.array_gfn = gfn};

	return fake_op(f, __HYPERVISOR_event_channel_op, EVTCHNOP_expand_array, &op, sizeof(op));
}

void fake_fifo_start(struct fake *f, unsigned pages)
{
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		if (fake_init_control(f, i, (FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT) + i, 0))
			abort();
	for (unsigned i = 0; i < pages; i++)
		if (fake_expand_array(f, (FAKE_FIFO_ARRAY >> GUEST_PAGE_SHIFT) + i))
			abort();
}

uint32_t *fake_fifo_word(struct fake *f, evtchn_port_t port)
{
	return (uint32_t *)(f->ram + FAKE_FIFO_ARRAY) + port;
}

struct evtchn_fifo_control_block *fake_fifo_control(struct fake *f, unsigned vcpu)
{
	uint8_t *page = f->ram + FAKE_FIFO_CONTROL + (uint64_t)vcpu * GUEST_PAGE_SIZE;

	return (struct evtchn_fifo_control_block *)page;
}

static void look_at_ready(struct fake_fifo_cpu *c)
{
	c->ready |=
		__atomic_exchange_n(&fake_fifo_control(c->f, c->vcpu)->ready, 0, __ATOMIC_SEQ_CST);
}

evtchn_port_t fake_fifo_next(struct fake_fifo_cpu *c, bool *due)
{
	const uint32_t pending = 1u << EVTCHN_FIFO_PENDING, masked = 1u << EVTCHN_FIFO_MASKED;
	uint32_t *word, old;
	unsigned q;
	evtchn_port_t port;

	look_at_ready(c);
	if (!c->ready)
		return 0;
	q = __builtin_ctz(c->ready);
	port = c->head[q];
	if (!port)
		port = __atomic_load_n(&fake_fifo_control(c->f, c->vcpu)->head[q],
				       __ATOMIC_SEQ_CST);
	word = fake_fifo_word(c->f, port);
	old = __atomic_fetch_and(word, ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK),
				 __ATOMIC_SEQ_CST);
	c->head[q] = old & EVTCHN_FIFO_LINK_MASK;
	if (!c->head[q])
		c->ready &= ~(1u << q);
	*due = !(__atomic_load_n(word, __ATOMIC_SEQ_CST) & masked) &&
	       __atomic_fetch_and(word, ~pending, __ATOMIC_SEQ_CST) & pending;
	return port;
}
