/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For unit tests of what happens without memory: programs that are linked with this object and with
 * $fail_alloc's options (build.ninja) can order one of their own allocations to fail.
 */
#ifndef SHIM_FAIL_ALLOC_H
#define SHIM_FAIL_ALLOC_H

#include <stdint.h>

/* The nth allocation from now on (1: the next) fails, no other. 0: none. */
void fail_alloc(unsigned n);

/* How many allocations there have been since then. */
unsigned fail_alloc_seen(void);

/* Of the whole run: allocations that have not been freed, and the bytes that have been asked for.
 */
long fail_alloc_live(void);
uint64_t fail_alloc_bytes(void);

#endif
