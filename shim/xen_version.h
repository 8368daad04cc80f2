/* SPDX-License-Identifier: BSD-2-Clause */
/* XENVER_* (public header version.h), and who we say we are. */
#ifndef SHIM_XEN_VERSION_H
#define SHIM_XEN_VERSION_H

#include "shim/hypercall.h"

/* The Xen whose interface we offer: that of the public headers. */
#define XEN_SHIM_MAJOR 4
#define XEN_SHIM_MINOR 17
/* As XENVER_version and the CPUID leaf tell it. */
#define XEN_SHIM_VERSION      (XEN_SHIM_MAJOR << 16 | XEN_SHIM_MINOR)
#define XEN_SHIM_EXTRAVERSION ".xenolith"

extern const struct suboperation xen_version_ops[];
extern const unsigned xen_version_ops_count;

#endif
