// SPDX-License-Identifier: BSD-2-Clause
#include "shim/vcpu_run.h"

#include "shim/domain.h"
#include "shim/shared_info.h"

static void hold(struct vcpu *v, uint32_t bits)
{
	__atomic_fetch_or(&v->hold, bits, __ATOMIC_SEQ_CST);
}

/* What was set before. */
static uint32_t release(struct vcpu *v, uint32_t bits)
{
	return __atomic_fetch_and(&v->hold, ~bits, __ATOMIC_SEQ_CST);
}

/* Before it goes on: registers that it was given while it was down, and no timer of a poll. */
static void go_on(struct vcpu *v)
{
	if (v->context_waits) {
		v->context_waits = false;
		v->domain->ops->set_context(v, &v->context);
	}
	timer_stop(v, TIMER_POLL);
	runstate_set(v, RUNSTATE_running, true);
}

bool vcpu_may_run_slowly(struct vcpu *v)
{
	uint32_t bits = release(v, HOLD_LATER) & (HOLD_BLOCKED | HOLD_DOWN);

	if (!bits) {
		go_on(v);
		return true;
	}
	/* Who holds it only releases its own bit: it shall come here again. */
	hold(v, HOLD_LATER);
	runstate_set(v, bits & HOLD_DOWN ? RUNSTATE_offline : RUNSTATE_blocked, false);
	return false;
}

void vcpu_started(struct vcpu *v)
{
	pthread_mutex_lock(&v->domain->lock);
	v->initialised = true;
	v->context_waits = false;
	pthread_mutex_unlock(&v->domain->lock);
	hold(v, HOLD_LATER);
	release(v, HOLD_DOWN);
}

bool vcpu_interrupts_enabled(struct vcpu *v)
{
	const guest_vcpu_info *info;
	bool masked;

	if (v->domain->type != DOMAIN_PV)
		return v->domain->ops->interrupts_enabled(v);
	info = vcpu_info_lock(v);
	if (!info)
		return false;
	masked = __atomic_load_n(&info->evtchn_upcall_mask, __ATOMIC_SEQ_CST);
	vcpu_info_unlock(v);
	return !masked;
}

bool vcpu_upcall_deliverable(struct vcpu *v)
{
	return vcpu_interrupts_enabled(v) && event_channels_pending(v);
}

void vcpu_block(struct vcpu *v)
{
	hold(v, HOLD_BLOCKED | HOLD_LATER);
	/* After the mark: what comes in between takes it away. */
	if (vcpu_upcall_deliverable(v))
		release(v, HOLD_BLOCKED);
}

static uint64_t *poll_word(const struct vcpu *v)
{
	return &v->domain->pollers[v->id / 64];
}

static uint64_t poll_bit(const struct vcpu *v)
{
	return 1ull << v->id % 64;
}

/* True for one caller: v has been polling. */
static bool leave_pollers(struct vcpu *v)
{
	uint64_t before = __atomic_fetch_and(poll_word(v), ~poll_bit(v), __ATOMIC_SEQ_CST);
	bool polled = before & poll_bit(v);

	if (polled)
		__atomic_fetch_sub(&v->domain->events.pollers, 1, __ATOMIC_SEQ_CST);
	return polled;
}

void vcpu_unblock(struct vcpu *v)
{
	if (!(release(v, HOLD_BLOCKED) & HOLD_BLOCKED))
		return;
	/* It may be running already and poll again: then that poll has lost its bit, and ends. */
	if (leave_pollers(v))
		release(v, HOLD_BLOCKED);
	v->domain->ops->wake(v);
}

static void set_poll_port(struct vcpu *v, int64_t port)
{
	__atomic_store_n(&v->poll_port, port, __ATOMIC_SEQ_CST);
}

void vcpu_poll_begin(struct vcpu *v)
{
	hold(v, HOLD_BLOCKED | HOLD_LATER);
	set_poll_port(v, -1);
	if (!(__atomic_fetch_or(poll_word(v), poll_bit(v), __ATOMIC_SEQ_CST) & poll_bit(v)))
		__atomic_fetch_add(&v->domain->events.pollers, 1, __ATOMIC_SEQ_CST);
}

void vcpu_poll_wait(struct vcpu *v, int64_t port)
{
	set_poll_port(v, port);
}

void vcpu_poll_cancel(struct vcpu *v)
{
	leave_pollers(v);
	release(v, HOLD_BLOCKED);
}

static bool polls_for(const struct vcpu *v, evtchn_port_t port)
{
	int64_t wanted = __atomic_load_n(&v->poll_port, __ATOMIC_SEQ_CST);

	return wanted < 0 || wanted == port;
}

/* Who tells it may be late: what is not pending any more has been taken, and ends no later poll. */
void vcpu_wake_pollers(struct domain *d, evtchn_port_t port)
{
	if (event_channel_poll(d, port) <= 0)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(d->pollers); i++) {
		uint64_t word = __atomic_load_n(&d->pollers[i], __ATOMIC_SEQ_CST);

		for (; word; word &= word - 1) {
			struct vcpu *v = d->vcpus[i * 64 + __builtin_ctzll(word)];

			if (polls_for(v, port) && leave_pollers(v))
				vcpu_unblock(v);
		}
	}
}

void vcpu_reset(struct vcpu *v)
{
	vcpu_unblock(v);
	pthread_mutex_lock(&v->domain->lock);
	hold(v, HOLD_DOWN | HOLD_LATER);
	v->initialised = v->context_waits = false;
	pthread_mutex_unlock(&v->domain->lock);
}

void vcpu_poll_timeout(struct vcpu *v)
{
	if (leave_pollers(v))
		vcpu_unblock(v);
}

void vcpu_hold_down(struct vcpu *v)
{
	hold(v, HOLD_DOWN | HOLD_LATER);
	v->domain->ops->wake(v);
}

void vcpu_let_up(struct vcpu *v)
{
	if (release(v, HOLD_DOWN) & HOLD_DOWN)
		v->domain->ops->wake(v);
}
