// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/range_index.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim/memslot/fail_alloc.h"

/*
 * The model: an array without order.
 */

#define MAX_RANGES 6000

struct model {
	struct range range[MAX_RANGES];
	unsigned nr;
};

/* Their addresses are all that counts. */
static char slot_object[MAX_RANGES];

static const struct memslot *slot_nr(unsigned i)
{
	return (const void *)&slot_object[i];
}

static bool is_less(const struct range *a, const struct range *b)
{
	if (a->start != b->start)
		return a->start < b->start;
	return (uintptr_t)a->slot < (uintptr_t)b->slot;
}

static const struct range *model_find(const struct model *m, uint64_t addr)
{
	const struct range *best = NULL;

	for (unsigned i = 0; i < m->nr; i++) {
		const struct range *r = &m->range[i];

		if (r->start <= addr && addr < r->end && (!best || is_less(r, best)))
			best = r;
	}
	return best;
}

static unsigned model_count(const struct model *m, uint64_t start, uint64_t end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->nr; i++)
		n += m->range[i].start < end && start < m->range[i].end;
	return n;
}

static void assert_same_range(const struct range *a, const struct range *b)
{
	assert_true(a->start == b->start && a->end == b->end && a->to == b->to);
	assert_ptr_equal(a->slot, b->slot);
}

static void assert_finds(const struct range_index *index, const struct model *m, uint64_t addr)
{
	const struct range *expected = model_find(m, addr);
	struct range r;

	assert_int_equal(range_index_find(index, addr, &r), expected != NULL);
	if (expected)
		assert_same_range(&r, expected);
}

struct visitor {
	const struct model *model;
	uint64_t start, end;
	struct range last;
	unsigned nr, stop_at;
};

static bool is_in_model(const struct model *m, const struct range *r)
{
	for (unsigned i = 0; i < m->nr; i++) {
		const struct range *o = &m->range[i];

		if (o->start == r->start && o->slot == r->slot)
			return o->end == r->end && o->to == r->to;
	}
	return false;
}

static bool take_range(const struct range *r, void *opaque)
{
	struct visitor *v = opaque;

	assert_true(r->start < v->end && v->start < r->end);
	assert_true(is_in_model(v->model, r));
	assert_true(v->nr == 0 || is_less(&v->last, r));
	v->last = *r;
	return ++v->nr == v->stop_at;
}

static void assert_visits(const struct range_index *index, const struct model *m, uint64_t start,
			  uint64_t end)
{
	struct visitor v = {.model = m, .start = start, .end = end};
	unsigned n = start < end ? model_count(m, start, end) : 0;

	assert_false(range_index_visit(index, start, end, take_range, &v));
	assert_int_equal(v.nr, n); /* ascending, all in the model, and as many: they are the same */
	if (n == 0)
		return;
	v = (struct visitor){.model = m, .start = start, .end = end, .stop_at = (n + 1) / 2};
	assert_true(range_index_visit(index, start, end, take_range, &v));
	assert_int_equal(v.nr, (n + 1) / 2);
}

/* Wherever an answer may change: at each range's first and last address and beside them. */
static void assert_edges(const struct range_index *index, const struct model *m)
{
	for (unsigned i = 0; i < m->nr; i++) {
		const struct range *r = &m->range[i];

		assert_finds(index, m, r->start);
		assert_finds(index, m, r->start - 1);
		assert_finds(index, m, r->end);
		assert_finds(index, m, r->end - 1);
	}
	assert_finds(index, m, 0);
	assert_finds(index, m, UINT64_MAX);
	assert_visits(index, m, 0, UINT64_MAX);
}

/*
 * Chance, the same in every run.
 */

static uint64_t seed;

