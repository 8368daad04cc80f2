/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two kinds of kernels have in common about traps (catch.c), for the traps.c of each. */
#ifndef GUEST_TESTS_CATCH_H
#define GUEST_TESTS_CATCH_H

#include "guest-tests/lib/traps.h"

/* The stub of a vector is trap_stubs + vector * TRAP_STUB_SIZE (trap_entry.S). */
#define TRAP_STUB_SIZE 16
extern uint8_t trap_stubs[];

/* Whom trap_handle() calls; NULL: it is a fault. */
extern irq_handler_fn *trap_handlers[NR_VECTORS];
/* What the stubs call. */
void trap_handle(struct trap_frame *f);

/* How many there have been on this vCPU. */
unsigned int traps_handled(void);

#endif
