// SPDX-License-Identifier: BSD-2-Clause
#include "shim/vm_assist.h"

#include "shim/domain.h"

long do_vm_assist(struct vcpu *v, const struct hypercall *h)
{
	uint32_t cmd = h->args[0], type = h->args[1];
	uint32_t bit = 1u << VMASST_TYPE_runstate_update_flag;

	if (type != VMASST_TYPE_runstate_update_flag)
		return -XEN_EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		__atomic_fetch_or(&v->domain->vm_assist, bit, __ATOMIC_RELAXED);
		return 0;
	case VMASST_CMD_disable:
		__atomic_fetch_and(&v->domain->vm_assist, ~bit, __ATOMIC_RELAXED);
		return 0;
	}
	return -XEN_ENOSYS;
}
