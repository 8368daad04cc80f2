/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the torture test: torture_use.c is the threads that use memory, torture.c is
 * the one that changes it.
 */
#ifndef SHIM_TORTURE_H
#define SHIM_TORTURE_H

#include "shim/domain.h"
#include "shim/gpc/gpc.h"
#include "shim/memslot/test_memory.h"

#define THREADS      8
#define REGIONS      8u /* they come in pairs that lie side by side */
#define REGION_PAGES 8u
#define LOGGED_PAGES 128u /* of the region that is always logged */
#define HOMES        3u

/* The arena, and the RAM: the regions, a spare page for each of them, the logged region. */
#define SPARES      (REGIONS * REGION_PAGES)
#define LOGGED      (SPARES + REGIONS)
#define ARENA_PAGES (LOGGED + LOGGED_PAGES)
#define BACKINGS    (ARENA_PAGES + TEST_MEMORY_SHOWN)

/* In a region: whose mapping is replaced by that of a spare page, where overlays are shown. */
#define REMAPPED_PAGE 5u
#define OVERLAY_PAGE  6u

/* In a page: its name, the cells, and (first and last page of a region) what straddles two. */
#define NAME_AT    2048u
#define CELL_AT(t) (64u + 64u * (t))
#define STRADDLING 64u

struct region { /* the changer's */
	bool there, logged, covered, swapped;
	unsigned home;
};

struct torture;

struct thread {
	struct torture *t;
	unsigned nr;
	pthread_t thread;
	uint64_t random;
	struct memslot_hint by_gpa, by_hva;
	struct gpc gpc[4];
	uint64_t mine[BACKINGS]; /* what my cell in each page must hold */
	uint64_t straddling;     /* what I have written last to the area across two regions */
	uint64_t steps, hits;    /* atomic */
};

struct torture {
	struct domain domain; /* of which only the slots are used */
	struct test_memory memory;
	struct thread thread[THREADS];
	bool stop;       /* atomic */
	unsigned faults; /* atomic */

	struct region region[REGIONS];
	unsigned logged_home;
	uint64_t random, changes, refusals, pinned, logs;
	uint64_t last[LOGGED_PAGES];   /* atomic: last write to each page that is told of */
	uint64_t copied[LOGGED_PAGES]; /* the migration's copy */
};

/* One more fault, if not. */
void torture_expect(struct torture *t, bool truth, const char *what);
#define EXPECT(t, truth) torture_expect(t, truth, #truth)

/* torture_use.c: prepare and start thread nr. */
void torture_start_thread(struct torture *t, unsigned nr);

/* xorshift64; in 0 ... n - 1. */
static inline unsigned pick(uint64_t *random, unsigned n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 11) % n;
}

/*
 * Where things are.
 */

/* A region's homes: beside its partner; half over its own old place; far away, alone. */
static inline uint64_t home_of(unsigned region, unsigned home)
{
	uint64_t pair = 0x1000 + region / 2 * 0x100, second = region % 2;

	switch (home) {
	case 0:
		return pair + second * REGION_PAGES;
	case 1:
		return second ? pair + REGION_PAGES + 4 : pair - 4;
	default:
		return pair + 0x40 + second * 0x40;
	}
}

/* The logged region's overlap, too. */
static inline uint64_t logged_home(unsigned home)
{
	return 0x8000 + home * (LOGGED_PAGES / 2);
}

static inline uint8_t *arena_page(const struct torture *t, unsigned page)
{
	return t->memory.arena + page * (size_t)GUEST_PAGE_SIZE;
}

static inline uint64_t *word_at(uint8_t *page, unsigned offset)
{
	return (uint64_t *)(void *)(page + offset);
}

static inline uint64_t read_word(uint8_t *page, unsigned offset)
{
	return __atomic_load_n(word_at(page, offset), __ATOMIC_RELAXED);
}

#endif
