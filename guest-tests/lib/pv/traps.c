// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/pv/traps.h"
#include "guest-tests/lib/catch.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/string.h"

/* entry.S */
extern uint8_t pv_stacks[];

uint64_t pv_failsafe_selectors[4];

unsigned int cpu_number(void)
{
	unsigned long sp;

	__asm__ volatile("mov %%rsp, %0" : "=r"(sp));
	return (unsigned int)((sp - (unsigned long)pv_stacks) / PV_STACK_SIZE);
}

unsigned long trap_entry_of(unsigned int vector)
{
	return (unsigned long)trap_stubs + vector * TRAP_STUB_SIZE;
}

long trap_table_set(uint8_t vector, uint8_t flags)
{
	struct trap_info table[] = {
		{.vector = vector,
		 .flags = flags,
		 .cs = FLAT_KERNEL_CS,
		 .address = trap_entry_of(vector)},
		{.address = 0},
	};

	return hypercall(__HYPERVISOR_set_trap_table, (unsigned long)table, 0, 0, 0, 0);
}

long callback_register(uint16_t type, uint16_t flags, void (*entry)(void))
{
	struct callback_register arg = {
		.type = type, .flags = flags, .address = (unsigned long)entry};

	return hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&arg, 0, 0,
			 0);
}

static void set_trap_table(void)
{
	struct trap_info table[33] = {{.address = 0}};

	for (uint8_t v = 0; v < 32; v++)
		table[v] = (struct trap_info){
			.vector = v,
			.flags = v == 3 || v == 4 ? 3 : 0,
			.cs = FLAT_KERNEL_CS,
			.address = trap_entry_of(v),
		};
	CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, (unsigned long)table, 0, 0, 0, 0), 0);
}

__attribute__((weak)) bool test_keeps_tick;

void traps_init_cpu(unsigned int cpu)
{
	unsigned long sp = (unsigned long)pv_stacks + cpu * PV_STACK_SIZE + PV_STACK_SIZE / 2;

	set_trap_table();
	CHECK_EQ(callback_register(CALLBACKTYPE_event, CALLBACKF_mask_events, pv_event_entry), 0);
	CHECK_EQ(callback_register(CALLBACKTYPE_failsafe, 0, pv_failsafe_entry), 0);
	CHECK_EQ(callback_register(CALLBACKTYPE_syscall, 0, pv_syscall_entry), 0);
	CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, sp, 0, 0, 0), 0);
	if (!test_keeps_tick)
		CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, cpu, NULL), 0);
}

/* Whatever has come before (of the console, of the store), a test begins without events. */
void traps_init(void)
{
	struct shared_info *s = shared_info_map();

	memset(s->evtchn_mask, 0xff, sizeof(s->evtchn_mask));
	WRITE_ONCE(vcpu_info()->evtchn_pending_sel, 0);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_pending, 0);
	traps_init_cpu(0);
}

void irq_set_handler(unsigned int vector, irq_handler_fn *fn)
{
	trap_handlers[vector] = fn;
}

bool events_masked(void)
{
	return READ_ONCE(vcpu_info()->evtchn_upcall_mask);
}

void events_mask(void)
{
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 1);
	barrier();
}

/* An event that has come meanwhile has left its bit: the hypervisor looks at it in the next
 * hypercall. */
void events_unmask(void)
{
	barrier();
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
	barrier();
	if (READ_ONCE(vcpu_info()->evtchn_upcall_pending))
		hypercall_xen_version(XENVER_version, NULL);
}

void irq_window(void)
{
	const unsigned int before = traps_handled();

	events_unmask();
	for (unsigned int i = 0; i < 2000 && traps_handled() == before; i++)
		pause();
	events_mask();
}

unsigned long fault_address(void)
{
	return vcpu_info()->arch.cr2;
}
