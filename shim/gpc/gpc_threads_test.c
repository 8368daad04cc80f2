// SPDX-License-Identifier: BSD-2-Clause
/*
 * Caches used by many threads while slots, mappings and the caches themselves change. What is taken
 * away is really unmapped, so a pointer that is used too late ends the program; what a lock gives
 * must be what was mapped there at that moment. Built with ThreadSanitizer and AddressSanitizer as
 * well.
 */
#include "shim/gpc/gpc_threads_test.h"

#include <unistd.h>

static void used(struct stage *s)
{
	__atomic_fetch_add(&s->uses, 1, __ATOMIC_RELAXED);
}

/* A lock: what it gives is mapped, allowed, and is the page of RAM that belongs there. */
static void look(struct stage *s)
{
	uint32_t *p = gpc_lock(&s->w->gpc);

	if (!p)
		return;
	EXPECT(s, number_at(p) == arena_page(s, p));
	EXPECT(s, !__atomic_load_n(&s->forbidden[arena_page(s, p)], __ATOMIC_RELAXED));
	gpc_unlock(&s->w->gpc);
	used(s);
}

static void look_nosleep(struct stage *s)
{
	uint32_t *p = gpc_lock_nosleep(&s->w->gpc);

	if (!p) {
		sched_yield();
		return;
	}
	EXPECT(s, number_at(p) == arena_page(s, p));
	EXPECT(s, !__atomic_load_n(&s->forbidden[arena_page(s, p)], __ATOMIC_RELAXED));
	gpc_unlock(&s->w->gpc);
	used(s);
}

static void refresh(struct stage *s)
{
	int rc = gpc_refresh_maysleep(&s->w->gpc);

	EXPECT(s, rc == 0 || rc == -EFAULT || rc == -EINVAL);
	EXPECT(s, !rcu_inside());
}

static void look_by_pieces(struct stage *s)
{
	unsigned nr;
	const struct gpc_piece *p = gpc_lock_pieces(&s->w->gpc, &nr);

	if (!p)
		return;
	EXPECT(s, nr == 1 && number_at(p->hva) == arena_page(s, p->hva));
	gpc_unlock_pieces(&s->w->gpc, false);
	used(s);
}

static void set(struct stage *s, int rc)
{
	EXPECT(s, rc == 0);
}

/*
 * Slots come and go.
 */

static void create_and_delete(struct stage *s, unsigned round)
{
	unsigned page = round % 8;

	test_memory_map(&s->w->memory, page, 1, page);
	__atomic_store_n(&s->forbidden[page], false, __ATOMIC_RELAXED);
	set(s, request(s->w, 0, 4, 1, page, 0));
	if (round & 8) /* sometimes there is time to use it */
		sched_yield();
	set(s, delete (s->w, 0));
	__atomic_store_n(&s->forbidden[page], true, __ATOMIC_RELAXED);
	test_memory_unmap(&s->w->memory, page, 1);
}

static void prepare(struct stage *s, void **state)
{
	*s = (struct stage){.w = *state};
	number_pages(s);
	test_memory_unmap(&s->w->memory, 0, WORLD_PAGES);
}

static void check_versus_invalidate(void **state)
{
	struct stage s;

	prepare(&s, state);
	gpc_activate(&s.w->gpc, gpa(0x4000), 64);
	play(&s, (void (*const[])(struct stage *)){look, look_nosleep, look_by_pieces},
	     create_and_delete);
}

static void two_refreshers(void **state)
{
	struct stage s;

	prepare(&s, state);
	gpc_activate(&s.w->gpc, gpa(0x4000), 64);
	play(&s, (void (*const[])(struct stage *)){refresh, refresh, look}, create_and_delete);
}

static void generation_wrap(void **state)
{
	struct stage s;

	prepare(&s, state);
	s.w->slots.last_generation = UINT64_MAX - 20;
	s.w->slots.set->generation = UINT64_MAX - 20;
	gpc_activate(&s.w->gpc, gpa(0x4000), 64);
	play(&s, (void (*const[])(struct stage *)){look, refresh, look_nosleep}, create_and_delete);
	/* It may have been slow: the wrap has happened in any case. */
	while (s.w->slots.last_generation > UINT64_MAX / 2)
		create_and_delete(&s, 0);
	assert_int_equal(s.faults, 0);
}

/* The same memory at changing addresses: at each of them for one address at most. */
static void move_to_and_fro(struct stage *s, unsigned round)
{
	set(s, request(s->w, 0, round & 1 ? 4 : 32, 4, 0, 0));
}

