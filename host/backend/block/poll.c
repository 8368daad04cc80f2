// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/poll.h"

#include <sched.h>
#include <time.h>

/* A guest that has answered one request and asks the next is back sooner than this. */
#define SPIN_NS 20000u

/*
 * Who lets others go first may come back late: one of them has work of its own. A request may have
 * waited for us meanwhile, so this must be rare.
 */
#define LATE_NS 500000u

#define PENALTY_MAX 256u

/* Looks between two glances at the clock. */
#define LOOKS 32u

void block_poll_init(struct block_poll *p)
{
	cpu_set_t cpus;

	*p = (struct block_poll){0};
	p->one_cpu = !sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) == 1;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* It was of use, or it is left out the longer the more often it was not. */
static void learn(struct block_poll *p, bool of_use)
{
	if (of_use) {
		p->penalty = 0;
		return;
	}
	p->penalty = p->penalty ? p->penalty * 2 : 1;
	if (p->penalty > PENALTY_MAX)
		p->penalty = PENALTY_MAX;
	p->skip = p->penalty;
}

static bool let_others_go(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque)
{
	uint64_t start = now();
	bool come;

	sched_yield();
	come = has_come(opaque);
	learn(p, come && now() - start < LATE_NS);
	return come;
}

static bool look(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque)
{
	uint64_t start = now();
	bool come = has_come(opaque);

	while (!come && now() - start < SPIN_NS) {
		for (unsigned i = 0; i < LOOKS && !come; i++) {
			__builtin_ia32_pause();
			come = has_come(opaque);
		}
	}
	learn(p, come);
	return come;
}

bool block_poll(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque)
{
	if (p->skip) {
		p->skip--;
		return false;
	}
	return p->one_cpu ? let_others_go(p, has_come, opaque) : look(p, has_come, opaque);
}
