/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of the program: the signals that tell of the user are the event loop's alone.
 */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include <pthread.h>

/*
 * Start a thread in which all signals are blocked but `wanted` (0: none) and SIGSYS, by which the
 * sandbox names a forbidden call. 0 or an errno, as pthread_create().
 */
int thread_start(pthread_t *thread, int wanted, void *(*run)(void *opaque), void *opaque);

#endif
