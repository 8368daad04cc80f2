/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For unit tests of what happens without memory: programs that are linked with this object and with
 * FAIL_ALLOC's options (build.ninja) can order one of their own allocations to fail.
 */
#ifndef SHIM_FAIL_ALLOC_H
#define SHIM_FAIL_ALLOC_H

/* The nth allocation from now on (1: the next) fails, no other. 0: none. */
void fail_alloc(unsigned n);

/* How many allocations there have been since then. */
unsigned fail_alloc_seen(void);

#endif
