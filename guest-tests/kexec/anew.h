/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHUTDOWN_soft_reset from a test kernel's side: everything that a guest can set, set; the reset;
 * and what must be as in a new guest then. For the kernels that include it, once each.
 */
#ifndef GUEST_TESTS_KEXEC_ANEW_H
#define GUEST_TESTS_KEXEC_ANEW_H

#include "guest-tests/lib/test.h"

#define ANEW_PORTS  20
#define ANEW_MS     1000000ULL
#define ANEW_VECTOR 0xf3

/* Where the areas are; nothing may be written to them after the reset. */
static struct {
	struct vcpu_info info;
	struct vcpu_runstate_info runstate;
	struct vcpu_time_info time;
} anew_areas PAGE_ALIGNED;

static long anew_console_port(void)
{
	uint64_t port = 0;
	long rc = hvm_get_param(HVM_PARAM_CONSOLE_EVTCHN, &port);

	return rc ?: (long)port;
}

static void anew_register_areas(void)
{
	const struct vcpu_register_vcpu_info info = {.mfn = (unsigned long)&anew_areas / PAGE_SIZE};
	struct vcpu_register_runstate_memory_area runstate = {0};
	struct vcpu_register_time_memory_area time = {0};

	runstate.addr.v = &anew_areas.runstate;
	time.addr.v = &anew_areas.time;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &runstate), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time), 0);
}

/* Timers and a watchdog: they would come while anew_check() waits. */
static void anew_set_timers(void)
{
	struct vcpu_set_periodic_timer periodic = {.period_ns = 5 * ANEW_MS};
	struct sched_watchdog watchdog = {.timeout = 1};

	CHECK(evtchn_bind_virq(VIRQ_TIMER, 0) > 0, "no port for the timer");
	CHECK_EQ(hypercall_set_timer_op(clock_read(&anew_areas.info.time) + 200 * ANEW_MS), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), 0);
	CHECK(hypercall_sched_op(SCHEDOP_watchdog, &watchdog) > 0, "no watchdog");
}

/* From a guest that has set nothing yet. */
static void anew_set_everything(void)
{
	long assist = hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
				VMASST_TYPE_runstate_update_flag, 0, 0, 0);

	CHECK_EQ(assist, 0);
	anew_register_areas();
	for (unsigned int i = 0; i < ANEW_PORTS; i++)
		CHECK(evtchn_bind_ipi(0) > 0, "no port");
	CHECK_EQ(evtchn_close((evtchn_port_t)anew_console_port()), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CONSOLE_EVTCHN, 1234), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_VM_GENERATION_ID_ADDR, 0x1234000), 0);
	CHECK_EQ(set_upcall_vector(0, ANEW_VECTOR), 0);
	CHECK_EQ(set_callback_vector(ANEW_VECTOR), 0);
	anew_set_timers();
}

static void anew_reset(void)
{
	const struct sched_shutdown op = {.reason = SHUTDOWN_soft_reset};

	CHECK_EQ(hypercall_sched_op(SCHEDOP_shutdown, &op), 0);
}

static long anew_status(evtchn_port_t port)
{
	struct evtchn_status s;

	return evtchn_status(DOMID_SELF, port, &s) ?: (long)s.status;
}

static void anew_check_params(void)
{
	uint64_t value = 1;

	CHECK_EQ(hvm_get_param(HVM_PARAM_CALLBACK_IRQ, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_VM_GENERATION_ID_ADDR, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_CONSOLE_PFN, &value), 0);
	CHECK(value, "no console");
}

static void anew_check_ports(void)
{
	long console = anew_console_port();

	CHECK(console > 0 && console < ANEW_PORTS, "the console's port is %ld", console);
	for (evtchn_port_t port = 1; port < 2 * ANEW_PORTS; port++)
		CHECK(anew_status(port) == (port == (evtchn_port_t)console ? EVTCHNSTAT_interdomain
									   : EVTCHNSTAT_closed),
		      "port %u has status %ld", port, anew_status(port));
	CHECK_EQ(evtchn_send((evtchn_port_t)console), 0);
}

/* shared_info goes to `page`, at which the guest has seen it before, or its RAM. */
static void anew_check_shared_info(struct shared_info *page)
{
	CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 0, (unsigned long)page / PAGE_SIZE), 0);
	CHECK_EQ(page->vcpu_info[0].evtchn_upcall_pending, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(page->evtchn_pending); i++)
		CHECK(!page->evtchn_pending[i] && !page->evtchn_mask[i],
		      "ports from %u on: pending %#lx, masked %#lx",
		      8 * i * (unsigned int)sizeof(long), (unsigned long)page->evtchn_pending[i],
		      (unsigned long)page->evtchn_mask[i]);
}

#endif