static void slot_moves(void **state)
{
	struct stage s;

	prepare(&s, state);
	test_memory_map(&s.w->memory, 0, 4, 0);
	set(&s, request(s.w, 0, 4, 4, 0, 0));
	gpc_activate(&s.w->gpc, gpa(0x6000), 64);
	play(&s, (void (*const[])(struct stage *)){look, look_by_pieces, refresh}, move_to_and_fro);
}

/*
 * Mappings are replaced under a slot: who holds a lock sees one page of RAM, that of the moment.
 */

static void look_for_now(struct stage *s)
{
	uint32_t *p = gpc_lock(&s->w->gpc);

	EXPECT(s, p != NULL); /* who may sleep waits for the remapping */
	if (!p)
		return;
	EXPECT(s, number_at(p) == __atomic_load_n(&s->now, __ATOMIC_RELAXED));
	sched_yield();
	EXPECT(s, number_at(p) == __atomic_load_n(&s->now, __ATOMIC_RELAXED));
	gpc_unlock(&s->w->gpc);
	used(s);
}

static void read_now(struct stage *s)
{
	uint32_t number;

	EXPECT(s, gpc_read(&s->w->gpc, 0, &number, sizeof(number)));
	EXPECT(s, number < 16);
	used(s);
}

static void remap(struct stage *s, unsigned round)
{
	unsigned page = round % 16;

	set(s, memslots_remap_begin(&s->w->slots, s->w->memory.arena, GUEST_PAGE_SIZE));
	test_memory_unmap(&s->w->memory, 0, 1);
	if (round & 4)
		sched_yield();
	if (round & 1) {
		test_memory_map(&s->w->memory, 0, 1, page);
		__atomic_store_n(&s->now, page, __ATOMIC_RELAXED);
	} else { /* it failed, and what was there is there */
		test_memory_map(&s->w->memory, 0, 1, s->now);
	}
	memslots_remap_end(&s->w->slots, round & 1);
}

static void refresh_versus_remap(void **state)
{
	struct stage s;

	prepare(&s, state);
	test_memory_map(&s.w->memory, 0, 1, 0);
	set(&s, request(s.w, 0, 4, 1, 0, 0));
	gpc_activate(&s.w->gpc, gpa(0x4000), 64);
	play(&s, (void (*const[])(struct stage *)){look_for_now, refresh, read_now}, remap);
}

static void by_host_address_versus_remap(void **state)
{
	struct stage s;

	prepare(&s, state);
	test_memory_map(&s.w->memory, 0, 1, 0);
	gpc_activate_hva(&s.w->gpc, s.w->memory.arena, 64);
	play(&s, (void (*const[])(struct stage *)){look_for_now, look_for_now, read_now}, remap);
}

/*
 * The cache itself changes.
 */

/* On return of deactivate, and of an activation elsewhere, nobody uses the old area. */
static void activate_and_deactivate(struct stage *s, unsigned round)
{
	unsigned page = round % 8, old = (round + 7) % 8;

	__atomic_store_n(&s->forbidden[page], false, __ATOMIC_RELAXED);
	set(s, gpc_activate(&s->w->gpc, gpa(0x4000 + page * GUEST_PAGE_SIZE), 64));
	__atomic_store_n(&s->forbidden[old], true, __ATOMIC_RELAXED);
	if (round % 3)
		return; /* straight to the next place */
	gpc_deactivate(&s->w->gpc);
	__atomic_store_n(&s->forbidden[page], true, __ATOMIC_RELAXED);
	EXPECT(s, gpc_lock(&s->w->gpc) == NULL);
}

static void on_eight_pages(struct stage *s, void **state)
{
	prepare(s, state);
	test_memory_map(&s->w->memory, 0, 8, 0);
	set(s, request(s->w, 0, 4, 8, 0, 0));
}

static void nobody_uses_the_old_area(void **state)
{
	struct stage s;

	on_eight_pages(&s, state);
	play(&s, (void (*const[])(struct stage *)){look, look_by_pieces, refresh},
	     activate_and_deactivate);
}

static void deactivate(struct stage *s)
{
	gpc_deactivate(&s->w->gpc);
	sched_yield();
}

/* Areas of one piece and of many: arrays are allocated and freed under those who use them. */
static void activate_in_all_sizes(struct stage *s, unsigned round)
{
	const struct gpc_part parts[] = {{gpa(0x4000), 4}, {gpa(0x7000), 4}, {gpa(0x5000), 4}};

	if (round % 3 == 0)
		set(s, gpc_activate_parts(&s->w->gpc, parts, 3));
	else if (round % 3 == 1)
		set(s, gpc_activate(&s->w->gpc, gpa(0x5000), 0x4000));
	else
		set(s, gpc_activate(&s->w->gpc, gpa(0x6000), 64));
}

