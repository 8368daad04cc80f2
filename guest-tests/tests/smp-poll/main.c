// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vCPU that waits in SCHEDOP_poll for a port that is masked is woken when another vCPU sends to
 * it: so Linux's paravirtual spinlocks hand a lock over ("kick"), interrupts off. A kick that comes
 * before the poll ends it at once; one that is lost is a lock that nobody takes.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "SCHEDOP_poll is woken by a masked port to which another vCPU sends";

#define MS     1000000ULL
#define ROUNDS 300U
#define CPUS   8

static evtchn_port_t port[CPUS];
static unsigned int nr_cpus;
static volatile uint32_t turn; /* whose it is, counting on */

static long poll(evtchn_port_t *ports, unsigned int n, uint64_t timeout)
{
	struct sched_poll arg = {.nr_ports = n, .timeout = timeout};

	arg.ports.p = ports;
	return hypercall_sched_op(SCHEDOP_poll, &arg);
}

/* As a spinlock's slow path does it. */
static void wait_for_turn(unsigned int mine)
{
	unsigned int me = cpu_number();

	while (READ_ONCE(turn) != mine) {
		port_test_and_clear_pending(port[me]);
		if (READ_ONCE(turn) == mine)
			break;
		CHECK_EQ(poll(&port[me], 1, 0), 0);
	}
	port_test_and_clear_pending(port[me]);
}

static void pass_on(void *unused)
{
	(void)unused;
	for (unsigned int mine = cpu_number(); mine < ROUNDS; mine += nr_cpus) {
		wait_for_turn(mine);
		WRITE_ONCE(turn, mine + 1);
		CHECK_EQ(evtchn_send(port[(mine + 1) % nr_cpus]), 0);
	}
}

static void kicks(void)
{
	uint64_t start = clock_now();

	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, pass_on, NULL);
	pass_on(NULL);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	CHECK_EQ(turn, ROUNDS);
	printf("%u kicks, %llu us each\n", ROUNDS,
	       (unsigned long long)(clock_now() - start) / 1000 / ROUNDS);
}

/* One of several ports; and two vCPUs that wait for the same one. */
static evtchn_port_t common[3];
static uint32_t awake;

static void wait_for_any(void *unused)
{
	(void)unused;
	CHECK_EQ(poll(common, ARRAY_SIZE(common), 0), 0);
	CHECK(port_is_pending(common[1]), "awake, but the port is not pending");
	__atomic_fetch_add(&awake, 1, __ATOMIC_SEQ_CST);
}

static void several(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(common); i++) {
		common[i] = (evtchn_port_t)evtchn_bind_ipi(0);
		port_set_mask(common[i], true);
	}
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, wait_for_any, NULL);
	smp_sleep_until(clock_now() + 30 * MS);
	CHECK_EQ(awake, 0);
	CHECK_EQ(evtchn_send(common[1]), 0);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	CHECK_EQ(awake, nr_cpus - 1);
}

/* What another vCPU's event is, does not end it: the timeout does. */
static void not_by_others(void *arg)
{
	uint64_t until = clock_now() + 30 * MS;

	CHECK_EQ(poll(arg, 1, until), 0);
	CHECK(clock_now() >= until, "woken %llu ns before the timeout",
	      (unsigned long long)(until - clock_now()));
}

void test_main(void)
{
	nr_cpus = smp_cpus_up_to(CPUS);
	if (!nr_cpus)
		return;
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	if (!smp_start_all(SMP_BY_SIPI))
		return;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		long rc = evtchn_bind_ipi(cpu);

		CHECK(rc > 0, "bind_ipi: %ld", rc);
		port[cpu] = (evtchn_port_t)rc;
	}
	kicks();
	several();
	port_test_and_clear_pending(port[1]);
	smp_run(1, not_by_others, &port[1]);
	for (unsigned int i = 0; i < 20; i++)
		CHECK_EQ(evtchn_send(port[0]), 0);
	smp_wait(1, 5000);
	test_success();
}
