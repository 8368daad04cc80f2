/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a queue's thread and the guest share the CPUs, so that the guest need not tell of each
 * request: a telling is an exit, a system call and a wake-up.
 *
 * On one CPU a thread that is woken lets the guest go on (SCHED_BATCH), until that has nothing more
 * to ask. A guest that computes besides would keep it waiting: then it does not, for a while. With
 * more CPUs it looks for the next request for a moment before it sleeps; that, too, is left out for
 * a while when it was of no use. One thread.
 */
#ifndef HOST_BACKEND_BLOCK_POLL_H
#define HOST_BACKEND_BLOCK_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct block_poll {
	bool one_cpu;
	bool gives_way;         /* with one CPU: the guest goes on when we are woken */
	unsigned skip, penalty; /* times that it is left out, and how many the next will be */
	unsigned good;          /* times in a row that it was of use */
};

/* On the thread. */
void block_poll_init(struct block_poll *p);

/* Before it sleeps: until has_come(opaque), or it is not worth it. What has_come() said last. */
bool block_poll(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque);

/* It was woken so long ago. */
void block_poll_woken(struct block_poll *p, uint64_t ns);

#endif