static void read_in_all_sizes(struct stage *s)
{
	uint32_t number[3];
	struct gpa at;

	if (gpc_read(&s->w->gpc, 0, number, sizeof(number))) {
		EXPECT(s, number[0] < 3);
		EXPECT(s, number[0] != 0 || (number[1] == 3 && number[2] == 1));
		used(s);
	}
	if (gpc_gpa(&s->w->gpc, &at))
		EXPECT(s, at.v == 0x4000 || at.v == 0x5000 || at.v == 0x6000);
}

static void activate_versus_deactivate(void **state)
{
	struct stage s;

	on_eight_pages(&s, state);
	play(&s, (void (*const[])(struct stage *)){look, read_in_all_sizes, deactivate},
	     activate_in_all_sizes);
}

/* Another offset in the same page, and another length: never the one with the other. */
static void activate_within_the_page(struct stage *s, unsigned round)
{
	bool at_end = round & 1;

	set(s, gpc_activate(&s->w->gpc, gpa(at_end ? 0x4ff8 : 0x4000), at_end ? 8 : 64));
}

static void look_within_the_page(struct stage *s)
{
	uint8_t *p = gpc_lock(&s->w->gpc);
	uint8_t buffer[64];

	if (p) {
		EXPECT(s, p == s->w->memory.arena || p == s->w->memory.arena + 0xff8);
		EXPECT(s, number_at(p) == (p == s->w->memory.arena ? 0 : 0xff8));
		gpc_unlock(&s->w->gpc);
		used(s);
	}
	if (gpc_read(&s->w->gpc, 0, buffer, sizeof(buffer)))
		EXPECT(s, number_at(buffer) == 0);
}

static void update_within_the_page(void **state)
{
	struct stage s;

	prepare(&s, state);
	*(uint32_t *)(void *)(test_memory_ram(&s.w->memory, 0) + 0xff8) = 0xff8;
	test_memory_map(&s.w->memory, 0, 1, 0);
	set(&s, request(s.w, 0, 4, 1, 0, 0));
	play(&s,
	     (void (*const[])(struct stage *)){look_within_the_page, look_within_the_page, refresh},
	     activate_within_the_page);
}

/*
 * Pieces in two slots, one of which comes and goes: whole or not at all, and never two writes
 * mixed.
 */

#define STRADDLING_LEN 48

static void write_straddling(struct stage *s)
{
	unsigned char text[STRADDLING_LEN];

	memset(text, __atomic_load_n(&s->uses, __ATOMIC_RELAXED), sizeof(text));
	if (gpc_write(&s->w->gpc, 0, text, sizeof(text)))
		used(s);
}

static void read_straddling(struct stage *s)
{
	unsigned char text[STRADDLING_LEN];

	if (!gpc_read(&s->w->gpc, 0, text, sizeof(text)))
		return;
	for (unsigned i = 1; i < sizeof(text); i++)
		EXPECT(s, text[i] == text[0]);
}

static void change_the_second(struct stage *s, unsigned round)
{
	test_memory_map(&s->w->memory, 9, 1, 9);
	set(s, request(s->w, 1, 5, 1, 9, round & 1 ? MEMSLOT_LOG_DIRTY : 0));
	sched_yield();
	set(s, request(s->w, 0, 4, 1, 3, round & 1 ? 0 : MEMSLOT_LOG_DIRTY));
	set(s, delete (s->w, 1));
	test_memory_unmap(&s->w->memory, 9, 1);
}

static void whole_or_not_at_all(void **state)
{
	struct stage s;

	prepare(&s, state);
	test_memory_map(&s.w->memory, 3, 1, 3);
	memset(test_memory_ram(&s.w->memory, 3), 0, GUEST_PAGE_SIZE);
	memset(test_memory_ram(&s.w->memory, 9), 0, GUEST_PAGE_SIZE);
	set(&s, request(s.w, 0, 4, 1, 3, 0));
	gpc_activate(&s.w->gpc, gpa(0x4fe0), STRADDLING_LEN);
	play(&s,
	     (void (*const[])(struct stage *)){write_straddling, write_straddling, read_straddling},
	     change_the_second);
}

/*
 * A lock that is held: who takes the memory away waits for it, whatever he does.
 */

