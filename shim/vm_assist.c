// SPDX-License-Identifier: BSD-2-Clause
#include "shim/vm_assist.h"

#include "shim/domain.h"

#define BIT(name) (1ull << VMASST_TYPE_##name)

/* Types that there are for each kind of guest: Xen's HVM_VM_ASSIST_MASK and PV64_VM_ASSIST_MASK. */
static const uint64_t types[DOMAIN_TYPES] = {
	[DOMAIN_PVH] = BIT(runstate_update_flag),
	[DOMAIN_PV] = BIT(4gb_segments) | BIT(4gb_segments_notify) | BIT(writable_pagetables) |
		      BIT(pae_extended_cr3) | BIT(architectural_iopl) | BIT(runstate_update_flag) |
		      BIT(m2p_strict),
};

long do_vm_assist(struct vcpu *v, const struct hypercall *h)
{
	uint32_t cmd = h->args[0], type = h->args[1];
	struct domain *d = v->domain;

	if (type >= 64 || !(types[d->type] >> type & 1))
		return -XEN_EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		__atomic_fetch_or(&d->vm_assist, 1ull << type, __ATOMIC_RELAXED);
		return 0;
	case VMASST_CMD_disable:
		__atomic_fetch_and(&d->vm_assist, ~(1ull << type), __ATOMIC_RELAXED);
		return 0;
	}
	return -XEN_ENOSYS;
}
