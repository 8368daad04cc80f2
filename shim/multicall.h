/* SPDX-License-Identifier: BSD-2-Clause */
/* Several hypercalls in one (public header xen.h, struct multicall_entry). */
#ifndef SHIM_MULTICALL_H
#define SHIM_MULTICALL_H

#include "shim/hypercall.h"

/*
 * args: the list, and how many there are. Each result goes into its entry. 0; -XEN_EFAULT when an
 * entry cannot be read or its result not be written: those before it have been carried out, and the
 * latter too; -XEN_EINVAL inside another multicall.
 */
long do_multicall(struct vcpu *v, const struct hypercall *h);

#endif
