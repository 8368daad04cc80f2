/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest may ask to be done its way (public header xen.h, VMASST_*). */
#ifndef SHIM_VM_ASSIST_H
#define SHIM_VM_ASSIST_H

#include "shim/hypercall.h"

/*
 * args: VMASST_CMD_*, VMASST_TYPE_*. 0; -XEN_EINVAL: not a type for this kind of guest, HVM-style
 * ones have VMASST_TYPE_runstate_update_flag only; then -XEN_ENOSYS: no such command.
 *
 * A PV guest's monitor answers for what changes how it serves the guest (shim/pv/cpu_op.c). What
 * it has no use for comes here: the runstate area is ours.
 */
long do_vm_assist(struct vcpu *v, const struct hypercall *h);

#endif
