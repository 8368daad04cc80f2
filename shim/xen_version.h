/* SPDX-License-Identifier: BSD-2-Clause */
/* XENVER_* (public header version.h), and who we say we are. */
#ifndef SHIM_XEN_VERSION_H
#define SHIM_XEN_VERSION_H

#include "shim/hypercall.h"

/* The Xen whose interface we offer: that of the public headers. */
#define XEN_SHIM_MAJOR        4
#define XEN_SHIM_MINOR        17
#define XEN_SHIM_EXTRAVERSION ".xenolith"

extern const struct suboperation xen_version_ops[];
extern const unsigned xen_version_ops_count;

#endif
