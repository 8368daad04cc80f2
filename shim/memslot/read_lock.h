/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock for what is read at every hypercall and written a few times in a guest's life: one word,
 * one atomic addition to enter and one to leave. Readers go first and may nest; a writer comes in
 * when there are none, and may have to wait while they overlap.
 */
#ifndef SHIM_READ_LOCK_H
#define SHIM_READ_LOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define READ_LOCK_WRITER (1u << 31)

struct read_lock {
	uint32_t state; /* readers, or READ_LOCK_WRITER and readers that are backing off */
};

static inline void read_lock(struct read_lock *l)
{
	while (__atomic_fetch_add(&l->state, 1, __ATOMIC_ACQUIRE) & READ_LOCK_WRITER) {
		__atomic_fetch_sub(&l->state, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
}

static inline void read_unlock(struct read_lock *l)
{
	__atomic_fetch_sub(&l->state, 1, __ATOMIC_RELEASE);
}

static inline bool write_trylock(struct read_lock *l)
{
	uint32_t idle = 0;

	return __atomic_compare_exchange_n(&l->state, &idle, READ_LOCK_WRITER, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void write_lock(struct read_lock *l)
{
	while (!write_trylock(l))
		sched_yield();
}

static inline void write_unlock(struct read_lock *l)
{
	__atomic_fetch_and(&l->state, ~READ_LOCK_WRITER, __ATOMIC_RELEASE);
}

#endif