static uint64_t chance(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static int setup(void **state)
{
	*state = NULL;
	seed = 0x9e3779b97f4a7c15;
	return 0;
}

/*
 * Index and model in step.
 */

static int add(struct range_index_edit *e, struct model *m, struct range r)
{
	int err = range_index_add(e, &r);

	assert_true(m->nr < MAX_RANGES);
	m->range[m->nr++] = r;
	return err;
}

static int remove_nr(struct range_index_edit *e, struct model *m, unsigned i)
{
	int err = range_index_remove(e, m->range[i].start, m->range[i].slot);

	m->range[i] = m->range[--m->nr];
	return err;
}

static struct range range_at(uint64_t start, uint64_t len, unsigned slot)
{
	return (struct range){start, start + len, ~start, slot_nr(slot)};
}

/* The result of the edit, which is over. The version before is gone. */
static const struct range_index *commit(struct range_index_edit *e)
{
	const struct range_index *index = range_index_edit_result(e);

	range_index_edit_commit(e);
	return index;
}

/* Slots [0, n) of 0x1000 bytes, `step` apart, added one by one in an order in which `stride` is
 * next. */
static const struct range_index *build(struct model *m, unsigned n, unsigned stride, uint64_t step)
{
	struct range_index_edit e;

	m->nr = 0;
	range_index_edit_begin(&e, &range_index_empty);
	for (unsigned i = 0, k = 0; i < n; i++, k = (k + stride) % n)
		assert_int_equal(add(&e, m, range_at(k * step, 0x1000, k)), 0);
	return commit(&e);
}

static void empty_has_nothing(void **state)
{
	static struct model none;
	struct range_index_edit e;

	(void)state;
	assert_edges(&range_index_empty, &none);
	range_index_free(&range_index_empty);

	range_index_edit_begin(&e, &range_index_empty);
	assert_ptr_equal(range_index_edit_result(&e), &range_index_empty);
	range_index_edit_commit(&e);
	range_index_edit_begin(&e, &range_index_empty);
	range_index_edit_abort(&e);

	range_index_edit_begin(&e, &range_index_empty);
	assert_int_equal(range_index_remove(&e, 0, slot_nr(0)), -ENOENT);
	range_index_edit_abort(&e);
}

static void edges_of_the_address_space(void **state)
{
	static struct model m;
	const struct range_index *index;
	struct range_index_edit e;

	(void)state;
	m.nr = 0;
	range_index_edit_begin(&e, &range_index_empty);
	assert_int_equal(add(&e, &m, (struct range){0, 1, 7, slot_nr(0)}), 0);
	assert_int_equal(add(&e, &m, (struct range){UINT64_MAX - 1, UINT64_MAX, 8, slot_nr(1)}), 0);
	index = commit(&e);
	assert_edges(index, &m);
	range_index_free(index);
}

static void what_is_not_there_is_not_removed(void **state)
{
	static struct model m;
	const struct range_index *index = build(&m, 200, 1, 0x1000);
	struct range_index_edit e;

	(void)state;
	for (unsigned i = 0; i < 201; i++) {
		range_index_edit_begin(&e, index);
		assert_int_equal(range_index_remove(&e, i * 0x1000, slot_nr((i + 1) % 201)),
				 -ENOENT);
		range_index_edit_abort(&e);
	}
	assert_edges(index, &m);
	range_index_free(index);
}

/* Built in ascending, descending and mixed order; taken away in another. */
static void any_order(void **state)
{
	static struct model m;
	static const unsigned strides[] = {1, 1000, 617};

	(void)state;
	for (unsigned s = 0; s < 3; s++) {
		const struct range_index *index = build(&m, 1001, strides[s], 0x2000);

		assert_edges(index, &m);
		for (unsigned i = 0; m.nr > 0; i++) {
			struct range_index_edit e;

			range_index_edit_begin(&e, index);
			assert_int_equal(remove_nr(&e, &m, (unsigned)chance(m.nr)), 0);
			index = commit(&e);
			if (i % 100 == 0)
				assert_edges(index, &m);
		}
		assert_false(range_index_visit(index, 0, UINT64_MAX, take_range, NULL));
		range_index_free(index);
	}
}

/* Slots made one after another fill their leaves: no more than what they take, and a little. */
static void ascending_starts_use_little_memory(void **state)
{
	static struct model m;
	long before = fail_alloc_live();
	const struct range_index *index = build(&m, 64 * 20, 1, 0x1000);

	(void)state;
	assert_int_equal(fail_alloc_live() - before, 20 + 1);
	range_index_free(index);
	assert_int_equal(fail_alloc_live(), before);
}

/* What is left of many slots does not keep the memory of many. */
static void few_leaves_for_few_ranges(void **state)
{
	static struct model m;
	long before = fail_alloc_live();
	const struct range_index *index = build(&m, 64 * 20, 1, 0x1000);
	struct range_index_edit e;

	(void)state;
	for (unsigned i = 0; i < 64 * 20; i++) {
		range_index_edit_begin(&e, index);
		if (i % 64 != 0)
			assert_int_equal(range_index_remove(&e, i * 0x1000ull, slot_nr(i)), 0);
		index = commit(&e);
	}
	assert_in_range(fail_alloc_live() - before, 2, 3);
	range_index_free(index);
	assert_int_equal(fail_alloc_live(), before);
}

/* A long range at the front is found behind many short ones, until it goes. */
static void one_covers_all(void **state)
{
	static struct model m;
	const struct range_index *index = build(&m, 500, 1, 0x2000);
	struct range_index_edit e;
	struct range r;

	(void)state;
	range_index_edit_begin(&e, index);
	assert_int_equal(add(&e, &m, range_at(0, 500 * 0x2000, 501)), 0);
	index = commit(&e);
	assert_edges(index, &m);
	assert_true(range_index_find(index, 499 * 0x2000 + 0x1800, &r));
	assert_ptr_equal(r.slot, slot_nr(501));

	range_index_edit_begin(&e, index);
	assert_int_equal(remove_nr(&e, &m, m.nr - 1), 0);
	index = commit(&e);
	assert_edges(index, &m);
	range_index_free(index);
}

/* Far from everything else there is one: all others are in one bucket, the first or the last. */
static void uneven_spread(void **state)
{
	static struct model m;
	static const struct {
		uint64_t base, lone;
	} spreads[] = {{0, 1ull << 60}, {1ull << 60, 0}, {1ull << 59, 1ull << 61}};

	(void)state;
	for (unsigned s = 0; s < 3; s++) {
		const struct range_index *index;
		struct range_index_edit e;

		m.nr = 0;
		range_index_edit_begin(&e, &range_index_empty);
		assert_int_equal(add(&e, &m, range_at(spreads[s].lone, 0x1000, 0)), 0);
		for (unsigned k = 1; k < 1000; k++)
			assert_int_equal(
				add(&e, &m, range_at(spreads[s].base + k * 0x2000, 0x1000, k)), 0);
		index = commit(&e);
		assert_edges(index, &m);
		range_index_free(index);
	}
}

/*
 * Random edits.
 */

struct world {
	struct model now, next;
	const struct range_index *index;
	uint64_t space; /* addresses used are below */
	unsigned max;   /* ranges */
	bool overlapping;
};

static void random_checks(const struct range_index *index, const struct model *m, uint64_t space)
{
	for (unsigned i = 0; i < 4; i++)
		assert_finds(index, m, chance(space + 0x100));
	if (m->nr > 0) {
		const struct range *r = &m->range[chance(m->nr)];

		assert_finds(index, m, r->start);
		assert_finds(index, m, r->end);
		assert_visits(index, m, r->start, r->end + chance(space / 4));
	}
	assert_visits(index, m, chance(space), chance(space));
}

static bool has_slot(const struct model *m, const struct memslot *slot)
{
	for (unsigned i = 0; i < m->nr; i++) {
		if (m->range[i].slot == slot)
			return true;
	}
	return false;
}

static struct range random_range(const struct world *w)
{
	const struct model *m = &w->next;
	uint64_t start = chance(w->space), len = 1 + chance(w->overlapping ? 4096 : 64);

	if (w->overlapping && m->nr > 0 && chance(4) == 0)
		start = m->range[chance(m->nr)].start;
	return range_at(start, len, (unsigned)chance(MAX_RANGES));
}

static void random_change(struct world *w, struct range_index_edit *e, bool grows)
{
	struct model *m = &w->next;
	struct range r = random_range(w);

	if (m->nr > 0 && chance(4) < (grows ? 1 : 3))
		assert_int_equal(remove_nr(e, m, (unsigned)chance(m->nr)), 0);
	else if (m->nr < w->max && !has_slot(m, r.slot) &&
		 (w->overlapping || model_count(m, r.start, r.end) == 0))
		assert_int_equal(add(e, m, r), 0);
}

/* Some edits are given up. While one lasts, its old version answers as ever. */
static void random_edit(struct world *w, bool grows)
{
	struct range_index_edit e;
	unsigned changes = chance(8) == 0 ? 100 : (unsigned)chance(4);

	w->next = w->now;
	range_index_edit_begin(&e, w->index);
	while (changes-- > 0)
		random_change(w, &e, grows);
	random_checks(w->index, &w->now, w->space);
	random_checks(range_index_edit_result(&e), &w->next, w->space);
	if (chance(4) == 0) {
		range_index_edit_abort(&e);
	} else {
		w->index = commit(&e);
		w->now = w->next;
	}
	random_checks(w->index, &w->now, w->space);
}

static void random_edits(uint64_t space, unsigned max, bool overlapping)
{
	static struct world w;
	long before = fail_alloc_live();

	w.now.nr = 0;
	w.index = &range_index_empty;
	w.space = space;
	w.max = max;
	w.overlapping = overlapping;
	for (unsigned i = 0; i < 3000; i++)
		random_edit(&w, i % 1000 < 700);
	assert_edges(w.index, &w.now);
	range_index_free(w.index);
	assert_int_equal(fail_alloc_live(), before);
}

static void random_slots(void **state)
{
	(void)state;
	random_edits(1 << 18, 1500, false);
}

static void random_overlaps(void **state)
{
	(void)state;
	random_edits(1 << 18, 1500, true);
}

/* So crowded that many start at the same address. */
static void random_crowd(void **state)
{
	(void)state;
	random_edits(64, 300, true);
}

/*
 * Any allocation may fail.
 */

/* It needs a bigger root, longer lists, splits leaves and drops and merges old and fresh ones. */
static int large_edit(struct range_index_edit *e, struct model *m)
{
	int err = 0;

	for (unsigned k = 0; k < 800 && err == 0; k++)
		err = add(e, m, range_at(k * 0x2000 + 0x1000, 0x1000, 1000 + k));
	for (unsigned i = 0; m->nr > 20 && err == 0; i++)
		err = remove_nr(e, m, i * 7 % m->nr);
	return err;
}

static void no_memory_leaves_no_trace(void **state)
{
	static struct model old, new;
	const struct range_index *index = build(&old, 800, 617, 0x2000);
	long before = fail_alloc_live(), n;
	int err = -ENOMEM;

	(void)state;
	for (n = 0; err != 0; n++) {
		struct range_index_edit e;

		new = old;
		range_index_edit_begin(&e, index);
		fail_alloc(n + 1);
		err = large_edit(&e, &new);
		fail_alloc(0);
		if (err != 0) {
			assert_int_equal(err, -ENOMEM);
			range_index_edit_abort(&e);
			assert_int_equal(fail_alloc_live(), before);
			assert_visits(index, &old, 0, UINT64_MAX);
		} else {
			index = commit(&e);
		}
	}
	assert_in_range(n, 20, 200);
	assert_edges(index, &new);
	range_index_free(index);
}

/* A new leaf of the empty index, too. */
static void no_memory_for_the_first(void **state)
{
	const struct range r = range_at(0x1000, 0x1000, 0);
	long before = fail_alloc_live();

	(void)state;
	for (long n = 0;; n++) {
		struct range_index_edit e;
		int err;

		range_index_edit_begin(&e, &range_index_empty);
		fail_alloc(n + 1);
		err = range_index_add(&e, &r);
		fail_alloc(0);
		range_index_edit_abort(&e);
		assert_int_equal(fail_alloc_live(), before);
		if (err == 0)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_in_range(n, 0, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_has_nothing, setup),
		cmocka_unit_test_setup(edges_of_the_address_space, setup),
		cmocka_unit_test_setup(what_is_not_there_is_not_removed, setup),
		cmocka_unit_test_setup(any_order, setup),
		cmocka_unit_test_setup(ascending_starts_use_little_memory, setup),
		cmocka_unit_test_setup(few_leaves_for_few_ranges, setup),
		cmocka_unit_test_setup(one_covers_all, setup),
		cmocka_unit_test_setup(uneven_spread, setup),
		cmocka_unit_test_setup(random_slots, setup),
		cmocka_unit_test_setup(random_overlaps, setup),
		cmocka_unit_test_setup(random_crowd, setup),
		cmocka_unit_test_setup(no_memory_leaves_no_trace, setup),
		cmocka_unit_test_setup(no_memory_for_the_first, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
