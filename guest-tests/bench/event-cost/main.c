// SPDX-License-Identifier: BSD-2-Clause
/*
 * What events cost the guest. Without a command line: in TSC ticks, a line "COST name ticks" for
 * each operation, the least of several rounds' means. With "do=NAME,COUNT": that operation so many
 * times and the end, for one who counts the vCPU's exits from outside. Other words there: "fifo",
 * for FIFO events; "callback", for a callback vector, so that each event would interrupt;
 * "two-vcpus", for IPIs between two vCPUs.
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

/*
 * IPIs between two vCPUs that sleep until theirs comes, each with an upcall vector of its own.
 */

#define VECTOR 0xf4

static evtchn_port_t port_of_cpu[2];
static uint32_t came[2], partner_is_there, partner_shall_end;

static void ipi(struct trap_frame *frame)
{
	struct vcpu_info *v = &shared_info_map()->vcpu_info[cpu_number()];

	(void)frame;
	__atomic_exchange_n(&v->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	__atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	if (port_test_and_clear_pending(port_of_cpu[cpu_number()]))
		__atomic_store_n(&came[cpu_number()], 1, __ATOMIC_SEQ_CST);
	lapic_eoi();
}

static void wait_for_ipi(void)
{
	while (!__atomic_exchange_n(&came[cpu_number()], 0, __ATOMIC_SEQ_CST))
		irq_wait();
}

static void answer(void *unused)
{
	(void)unused;
	lapic_init();
	__atomic_store_n(&partner_is_there, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		wait_for_ipi();
		if (__atomic_load_n(&partner_shall_end, __ATOMIC_SEQ_CST))
			return;
		evtchn_send(port_of_cpu[0]);
	}
}

static void ping_pong(void)
{
	evtchn_send(port_of_cpu[1]);
	wait_for_ipi();
}

static void bind_port_of(unsigned int cpu)
{
	long rc;

	CHECK_EQ(set_upcall_vector(cpu, VECTOR), 0);
	rc = evtchn_bind_ipi(cpu);
	CHECK(rc > 0, "bind_ipi: %ld", rc);
	port_of_cpu[cpu] = (evtchn_port_t)rc;
}

/* Ports are bound when nobody waits by SCHEDOP_poll: then KVM may send to them. */
static void start_ping_pong(void)
{
	lapic_init();
	irq_set_handler(VECTOR, ipi);
	if (!smp_start(1, SMP_BY_CONTEXT))
		return;
	smp_run(1, answer, NULL);
	while (!__atomic_load_n(&partner_is_there, __ATOMIC_SEQ_CST))
		smp_relax();
	bind_port_of(0);
	bind_port_of(1);
	for (unsigned int i = 0; i < 10; i++)
		ping_pong();
}

static void end_ping_pong(void)
{
	__atomic_store_n(&partner_shall_end, 1, __ATOMIC_SEQ_CST);
	evtchn_send(port_of_cpu[1]);
	CHECK(smp_wait(1, 5000), "the other vCPU does not stop");
}

static const struct operation {
	const char *name;
	void (*call)(void);
} operations[] = {
	{"send-again", send},      {"send", send_new},
	{"unmask", unmask},        {"set-singleshot-timer", set_singleshot_timer},
	{"send-and-block", block}, {"absent-port", absent_port},
};
static const struct operation between_two = {"ipi-round-trip", ping_pong};

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
	for (unsigned int n = count_of(what, between_two.name); n; n--)
		between_two.call();
}

static void of_one_vcpu(const char *what)
{
	/* The upcall is there already in send-and-block: it must not be taken before. */
	const bool interrupts = strstr(start_info_cmdline(), "callback");
	long rc;

	if (interrupts)
		CHECK_EQ(set_callback_vector(VECTOR), 0);
	rc = evtchn_bind_ipi(0);
	CHECK(rc > 0, "bind_ipi: %ld", rc);
	unmask_op.port = send_op.port = (evtchn_port_t)rc;
	timer_op.timeout_abs_ns = clock_now() + 1000000000000ULL;
	for (unsigned int i = 0; !what && i < ARRAY_SIZE(operations); i++)
		if (!interrupts || operations[i].call != block)
			measure(&operations[i]);
	if (what)
		run_only(what);
}

static void of_two_vcpus(const char *what)
{
	start_ping_pong();
	if (what)
		run_only(what);
	else
		measure(&between_two);
	end_ping_pong();
}

void test_main(void)
{
	const char *line = start_info_cmdline(), *what = strstr(line, "do=");

	if (what)
		what += strlen("do=");
	fifo = strstr(line, "fifo") != NULL;
	if (fifo)
		use_fifo();
	if (strstr(line, "two-vcpus"))
		of_two_vcpus(what);
	else
		of_one_vcpu(what);
	test_success();
}
