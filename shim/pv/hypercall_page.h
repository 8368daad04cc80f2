/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall page of a PV guest (public header xen-x86_64.h: stub N at N * 32 enters hypercall
 * N with its arguments in rdi, rsi, rdx, r10, r8, r9, and keeps all registers but rax).
 */
#ifndef SHIM_PV_HYPERCALL_PAGE_H
#define SHIM_PV_HYPERCALL_PAGE_H

#include <stdint.h>

#include "shim/pv/layout.h"

void pv_hypercall_page_fill(uint8_t page[PV_PAGE_SIZE]);

#endif
