// SPDX-License-Identifier: BSD-2-Clause
/*
 * As many vCPUs as there can be: 128. Each is started, says who it is, gets an event, and goes
 * down.
 *
 * Those beyond the 32 of shared_info have no vcpu_info until one is registered (xen.h,
 * XEN_LEGACY_MAX_VCPUS): VCPUOP_initialise refuses them before, INIT and SIPI do not; and an event
 * that came for one that had none is announced to it when it has.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "128 vCPUs, of which most have no slot in shared_info";

static struct vcpu_info infos[MAX_CPUS] __attribute__((aligned(64)));

static void go_down(void *unused)
{
	(void)unused;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, cpu_number(), NULL), 0);
}

static void register_own(void *unused)
{
	(void)unused;
	CHECK_EQ(vcpu_info_register(cpu_number(), &infos[cpu_number()]), 0);
}

static void announced(unsigned int cpu)
{
	const struct vcpu_info *v = vcpu_info_of(cpu);

	CHECK(READ_ONCE(v->evtchn_upcall_pending) && READ_ONCE(v->evtchn_pending_sel),
	      "vCPU %u is not told of the event: %u, %#lx", cpu, v->evtchn_upcall_pending,
	      (unsigned long)v->evtchn_pending_sel);
}

/* By context, or by SIPI; with an event that comes before it has a vcpu_info. */
static bool start(unsigned int cpu, evtchn_port_t port)
{
	enum smp_start how = cpu % 2 ? SMP_BY_CONTEXT : SMP_BY_SIPI;

	if (cpu >= XEN_LEGACY_MAX_VCPUS) {
		CHECK_EQ(smp_initialise(cpu, true), -XEN_EINVAL);
		CHECK_EQ(evtchn_send(port), 0);
	}
	if (cpu >= XEN_LEGACY_MAX_VCPUS && how == SMP_BY_CONTEXT)
		CHECK_EQ(vcpu_info_register(cpu, &infos[cpu]), 0);
	if (!smp_start(cpu, how))
		return false;
	if (cpu >= XEN_LEGACY_MAX_VCPUS && how == SMP_BY_SIPI)
		smp_call(cpu, register_own, NULL);
	if (cpu < XEN_LEGACY_MAX_VCPUS)
		CHECK_EQ(evtchn_send(port), 0);
	return true;
}

static bool live(unsigned int cpu)
{
	long port = evtchn_bind_ipi(cpu);

	CHECK(port > 0, "bind_ipi to vCPU %u: %ld", cpu, port);
	port_set_mask((evtchn_port_t)port, false);
	if (!start(cpu, (evtchn_port_t)port))
		return false;
	announced(cpu);
	CHECK(port_is_pending((evtchn_port_t)port), "port %ld is not pending", port);
	smp_call(cpu, smp_check_identity, NULL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, cpu, NULL), 1);
	smp_run(cpu, go_down, NULL);
	for (unsigned int i = 0; i < 1000 && hypercall_vcpu_op(VCPUOP_is_up, cpu, NULL); i++)
		smp_relax();
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, cpu, NULL), 0);
	return true;
}

void test_main(void)
{
	unsigned int n = smp_cpus();

	CHECK_EQ(n, MAX_CPUS);
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	for (unsigned int cpu = 1; cpu < n; cpu++)
		if (!live(cpu))
			return;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, n, NULL), -XEN_ENOENT);
	test_success();
}
