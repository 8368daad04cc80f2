// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whoever sleeps is woken. Several vCPUs do, as an idle Linux does, what ends in a sleep: they set
 * the singleshot timer, ask another for an answer, or both, and block; ask, and poll for a port
 * that stays masked, with upcalls or without, as its locks do; or compute until an event interrupts
 * them. Each waits for what it asked for and nothing else, so what is lost is missed for ever.
 * vCPU 0 sees that, between the timeouts of its polls. Xen: vcpu_block(), do_poll(),
 * vcpu_unblock(), vcpu_wake().
 *
 * "rounds=N" on the command line: so many in place of a few.
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "vCPUs that sleep are woken by timers, by others, and out of a poll";

#define US       1000ULL
#define SEC      1000000000ULL
#define CPUS     5U
#define WORKERS  (CPUS - 1)
#define ROUNDS   500U
#define LONGEST  (600 * US)
#define PATIENCE (20 * SEC)
#define GLANCE   (10000 * US)

enum wait { TIMER, ANSWER, BOTH, POLL, POLL_MASKED, COMPUTE, WAITS };

/* Of each vCPU; the first only has `ask`, which comes from each other one: `polls` says how that
 * wants its answer. */
static struct worker {
	evtchn_port_t timer, kick, answer, ask[CPUS];
	bool polls;
	uint32_t timers, answers, rounds, random;
	enum wait now;
	bool done;
} workers[CPUS];

static uint32_t rounds = ROUNDS;
static bool stop;

static uint32_t random_below(struct worker *w, uint32_t limit)
{
	w->random = w->random * 1664525 + 1013904223;
	return (w->random >> 8) % limit;
}

static void answer(struct worker *asker)
{
	if (__atomic_load_n(&asker->polls, __ATOMIC_SEQ_CST))
		evtchn_send(asker->kick);
	else
		evtchn_send(asker->answer);
}

static void came(evtchn_port_t port)
{
	struct worker *me = &workers[cpu_number()];

	if (port == me->timer)
		me->timers++;
	else if (port == me->answer)
		me->answers++;
	else
		for (unsigned int cpu = 1; cpu < CPUS; cpu++)
			if (port == me->ask[cpu])
				answer(&workers[cpu]);
}

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	fifo_drain(came);
}

static void set_timer(struct worker *me)
{
	struct vcpu_set_singleshot_timer shot = {.timeout_abs_ns =
							 clock_now() + random_below(me, LONGEST)};

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, cpu_number(), &shot), 0);
}

static void ask(unsigned int other)
{
	CHECK_EQ(evtchn_send(workers[other].ask[cpu_number()]), 0);
}

static unsigned int another(struct worker *me)
{
	return 1 + (cpu_number() + random_below(me, WORKERS - 1)) % WORKERS;
}

/* Events are masked but while it sleeps, which takes the mask off. */
static void block(void)
{
	hypercall_sched_op(SCHEDOP_block, NULL);
	events_mask();
}

/* Until these counts are there. */
static void block_until(struct worker *me, uint32_t timers, uint32_t answers)
{
	while (READ_ONCE(me->timers) != timers || READ_ONCE(me->answers) != answers)
		block();
}

/* Who can't be asked meanwhile asks vCPU 0, which waits for nobody. */
static void poll_for_kick(struct worker *me, bool masked)
{
	struct sched_poll poll = {.nr_ports = 1};

	set_xen_guest_handle(poll.ports, &me->kick);
	__atomic_store_n(&me->polls, true, __ATOMIC_SEQ_CST);
	ask(masked ? 0 : another(me));
	if (!masked)
		events_unmask();
	while (!(fifo_take(me->kick, FIFO_PENDING) & FIFO_PENDING))
		hypercall_sched_op(SCHEDOP_poll, &poll);
	events_mask();
	__atomic_store_n(&me->polls, false, __ATOMIC_SEQ_CST);
}

static void compute_until(struct worker *me, uint32_t timers)
{
	events_unmask();
	while (READ_ONCE(me->timers) != timers)
		pause();
	events_mask();
}

