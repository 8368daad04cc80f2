/* SPDX-License-Identifier: BSD-2-Clause */
/* SCHEDOP_* (public header sched.h). */
#ifndef SHIM_SCHED_OP_H
#define SHIM_SCHED_OP_H

#include "shim/hypercall.h"

extern const struct suboperation sched_ops[];
extern const unsigned sched_ops_count;

#endif
