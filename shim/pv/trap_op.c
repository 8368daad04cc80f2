// SPDX-License-Identifier: BSD-2-Clause
/* What handlers the guest has: its table of traps, and its callbacks. */
#include "shim/pv/arch.h"
#include "shim/pv/cpu_op.h"
#include "shim/pv/monitor/boot.h"

long pv_op_set_trap_table(struct pv_vcpu *v, const uint64_t args[6])
{
	struct trap_info t;

	if (!args[0]) {
		for (unsigned n = 0; n < 256; n++)
			v->traps[n] = (struct pv_trap){0};
		return 0;
	}
	for (uint64_t at = args[0];; at += sizeof(t)) {
		if (pv_copy_from_guest(&t, at, sizeof(t), NULL))
			return -XEN_EFAULT;
		if (!t.address)
			return 0;
		if (!pv_address_canonical(t.address))
			return -XEN_EINVAL;
		v->traps[t.vector] = (struct pv_trap){
			.cs = t.cs | 3,
			.flags = t.flags,
			.address = t.address,
		};
	}
}

/* An NMI that came before somebody wanted it comes now: its reason is still there. */
static long register_nmi(struct pv_vcpu *v, uint64_t address)
{
	const struct pv_domain *d = v->domain;
	const struct shared_info *shared;

	if (!pv_address_canonical(address))
		return -XEN_EINVAL;
	v->traps[VECTOR_NMI] = (struct pv_trap){
		.cs = FLAT_KERNEL_CS,
		.flags = PV_TRAP_MASKS,
		.address = address,
	};
	if (v->id != 0)
		return 0;
	shared = pv_frame_at(&d->mm, d->shared_info);
	if (__atomic_load_n(&shared->arch.nmi_reason, __ATOMIC_RELAXED))
		__atomic_store_n(&v->nmi_pending, true, __ATOMIC_RELAXED);
	return 0;
}

static long unregister_nmi(struct pv_vcpu *v)
{
	v->traps[VECTOR_NMI] = (struct pv_trap){0};
	return 0;
}

static struct pv_callback *callback_of(struct pv_vcpu *v, uint16_t type)
{
	switch (type) {
	case CALLBACKTYPE_event:
		return &v->event;
	case CALLBACKTYPE_failsafe:
		return &v->failsafe;
	case CALLBACKTYPE_syscall:
		return &v->syscall;
	case CALLBACKTYPE_sysenter:
		return &v->sysenter;
	case CALLBACKTYPE_syscall32:
		return &v->syscall32;
	}
	return NULL;
}

static long register_callback(struct pv_vcpu *v, uint16_t type, uint16_t flags, uint64_t address)
{
	struct pv_callback *to = callback_of(v, type);

	if (!pv_address_canonical(address))
		return -XEN_EINVAL;
	if (type == CALLBACKTYPE_nmi)
		return register_nmi(v, address);
	if (!to)
		return -XEN_ENOSYS;
	to->address = address;
	to->masks_events = flags & CALLBACKF_mask_events;
	return 0;
}

static long unregister_callback(struct pv_vcpu *v, uint16_t type)
{
	if (type == CALLBACKTYPE_nmi)
		return unregister_nmi(v);
	return callback_of(v, type) ? -XEN_EINVAL : -XEN_ENOSYS;
}

long pv_op_set_callbacks(struct pv_vcpu *v, const uint64_t args[6])
{
	register_callback(v, CALLBACKTYPE_event, 0, args[0]);
	register_callback(v, CALLBACKTYPE_failsafe, 0, args[1]);
	register_callback(v, CALLBACKTYPE_syscall, 0, args[2]);
	return 0;
}

long pv_op_callback(struct pv_vcpu *v, const uint64_t args[6])
{
	struct callback_register reg;
	struct callback_unregister unreg;

	switch ((uint32_t)args[0]) {
	case CALLBACKOP_register:
		if (pv_copy_from_guest(&reg, args[1], sizeof(reg), NULL))
			return -XEN_EFAULT;
		return register_callback(v, reg.type, reg.flags, reg.address);
	case CALLBACKOP_unregister:
		if (pv_copy_from_guest(&unreg, args[1], sizeof(unreg), NULL))
			return -XEN_EFAULT;
		return unregister_callback(v, unreg.type);
	}
	return -XEN_ENOSYS;
}

long pv_op_nmi(struct pv_vcpu *v, const uint64_t args[6])
{
	struct xennmi_callback c;

	switch ((uint32_t)args[0]) {
	case XENNMI_register_callback:
		if (pv_copy_from_guest(&c, args[1], sizeof(c), NULL))
			return -XEN_EFAULT;
		return register_nmi(v, c.handler_address);
	case XENNMI_unregister_callback:
		return unregister_nmi(v);
	}
	return -XEN_ENOSYS;
}
