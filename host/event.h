/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events between threads, by eventfd(2): raised by any thread, taken by the one that waits. Any
 * number of raises before it is taken count as one.
 */
#ifndef HOST_EVENT_H
#define HOST_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* False only if it is raised already, as often as it can count. */
static inline bool event_raise(int fd)
{
	const uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one);
}

/* Was it raised? It is not any more. Waits, unless the descriptor does not block. */
static inline bool event_take(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

#endif
