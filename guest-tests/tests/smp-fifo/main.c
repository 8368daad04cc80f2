// SPDX-License-Identifier: BSD-2-Clause
/*
 * FIFO events with several vCPUs: each has its queues, in each the order is by priority and then by
 * time, whoever sends; a port that moves to another vCPU goes to its queues; control blocks are one
 * for each vCPU.
 *
 * A port that is moved while its event waits in a queue stays there until it has been taken (Xen:
 * evtchn_fifo_set_pending(), lock_old_queue()).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "FIFO events on several vCPUs: queues, priorities, moves";

#define CPUS  8
#define PORTS 12

static unsigned int nr_cpus;
static evtchn_port_t port[CPUS][PORTS];
static const uint8_t priority[PORTS] = {7, 3, 15, 7, 0, 3, 7, 12, 0, 15, 12, 1};

static evtchn_port_t taken[CPUS][PORTS + 1];
static unsigned int nr_taken[CPUS];

static void note(evtchn_port_t p)
{
	unsigned int me = cpu_number();

	if (nr_taken[me] < ARRAY_SIZE(taken[me]))
		taken[me][nr_taken[me]++] = p;
}

static void take(void *unused)
{
	(void)unused;
	nr_taken[cpu_number()] = 0;
	fifo_drain(note);
}

static void take_on(unsigned int cpu)
{
	if (cpu)
		smp_call(cpu, take, NULL);
	else
		take(NULL);
}

static evtchn_port_t open(void)
{
	long rc = evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF);

	CHECK(rc > 0, "alloc_unbound: %ld", rc);
	return (evtchn_port_t)rc;
}

/* Channels whose other end sends; this end moves. */
static evtchn_port_t peer[CPUS][PORTS];

static void make_ports(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		for (unsigned int i = 0; i < PORTS; i++) {
			evtchn_port_t p = open();
			long rc = evtchn_bind_interdomain(DOMID_SELF, p);

			CHECK(rc > 0, "bind_interdomain: %ld", rc);
			peer[cpu][i] = p;
			port[cpu][i] = (evtchn_port_t)rc;
			CHECK_EQ(evtchn_bind_vcpu(port[cpu][i], cpu), 0);
			CHECK_EQ(fifo_set_priority(port[cpu][i], priority[i]), 0);
			fifo_take(port[cpu][i], FIFO_PENDING);
			CHECK_EQ(evtchn_unmask(port[cpu][i]), 0);
		}
}

/* By priority, then in the order in which they were sent: by their number. */
static void check_order(unsigned int cpu)
{
	unsigned int n = 0;

	CHECK_EQ(nr_taken[cpu], PORTS);
	for (unsigned int q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
		for (unsigned int i = 0; i < PORTS; i++)
			if (priority[i] == q) {
				CHECK(taken[cpu][n] == port[cpu][i],
				      "vCPU %u: event %u is port %u, not %u", cpu, n, taken[cpu][n],
				      port[cpu][i]);
				n++;
			}
}

static void send_all(void *unused)
{
	(void)unused;
	for (unsigned int i = 0; i < PORTS; i++)
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
			CHECK_EQ(evtchn_send(peer[cpu][i]), 0);
}

static void in_order(unsigned int sender)
{
	if (sender)
		smp_call(sender, send_all, NULL);
	else
		send_all(NULL);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		take_on(cpu);
		check_order(cpu);
	}
}

/* Each sends to one queue of the last vCPU: all come, those of one sender in its order. */
static void send_own(void *unused)
{
	unsigned int to = nr_cpus - 1;

	(void)unused;
	for (unsigned int i = cpu_number(); i < PORTS; i += nr_cpus)
		CHECK_EQ(evtchn_send(peer[to][i]), 0);
}

static void from_all(void)
{
	unsigned int to = nr_cpus - 1;

	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_set_priority(port[to][i], 5), 0);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, send_own, NULL);
	send_own(NULL);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	take_on(to);
	CHECK_EQ(nr_taken[to], PORTS);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		unsigned int next = cpu;

		for (unsigned int n = 0; n < nr_taken[to]; n++)
			if (next < PORTS && taken[to][n] == port[to][next])
				next += nr_cpus;
		CHECK(next >= PORTS, "of vCPU %u's events, the one to port %u is out of order", cpu,
		      next < PORTS ? port[to][next] : 0);
	}
	for (unsigned int i = 0; i < PORTS; i++)
		CHECK_EQ(fifo_set_priority(port[to][i], priority[i]), 0);
}

static bool took(unsigned int cpu, evtchn_port_t p)
{
	take_on(cpu);
	return nr_taken[cpu] == 1 && taken[cpu][0] == p;
}

static void moves(void)
{
	evtchn_port_t p = port[0][0];

	CHECK_EQ(evtchn_bind_vcpu(p, 1), 0);
	CHECK_EQ(evtchn_send(peer[0][0]), 0);
	CHECK(took(1, p), "a port that has moved does not interrupt its new vCPU");
	/* In the queue of the old one it stays, though it is sent to again. */
	CHECK_EQ(evtchn_send(peer[0][0]), 0);
	CHECK_EQ(evtchn_bind_vcpu(p, 0), 0);
	CHECK_EQ(evtchn_send(peer[0][0]), 0);
	CHECK(took(1, p), "an event does not stay where it is");
	CHECK_EQ(evtchn_send(peer[0][0]), 0);
	CHECK(took(0, p), "a port that has moved back does not interrupt vCPU 0");
	/* Masked, moved, unmasked: as kernels do it. */
	fifo_mask(p);
	CHECK_EQ(evtchn_send(peer[0][0]), 0);
	CHECK_EQ(evtchn_bind_vcpu(p, 1), 0);
	take_on(0);
	CHECK_EQ(nr_taken[0], 0);
	CHECK_EQ(evtchn_unmask(p), 0);
	CHECK(took(1, p), "an event that came before a move is lost");
	CHECK_EQ(evtchn_bind_vcpu(p, 0), 0);
}

static void control_blocks(void)
{
	static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		CHECK_EQ(fifo_init_control(cpu, page, 0), -XEN_EINVAL);
	CHECK_EQ(fifo_init_control(nr_cpus, page, 0), -XEN_ENOENT);
}

void test_main(void)
{
	nr_cpus = smp_cpus_up_to(CPUS);
	if (!nr_cpus)
		return;
	shared_info_map();
	if (!smp_start_all(SMP_BY_SIPI))
		return;
	fifo_start(nr_cpus);
	control_blocks();
	make_ports();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		take_on(cpu);
	in_order(0);
	in_order(nr_cpus - 1);
	from_all();
	moves();
	test_success();
}
