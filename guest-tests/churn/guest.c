// SPDX-License-Identifier: BSD-2-Clause
#include <time.h>

#include "guest-tests/churn/churn.h"

#define PATIENCE_MS 20000
#define POLL_NS     20000

static bool is_over(struct vm *vm)
{
	bool over;

	pthread_mutex_lock(&vm->end_lock);
	over = vm->end != VM_RUNNING;
	pthread_mutex_unlock(&vm->end_lock);
	return over;
}

/* Wait until *word is `value`, or differs from it. */
static bool wait_for(struct churn *c, const uint32_t *word, uint32_t value, bool equal)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while ((__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) != equal) {
		if (is_over(&c->machine.vm)) {
			if (!c->failures)
				churn_fail(c, "the guest has ended in the middle");
			return false;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >
		    PATIENCE_MS) {
			churn_fail(c, "the guest does not answer command %u", c->box->command);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

static void post(struct churn *c, enum churn_command command, uint32_t at, uint32_t pages,
		 uint32_t value)
{
	struct churn_mailbox *box = c->box;

	box->command = command;
	box->at = at;
	box->pages = pages;
	box->value = value;
	box->stop = 0;
	__atomic_store_n(&box->request, box->request + 1, __ATOMIC_RELEASE);
}

static bool wait_until_done(struct churn *c)
{
	return wait_for(c, &c->box->done, c->box->request, true);
}

bool guest_do(struct churn *c, enum churn_command command, uint32_t at, uint32_t pages,
	      uint32_t value)
{
	post(c, command, at, pages, value);
	return wait_until_done(c);
}

bool guest_result(struct churn *c, enum churn_command command, uint32_t at, int expected)
{
	if (!guest_do(c, command, at, 0, 0))
		return false;
	if (c->box->result == expected)
		return true;
	churn_fail(c, "command %u at %#x: the guest got %d, not %d", command, at, c->box->result,
		   expected);
	return false;
}

bool guest_turns(struct churn *c, uint32_t turns)
{
	uint32_t seen = __atomic_load_n(&c->box->turns, __ATOMIC_RELAXED);

	while (turns--) {
		if (!wait_for(c, &c->box->turns, seen, false))
			return false;
		seen = __atomic_load_n(&c->box->turns, __ATOMIC_RELAXED);
	}
	return true;
}

bool guest_start(struct churn *c, enum churn_command command, uint32_t at, uint32_t pages)
{
	post(c, command, at, pages, 0);
	return guest_turns(c, 1);
}

bool guest_stop(struct churn *c)
{
	__atomic_store_n(&c->box->stop, 1, __ATOMIC_RELEASE);
	return wait_until_done(c);
}

/* The vCPU counts them; it is in the guest while we look, or has counted before it went there. */
static uint64_t counter(const uint64_t *of_vcpu)
{
	return __atomic_load_n(of_vcpu, __ATOMIC_ACQUIRE);
}

static uint64_t other_exits(struct churn *c)
{
	const struct vm_vcpu *vv = &c->machine.vm.vcpus[0];

	return counter(&vv->exits) - counter(&vv->mmio_exits) - counter(&vv->not_emulated) -
	       c->box->calls;
}

void guest_account_begin(struct churn *c)
{
	c->other_exits = other_exits(c);
}

void guest_account(struct churn *c, const char *when)
{
	const struct vm_vcpu *vv = &c->machine.vm.vcpus[0];
	uint64_t others = other_exits(c), nowhere = counter(&vv->mmio_nowhere);

	if (c->box->wrong)
		return; /* it has printed what, with hypercalls */
	if (others != c->other_exits)
		churn_fail(c, "%s: %llu exits that are not the guest's doing", when,
			   (unsigned long long)(others - c->other_exits));
	if (nowhere != c->expected_nowhere)
		churn_fail(c, "%s: %llu accesses found no memory, expected %llu", when,
			   (unsigned long long)nowhere, (unsigned long long)c->expected_nowhere);
}
