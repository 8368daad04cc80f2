// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: torture [SECONDS]
 *
 * Eight threads use guest memory in all ways there are, while one changes everything below them:
 * slots are created, deleted, moved and get other flags, overlays come and go, mappings are
 * replaced, the machinery refuses. What may not happen:
 *
 * - a lost write: each thread has a cell of its own in every page, and remembers what it has
 *   written there last. Whenever it reaches the page, and in the end, that is what is there;
 * - a lost mark: one region is always logged, and a copy of it is kept as a migration does;
 * - a stale pointer: memory of slots that are gone is not mapped, and a page says what it is;
 * - a torn view: in one section, memory is at one address at most, by either index.
 *
 * Prints progress every 10 s and one line of totals; the exit status is 0 when nothing was wrong.
 */
#include "shim/memslot/torture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/overlay.h"

#define HANG_S 120

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void hung(int signal)
{
	static const char message[] = "torture: deadlock, nothing has moved for a long time\n";

	(void)signal;
	_exit(write(STDERR_FILENO, message, sizeof(message) - 1) < 0 ? 2 : 1);
}

void torture_expect(struct torture *t, bool truth, const char *what)
{
	if (!truth && __atomic_fetch_add(&t->faults, 1, __ATOMIC_RELAXED) < 20)
		fprintf(stderr, "torture: fault: %s\n", what);
}

/*
 * Changing it.
 */

static int set_slot(struct torture *t, unsigned id, uint64_t frame, unsigned npages, unsigned page,
		    bool logged)
{
	const struct memslot_request r = {
		.slot = id,
		.flags = logged ? MEMSLOT_LOG_DIRTY : 0,
		.gpa = gfn_to_gpa(gfn(frame)).v,
		.size = npages * (uint64_t)GUEST_PAGE_SIZE,
		.hva = (uintptr_t)arena_page(t, page),
	};

	return memslots_set_slot(&t->domain.memslots, &r);
}

/* What a change says: that it happened, or why it could not. */
static bool happened(struct torture *t, int rc, int refusal)
{
	int expected = refusal ? refusal : t->memory.fail ? -t->memory.fail : 0;

	torture_expect(t, rc == expected, "a change says what it should");
	t->changes += !rc;
	t->refusals += rc != 0;
	return !rc;
}

/* The same of one that is refused while somebody has a page of the region pinned. */
static bool happened_unless_pinned(struct torture *t, int rc, int refusal)
{
	if (rc != -EBUSY)
		return happened(t, rc, refusal);
	t->refusals++;
	t->pinned += !refusal;
	return false;
}

static void map_region(struct torture *t, unsigned nr)
{
	unsigned first = nr * REGION_PAGES;

	test_memory_map(&t->memory, first, REGION_PAGES, first);
	if (t->region[nr].swapped)
		test_memory_map(&t->memory, first + REMAPPED_PAGE, 1, SPARES + nr);
}

static void create_or_delete(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];
	unsigned first = nr * REGION_PAGES, home = pick(&t->random, HOMES);
	bool logged = pick(&t->random, 2);

	if (r->there) {
		int rc = set_slot(t, nr, 0, 0, 0, false);

		if (!happened_unless_pinned(t, rc, r->covered ? -EBUSY : 0))
			return;
		test_memory_unmap(&t->memory, first, REGION_PAGES);
		r->there = false;
		return;
	}
	map_region(t, nr);
	if (happened(t, set_slot(t, nr, home_of(nr, home), REGION_PAGES, first, logged), 0)) {
		r->there = true;
		r->home = home;
		r->logged = logged;
	} else {
		test_memory_unmap(&t->memory, first, REGION_PAGES);
	}
}

static void move(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];
	unsigned home = (r->home + 1 + pick(&t->random, HOMES - 1)) % HOMES;

	int rc;

	if (!r->there)
		return;
	rc = set_slot(t, nr, home_of(nr, home), REGION_PAGES, nr * REGION_PAGES, r->logged);
	if (happened_unless_pinned(t, rc, r->covered ? -EBUSY : 0))
		r->home = home;
}

