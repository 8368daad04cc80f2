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
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/domain.h"
#include "shim/gpc/gpc.h"
#include "shim/guest_access.h"
#include "shim/memslot/dirty_log.h"
#include "shim/memslot/overlay.h"
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

#define HANG_S 120

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
	uint64_t random, changes, refusals, logs;
	uint64_t last[LOGGED_PAGES];   /* atomic: last write to each page that is told of */
	uint64_t copied[LOGGED_PAGES]; /* the migration's copy */
};

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

static void expect(struct torture *t, bool truth, const char *what)
{
	if (!truth && __atomic_fetch_add(&t->faults, 1, __ATOMIC_RELAXED) < 20)
		fprintf(stderr, "torture: fault: %s\n", what);
}
#define EXPECT(t, truth) expect(t, truth, #truth)

/* xorshift64; in 0 ... n - 1. */
static unsigned pick(uint64_t *random, unsigned n)
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
static uint64_t home_of(unsigned region, unsigned home)
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
static uint64_t logged_home(unsigned home)
{
	return 0x8000 + home * (LOGGED_PAGES / 2);
}

static uint8_t *arena_page(const struct torture *t, unsigned page)
{
	return t->memory.arena + page * (size_t)GUEST_PAGE_SIZE;
}

static uint64_t *word_at(uint8_t *page, unsigned offset)
{
	return (uint64_t *)(void *)(page + offset);
}

static uint64_t read_word(uint8_t *page, unsigned offset)
{
	return __atomic_load_n(word_at(page, offset), __ATOMIC_RELAXED);
}

static uint8_t *backing_page(const struct torture *t, unsigned backing)
{
	return backing < ARENA_PAGES ? test_memory_ram(&t->memory, backing)
				     : test_memory_shown(&t->memory, backing - ARENA_PAGES);
}

/*
 * Using it.
 */

/* A page at hand: it is what it says, my cell has what I have written last; I write again. */
static void use_page(struct thread *me, uint8_t *page)
{
	uint64_t name = read_word(page, NAME_AT);

	EXPECT(me->t, name < BACKINGS);
	if (name >= BACKINGS)
		return;
	EXPECT(me->t, read_word(page, CELL_AT(me->nr)) == me->mine[name]);
	__atomic_store_n(word_at(page, CELL_AT(me->nr)), ++me->mine[name], __ATOMIC_RELAXED);
	EXPECT(me->t, read_word(page, NAME_AT) == name);
	__atomic_fetch_add(&me->hits, 1, __ATOMIC_RELAXED);
}

static uint8_t *find_page(struct thread *me, const struct memslot_set *set, uint64_t frame)
{
	return memslots_hva(set, &me->by_gpa, gfn_to_gpa(gfn(frame)), GUEST_PAGE_SIZE, true);
}

/* A page of some region, by guest-physical address: at one home at most. */
static void by_gpa(struct thread *me)
{
	struct torture *t = me->t;
	unsigned region = pick(&me->random, REGIONS), page = pick(&me->random, REGION_PAGES);
	uint8_t *expected = arena_page(t, region * REGION_PAGES + page);
	const struct memslot_set *set = memslots_enter(&t->domain.memslots);
	unsigned found = 0;

	for (unsigned home = 0; home < HOMES; home++) {
		uint64_t frame = home_of(region, home) + page;

		if (find_page(me, set, frame) != expected)
			continue;
		found++;
		use_page(me, expected);
		memslots_written(set, gfn_to_gpa(gfn(frame)), GUEST_PAGE_SIZE);
	}
	EXPECT(t, found <= 1);
	memslots_leave();
}

/* The logged region is always somewhere, but while it is remapped; both its ends are. */
static void logged_is_somewhere(struct thread *me)
{
	struct torture *t = me->t;
	const struct memslot_set *set = memslots_enter(&t->domain.memslots);
	unsigned first = 0, last = 0;

	for (unsigned home = 0; home < HOMES; home++) {
		uint64_t frame = logged_home(home);

		first += find_page(me, set, frame) == arena_page(t, LOGGED);
		last += find_page(me, set, frame + LOGGED_PAGES - 1) ==
			arena_page(t, LOGGED + LOGGED_PAGES - 1);
	}
	EXPECT(t, first == last);
	EXPECT(t, first == 1 || (!first && set->whole));
	memslots_leave();
}

