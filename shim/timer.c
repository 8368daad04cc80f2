// SPDX-License-Identifier: BSD-2-Clause
#include "shim/timer.h"

#include "shim/domain.h"
#include "shim/vcpu_run.h"

static uint64_t now_of(struct vcpu *v)
{
	return v->domain->ops->system_time(v);
}

static uint64_t earliest(const struct timers *t)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < TIMERS; i++)
		if (t->deadline[i] && (!first || t->deadline[i] < first))
			first = t->deadline[i];
	return first;
}

/* Under timers.lock. */
static void ask(struct vcpu *v)
{
	struct timers *t = &v->timers;
	uint64_t first = earliest(t);

	if (first == t->asked)
		return;
	t->asked = first;
	v->domain->ops->set_timer(v, first);
}

static void set(struct vcpu *v, enum timer_id id, uint64_t deadline)
{
	pthread_mutex_lock(&v->timers.lock);
	v->timers.deadline[id] = deadline;
	ask(v);
	pthread_mutex_unlock(&v->timers.lock);
}

void timer_set(struct vcpu *v, enum timer_id id, uint64_t deadline)
{
	set(v, id, (int64_t)deadline > 0 ? deadline : 1);
}

void timer_stop(struct vcpu *v, enum timer_id id)
{
	set(v, id, 0);
}

/* Is a tick due? The next one follows this one by a period: ticks that were missed are not made up
 * for. Under timers.lock, with a period. */
static bool tick(struct timers *t, uint64_t now)
{
	bool due = now >= t->last_tick + t->period;

	if (due)
		t->last_tick = now;
	t->deadline[TIMER_PERIODIC] = t->last_tick + t->period;
	return due;
}

/* `period` NULL: with the one that it has. */
static void start_ticks(struct vcpu *v, const uint64_t *period)
{
	struct timers *t = &v->timers;
	uint64_t now = now_of(v);
	bool due = false;

	pthread_mutex_lock(&t->lock);
	if (period)
		t->period = *period;
	t->deadline[TIMER_PERIODIC] = 0;
	if (t->period)
		due = tick(t, now);
	ask(v);
	pthread_mutex_unlock(&t->lock);
	if (due)
		event_channel_raise_virq(v, VIRQ_TIMER);
}

void timer_set_period(struct vcpu *v, uint64_t period)
{
	start_ticks(v, &period);
}

void timer_begin_ticks(struct vcpu *v)
{
	start_ticks(v, NULL);
}

void timers_reset(struct vcpu *v)
{
	struct timers *t = &v->timers;

	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < TIMERS; i++)
		t->deadline[i] = 0;
	t->period = t->last_tick = 0;
	ask(v);
	pthread_mutex_unlock(&t->lock);
}

/* Take away what is due, as bits. Under timers.lock. */
static unsigned take_due(struct timers *t, uint64_t now)
{
	unsigned due = 0;

	for (unsigned i = 0; i < TIMERS; i++) {
		if (!t->deadline[i] || t->deadline[i] > now)
			continue;
		due |= 1u << i;
		t->deadline[i] = 0;
	}
	if (due >> TIMER_PERIODIC & 1)
		tick(t, now);
	return due;
}

void vcpu_timer_expired(struct vcpu *v)
{
	const unsigned ticks = 1u << TIMER_SINGLESHOT | 1u << TIMER_PERIODIC;
	uint64_t now = now_of(v);
	unsigned due;

	pthread_mutex_lock(&v->timers.lock);
	v->timers.asked = 0; /* the platform may have forgotten it */
	due = take_due(&v->timers, now);
	ask(v);
	pthread_mutex_unlock(&v->timers.lock);
	if (due & ticks)
		event_channel_raise_virq(v, VIRQ_TIMER);
	if (due >> TIMER_POLL & 1)
		vcpu_poll_timeout(v);
	if (due >> TIMER_WATCHDOG)
		domain_shutdown(v->domain, SHUTDOWN_watchdog);
}
