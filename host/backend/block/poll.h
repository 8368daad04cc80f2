/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a guest's next request without being asleep: while the thread looks by itself, the
 * guest need not tell, which costs it an exit, and us a system call and a wake-up.
 *
 * On one CPU that means to let the guest go first, and look when it has nothing more to do; with
 * more, to look again and again for as long as requests have lately taken to come, up to a bound.
 * Either is left out for a while when it was of no use. One thread.
 */
#ifndef HOST_BACKEND_BLOCK_POLL_H
#define HOST_BACKEND_BLOCK_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct block_poll {
	bool one_cpu;
	unsigned skip, penalty; /* times that are left out, and how many the next will be */
};

void block_poll_init(struct block_poll *p);

/* Until has_come(opaque), or it is not worth it. What has_come() said last. */
bool block_poll(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque);

#endif