static void *hold(void *opaque)
{
	struct stage *s = opaque;
	uint32_t *p = gpc_lock(&s->w->gpc);
	bool found = p;

	EXPECT(s, found);
	__atomic_store_n(&s->holding, true, __ATOMIC_RELEASE);
	usleep(20000); /* the change has every chance to be too early */
	if (found) {
		__atomic_fetch_add(p, 1, __ATOMIC_RELAXED);
		gpc_written(&s->w->gpc, p, sizeof(*p));
	}
	__atomic_store_n(&s->released, true, __ATOMIC_RELAXED);
	if (found)
		gpc_unlock(&s->w->gpc);
	return NULL;
}

static void remap_once(struct stage *s)
{
	set(s, memslots_remap_begin(&s->w->slots, s->w->memory.arena, GUEST_PAGE_SIZE));
	EXPECT(s, __atomic_load_n(&s->released, __ATOMIC_RELAXED)); /* begin has waited, not end */
	memslots_remap_end(&s->w->slots, false);
}

static void delete_once(struct stage *s)
{
	set(s, delete (s->w, 0));
}

static void move_once(struct stage *s)
{
	set(s, request(s->w, 0, 32, 1, 0, 0));
}

static void deactivate_once(struct stage *s)
{
	gpc_deactivate(&s->w->gpc);
}

static void activate_once(struct stage *s)
{
	set(s, gpc_activate(&s->w->gpc, gpa(0x8000), 8));
}

static void a_lock_delays(void **state)
{
	void (*const change[])(struct stage *) = {delete_once, move_once, remap_once,
						  deactivate_once, activate_once};

	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		struct stage s;
		pthread_t holder;

		prepare(&s, state);
		alarm(HANG_S);
		test_memory_map(&s.w->memory, 0, 1, 0);
		set(&s, request(s.w, 0, 4, 1, 0, 0));
		gpc_activate(&s.w->gpc, gpa(0x4000), 64);
		assert_int_equal(pthread_create(&holder, NULL, hold, &s), 0);
		while (!__atomic_load_n(&s.holding, __ATOMIC_ACQUIRE))
			sched_yield();
		change[i](&s);
		EXPECT(&s, __atomic_load_n(&s.released, __ATOMIC_RELAXED));
		test_memory_unmap(&s.w->memory, 0, 1);
		pthread_join(holder, NULL);
		alarm(0);
		assert_int_equal(s.faults, 0);
		assert_int_equal(*test_memory_ram(&s.w->memory, 0), 1);
		if (change[i] != delete_once)
			set(&s, delete (s.w, 0));
	}
}

/*
 * No deadlock: every way to lock, one in another, while slots and mappings change and fail to.
 */

static void lock_in_all_ways(struct stage *s)
{
	struct gpc *gpc = &s->w->gpc;
	uint32_t *p = gpc_lock(gpc);
	unsigned nr;

	if (p) {
		if (gpc_lock_nosleep(gpc))
			gpc_unlock(gpc);
		if (gpc_lock_pieces_nosleep(gpc, &nr))
			gpc_unlock_pieces(gpc, false);
		gpc_written(gpc, p, 4);
		gpc_unlock(gpc);
		used(s);
	}
	rcu_enter(); /* somebody further up is in a section */
	if (gpc_lock(gpc))
		gpc_unlock(gpc);
	gpc_refresh_maysleep(gpc);
	if (gpc_read(gpc, 0, &nr, sizeof(nr)))
		used(s);
	rcu_leave();
}

static void change_slots_too(struct stage *s)
{
	set(s, request(s->w, 5, 40, 1, 30, 0));
	sched_yield();
	set(s, delete (s->w, 5));
}

static void change_everything(struct stage *s, unsigned round)
{
	if (round % 4 == 0)
		activate_within_the_page(s, round / 4);
	else
		remap(s, round);
}

static void no_deadlock(void **state)
{
	struct stage s;

	prepare(&s, state);
	test_memory_map(&s.w->memory, 0, 1, 0);
	set(&s, request(s.w, 0, 4, 1, 0, MEMSLOT_LOG_DIRTY));
	play(&s,
	     (void (*const[])(struct stage *)){lock_in_all_ways, lock_in_all_ways,
					       change_slots_too},
	     change_everything);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check_versus_invalidate),
		TEST(two_refreshers),
		TEST(generation_wrap),
		TEST(slot_moves),
		TEST(refresh_versus_remap),
		TEST(by_host_address_versus_remap),
		TEST(nobody_uses_the_old_area),
		TEST(activate_versus_deactivate),
		TEST(update_within_the_page),
		TEST(whole_or_not_at_all),
		TEST(a_lock_delays),
		TEST(no_deadlock),
	};

	signal(SIGALRM, hung);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
