// SPDX-License-Identifier: BSD-2-Clause
#include "shim/short_lock.h"

#include <sched.h>
#include <time.h>

#define YIELDS   64
#define SLEEP_NS 20000

void short_lock_wait(struct short_lock *l)
{
	const struct timespec pause = {.tv_nsec = SLEEP_NS};

	for (unsigned i = 0; !short_lock_try(l); i++) {
		if (i < YIELDS)
			sched_yield();
		else
			nanosleep(&pause, NULL);
	}
}
