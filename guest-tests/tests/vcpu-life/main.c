// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a vCPU: started by VCPUOP_initialise and VCPUOP_up, in either mode, and by INIT and
 * SIPI of the local APIC; taken down by itself and by others, and back where it was; started
 * afresh.
 *
 * INIT makes a vCPU one that was never initialised (Xen: vlapic_init_sipi_one): VCPUOP_up has
 * nothing to let go on, VCPUOP_initialise is allowed again. Of an INIT to a vCPU that is up KVM
 * tells nobody, so that is tried under Xen only (subject=xen). SIPI alone is heard only by such a
 * one.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "vCPUs start by VCPUOP_initialise and by INIT and SIPI, go and come back";

#define MS 1000000ULL

static long vcpu_op(int cmd, unsigned int cpu)
{
	return hypercall_vcpu_op(cmd, cpu, NULL);
}

/* What others did may take a moment. */
static bool becomes(unsigned int cpu, long is_up)
{
	uint64_t until = clock_now() + 1000 * MS;

	while (vcpu_op(VCPUOP_is_up, cpu) != is_up && clock_now() < until)
		smp_relax();
	return CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), is_up);
}

/* For what another vCPU's thread has to see, which it does when a busy machine lets it run. */
static void rest(void)
{
	smp_sleep_until(clock_now() + 100 * MS);
}

/*
 * Contexts that are refused.
 */

static long initialise(unsigned int cpu, const struct vcpu_hvm_context *context)
{
	return hypercall_vcpu_op(VCPUOP_initialise, cpu, context);
}

static struct vcpu_hvm_context good_32(void)
{
	return (struct vcpu_hvm_context){
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 =
			{
				.eip = 0x1000,
				.cr0 = CR0_PE,
				.cs_limit = 0xfffff,
				.ss_limit = 0xfffff,
				.tr_limit = 0x67,
				.cs_ar = 0xc9b,
				.ss_ar = 0xc93,
				.tr_ar = 0x8b,
			},
	};
}

#define REFUSED_32(...)                                                                        \
	do {                                                                                   \
		struct vcpu_hvm_context c_ = good_32();                                        \
		struct vcpu_hvm_x86_32 *r = &c_.cpu_regs.x86_32;                               \
		__VA_ARGS__;                                                                   \
		CHECK(initialise(cpu, &c_) == -XEN_EINVAL, "32 bit: accepted: " #__VA_ARGS__); \
	} while (0)

#define REFUSED_64(...)                                                                        \
	do {                                                                                   \
		struct vcpu_hvm_context c_ = {.mode = VCPU_HVM_MODE_64B};                      \
		struct vcpu_hvm_x86_64 *r = &c_.cpu_regs.x86_64;                               \
		*r = (struct vcpu_hvm_x86_64){                                                 \
			.rip = 0x1000, .cr0 = CR0_PE | CR0_PG, .cr4 = 0x20, .efer = 0x500};    \
		__VA_ARGS__;                                                                   \
		CHECK(initialise(cpu, &c_) == -XEN_EINVAL, "64 bit: accepted: " #__VA_ARGS__); \
	} while (0)

static void refused(unsigned int cpu)
{
	struct vcpu_hvm_context c = good_32();

	c.mode = 2;
	CHECK_EQ(initialise(cpu, &c), -XEN_EINVAL);
	c = good_32();
	c.pad = 1;
	CHECK_EQ(initialise(cpu, &c), -XEN_EINVAL);
	REFUSED_32(r->pad1 = 1);
	REFUSED_32(r->pad2[2] = 1);
	REFUSED_32(r->cs_ar = 0);
	REFUSED_32(r->cs_ar = 0xc93);   /* data */
	REFUSED_32(r->cs_ar |= 0x8000); /* a bit that is none */
	REFUSED_32(r->ss_ar = 0xc91);   /* cannot be written */
	REFUSED_32(r->ss_ar |= 0x60);   /* not the privilege of the code */
	REFUSED_32(r->ds_ar = 0xc13);   /* not present */
	REFUSED_32(r->es_ar = 0x8b);    /* a system segment */
	REFUSED_32(r->tr_ar = 0xc93);   /* no TSS */
	REFUSED_32(r->eip = 0x100, r->cs_limit = 0xff, r->cs_ar = 0x49b);
	REFUSED_32(r->efer = 0x400);
	REFUSED_32(r->cr4 = 1U << 31);
	REFUSED_64(r->rip = 1ULL << 47);
	REFUSED_64(r->cr0 = CR0_PE);
	REFUSED_64(r->cr4 = 0);
	REFUSED_64(r->efer = 0);
	REFUSED_64(r->efer |= 2);
}

/* INIT, and there is nothing that could go on. */
static void resets(unsigned int cpu)
{
	smp_send_init(cpu);
	rest();
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), -XEN_EINVAL);
}

