/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage for gpc_threads_test: threads that repeat a step each, one that changes things, and
 * what was found wrong.
 */
#ifndef SHIM_GPC_THREADS_TEST_H
#define SHIM_GPC_THREADS_TEST_H

#include "shim/gpc/gpc_test.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define RUN_MS  250 /* each test */
#define HANG_S  60  /* then it is a deadlock */
#define READERS 3

struct stage {
	struct world *w;
	bool stop; /* these are atomic: */
	unsigned faults, uses;
	unsigned now;                /* page of RAM that must be seen */
	bool forbidden[WORLD_PAGES]; /* pages of the arena that nobody may be using */
	unsigned holding, released;  /* a reader that was told to hold on */
};

static inline void hung(int signal)
{
	static const char message[] = "gpc_threads_test: deadlock, nothing has ended in time\n";

	(void)signal;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(2);
	_exit(1);
}

static inline void expect(struct stage *s, bool truth, const char *what)
{
	if (truth)
		return;
	if (!__atomic_fetch_add(&s->faults, 1, __ATOMIC_RELAXED))
		fprintf(stderr, "fault: %s\n", what);
}
#define EXPECT(s, truth) expect(s, truth, #truth)

/* Each page of RAM begins with its number. */
static inline void number_pages(struct stage *s)
{
	for (unsigned i = 0; i < WORLD_PAGES; i++)
		*(uint32_t *)(void *)test_memory_ram(&s->w->memory, i) = i;
}

static inline uint32_t number_at(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}

static inline unsigned arena_page(const struct stage *s, const void *p)
{
	return ((const uint8_t *)p - s->w->memory.arena) / GUEST_PAGE_SIZE;
}

struct party {
	struct stage *s;
	void (*step)(struct stage *s);
	pthread_t thread;
};

static void *take_part(void *opaque)
{
	struct party *p = opaque;

	while (!__atomic_load_n(&p->s->stop, __ATOMIC_ACQUIRE))
		p->step(p->s);
	return NULL;
}

static inline void join_in(struct party *p, struct stage *s, void (*step)(struct stage *s))
{
	*p = (struct party){.s = s, .step = step};
	assert_int_equal(pthread_create(&p->thread, NULL, take_part, p), 0);
}

static inline uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/*
 * Readers step all the time, `change` is called with 0, 1, 2, ... for RUN_MS. Neither may find a
 * fault, and the readers must have found memory sometimes.
 */
static inline void play(struct stage *s, void (*const step[READERS])(struct stage *s),
			void (*change)(struct stage *s, unsigned round))
{
	struct party party[READERS];
	uint64_t end = now_ms() + RUN_MS;

	alarm(HANG_S);
	for (unsigned i = 0; i < READERS; i++)
		join_in(&party[i], s, step[i]);
	for (unsigned round = 0; now_ms() < end || !__atomic_load_n(&s->uses, __ATOMIC_RELAXED);
	     round++)
		change(s, round);
	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(party[i].thread, NULL);
	alarm(0);
	assert_int_equal(s->faults, 0);
}

#endif