/* By host address: both indexes agree. */
static void by_hva(struct thread *me)
{
	struct torture *t = me->t;
	uint8_t *page = arena_page(t, pick(&me->random, SPARES));
	const struct memslot_set *set = memslots_enter(&t->domain.memslots);
	const struct memslot_hint *hint = memslots_find_hva(set, &me->by_hva, page);

	if (hint) {
		struct gpa at = gpa(hint->start + (page - hint->hva));

		EXPECT(t, memslots_hva(set, &me->by_gpa, at, GUEST_PAGE_SIZE, true) == page);
		use_page(me, page);
		memslots_written_hva(set, page, GUEST_PAGE_SIZE);
	}
	memslots_leave();
}

/* Far from home each region is alone, so a copy to there goes to a page that is known. */
static void copy_to_guest(struct thread *me)
{
	unsigned region = pick(&me->random, REGIONS), page = pick(&me->random, REMAPPED_PAGE);
	unsigned name = region * REGION_PAGES + page;
	uint64_t at = gfn_to_gpa(gfn(home_of(region, 2) + page)).v + CELL_AT(me->nr);
	uint64_t value = me->mine[name] + 1;

	if (guest_write_physical(&me->t->domain, gpa(at), &value, sizeof(value)))
		return;
	me->mine[name] = value;
	__atomic_fetch_add(&me->hits, 1, __ATOMIC_RELAXED);
}

static void look_up(struct thread *me)
{
	switch (pick(&me->random, 4)) {
	case 0:
		logged_is_somewhere(me);
		break;
	case 1:
		copy_to_guest(me);
		break;
	default:
		by_gpa(me);
	}
}

/* A cache of one page of some region, or of some part of one. */
static void point_elsewhere(struct thread *me, struct gpc *gpc)
{
	unsigned region = pick(&me->random, REGIONS), page = pick(&me->random, REGION_PAGES);
	struct gpa at = gfn_to_gpa(gfn(home_of(region, pick(&me->random, HOMES)) + page));

	if (pick(&me->random, 8) == 0)
		gpc_deactivate(gpc);
	else
		EXPECT(me->t, gpc_activate(gpc, at, GUEST_PAGE_SIZE) == 0);
}

static void use_cache(struct thread *me)
{
	struct gpc *gpc = &me->gpc[pick(&me->random, 2)], *other = &me->gpc[2];
	uint8_t *page = gpc_lock(gpc), *second;

	if (page) {
		use_page(me, page);
		gpc_written(gpc, page, GUEST_PAGE_SIZE);
		second = gpc_lock_nosleep(other);
		if (second) {
			use_page(me, second);
			gpc_written(other, second, GUEST_PAGE_SIZE);
			gpc_unlock(other);
		}
		gpc_unlock(gpc);
	}
	if (pick(&me->random, 64) == 0)
		point_elsewhere(me, &me->gpc[pick(&me->random, 3)]);
	if (pick(&me->random, 16) == 0)
		gpc_refresh_maysleep(other);
}