static void before_the_first_start(unsigned int cpu)
{
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), -XEN_EINVAL);
	refused(cpu);
	CHECK_EQ(smp_initialise(cpu, true), 0);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 0);
	CHECK_EQ(smp_initialise(cpu, false), -XEN_EEXIST);
	resets(cpu);
}

/*
 * Down and up.
 */

static int stage;

static void take_itself_down(void *unused)
{
	(void)unused;
	WRITE_ONCE(stage, 1);
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu_number()), 0);
	WRITE_ONCE(stage, 2);
}

static void mark(void *unused)
{
	(void)unused;
	WRITE_ONCE(stage, 3);
}

static void goes_down(unsigned int cpu)
{
	stage = 0;
	smp_run(cpu, take_itself_down, NULL);
	becomes(cpu, 0);
	rest();
	CHECK_EQ(READ_ONCE(stage), 1);
	CHECK_EQ(smp_initialise(cpu, false), -XEN_EEXIST);
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 1);
	smp_wait(cpu, 2000);
	CHECK_EQ(READ_ONCE(stage), 2);
}

static void is_taken_down(unsigned int cpu)
{
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 0);
	smp_run(cpu, mark, NULL);
	rest();
	CHECK_EQ(READ_ONCE(stage), 2);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), 0);
	smp_wait(cpu, 2000);
	CHECK_EQ(READ_ONCE(stage), 3);
}

/* Nothing moves meanwhile, and afterwards it does. */
static void take_vcpu0_down(void *turns)
{
	uint64_t before;

	CHECK_EQ(vcpu_op(VCPUOP_down, 0), 0);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 0), 0);
	rest();
	before = READ_ONCE(*(uint64_t *)turns);
	rest();
	CHECK(READ_ONCE(*(uint64_t *)turns) == before, "vCPU 0 runs although it is down");
	CHECK_EQ(vcpu_op(VCPUOP_up, 0), 0);
}

static void vcpu0_is_taken_down(unsigned int by)
{
	uint64_t turns = 0;

	smp_run(by, take_vcpu0_down, &turns);
	while (smp_busy(by)) {
		WRITE_ONCE(turns, turns + 1);
		smp_relax();
	}
}

/*
 * Afresh.
 */

static void starts_afresh(unsigned int cpu, enum smp_start how)
{
	if (how != SMP_BY_SIPI)
		resets(cpu);
	if (smp_start(cpu, how))
		smp_call(cpu, smp_check_identity, NULL);
}

/* It has a moment to stop: what comes at once may still find it running, where Xen makes sure. */
static void down(unsigned int cpu)
{
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu), 0);
	rest();
}

/* One that was initialised and is down does not hear it. */
static void sipi_alone(unsigned int cpu)
{
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu), 0);
	lapic_send(smp_apic_id(cpu), ICR_STARTUP | ICR_ASSERT | 8);
	rest();
	CHECK_EQ(vcpu_op(VCPUOP_is_up, cpu), 0);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), 0);
	stage = 2;
	smp_call(cpu, mark, NULL);
	CHECK_EQ(READ_ONCE(stage), 3);
}

