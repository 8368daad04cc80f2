/* SPDX-License-Identifier: BSD-2-Clause */
/* CONSOLEIO_* (public header xen.h): the hypervisor's own console, not the guest's. */
#ifndef SHIM_CONSOLE_IO_H
#define SHIM_CONSOLE_IO_H

#include "shim/hypercall.h"

extern const struct suboperation console_io_ops[];
extern const unsigned console_io_ops_count;

#endif