static void one_round(struct worker *me)
{
	uint32_t timers = me->timers, answers = me->answers;

	WRITE_ONCE(me->now, random_below(me, WAITS));
	if (me->now == TIMER || me->now == BOTH || me->now == COMPUTE)
		timers++, set_timer(me);
	if (me->now == ANSWER || me->now == BOTH)
		answers++, ask(another(me));
	if (me->now == POLL || me->now == POLL_MASKED)
		poll_for_kick(me, me->now == POLL_MASKED);
	else if (me->now == COMPUTE)
		compute_until(me, timers);
	else
		block_until(me, timers, answers);
}

static void work(void *unused)
{
	struct worker *me = &workers[cpu_number()];

	(void)unused;
	/* Of the tick with which it began. */
	events_unmask();
	events_mask();
	for (uint32_t i = 0; i < rounds && !READ_ONCE(stop); i++) {
		one_round(me);
		WRITE_ONCE(me->rounds, me->rounds + 1);
	}
	__atomic_store_n(&me->done, true, __ATOMIC_RELEASE);
	/* The others may still ask. */
	while (!READ_ONCE(stop))
		block();
}

static void report_stall(unsigned int cpu)
{
	const struct worker *w = &workers[cpu];
	const struct vcpu_info *info = vcpu_info_of(cpu);
	struct vcpu_runstate_info state = {0};

	hypercall_vcpu_op(VCPUOP_get_runstate_info, cpu, &state);
	CHECK(false,
	      "vCPU %u sleeps on: wait %d of round %u; events pending %u, masked %u; runstate %d",
	      cpu, w->now, w->rounds, info->evtchn_upcall_pending, info->evtchn_upcall_mask,
	      state.state);
	printf("timers %u, answers %u; words: timer %#x, answer %#x, kick %#x; ready %#x\n",
	       w->timers, w->answers, fifo_word[w->timer], fifo_word[w->answer], fifo_word[w->kick],
	       fifo_control(cpu)->ready);
}

static bool all_done(void)
{
	bool all = true;

	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		all &= __atomic_load_n(&workers[cpu].done, __ATOMIC_ACQUIRE);
	return all;
}

/* Has one that is not done not got on for long? */
static bool one_stalls(void)
{
	static uint32_t seen[CPUS];
	static uint64_t since[CPUS];
	uint64_t now = clock_now();
	bool stalls = false;

	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		uint32_t n = READ_ONCE(workers[cpu].rounds);

		if (n != seen[cpu] || !since[cpu] || workers[cpu].done) {
			seen[cpu] = n;
			since[cpu] = now;
		} else if (now - since[cpu] > PATIENCE) {
			report_stall(cpu);
			stalls = true;
		}
	}
	return stalls;
}

static evtchn_port_t open(long port)
{
	CHECK(port > 0, "a port: %ld", port);
	CHECK_EQ(evtchn_unmask((evtchn_port_t)port), 0);
	return (evtchn_port_t)port;
}

static void set_up(unsigned int cpu)
{
	struct worker *w = &workers[cpu];

	w->random = cpu * 7919 + 17;
	for (unsigned int from = 1; from < CPUS; from++)
		w->ask[from] = open(evtchn_bind_ipi(cpu));
	if (!cpu)
		return;
	w->timer = open(evtchn_bind_virq(VIRQ_TIMER, cpu));
	w->answer = open(evtchn_bind_ipi(cpu));
	w->kick = (evtchn_port_t)evtchn_bind_ipi(cpu);
}

static void read_rounds(void)
{
	const char *at = strstr((const char *)pv_start_info()->cmd_line, "rounds=");

	if (!at)
		return;
	rounds = 0;
	for (at += strlen("rounds="); *at >= '0' && *at <= '9'; at++)
		rounds = rounds * 10 + (uint32_t)(*at - '0');
}

void test_main(void)
{
	read_rounds();
	irq_set_handler(VECTOR_EVENT, upcall);
	fifo_start(CPUS);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		set_up(cpu);
	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		smp_run(cpu, work, NULL);
	while (!all_done() && !one_stalls()) {
		struct sched_poll sleep = {.timeout = clock_now() + GLANCE};

		events_unmask();
		hypercall_sched_op(SCHEDOP_poll, &sleep);
		events_mask();
	}
	WRITE_ONCE(stop, true);
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		evtchn_send(workers[cpu].answer);
		evtchn_send(workers[cpu].kick);
	}
	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		smp_wait(cpu);
	test_success();
}