static void change_flags(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];

	if (r->there && happened(t,
				 set_slot(t, nr, home_of(nr, r->home), REGION_PAGES,
					  nr * REGION_PAGES, !r->logged),
				 0))
		r->logged = !r->logged;
}

static void cover_or_uncover(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];
	struct memslots *slots = &t->domain.memslots;
	struct gfn at = gfn(home_of(nr, r->home) + OVERLAY_PAGE);

	if (!r->there)
		return;
	if (r->covered) {
		if (happened_unless_pinned(t, overlay_hide(slots, at), 0))
			r->covered = false;
	} else {
		int rc = overlay_show(slots, pick(&t->random, TEST_MEMORY_SHOWN), at);

		if (happened_unless_pinned(t, rc, 0))
			r->covered = true;
	}
}

static void replace_mapping(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];
	unsigned page = nr * REGION_PAGES + REMAPPED_PAGE;
	bool changed = pick(&t->random, 2);
	int rc;

	if (!r->there)
		return;
	rc = memslots_remap_begin(&t->domain.memslots, arena_page(t, page), GUEST_PAGE_SIZE);
	if (rc) {
		happened_unless_pinned(t, rc, 0);
		return;
	}
	test_memory_unmap(&t->memory, page, 1); /* nobody is there */
	r->swapped ^= changed;
	test_memory_map(&t->memory, page, 1, r->swapped ? SPARES + nr : page);
	memslots_remap_end(&t->domain.memslots, changed);
	t->changes++;
}

/* The logged region moves, or what is mapped there is: the same, but for a moment. */
static void change_logged(struct torture *t)
{
	unsigned home = (t->logged_home + 1) % HOMES,
		 page = LOGGED + pick(&t->random, LOGGED_PAGES);
	bool changed = pick(&t->random, 2);

	if (pick(&t->random, 2)) {
		if (happened(t, set_slot(t, REGIONS, logged_home(home), LOGGED_PAGES, LOGGED, true),
			     0))
			t->logged_home = home;
		return;
	}
	if (memslots_remap_begin(&t->domain.memslots, arena_page(t, page), GUEST_PAGE_SIZE)) {
		torture_expect(t, false, "remap_begin");
		return;
	}
	test_memory_unmap(&t->memory, page, 1);
	test_memory_map(&t->memory, page, 1, page);
	memslots_remap_end(&t->domain.memslots, changed);
	t->changes++;
}

/* Copy what is dirty. What was written and told of before we asked is in the copy then. */
static void migrate(struct torture *t)
{
	uint64_t last[LOGGED_PAGES], dirty[LOGGED_PAGES / 64];
	int rc;

	for (unsigned i = 0; i < LOGGED_PAGES; i++)
		last[i] = __atomic_load_n(&t->last[i], __ATOMIC_ACQUIRE);
	rc = dirty_log_get(&t->domain.memslots, REGIONS, dirty);
	if (!happened(t, rc, 0))
		return;
	for (unsigned i = 0; i < LOGGED_PAGES; i++) {
		if (dirty[i / 64] >> i % 64 & 1)
			t->copied[i] = read_word(test_memory_ram(&t->memory, LOGGED + i),
						 CELL_AT(THREADS - 1));
		torture_expect(t, t->copied[i] >= last[i], "what was written is in the dirty log");
	}
	t->logs++;
}

static void change(struct torture *t)
{
	unsigned nr = pick(&t->random, REGIONS);

	t->memory.fail = pick(&t->random, 8) ? 0 : ENOMEM;
	switch (pick(&t->random, 8)) {
	case 0:
	case 1:
		create_or_delete(t, nr);
		break;
	case 2:
		move(t, nr);
		break;
	case 3:
		change_flags(t, nr);
		break;
	case 4:
		cover_or_uncover(t, nr);
		break;
	case 5:
		t->memory.fail = 0;
		replace_mapping(t, nr);
		break;
	default:
		change_logged(t);
	}
	migrate(t);
}

/*
 * The run.
 */

