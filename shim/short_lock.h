/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock for a few instructions, taken once or more by every event: a mutex costs some 60
 * instructions even when nobody else wants it. Its owner does not wait for anything; but the host
 * may have taken the CPU from it, so who finds it taken does not spin for long.
 */
#ifndef SHIM_SHORT_LOCK_H
#define SHIM_SHORT_LOCK_H

#include <stdbool.h>

struct short_lock {
	bool taken;
};

/* Until it is free: the host's other threads first, and then, lest the owner be one of lower
 * priority, sleep. */
void short_lock_wait(struct short_lock *l);

static inline bool short_lock_try(struct short_lock *l)
{
	return !__atomic_exchange_n(&l->taken, true, __ATOMIC_ACQUIRE);
}

static inline void short_lock(struct short_lock *l)
{
	if (__builtin_expect(!short_lock_try(l), 0))
		short_lock_wait(l);
}

static inline void short_unlock(struct short_lock *l)
{
	__atomic_store_n(&l->taken, false, __ATOMIC_RELEASE);
}

#endif
