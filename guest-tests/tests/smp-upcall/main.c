// SPDX-License-Identifier: BSD-2-Clause
/*
 * Upcalls on every vCPU: by a vector of its own, each another one; with -DCALLBACK=1, by the
 * domain's callback vector. Each port interrupts the vCPU that it is bound to, asleep in hlt or
 * not, and no other; VIRQ_TIMER is each vCPU's own, and so is its timer.
 *
 * And, with vectors of their own: an event that comes before a started vCPU has switched its local
 * APIC on is seen once that is done (as upcall-lapic-off has it of the first).
 */
#include "guest-tests/lib/test.h"

#ifdef CALLBACK
#define KIND "the callback vector"
#else
#define CALLBACK 0
#define KIND     "vectors of their own"
#endif

const char test_title[] = "upcalls on several vCPUs by " KIND ", and each one's timer";

#define VECTOR 0xe0U
#define MS     1000000ULL
#define ROUNDS 100U
#define CPUS   8

static evtchn_port_t ipi[CPUS], virq[CPUS];
static uint32_t upcalls[CPUS], wrong_vcpu, ipis[CPUS], timers[CPUS];
static unsigned int nr_cpus;

static void came(evtchn_port_t port)
{
	unsigned int me = cpu_number();

	if (port == ipi[me])
		ipis[me]++;
	else if (port == virq[me])
		timers[me]++;
	else
		__atomic_fetch_add(&wrong_vcpu, 1, __ATOMIC_SEQ_CST);
}

static void upcall(struct trap_frame *frame)
{
	unsigned int me = cpu_number();

	if (!CALLBACK) {
		lapic_eoi();
		if (frame->vector != VECTOR + me)
			__atomic_fetch_add(&wrong_vcpu, 1, __ATOMIC_SEQ_CST);
	}
	upcalls[me]++;
	evtchn_drain(came);
}

static uint32_t read(const uint32_t *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

/* Sleep until so many IPIs have come. */
static uint32_t wanted;

static void sleep_for_ipis(void *unused)
{
	unsigned int me = cpu_number();

	(void)unused;
	while (ipis[me] < read(&wanted))
		irq_wait();
}

static bool wait_for(const uint32_t *n, uint32_t value)
{
	uint64_t until = clock_now() + 2000 * MS;

	while (read(n) < value && clock_now() < until)
		smp_relax();
	return read(n) >= value;
}

static void wake(unsigned int cpu)
{
	wanted = ipis[cpu] + ROUNDS;
	smp_run(cpu, sleep_for_ipis, NULL);
	for (uint32_t n = ipis[cpu] + 1; n <= wanted; n++) {
		CHECK_EQ(evtchn_send(ipi[cpu]), 0);
		if (!wait_for(&ipis[cpu], n)) {
			CHECK(false, "vCPU %u: IPI %u does not wake it", cpu, n);
			return;
		}
	}
	smp_wait(cpu, 2000);
	/* One that is still at it finds the next event before that one's interrupt comes. */
	CHECK(upcalls[cpu] >= ipis[cpu] / 2, "vCPU %u: %u upcalls for %u events", cpu, upcalls[cpu],
	      ipis[cpu]);
}

static void singleshot(uint64_t at)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = at};

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, cpu_number(), &arg), 0);
}

static void sleep_by_timer(void *unused)
{
	unsigned int me = cpu_number();

	(void)unused;
	for (uint32_t n = 1; n <= 5; n++) {
		uint64_t at = clock_now() + (2 + me) * MS;

		singleshot(at);
		while (timers[me] < n)
			irq_wait();
		CHECK(clock_now() >= at, "vCPU %u: woken before the time", me);
	}
	CHECK_EQ(timers[me], 5);
}

static void rebind_virq(unsigned int me)
{
	long port;

	CHECK_EQ(evtchn_close(virq[me]), 0);
	port = evtchn_bind_virq(VIRQ_TIMER, me);
	CHECK(port > 0, "bind_virq: %ld", port);
	virq[me] = (evtchn_port_t)port;
	port_set_owner(virq[me], me);
	CHECK_EQ(evtchn_unmask(virq[me]), 0);
}

/*
 * The timer belongs to the vCPU, the port to the VIRQ: one that is bound while the timer runs gets
 * its event. On a busy machine the time may come before that, and the event be gone with the old
 * port: again.
 */
static void port_changes(void *unused)
{
	unsigned int me = cpu_number();
	uint32_t before;
	uint64_t at;

	(void)unused;
	do {
		irq_window();
		before = timers[me];
		at = clock_now() + 20 * MS;
		singleshot(at);
		rebind_virq(me);
	} while (clock_now() >= at);
	while (timers[me] == before)
		irq_wait();
	CHECK_EQ(timers[me], before + 1);
}

static void set_up(void *unused)
{
	unsigned int me = cpu_number();

	(void)unused;
	lapic_init();
	if (!CALLBACK) {
		irq_set_handler(VECTOR + me, upcall);
		CHECK_EQ(set_upcall_vector(me, VECTOR + me), 0);
	}
	irq_window();
	evtchn_drain(NULL);
}

static void switch_lapic_on(void *unused)
{
	(void)unused;
	lapic_init();
}

static void take_interrupts(void *unused)
{
	(void)unused;
	irq_window();
}

/* The upcall comes while the local APIC, as after every start, is off. */
static void before_lapic(unsigned int cpu)
{
	uint32_t before = ipis[cpu];

	if (!smp_start(cpu, SMP_BY_SIPI))
		return;
	CHECK_EQ(evtchn_send(ipi[cpu]), 0);
	smp_call(cpu, take_interrupts, NULL);
	CHECK_EQ(ipis[cpu], before);
	smp_call(cpu, switch_lapic_on, NULL);
	for (unsigned int i = 0; i < 100 && ipis[cpu] == before; i++) {
		smp_sleep_until(clock_now() + 10 * MS);
		smp_call(cpu, take_interrupts, NULL);
	}
	CHECK_EQ(ipis[cpu], before + 1);
}

static evtchn_port_t open(long rc, unsigned int cpu)
{
	evtchn_port_t port = (evtchn_port_t)rc;

	CHECK(rc > 0, "a port: %ld", rc);
	port_set_owner(port, cpu);
	CHECK_EQ(evtchn_unmask(port), 0);
	return port;
}

void test_main(void)
{
	nr_cpus = smp_cpus_up_to(CPUS);
	if (!nr_cpus)
		return;
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	if (CALLBACK) {
		irq_set_handler(VECTOR, upcall);
		CHECK_EQ(set_callback_vector(VECTOR), 0);
	}
	if (!smp_start_all(SMP_BY_SIPI))
		return;
	set_up(NULL);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		if (cpu)
			smp_call(cpu, set_up, NULL);
		ipi[cpu] = open(evtchn_bind_ipi(cpu), cpu);
		virq[cpu] = open(evtchn_bind_virq(VIRQ_TIMER, cpu), cpu);
	}
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		wake(cpu);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, sleep_by_timer, NULL);
	sleep_by_timer(NULL);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_call(cpu, port_changes, NULL);
	if (!CALLBACK)
		before_lapic(nr_cpus - 1);
	CHECK_EQ(wrong_vcpu, 0);
	test_success();
}
