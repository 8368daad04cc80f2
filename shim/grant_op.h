/* SPDX-License-Identifier: BSD-2-Clause */
/* GNTTABOP_* (public header grant_table.h), as far as Xen has them for HVM guests. */
#ifndef SHIM_GRANT_OP_H
#define SHIM_GRANT_OP_H

#include "shim/hypercall.h"

extern const struct suboperation grant_table_ops[];
extern const unsigned grant_table_ops_count;

#endif
