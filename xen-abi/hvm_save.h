/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of virtual hardware as Xen saves it with an HVM guest. GNU C only, so apart from the
 * rest of the guest ABI.
 */
#ifndef XEN_ABI_HVM_SAVE_H
#define XEN_ABI_HVM_SAVE_H

#include "xen-abi/xen.h"

#include <xen/hvm/save.h>

#endif
