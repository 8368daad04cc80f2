/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests: let the loop serve all that is ready, and come back. */
#ifndef HOST_XENSTORE_TEST_LOOP_H
#define HOST_XENSTORE_TEST_LOOP_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/loop.h"

static inline void test_loop_stop(void *opaque, uint32_t events)
{
	(void)events;
	loop_stop(opaque);
}

/* An event that is ready already stands behind all others; what they make ready, the next round. */
static inline void test_loop_settle(struct loop *loop)
{
	struct watch w = {.ready = test_loop_stop, .opaque = loop};
	uint64_t count;

	for (int round = 0; round < 8; round++) {
		w.fd = eventfd(1, EFD_CLOEXEC);
		if (loop_watch(loop, &w, EPOLLIN))
			return;
		loop_run(loop);
		loop->stopped = false;
		if (read(loop->stop_fd, &count, sizeof(count)) < 0)
			return;
		loop_unwatch(loop, &w);
		close(w.fd);
	}
}

#endif
