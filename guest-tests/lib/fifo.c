// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/fifo.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/traps.h"

/* Off the beginning of the page, where a mistaken offset would be. */
#define CONTROL_OFFSET 256

event_word_t fifo_word[2 * FIFO_PAGE_WORDS] PAGE_ALIGNED;

static uint8_t control_page[8][PAGE_SIZE] PAGE_ALIGNED;

/* What a vCPU remembers. */
static struct {
	evtchn_port_t head[EVTCHN_FIFO_MAX_QUEUES];
	uint32_t ready;
} own[ARRAY_SIZE(control_page)];

long fifo_init_control(uint32_t vcpu, const void *page, uint32_t offset)
{
	struct evtchn_init_control op = {
		.control_gfn = frame_of(page), .offset = offset, .vcpu = vcpu};
	long rc = hypercall_event_channel_op(EVTCHNOP_init_control, &op);

	if (!rc)
		CHECK_EQ(op.link_bits, EVTCHN_FIFO_LINK_BITS);
	return rc;
}

long fifo_expand_array(const void *page)
{
	struct evtchn_expand_array op = {.array_gfn = frame_of(page)};

	return hypercall_event_channel_op(EVTCHNOP_expand_array, &op);
}

long fifo_set_priority(evtchn_port_t port, uint32_t priority)
{
	struct evtchn_set_priority op = {.port = port, .priority = priority};

	return hypercall_event_channel_op(EVTCHNOP_set_priority, &op);
}

struct evtchn_fifo_control_block *fifo_control(unsigned int cpu)
{
	return (struct evtchn_fifo_control_block *)(control_page[cpu] + CONTROL_OFFSET);
}

void fifo_start(unsigned int cpus)
{
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		CHECK_EQ(fifo_init_control(cpu, control_page[cpu], CONTROL_OFFSET), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(fifo_word); i++)
		fifo_word[i] = FIFO_MASKED;
	CHECK_EQ(fifo_expand_array(fifo_word), 0);
}

event_word_t fifo_take(evtchn_port_t port, event_word_t bits)
{
	return __atomic_fetch_and(&fifo_word[port], ~bits, __ATOMIC_SEQ_CST);
}

bool fifo_mask(evtchn_port_t port)
{
	return !(__atomic_fetch_or(&fifo_word[port], FIFO_MASKED, __ATOMIC_SEQ_CST) & FIFO_MASKED);
}

/* Unlink the first of a queue. */
static evtchn_port_t pop(unsigned int cpu, unsigned int q)
{
	evtchn_port_t p = own[cpu].head[q] ?: READ_ONCE(fifo_control(cpu)->head[q]);

	own[cpu].head[q] =
		fifo_take(p, FIFO_LINKED | EVTCHN_FIFO_LINK_MASK) & EVTCHN_FIFO_LINK_MASK;
	if (!own[cpu].head[q])
		own[cpu].ready &= ~(1u << q);
	return p;
}

evtchn_port_t fifo_next(void)
{
	unsigned int cpu = cpu_number();

	for (;;) {
		evtchn_port_t p;

		own[cpu].ready |=
			__atomic_exchange_n(&fifo_control(cpu)->ready, 0, __ATOMIC_SEQ_CST);
		if (!own[cpu].ready)
			return 0;
		p = pop(cpu, (unsigned int)__builtin_ctz(own[cpu].ready));
		if (READ_ONCE(fifo_word[p]) & FIFO_MASKED)
			continue;
		if (fifo_take(p, FIFO_PENDING) & FIFO_PENDING)
			return p;
	}
}

unsigned int fifo_drain(void (*fn)(evtchn_port_t port))
{
	unsigned int n = 0;
	evtchn_port_t p;

	WRITE_ONCE(vcpu_info()->evtchn_upcall_pending, 0);
	/* The flag is set after a queue is made ready: it is to be down before we look. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while ((p = fifo_next())) {
		if (fn)
			fn(p);
		n++;
	}
	return n;
}
