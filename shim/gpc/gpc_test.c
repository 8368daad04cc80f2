// SPDX-License-Identifier: BSD-2-Clause
#include "shim/gpc/gpc.h"

#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xen-abi/xen.h"

struct world {
	struct memslots slots;
	struct gpc gpc;
	uint8_t page[2][GUEST_PAGE_SIZE];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	memslots_init(&w->slots);
	gpc_init(&w->gpc, &w->slots);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	free(w);
	return 0;
}

/* What the cache points to now. */
static void *target(struct world *w)
{
	void *hva = gpc_lock(&w->gpc);

	if (hva)
		gpc_unlock(&w->gpc);
	return hva;
}

/* Nobody holds the memslots' lock, for reading or writing. */
static bool unlocked(struct world *w)
{
	if (!write_trylock(&w->slots.lock))
		return false;
	write_unlock(&w->slots.lock);
	return true;
}

static void inactive(void **state)
{
	struct world *w = *state;

	assert_null(gpc_lock(&w->gpc));
	assert_true(unlocked(w));
	gpc_deactivate(&w->gpc);
	assert_null(target(w));
}

static void points_to_memory(void **state)
{
	struct world *w = *state;

	memslot_create(&w->slots, gfn(4), 1, w->page[0]);
	gpc_activate(&w->gpc, gpa(0x4040), 64);
	assert_ptr_equal(gpc_lock(&w->gpc), w->page[0] + 0x40);
	assert_false(unlocked(w));
	gpc_unlock(&w->gpc);
	assert_true(unlocked(w));
}

static void without_memory_there_is_nothing_to_unlock(void **state)
{
	struct world *w = *state;

	gpc_activate(&w->gpc, gpa(0x4000), 64);
	assert_true(w->gpc.active);
	assert_null(gpc_lock(&w->gpc));
	assert_true(unlocked(w));
}

static void memory_appears_later(void **state)
{
	struct world *w = *state;

	gpc_activate(&w->gpc, gpa(0x4000), 64);
	assert_null(target(w));
	memslot_create(&w->slots, gfn(4), 1, w->page[0]);
	assert_ptr_equal(target(w), w->page[0]);
	memslot_delete(&w->slots, gfn(4));
	assert_null(target(w));
	memslot_create(&w->slots, gfn(4), 1, w->page[1]);
	assert_ptr_equal(target(w), w->page[1]);
}

static void other_slots_do_not_matter(void **state)
{
	struct world *w = *state;

	memslot_create(&w->slots, gfn(4), 1, w->page[0]);
	gpc_activate(&w->gpc, gpa(0x4ff0), 16);
	memslot_create(&w->slots, gfn(1), 1, w->page[1]);
	assert_ptr_equal(target(w), w->page[0] + 0xff0);
	assert_int_equal(w->gpc.generation, w->slots.generation);
	memslot_delete(&w->slots, gfn(1));
	assert_ptr_equal(target(w), w->page[0] + 0xff0);
}

static void all_of_the_area_must_have_memory(void **state)
{
	struct world *w = *state;

	memslot_create(&w->slots, gfn(4), 1, w->page[0]);
	gpc_activate(&w->gpc, gpa(0x4ff0), 17);
	assert_null(target(w));
	gpc_activate(&w->gpc, gpa(0x4ff0), 16);
	assert_ptr_equal(target(w), w->page[0] + 0xff0);
}

static void moves(void **state)
{
	struct world *w = *state;

	memslot_create(&w->slots, gfn(4), 2, w->page[0]);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_ptr_equal(target(w), w->page[0]);
	gpc_activate(&w->gpc, gpa(0x5008), 8);
	assert_ptr_equal(target(w), w->page[1] + 8);
}

static void deactivation_is_idempotent(void **state)
{
	struct world *w = *state;

	memslot_create(&w->slots, gfn(4), 1, w->page[0]);
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	gpc_deactivate(&w->gpc);
	assert_null(target(w));
	gpc_deactivate(&w->gpc);
	assert_null(target(w));
	/* A change of the slots does not bring it back. */
	memslot_create(&w->slots, gfn(1), 1, w->page[1]);
	assert_null(target(w));
	gpc_activate(&w->gpc, gpa(0x4000), 8);
	assert_ptr_equal(target(w), w->page[0]);
}

/* Many look at one cache while its memory comes and goes; each sees the one page or none. */
#define ROUNDS 2000

struct reader {
	struct world *w;
	bool done; /* atomic */
	unsigned strangers;
};

static void *read_until_done(void *opaque)
{
	struct reader *r = opaque;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		void *hva = gpc_lock(&r->w->gpc);

		if (!hva)
			continue;
		if (hva != r->w->page[0] && hva != r->w->page[1])
			r->strangers++;
		gpc_unlock(&r->w->gpc);
	}
	return NULL;
}

static void readers_while_slots_change(void **state)
{
	struct world *w = *state;
	struct reader reader[2] = {{.w = w}, {.w = w}};
	pthread_t thread[2];

	gpc_activate(&w->gpc, gpa(0x4000), 64);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_until_done, &reader[i]), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		memslot_create(&w->slots, gfn(4), 1, w->page[i & 1]);
		memslot_delete(&w->slots, gfn(4));
	}
	for (unsigned i = 0; i < 2; i++) {
		__atomic_store_n(&reader[i].done, true, __ATOMIC_RELEASE);
		pthread_join(thread[i], NULL);
		assert_int_equal(reader[i].strangers, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inactive),
		TEST(points_to_memory),
		TEST(without_memory_there_is_nothing_to_unlock),
		TEST(memory_appears_later),
		TEST(other_slots_do_not_matter),
		TEST(all_of_the_area_must_have_memory),
		TEST(moves),
		TEST(deactivation_is_idempotent),
		TEST(readers_while_slots_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
