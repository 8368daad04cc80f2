/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest may ask to be done its way (public header xen.h, VMASST_*). */
#ifndef SHIM_VM_ASSIST_H
#define SHIM_VM_ASSIST_H

#include "shim/hypercall.h"

/*
 * args: VMASST_CMD_*, VMASST_TYPE_*. 0; -XEN_EINVAL: not a type for this kind of guest, HVM-style
 * ones have VMASST_TYPE_runstate_update_flag only; then -XEN_ENOSYS: no such command.
 *
 * Of a PV guest, too, it is this that answers and keeps what is on. Its monitor, on whose way here
 * the call is, goes by the same bits: those of calls that have been answered with 0.
 */
long do_vm_assist(struct vcpu *v, const struct hypercall *h);

#endif
