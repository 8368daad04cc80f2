/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-copy-update (liburcu): readers take no lock and are never waited upon by other readers; who
 * has unpublished something waits for a grace period (rcu_synchronize) and then frees it.
 *
 * liburcu's "bulletproof" flavour: a thread registers itself when it first reads, so an embedder's
 * threads need no preparation. Sections nest. In a section no lock may be waited for whose owner
 * may wait for a grace period, and rcu_synchronize() must not be called.
 */
#ifndef SHIM_RCU_H
#define SHIM_RCU_H

#include <stdbool.h>

/*
 * Inline read sections (which the LGPL allows us), but not for UBSan: it would find that liburcu
 * aligns less than it declares.
 */
#ifndef RCU_OUT_OF_LINE
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-bp.h>

/*
 * ThreadSanitizer does not see into liburcu: it is told what a grace period orders. All that
 * readers did in sections that have ended comes before what happens after rcu_synchronize().
 */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *);
void __tsan_release(void *);
extern char rcu_grace_periods;
#define RCU_ORDER_AFTER_READERS()  __tsan_acquire(&rcu_grace_periods)
#define RCU_ORDER_BEFORE_WRITERS() __tsan_release(&rcu_grace_periods)
#else
#define RCU_ORDER_AFTER_READERS()
#define RCU_ORDER_BEFORE_WRITERS()
#endif

static inline void rcu_enter(void)
{
	urcu_bp_read_lock();
}

static inline void rcu_leave(void)
{
	RCU_ORDER_BEFORE_WRITERS();
	urcu_bp_read_unlock();
}

/* Is this thread in a section? */
static inline bool rcu_inside(void)
{
	return urcu_bp_read_ongoing();
}

/* Wait until every section that is open now has ended. Not from within one. */
static inline void rcu_synchronize(void)
{
	urcu_bp_synchronize_rcu();
	RCU_ORDER_AFTER_READERS();
}

#endif
