/* SPDX-License-Identifier: BSD-2-Clause */
/* A network interface's rings (public header io/netif.h): the same bytes in both word sizes. */
#ifndef XEN_ABI_NETIF_H
#define XEN_ABI_NETIF_H

#include <stddef.h>
#include <string.h>

#include "xen-abi/xen.h"

#include <xen/io/netif.h>

#endif