/* By its own call, and INIT and SIPI come before it is quite asleep, or while it is. */
static void is_started_where_it_went_down(unsigned int cpu)
{
	for (unsigned int i = 0; i < 20; i++) {
		smp_run(cpu, take_itself_down, NULL);
		if (!becomes(cpu, 0) || !smp_start(cpu, SMP_BY_QUICK_SIPI))
			return;
	}
	smp_call(cpu, smp_check_identity, NULL);
}

/* A port that belongs to a vCPU cannot move, one of the whole domain can. */
static void ports_of(unsigned int cpu)
{
	long timer = evtchn_bind_virq(VIRQ_TIMER, cpu), exc = evtchn_bind_virq(VIRQ_DOM_EXC, 0);
	long ipi = evtchn_bind_ipi(cpu);
	struct evtchn_status s;

	CHECK(timer > 0 && exc > 0 && ipi > 0, "ports: %ld, %ld, %ld", timer, exc, ipi);
	CHECK_EQ(evtchn_bind_virq(VIRQ_TIMER, cpu), -XEN_EEXIST);
	CHECK_EQ(evtchn_bind_virq(VIRQ_DOM_EXC, 0), -XEN_EEXIST);
	CHECK_EQ(evtchn_bind_virq(VIRQ_DOM_EXC, cpu), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu((evtchn_port_t)timer, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu((evtchn_port_t)ipi, 0), -XEN_EINVAL);
	CHECK_EQ(evtchn_bind_vcpu((evtchn_port_t)exc, cpu), 0);
	CHECK_EQ(evtchn_status(DOMID_SELF, (evtchn_port_t)exc, &s), 0);
	CHECK_EQ(s.vcpu, cpu);
	CHECK_EQ(evtchn_status(DOMID_SELF, (evtchn_port_t)timer, &s), 0);
	CHECK_EQ(s.vcpu, cpu);
	CHECK_EQ(evtchn_close((evtchn_port_t)timer), 0);
	CHECK_EQ(evtchn_close((evtchn_port_t)exc), 0);
	CHECK_EQ(evtchn_close((evtchn_port_t)ipi), 0);
}

/* What only another vCPU may not. */
static void others_affairs(unsigned int cpu)
{
	static struct vcpu_info place __attribute__((aligned(64)));
	struct vcpu_set_singleshot_timer shot = {.timeout_abs_ns = 1};
	struct vcpu_set_periodic_timer period = {.period_ns = 10 * MS};

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, cpu, &shot), -XEN_EINVAL);
	CHECK_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, cpu), -XEN_EINVAL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, cpu, &period), 0);
	CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, cpu), 0);
	CHECK_EQ(vcpu_info_register(cpu, &place), -XEN_EINVAL);
	CHECK_EQ(vcpu_op(VCPUOP_down, cpu), 0);
	CHECK_EQ(vcpu_info_register(cpu, &place), 0);
	CHECK_EQ(vcpu_info_register(cpu, &place), -XEN_EINVAL);
	CHECK_EQ(vcpu_op(VCPUOP_up, cpu), 0);
}

static void life_of(unsigned int cpu, enum smp_start how)
{
	before_the_first_start(cpu);
	if (!smp_start(cpu, how))
		return;
	becomes(cpu, 1);
	smp_call(cpu, smp_check_identity, NULL);
	goes_down(cpu);
	is_taken_down(cpu);
	starts_afresh(cpu, SMP_BY_SIPI);
	if (!strstr(start_info_cmdline(), "subject=xen"))
		down(cpu);
	starts_afresh(cpu, SMP_BY_CONTEXT);
	sipi_alone(cpu);
	down(cpu);
	starts_afresh(cpu, SMP_BY_SIPI);
	is_started_where_it_went_down(cpu);
	others_affairs(cpu);
	ports_of(cpu);
	smp_call(cpu, smp_check_identity, NULL);
}

void test_main(void)
{
	unsigned int n = smp_cpus();

	if (n < 2) {
		test_skip("one vCPU only");
		return;
	}
	shared_info_map();
	smp_check_identity(NULL);
	for (unsigned int cpu = 1; cpu < n; cpu++)
		life_of(cpu, cpu % 3);
	vcpu0_is_taken_down(n - 1);
	test_success();
}