/* Across the two regions of a pair, when both are at home: whole or not at all. */
static void use_straddling(struct thread *me)
{
	struct gpc *gpc = &me->gpc[3];
	uint64_t words[STRADDLING / 8];

	if (gpc_read(gpc, 0, words, sizeof(words))) {
		for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
			EXPECT(me->t, words[i] == me->straddling);
		__atomic_fetch_add(&me->hits, 1, __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = me->straddling + 1;
	if (gpc_write(gpc, 0, words, sizeof(words)))
		me->straddling++;
}

/* The logged region: write in one of the ways there are, then say that it has been written. */
static bool write_logged(struct thread *me, unsigned page, uint64_t value)
{
	struct memslots *slots = &me->t->domain.memslots;
	uint8_t *hva = arena_page(me->t, LOGGED + page);
	unsigned way = pick(&me->random, 3);
	struct gpc *gpc = &me->gpc[0]; /* by host address: it is always there */
	const struct memslot_set *set;
	const struct memslot_hint *hint;

	if (way == 0)
		return gpc_write(gpc, page * GUEST_PAGE_SIZE + CELL_AT(me->nr), &value, 8);
	if (way == 1) {
		uint8_t *area = gpc_lock(gpc);

		EXPECT(me->t, area);
		if (!area)
			return false;
		hva = area + page * GUEST_PAGE_SIZE;
		__atomic_store_n(word_at(hva, CELL_AT(me->nr)), value, __ATOMIC_RELAXED);
		gpc_written(gpc, hva + CELL_AT(me->nr), 8);
		gpc_unlock(gpc);
		return true;
	}
	set = memslots_enter(slots);
	hint = memslots_find_hva(set, &me->by_hva, hva);
	if (hint) {
		struct gpa at = gpa(hint->start + (hva - hint->hva));

		__atomic_store_n(word_at(hva, CELL_AT(me->nr)), value, __ATOMIC_RELAXED);
		memslots_written(set, at, GUEST_PAGE_SIZE);
	}
	memslots_leave();
	return hint;
}

static void use_logged(struct thread *me)
{
	unsigned page = pick(&me->random, LOGGED_PAGES);
	uint64_t value = me->mine[LOGGED + page] + 1;

	if (!write_logged(me, page, value))
		return;
	me->mine[LOGGED + page] = value;
	__atomic_store_n(&me->t->last[page], value, __ATOMIC_RELEASE);
	__atomic_fetch_add(&me->hits, 1, __ATOMIC_RELAXED);
}

static void *run_thread(void *opaque)
{
	static void (*const use[THREADS])(struct thread * me) = {
		look_up,   look_up,        by_hva,         use_cache,
		use_cache, use_straddling, use_straddling, use_logged,
	};
	struct thread *me = opaque;

	while (!__atomic_load_n(&me->t->stop, __ATOMIC_ACQUIRE)) {
		use[me->nr](me);
		if (__atomic_add_fetch(&me->steps, 1, __ATOMIC_RELAXED) % 64 == 0)
			sched_yield();
	}
	return NULL;
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

	expect(t, rc == expected, "a change says what it should");
	t->changes += !rc;
	t->refusals += rc != 0;
	return !rc;
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
		if (!happened(t, set_slot(t, nr, 0, 0, 0, false), r->covered ? -EBUSY : 0))
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

	if (r->there &&
	    happened(t,
		     set_slot(t, nr, home_of(nr, home), REGION_PAGES, nr * REGION_PAGES, r->logged),
		     r->covered ? -EBUSY : 0))
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
		if (happened(t, overlay_hide(slots, at), 0))
			r->covered = false;
	} else if (happened(t, overlay_show(slots, pick(&t->random, TEST_MEMORY_SHOWN), at), 0)) {
		r->covered = true;
	}
}

static void replace_mapping(struct torture *t, unsigned nr)
{
	struct region *r = &t->region[nr];
	unsigned page = nr * REGION_PAGES + REMAPPED_PAGE;
	bool changed = pick(&t->random, 2);

	if (!r->there)
		return;
	if (memslots_remap_begin(&t->domain.memslots, arena_page(t, page), GUEST_PAGE_SIZE)) {
		expect(t, false, "remap_begin");
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
		expect(t, false, "remap_begin");
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
		expect(t, t->copied[i] >= last[i], "what was written is in the dirty log");
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

static void name_pages(struct torture *t)
{
	for (unsigned i = 0; i < BACKINGS; i++)
		*word_at(backing_page(t, i), NAME_AT) = i;
}

static void start_thread(struct torture *t, unsigned nr)
{
	struct thread *me = &t->thread[nr];
	uint64_t pair = (nr & 1) * 2, boundary = gfn_to_gpa(gfn(home_of(pair + 1, 0))).v;

	me->t = t;
	me->nr = nr;
	me->random = 0x9e3779b97f4a7c15ull * (nr + 2);
	for (unsigned i = 0; i < ARRAY_SIZE(me->gpc); i++)
		gpc_init(&me->gpc[i], &t->domain.memslots);
	if (nr == THREADS - 1)
		gpc_activate_hva(&me->gpc[0], arena_page(t, LOGGED),
				 LOGGED_PAGES * GUEST_PAGE_SIZE);
	else
		gpc_activate(&me->gpc[3], gpa(boundary - STRADDLING / 2), STRADDLING);
	if (pthread_create(&me->thread, NULL, run_thread, me)) {
		perror("torture: pthread_create");
		exit(2);
	}
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
			expect(t,
			       read_word(backing_page(t, i), CELL_AT(nr)) == t->thread[nr].mine[i],
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
		"torture: %u s, %llu changes, %llu refused, %llu dirty logs, %llu uses of memory in "
		"%llu tries, %u faults\n",
		seconds, (unsigned long long)t->changes, (unsigned long long)t->refusals,
		(unsigned long long)t->logs, (unsigned long long)sum_of(t, true),
		(unsigned long long)sum_of(t, false),
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
		start_thread(t, nr);
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
