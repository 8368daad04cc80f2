/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of a vCPU: several deadlines, one timer of the platform's for the earliest of them.
 * All are guest system time in ns.
 */
#ifndef SHIM_TIMER_H
#define SHIM_TIMER_H

#include <pthread.h>
#include <stdint.h>

struct vcpu;

#define WATCHDOGS 2

enum timer_id {
	TIMER_SINGLESHOT, /* VIRQ_TIMER, as the next */
	TIMER_PERIODIC,
	TIMER_POLL,     /* SCHEDOP_poll's timeout */
	TIMER_WATCHDOG, /* the first of the domain's, on vCPU 0 */
	TIMERS = TIMER_WATCHDOG + WATCHDOGS,
};

struct timers {
	pthread_mutex_t lock;
	uint64_t deadline[TIMERS]; /* 0: off */
	uint64_t asked;            /* what the platform knows of */
	uint64_t period, last_tick;
};

/*
 * Let a timer expire at `deadline`, and not when it was to before. Times from 2^63 up are negative
 * to Xen, and past. Any thread.
 */
void timer_set(struct vcpu *v, enum timer_id id, uint64_t deadline);
void timer_stop(struct vcpu *v, enum timer_id id);

/*
 * A tick every `period` ns from the last one on, which was long ago if there was none: then the
 * first is now. 0: no ticks. Any thread.
 */
void timer_set_period(struct vcpu *v, uint64_t period);
/* The same with the period that v has, of which it has had no tick yet. */
void timer_begin_ticks(struct vcpu *v);

/* All off, and no tick has ever been. Any thread. */
void timers_reset(struct vcpu *v);

/* A deadline that platform_ops.set_timer was given may have come. Any thread, no lock held. */
void vcpu_timer_expired(struct vcpu *v);

#endif
