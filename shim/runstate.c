// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runstate: how long a vCPU has been running, runnable (stolen from), blocked and offline (public
 * header vcpu.h). The four times of the record always sum to its entry time.
 *
 * A thread of the host is not told when it is descheduled, but how long it has waited for a CPU in
 * all. What that has grown by while the vCPU was running, or was being woken up, it was runnable.
 *
 * The guest sees the record where it has asked for it, rewritten at each change. Before a vCPU
 * waits that is done only if nothing has to be waited for: the memory slots may be changing, and
 * the change may wait for this thread. What was left out is made up for when it runs again.
 */
#include <string.h>

#include "shim/domain.h"
#include "xen-abi/x86_32.h"

_Static_assert(sizeof(struct vcpu_runstate_info_x86_32) == RUNSTATE_BODY, "all of a 32-bit one");
_Static_assert(sizeof(struct vcpu_runstate_info) == RUNSTATE_BODY + RUNSTATE_TAIL, "all of it");

#define TRIES_MAX 10 /* to write while slots change all the time */

/* Who is offline or waits already has nothing stolen. */
static bool can_be_stolen_from(const struct vcpu_runstate_info *r)
{
	return r->state == RUNSTATE_running || r->state == RUNSTATE_blocked;
}

/*
 * Let the present state count until now, and not what was stolen meanwhile. Returns that: at most
 * all of the time, the rest is for later. A clock that seems to go back takes nothing away. Under
 * runstate_lock, as all below.
 */
static uint64_t count(const struct vcpu *v, struct vcpu_runstate_info *r, uint64_t now,
		      uint64_t delay)
{
	uint64_t since = now > r->state_entry_time ? now - r->state_entry_time : 0;
	uint64_t stolen = delay > v->run_delay ? delay - v->run_delay : 0;

	if (!can_be_stolen_from(r))
		stolen = 0;
	else if (stolen > since)
		stolen = since;
	r->time[r->state] += since - stolen;
	r->time[RUNSTATE_runnable] += stolen;
	return stolen;
}

/* The same for good: the present state begins anew. */
static uint64_t account(struct vcpu *v, uint64_t now)
{
	struct vcpu_runstate_info *r = &v->runstate;
	uint64_t delay = v->domain->ops->run_delay(v);
	uint64_t stolen = count(v, r, now, delay);

	if (now > r->state_entry_time)
		r->state_entry_time = now;
	v->run_delay = can_be_stolen_from(r) ? v->run_delay + stolen : delay;
	return stolen;
}

void runstate_record(const struct vcpu_runstate_info *r, bool long_mode, union runstate_record *out)
{
	memset(out, 0, sizeof(*out));
	if (long_mode) {
		out->native = *r;
		return;
	}
	out->compat.state = r->state;
	out->compat.state_entry_time = r->state_entry_time;
	memcpy(out->compat.time, r->time, sizeof(r->time));
}

/* The byte with XEN_RUNSTATE_UPDATE: the last of the entry time. */
#define UPDATE_BYTE (XEN_RUNSTATE_UPDATE >> 56)

static unsigned update_offset(bool long_mode)
{
	return 7 + (long_mode ? offsetof(struct vcpu_runstate_info, state_entry_time)
			      : offsetof(struct vcpu_runstate_info_x86_32, state_entry_time));
}

static void put_update_byte(struct vcpu *v, union runstate_record *record, unsigned at)
{
	gpc_write_pieces(&v->runstate_area, at, &record->bytes[at], 1);
}

/* Both parts of the area are locked. */
static void put(struct vcpu *v, union runstate_record *record, bool long_mode)
{
	bool flag = domain_assists(v->domain, VMASST_TYPE_runstate_update_flag);
	unsigned at = update_offset(long_mode);

	/* The flag is there before anything else has changed, and after that it goes. */
	if (flag) {
		record->bytes[at] |= UPDATE_BYTE;
		put_update_byte(v, record, at);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	gpc_write_pieces(&v->runstate_area, 0, record->bytes, RUNSTATE_BODY);
	if (long_mode)
		gpc_write_pieces(&v->runstate_tail, 0, record->bytes + RUNSTATE_BODY,
				 RUNSTATE_TAIL);
	if (flag) {
		record->bytes[at] &= ~UPDATE_BYTE;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		put_update_byte(v, record, at);
	}
}

/* All of the area or nothing. False: there is an area, but it would have to be waited for. */
static bool write_area(struct vcpu *v, bool long_mode)
{
	union runstate_record record;
	unsigned nr;

	if (!gpc_is_active(&v->runstate_area) || (long_mode && !gpc_is_active(&v->runstate_tail)))
		return true;
	if (!gpc_lock_pieces_nosleep(&v->runstate_area, &nr))
		return false;
	if (long_mode && !gpc_lock_pieces_nosleep(&v->runstate_tail, &nr)) {
		gpc_unlock_pieces(&v->runstate_area, false);
		return false;
	}
	runstate_record(&v->runstate, long_mode, &record);
	put(v, &record, long_mode);
	if (long_mode)
		gpc_unlock_pieces(&v->runstate_tail, false);
	gpc_unlock_pieces(&v->runstate_area, false);
	return true;
}

/* Once for each update: the guest may switch meanwhile. */
static bool layout_is_long(const struct vcpu *v)
{
	switch (v->runstate_layout) {
	case RUNSTATE_32:
		return false;
	case RUNSTATE_64:
		return true;
	case RUNSTATE_LATCHED:
		break;
	}
	return domain_long_mode(v->domain);
}

/* Wait for the area where it must be waited for, with no lock. False: it has no memory. */
static bool wait_for_area(struct vcpu *v, bool long_mode)
{
	return !gpc_refresh_maysleep(&v->runstate_area) &&
	       (!long_mode || !gpc_refresh_maysleep(&v->runstate_tail));
}

static void write_area_maysleep(struct vcpu *v, bool long_mode)
{
	bool written = false;

	for (unsigned i = 0; i < TRIES_MAX && !written && wait_for_area(v, long_mode); i++) {
		pthread_mutex_lock(&v->runstate_lock);
		written = write_area(v, long_mode);
		pthread_mutex_unlock(&v->runstate_lock);
	}
}

void runstate_show(struct vcpu *v, bool long_mode)
{
	write_area_maysleep(v, long_mode);
}

void runstate_set(struct vcpu *v, int state, bool maysleep)
{
	uint64_t now = v->domain->ops->system_time(v);
	bool long_mode, written;

	if (v->runstate.state == state)
		return;
	pthread_mutex_lock(&v->runstate_lock);
	account(v, now);
	v->runstate.state = state;
	long_mode = layout_is_long(v);
	written = write_area(v, long_mode);
	pthread_mutex_unlock(&v->runstate_lock);
	if (!written && maysleep)
		write_area_maysleep(v, long_mode);
}

/* For the guest this is a change to runnable and back. */
void runstate_update(struct vcpu *v)
{
	uint64_t now = v->domain->ops->system_time(v);
	bool long_mode, written = true;

	pthread_mutex_lock(&v->runstate_lock);
	long_mode = layout_is_long(v);
	if (account(v, now))
		written = write_area(v, long_mode);
	pthread_mutex_unlock(&v->runstate_lock);
	if (!written)
		write_area_maysleep(v, long_mode);
}

void runstate_read(struct vcpu *v, struct vcpu_runstate_info *out)
{
	uint64_t now = v->domain->ops->system_time(v);

	pthread_mutex_lock(&v->runstate_lock);
	*out = v->runstate;
	count(v, out, now, v->domain->ops->run_delay(v));
	pthread_mutex_unlock(&v->runstate_lock);
}
