/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of a PV guest about its vCPU (public headers xen.h, callback.h, nmi.h, physdev.h).
 * Arguments as in the registers, in the order of the public prototypes; the answer is the guest's,
 * -XEN_EFAULT where a structure cannot be read. For the current vCPU, without locks. Freestanding.
 */
#ifndef SHIM_PV_CPU_OP_H
#define SHIM_PV_CPU_OP_H

#include "shim/pv/cpu.h"

/* Not answered here: the call is the host's, as it is. */
#define PV_OP_HOST INT64_MIN

/* (struct trap_info *, ended by one with address 0): NULL: no handler is left. -XEN_EINVAL: an
 * address is not canonical; the entries before it are in force. */
long pv_op_set_trap_table(struct pv_vcpu *v, const uint64_t args[6]);

/* (event, failsafe, syscall): what is not canonical stays as it was. 0. */
long pv_op_set_callbacks(struct pv_vcpu *v, const uint64_t args[6]);

/* (CALLBACKOP_*, structure). -XEN_ENOSYS: no such operation or type; -XEN_EINVAL: not canonical, or
 * cannot be unregistered. */
long pv_op_callback(struct pv_vcpu *v, const uint64_t args[6]);

/* (XENNMI_*, struct xennmi_callback *). -XEN_ENOSYS, -XEN_EINVAL: not canonical. */
long pv_op_nmi(struct pv_vcpu *v, const uint64_t args[6]);

/* (ss, sp): the kernel's stack when it is entered from user mode. 0. */
long pv_op_stack_switch(struct pv_vcpu *v, const uint64_t args[6]);

/* (SEGBASE_*, base or selector). -XEN_EINVAL: not canonical, or no such base. A selector that
 * cannot be loaded is a null one. */
long pv_op_set_segment_base(struct pv_vcpu *v, const uint64_t args[6]);

/* (int set): CR0.TS. 0. */
long pv_op_fpu_taskswitch(struct pv_vcpu *v, const uint64_t args[6]);

/* (int register, value). -XEN_ENODEV: no such register, with CR4.DE neither 4 nor 5; -XEN_EPERM: an
 * address of the hypervisor's, or a bit that is not the guest's; -XEN_EINVAL: upper half. */
long pv_op_set_debugreg(struct pv_vcpu *v, const uint64_t args[6]);
/* (int register). -XEN_ENODEV. */
long pv_op_get_debugreg(struct pv_vcpu *v, const uint64_t args[6]);

/* The same for MOV; the errors are those. */
long pv_write_debugreg(struct pv_vcpu *v, unsigned reg, uint64_t value);
long pv_read_debugreg(const struct pv_vcpu *v, unsigned reg, uint64_t *value);

/* (VMASST_CMD_*, VMASST_TYPE_*). -XEN_EINVAL: no such type; -XEN_ENOSYS: no such command;
 * PV_OP_HOST: of the run states' update flag. */
long pv_op_vm_assist(struct pv_vcpu *v, const uint64_t args[6]);

/* (XENVER_*, pointer). PV_OP_HOST but for XENVER_version. */
long pv_op_xen_version(struct pv_vcpu *v, const uint64_t args[6]);

/* (SCHEDOP_*, pointer). PV_OP_HOST but for SCHEDOP_block when there is an event already: 0. */
long pv_op_sched(struct pv_vcpu *v, const uint64_t args[6]);

/* (PHYSDEVOP_*, structure): set_iopl and set_iobitmap: -XEN_EINVAL: more than 3; more than 65536
 * ports, or the hypervisor's address. Else PV_OP_HOST. */
long pv_op_physdev(struct pv_vcpu *v, const uint64_t args[6]);

#endif
