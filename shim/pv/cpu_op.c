// SPDX-License-Identifier: BSD-2-Clause
/* The vCPU's own state, by hypercall. */
#include "shim/pv/cpu_op.h"

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/monitor/boot.h"
#include "shim/xen_version.h"

#define MAX_PORTS 65536u

#define ASSIST(type) (1ull << VMASST_TYPE_##type)
/* Some are of 32-bit guests, and may be asked for all the same. */
#define ASSISTS                                                                                 \
	(ASSIST(4gb_segments) | ASSIST(4gb_segments_notify) | ASSIST(writable_pagetables) |     \
	 ASSIST(pae_extended_cr3) | ASSIST(architectural_iopl) | ASSIST(runstate_update_flag) | \
	 ASSIST(m2p_strict))

long pv_op_stack_switch(struct pv_vcpu *v, const uint64_t args[6])
{
	v->kernel_ss = args[0] | 3;
	v->kernel_sp = args[1];
	return 0;
}

static long set_base(enum pv_base which, uint64_t base)
{
	if (!pv_address_canonical(base))
		return -XEN_EINVAL;
	pv_write_base(which, base);
	return 0;
}

long pv_op_set_segment_base(struct pv_vcpu *v, const uint64_t args[6])
{
	uint64_t base = args[1];
	uint16_t selector = base;

	(void)v;
	switch ((uint32_t)args[0]) {
	case SEGBASE_FS:
		return set_base(PV_BASE_FS, base);
	case SEGBASE_GS_USER:
		return set_base(PV_BASE_GS_OTHER, base);
	case SEGBASE_GS_KERNEL:
		return set_base(PV_BASE_GS, base);
	case SEGBASE_GS_USER_SEL:
		pv_load_gs_other(selector > 3 ? selector | 3 : selector);
		return 0;
	}
	return -XEN_EINVAL;
}

long pv_op_fpu_taskswitch(struct pv_vcpu *v, const uint64_t args[6])
{
	v->cr0_ts = (uint32_t)args[0] ? CR0_TS : 0;
	pv_load_ts(v);
	return 0;
}

long pv_op_vm_assist(struct pv_vcpu *v, const uint64_t args[6])
{
	uint32_t cmd = args[0], type = args[1];
	uint64_t *assists = &v->domain->vm_assist;
	struct pv_mm *mm = &v->domain->mm;

	if (type >= 64 || !(ASSISTS >> type & 1))
		return -XEN_EINVAL;
	if (type == VMASST_TYPE_runstate_update_flag)
		return PV_OP_HOST;
	if (cmd != VMASST_CMD_enable && cmd != VMASST_CMD_disable)
		return -XEN_ENOSYS;
	pv_lock(&mm->lock);
	if (cmd == VMASST_CMD_enable)
		__atomic_fetch_or(assists, 1ull << type, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(assists, ~(1ull << type), __ATOMIC_RELAXED);
	mm->m2p_strict = *assists & ASSIST(m2p_strict);
	pv_unlock(&mm->lock);
	return 0;
}

/* Linux asks for nothing but to have its events looked at: every return does that. */
long pv_op_xen_version(struct pv_vcpu *v, const uint64_t args[6])
{
	(void)v;
	if ((uint32_t)args[0] != XENVER_version)
		return PV_OP_HOST;
	return XEN_SHIM_VERSION;
}

/* To wait for what has come already takes no time. */
long pv_op_sched(struct pv_vcpu *v, const uint64_t args[6])
{
	struct vcpu_info *info = v->info;

	if ((uint32_t)args[0] != SCHEDOP_block)
		return PV_OP_HOST;
	__atomic_store_n(&info->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) ? 0 : PV_OP_HOST;
}

static long set_iopl(struct pv_vcpu *v, uint64_t at)
{
	struct physdev_set_iopl op;

	if (pv_copy_from_guest(&op, at, sizeof(op), NULL))
		return -XEN_EFAULT;
	if (op.iopl > 3)
		return -XEN_EINVAL;
	v->iopl = op.iopl;
	return 0;
}

static long set_iobitmap(struct pv_vcpu *v, uint64_t at)
{
	struct physdev_set_iobitmap op;
	uint64_t bitmap;

	if (pv_copy_from_guest(&op, at, sizeof(op), NULL))
		return -XEN_EFAULT;
	bitmap = (uintptr_t)op.bitmap.p;
	if (!pv_address_guests(bitmap) || op.nr_ports > MAX_PORTS)
		return -XEN_EINVAL;
	v->iobmp = bitmap;
	v->iobmp_limit = op.nr_ports;
	return 0;
}

long pv_op_physdev(struct pv_vcpu *v, const uint64_t args[6])
{
	switch ((uint32_t)args[0]) {
	case PHYSDEVOP_set_iopl:
		return set_iopl(v, args[1]);
	case PHYSDEVOP_set_iobitmap:
		return set_iobitmap(v, args[1]);
	}
	return PV_OP_HOST;
}
