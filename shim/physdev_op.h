/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PHYSDEVOP_* (public header physdev.h) of PV guests, as Xen answers a domain that has been given
 * none of the host's devices and interrupts. Those about I/O privilege are its monitor's.
 */
#ifndef SHIM_PHYSDEV_OP_H
#define SHIM_PHYSDEV_OP_H

#include "shim/hypercall.h"

extern const struct suboperation physdev_ops[];
extern const unsigned physdev_ops_count;

#endif
