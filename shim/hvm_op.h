/* SPDX-License-Identifier: BSD-2-Clause */
/* HVMOP_* (public headers hvm/hvm_op.h and hvm/params.h). */
#ifndef SHIM_HVM_OP_H
#define SHIM_HVM_OP_H

#include "shim/hypercall.h"

extern const struct suboperation hvm_ops[];
extern const unsigned hvm_ops_count;

struct domain;

/* The parameters that a guest may set become what they are in a new domain. Under its lock. */
void hvm_params_reset(struct domain *d);

#endif
