// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercalls: what the monitor does itself, and what goes out to the host. A multicall is run here,
 * so that its members need not go out when they can stay.
 */
#include "shim/pv/context.h"
#include "shim/pv/cpu_op.h"
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/percpu.h"
#include "shim/pv/traps.h"

typedef long (*handler)(struct pv_vcpu *v, const uint64_t args[6]);

/* VCPUOP_initialise: the context is ours to check, that there is such a vCPU the host's to know. */
static long take_context(struct pv_window *w, struct vcpu_guest_context *c, const uint64_t args[6])
{
	const uint64_t for_host[6] = {args[0], args[1], 0};
	long rc;

	if (w->initialised)
		return -XEN_EEXIST;
	rc = pv_set_context(&w->vcpu, c);
	if (rc)
		return rc;
	rc = host_hypercall(__HYPERVISOR_vcpu_op, for_host);
	if (rc) {
		pv_release_context(&w->vcpu);
		return rc;
	}
	w->context = *c;
	w->initialised = true;
	return 0;
}

static long initialise_vcpu(const uint64_t args[6])
{
	struct vcpu_guest_context *c = &this_window()->incoming;
	struct pv_boot *b = &pv_boot;
	long rc;

	if (args[1] >= b->domain.nr_vcpus)
		return -XEN_ENOENT;
	if (pv_copy_from_guest(c, args[2], sizeof(*c), NULL))
		return -XEN_EFAULT;
	pv_lock(&b->initialise_lock);
	rc = take_context(window_of(args[1]), c, args);
	pv_unlock(&b->initialise_lock);
	return rc;
}

static long vcpu_op(struct pv_vcpu *v, const uint64_t args[6])
{
	(void)v;
	return args[0] == VCPUOP_initialise ? initialise_vcpu(args) : PV_OP_HOST;
}

int pv_ask_grant(unsigned cmd, enum pv_grant_step step)
{
	const uint64_t args[6] = {cmd, step};

	return host_hypercall(__HYPERVISOR_grant_table_op, args);
}

static const handler handlers[] = {
	[__HYPERVISOR_set_trap_table] = pv_op_set_trap_table,
	[__HYPERVISOR_mmu_update] = pv_op_mmu_update,
	[__HYPERVISOR_set_gdt] = pv_op_set_gdt,
	[__HYPERVISOR_stack_switch] = pv_op_stack_switch,
	[__HYPERVISOR_set_callbacks] = pv_op_set_callbacks,
	[__HYPERVISOR_fpu_taskswitch] = pv_op_fpu_taskswitch,
	[__HYPERVISOR_set_debugreg] = pv_op_set_debugreg,
	[__HYPERVISOR_get_debugreg] = pv_op_get_debugreg,
	[__HYPERVISOR_update_descriptor] = pv_op_update_descriptor,
	[__HYPERVISOR_update_va_mapping] = pv_op_update_va_mapping,
	[__HYPERVISOR_xen_version] = pv_op_xen_version,
	[__HYPERVISOR_grant_table_op] = pv_op_grant_table,
	[__HYPERVISOR_vcpu_op] = vcpu_op,
	[__HYPERVISOR_vm_assist] = pv_op_vm_assist,
	[__HYPERVISOR_physdev_op] = pv_op_physdev,
	[__HYPERVISOR_update_va_mapping_otherdomain] = pv_op_update_va_mapping_otherdomain,
	[__HYPERVISOR_set_segment_base] = pv_op_set_segment_base,
	[__HYPERVISOR_mmuext_op] = pv_op_mmuext,
	[__HYPERVISOR_nmi_op] = pv_op_nmi,
	[__HYPERVISOR_sched_op] = pv_op_sched,
	[__HYPERVISOR_callback_op] = pv_op_callback,
};

/* Those that change what frames are, out there (shim/pv_frames.h): nobody else may meanwhile. */
static bool changes_frames(uint64_t nr, const uint64_t args[6])
{
	switch (nr) {
	case __HYPERVISOR_memory_op:
	case __HYPERVISOR_grant_table_op:
	case __HYPERVISOR_physdev_op:
		return true;
	case __HYPERVISOR_vcpu_op:
		return args[0] == VCPUOP_register_vcpu_info;
	case __HYPERVISOR_event_channel_op:
		return args[0] == EVTCHNOP_init_control || args[0] == EVTCHNOP_expand_array ||
		       args[0] == EVTCHNOP_reset;
	}
	return false;
}

static long __attribute__((noinline)) go_out(struct pv_vcpu *v, uint64_t nr, const uint64_t args[6])
{
	bool alone = changes_frames(nr, args);
	long result;

	if (alone) {
		pv_lock(&v->domain->mm.lock);
		pv_roots_forget(&v->domain->mm);
	}
	result = host_hypercall(nr, args);
	if (alone)
		pv_unlock(&v->domain->mm.lock);
	return result;
}

static inline long call(struct pv_vcpu *v, uint64_t nr, const uint64_t args[6])
{
	long result = PV_OP_HOST;

	if (nr < sizeof(handlers) / sizeof(handlers[0]) && handlers[nr])
		result = handlers[nr](v, args);
	return result == PV_OP_HOST ? go_out(v, nr, args) : result;
}

static long member(struct pv_vcpu *v, struct pv_regs *r, const struct multicall_entry *e)
{
	if (e->op == __HYPERVISOR_multicall)
		return -XEN_EINVAL;
	if (e->op == __HYPERVISOR_iret)
		return pv_op_iret(v, r);
	return call(v, e->op, e->args);
}

/*
 * `count` entries at `list`, in their order. An iret ends it, wherever the guest goes on then: what
 * its frame has for rax is the answer, told in the list if that can be reached from there.
 */
static long __attribute__((noinline))
multicall(struct pv_vcpu *v, struct pv_regs *r, uint64_t list, uint32_t count)
{
	struct multicall_entry e;

	if (!pv_address_guests(list))
		return -XEN_EFAULT;
	for (uint32_t i = 0; i < count; i++, list += sizeof(e)) {
		xen_ulong_t result;
		int rc;

		if (pv_copy_from_guest(&e, list, sizeof(e), NULL))
			return -XEN_EFAULT;
		result = member(v, r, &e);
		rc = pv_copy_to_guest(list + offsetof(struct multicall_entry, result), &result,
				      sizeof(result), NULL);
		if (e.op == __HYPERVISOR_iret)
			return result;
		if (rc)
			return -XEN_EFAULT;
		serve_flush();
	}
	return 0;
}

/* Number in rax; arguments in rdi, rsi, rdx, r10, r8, r9 (xen/arch-x86/xen-x86_64.h). */
void guest_hypercall(struct pv_vcpu *v, struct pv_regs *r)
{
	const uint64_t args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	uint64_t nr = r->rax;

	if (nr == __HYPERVISOR_iret)
		r->rax = pv_op_iret(v, r);
	else if (nr == __HYPERVISOR_multicall)
		r->rax = multicall(v, r, args[0], args[1]);
	else
		r->rax = call(v, nr, args);
}
