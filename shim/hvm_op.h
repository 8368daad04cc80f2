/* SPDX-License-Identifier: BSD-2-Clause */
/* HVMOP_* (public headers hvm/hvm_op.h and hvm/params.h). */
#ifndef SHIM_HVM_OP_H
#define SHIM_HVM_OP_H

#include "shim/hypercall.h"

extern const struct suboperation hvm_ops[];
extern const unsigned hvm_ops_count;

#endif
