// SPDX-License-Identifier: BSD-2-Clause
/*
 * VCPUOP_send_nmi: an NMI to oneself and to another vCPU, which runs, halts, waits in SCHEDOP_poll
 * or is down; there it waits until the vCPU is up again. One each time. (To halt with interrupts
 * off is under Xen to go down: hvm_hlt().)
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "VCPUOP_send_nmi to oneself and to another vCPU in every state";

#define VECTOR_NMI 2
#define MS         1000000ULL

static uint32_t nmis[2];

static void nmi(struct trap_frame *frame)
{
	(void)frame;
	__atomic_fetch_add(&nmis[cpu_number() & 1], 1, __ATOMIC_SEQ_CST);
}

static uint32_t count(unsigned int cpu)
{
	return __atomic_load_n(&nmis[cpu], __ATOMIC_SEQ_CST);
}

static void send(unsigned int cpu)
{
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, cpu, NULL), 0);
}

static void pause_for(uint64_t ns)
{
	smp_sleep_until(clock_now() + ns);
}

static void comes(unsigned int cpu, uint32_t n, const char *state)
{
	uint64_t until = clock_now() + 1000 * MS;

	while (count(cpu) < n && clock_now() < until)
		smp_relax();
	CHECK(count(cpu) == n, "%s: %u NMIs, not %u", state, count(cpu), n);
}

static void spin(void *unused)
{
	uint32_t before = count(1);

	(void)unused;
	while (count(1) == before)
		pause();
}

static void halt(void *unused)
{
	(void)unused;
	irq_wait();
}

static void poll(void *unused)
{
	(void)unused;
	smp_sleep_until(0);
}

static void to_other(void (*fn)(void *), const char *state)
{
	uint32_t n = count(1);

	smp_run(1, fn, NULL);
	pause_for(10 * MS);
	CHECK(smp_busy(1), "%s: it ended by itself", state);
	send(1);
	comes(1, n + 1, state);
	smp_wait(1, 2000);
}

static void while_down(void)
{
	uint32_t n = count(1);

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
	send(1);
	pause_for(10 * MS);
	CHECK_EQ(count(1), n);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
	comes(1, n + 1, "down");
}

void test_main(void)
{
	shared_info_map();
	irq_set_handler(VECTOR_NMI, nmi);
	if (!smp_start(1, SMP_BY_SIPI))
		return;
	send(0);
	comes(0, 1, "to oneself");
	to_other(spin, "running");
	to_other(halt, "halted");
	to_other(poll, "in SCHEDOP_poll");
	while_down();
	pause_for(10 * MS);
	CHECK_EQ(count(0), 1);
	CHECK_EQ(count(1), 4);
	test_success();
}