static uint8_t *backing_page(const struct torture *t, unsigned backing)
{
	return backing < ARENA_PAGES ? test_memory_ram(&t->memory, backing)
				     : test_memory_shown(&t->memory, backing - ARENA_PAGES);
}

static void name_pages(struct torture *t)
{
	for (unsigned i = 0; i < BACKINGS; i++)
		*word_at(backing_page(t, i), NAME_AT) = i;
}

static bool set_up(struct torture *t)
{
	test_memory_init(&t->memory, ARENA_PAGES);
	name_pages(t);
	if (memslots_init(&t->domain.memslots, &test_memory_ops, &t->memory, 0))
		return false;
	t->random = 0xfeedface;
	test_memory_map(&t->memory, LOGGED, LOGGED_PAGES, LOGGED);
	return !set_slot(t, REGIONS, logged_home(0), LOGGED_PAGES, LOGGED, true);
}

/* After all threads have ended: every write of theirs is in the RAM. */
static void check_cells(struct torture *t)
{
	for (unsigned nr = 0; nr < THREADS; nr++)
		for (unsigned i = 0; i < BACKINGS; i++)
			torture_expect(t,
				       read_word(backing_page(t, i), CELL_AT(nr)) ==
					       t->thread[nr].mine[i],
				       "every last write is there in the end");
}

static uint64_t sum_of(struct torture *t, bool hits)
{
	uint64_t sum = 0;

	for (unsigned nr = 0; nr < THREADS; nr++)
		sum += __atomic_load_n(hits ? &t->thread[nr].hits : &t->thread[nr].steps,
				       __ATOMIC_RELAXED);
	return sum;
}

static void print_totals(FILE *to, struct torture *t, unsigned seconds)
{
	fprintf(to,
		"torture: %u s, %llu changes, %llu refused (%llu for pins), %llu dirty logs, "
		"%llu uses of memory in %llu tries, %u faults\n",
		seconds, (unsigned long long)t->changes, (unsigned long long)t->refusals,
		(unsigned long long)t->pinned, (unsigned long long)t->logs,
		(unsigned long long)sum_of(t, true), (unsigned long long)sum_of(t, false),
		__atomic_load_n(&t->faults, __ATOMIC_RELAXED));
	fflush(to);
}

static unsigned seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static unsigned run(struct torture *t, unsigned seconds)
{
	unsigned start = seconds_now(), passed = 0, told = 0;

	while (passed < seconds && !interrupted) {
		change(t);
		passed = seconds_now() - start;
		if (passed >= told + 10) {
			told = passed;
			print_totals(stderr, t, passed);
			alarm(HANG_S);
		}
	}
	return passed;
}

static void tear_down(struct torture *t)
{
	t->memory.fail = 0;
	migrate(t);
	EXPECT(t, overlay_hide_all(&t->domain.memslots) == 0);
	for (unsigned nr = 0; nr < THREADS; nr++)
		for (unsigned i = 0; i < ARRAY_SIZE(t->thread[nr].gpc); i++)
			gpc_destroy(&t->thread[nr].gpc[i]);
	memslots_destroy(&t->domain.memslots);
	test_memory_destroy(&t->memory);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : 60, passed;
	struct torture *t = calloc(1, sizeof(*t));
	bool good;

	if (!t || !set_up(t)) {
		fprintf(stderr, "torture: no memory to begin with\n");
		return 2;
	}
	signal(SIGINT, interrupt);
	signal(SIGALRM, hung);
	alarm(HANG_S);
	for (unsigned nr = 0; nr < THREADS; nr++)
		torture_start_thread(t, nr);
	passed = run(t, seconds);
	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	for (unsigned nr = 0; nr < THREADS; nr++)
		pthread_join(t->thread[nr].thread, NULL);
	check_cells(t);
	for (unsigned nr = 0; nr < THREADS; nr++)
		EXPECT(t, t->thread[nr].hits > 0 || !passed);
	print_totals(stdout, t, passed);
	tear_down(t);
	good = !t->faults;
	free(t);
	return good ? 0 : 1;
}
