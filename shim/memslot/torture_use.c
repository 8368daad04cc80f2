// SPDX-License-Identifier: BSD-2-Clause
/*
 * The threads of the torture test: each uses guest memory in its own way, and checks what it finds.
 */
#include "shim/memslot/torture.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "shim/guest_access.h"
#include "shim/memslot/pin.h"

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

/* A page of some region, for longer than a section: it stays, whatever is done to the region. */
static void hold(struct thread *me)
{
	unsigned region = pick(&me->random, REGIONS), page = pick(&me->random, REGION_PAGES);
	uint64_t frame = home_of(region, pick(&me->random, HOMES)) + page;
	struct memslot_pin pin;

	if (memslots_pin(&me->t->domain.memslots, &me->by_gpa, gfn(frame), true, &pin))
		return;
	use_page(me, pin.hva);
	if (pick(&me->random, 8) == 0)
		sched_yield();
	use_page(me, pin.hva);
	memslots_unpin(&pin);
}

static void look_up(struct thread *me)
{
	switch (pick(&me->random, 5)) {
	case 4:
		hold(me);
		break;
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

void torture_start_thread(struct torture *t, unsigned nr)
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
