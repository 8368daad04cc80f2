// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/poll.h"
#include "host/clock.h"

#include <sched.h>

/* A guest that has taken one answer and asks the next is back sooner than this. */
#define SPIN_NS 20000u

/* A guest that only asks has done so sooner; one that goes on computes. */
#define LATE_NS 1000000u

#define PENALTY_MAX 256u

/* Of use so often that what was before does not count any more. */
#define GOOD_AGAIN 64u

/* Looks between two glances at the clock. */
#define LOOKS 32u

/* A thread of this kind does not take the CPU from others when it is woken. */
static void give_way(struct block_poll *p, bool yes)
{
	const struct sched_param none = {0};

	if (!sched_setscheduler(0, yes ? SCHED_BATCH : SCHED_OTHER, &none))
		p->gives_way = yes;
}

void block_poll_init(struct block_poll *p)
{
	cpu_set_t cpus;

	*p = (struct block_poll){0};
	p->one_cpu = !sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) == 1;
	if (p->one_cpu)
		give_way(p, true);
}

/* It was of use, or it is left out the longer the more often it was not. */
static void learn(struct block_poll *p, bool of_use)
{
	if (of_use) {
		if (++p->good >= GOOD_AGAIN)
			p->penalty = 0;
		return;
	}
	p->good = 0;
	p->penalty = p->penalty ? p->penalty * 2 : 1;
	if (p->penalty > PENALTY_MAX)
		p->penalty = PENALTY_MAX;
	p->skip = p->penalty;
}

static bool look(bool (*has_come)(void *opaque), void *opaque)
{
	uint64_t start = clock_now_ns();
	bool come = has_come(opaque);

	while (!come && clock_now_ns() - start < SPIN_NS) {
		for (unsigned i = 0; i < LOOKS && !come; i++) {
			__builtin_ia32_pause();
			come = has_come(opaque);
		}
	}
	return come;
}

bool block_poll(struct block_poll *p, bool (*has_come)(void *opaque), void *opaque)
{
	bool come;

	if (p->one_cpu)
		return false;
	if (p->skip) {
		p->skip--;
		return false;
	}
	come = look(has_come, opaque);
	learn(p, come);
	return come;
}

void block_poll_woken(struct block_poll *p, uint64_t ns)
{
	if (!p->one_cpu)
		return;
	if (p->gives_way) {
		learn(p, ns < LATE_NS);
		if (p->skip)
			give_way(p, false);
	} else if (!p->skip || !--p->skip) {
		give_way(p, true);
	}
}
