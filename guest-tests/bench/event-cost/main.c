// SPDX-License-Identifier: BSD-2-Clause
/*
 * What events cost the guest. Without a command line: in TSC ticks, a line "COST name ticks" for
 * each operation, the least of several rounds' means. With "do=NAME,COUNT": that operation so many
 * times and the end, for one who counts the vCPU's exits from outside. The word "fifo" on the
 * command line has it all with FIFO events.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the cost of events";

#define ROUNDS 8
#define CALLS  500

static uint8_t control_page[PAGE_SIZE] PAGE_ALIGNED;
static event_word_t words[PAGE_SIZE / sizeof(event_word_t)] PAGE_ALIGNED;
static bool fifo;
static struct evtchn_send send_op;
static struct evtchn_unmask unmask_op;
static struct vcpu_set_singleshot_timer timer_op;

static void use_fifo(void)
{
	struct evtchn_init_control init = {.control_gfn = (unsigned long)control_page / PAGE_SIZE};
	struct evtchn_expand_array expand = {.array_gfn = (unsigned long)words / PAGE_SIZE};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_init_control, &init), 0);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_expand_array, &expand), 0);
}

/* What a kernel does with the one event there is, in the few instructions that this takes. */
static void consume(void)
{
	struct evtchn_fifo_control_block *control = (void *)control_page;

	__atomic_exchange_n(&vcpu_info()->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	if (fifo) {
		__atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
		__atomic_exchange_n(&words[send_op.port], 0, __ATOMIC_SEQ_CST);
	} else {
		__atomic_exchange_n(&vcpu_info()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		port_test_and_clear_pending(send_op.port);
	}
}

static void send(void)
{
	hypercall_event_channel_op(EVTCHNOP_send, &send_op);
}

static void send_new(void)
{
	send();
	consume();
}

/* A port that is masked and not pending, so that nothing follows. */
static void unmask(void)
{
	hypercall_event_channel_op(EVTCHNOP_unmask, &unmask_op);
}

/* Far away. */
static void set_singleshot_timer(void)
{
	timer_op.timeout_abs_ns += 1000;
	hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer_op);
}

/* The upcall that it waits for is there already. */
static void block(void)
{
	send();
	__asm__ volatile("sti");
	hypercall_sched_op(SCHEDOP_block, NULL);
	__asm__ volatile("cli");
	consume();
}

static void absent_port(void)
{
	outb(0x10, 0);
}

static const struct operation {
	const char *name;
	void (*call)(void);
} operations[] = {
	{"send-again", send},      {"send", send_new},
	{"unmask", unmask},        {"set-singleshot-timer", set_singleshot_timer},
	{"send-and-block", block}, {"absent-port", absent_port},
};

static uint64_t mean_cost(void (*call)(void))
{
	uint64_t start = rdtsc();

	for (int i = 0; i < CALLS; i++)
		call();
	return (rdtsc() - start) / CALLS;
}

static void measure(const struct operation *op)
{
	uint64_t best = ~0ULL;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t cost = mean_cost(op->call);

		if (cost < best)
			best = cost;
	}
	consume();
	printf("COST %s %lu\n", op->name, (unsigned long)best);
}

/* The number behind "NAME,"; 0: that is not how `what` begins. */
static unsigned int count_of(const char *what, const char *name)
{
	unsigned int count = 0;

	while (*name && *what == *name) {
		what++;
		name++;
	}
	if (*name || *what != ',')
		return 0;
	for (what++; *what >= '0' && *what <= '9'; what++)
		count = count * 10 + (unsigned int)(*what - '0');
	return count;
}

static void run_only(const char *what)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++)
		for (unsigned int n = count_of(what, operations[i].name); n; n--)
			operations[i].call();
}

void test_main(void)
{
	const char *line = start_info_cmdline(), *what = strstr(line, "do=");
	long rc;

	fifo = strstr(line, "fifo") != NULL;
	if (fifo)
		use_fifo();
	rc = evtchn_bind_ipi(0);
	CHECK(rc > 0, "bind_ipi: %ld", rc);
	unmask_op.port = send_op.port = (evtchn_port_t)rc;
	timer_op.timeout_abs_ns = clock_now() + 1000000000000ULL;
	for (unsigned int i = 0; !what && i < ARRAY_SIZE(operations); i++)
		measure(&operations[i]);
	if (what)
		run_only(what + 3);
	test_success();
}
