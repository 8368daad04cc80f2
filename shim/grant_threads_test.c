// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants while everything happens at once. Backends map and unmap; the guest takes grants back as
 * the public header tells guests to, and what it has taken back nobody else writes to; pages of the
 * hypervisor's are put over granted ones, but never over one that is mapped.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_map.h"
#include "shim/memslot/overlay.h"

#define BACKENDS 3
#define ROUNDS   3000 /* of each backend */

/* Grants that the guest takes back and gives again, and those over whose pages overlays come. */
#define TAKEN   8u
#define COVERED 8u
#define REF     16u
#define PAGE    0x40ull /* of the first */

struct traffic {
	struct fake *f;
	unsigned working;  /* backends */
	unsigned failures; /* atomic, as all that follows */
	unsigned mapped, taken_back, covered, busy, changed;
};

struct backend {
	struct traffic *t;
	uint32_t stamp, random;
	pthread_t id;
};

static void count(unsigned *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static bool working(struct traffic *t)
{
	return __atomic_load_n(&t->working, __ATOMIC_SEQ_CST);
}

static uint32_t *word(struct traffic *t, unsigned i)
{
	return (uint32_t *)(t->f->ram + (PAGE + i) * GUEST_PAGE_SIZE);
}

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void store(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

/*
 * Backends.
 */

static uint32_t next(struct backend *b)
{
	b->random = b->random * 1664525 + 1013904223;
	return b->random >> 8;
}

/* A word of its own in each page: while it is mapped, what was written is there. */
static void use(struct backend *b, const struct grant_mapping *m)
{
	uint32_t *mine = (uint32_t *)m->hva + 1 + b->stamp;

	if (!m->hold.write)
		return;
	store(mine, b->stamp);
	if (next(b) % 8 == 0)
		sched_yield();
	if (load(mine) != b->stamp)
		count(&b->t->failures);
	store(mine, 0);
}

static void map_one(struct backend *b)
{
	struct domain *d = &b->t->f->domain;
	bool write = next(b) % 2;
	struct grant_mapping m;

	if (grant_map(d, REF + next(b) % (TAKEN + COVERED), write, &m) != GNTST_okay)
		return;
	count(&b->t->mapped);
	use(b, &m);
	grant_unmap(d, &m, write);
}

static void map_some(struct backend *b)
{
	grant_ref_t refs[4], first = next(b) % (TAKEN + COVERED - ARRAY_SIZE(refs));
	struct domain *d = &b->t->f->domain;
	struct grant_mapping m[ARRAY_SIZE(refs)];

	for (unsigned i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = REF + first + i;
	if (grant_map_all(d, refs, ARRAY_SIZE(refs), true, m, NULL) != GNTST_okay)
		return;
	count(&b->t->mapped);
	for (unsigned i = 0; i < ARRAY_SIZE(refs); i++)
		use(b, &m[i]);
	grant_unmap_all(d, m, ARRAY_SIZE(refs), true);
}

static void *run_backend(void *opaque)
{
	struct backend *b = opaque;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 4)
			map_one(b);
		else
			map_some(b);
	}
	__atomic_fetch_sub(&b->t->working, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * The guest, as the header tells it to.
 */

static bool take_back_v1(const struct grant_table *g, grant_ref_t ref)
{
	uint16_t *flags = &grant_v1(g, ref)->flags;
	uint16_t now = __atomic_load_n(flags, __ATOMIC_SEQ_CST);

	return !(now & (GTF_reading | GTF_writing)) &&
	       __atomic_compare_exchange_n(flags, &now, 0, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static bool take_back_v2(const struct grant_table *g, grant_ref_t ref)
{
	uint16_t *flags = &grant_v2(g, ref)->hdr.flags;
	uint16_t before = __atomic_exchange_n(flags, 0, __ATOMIC_SEQ_CST);

	if (!__atomic_load_n(&g->statuses[ref], __ATOMIC_SEQ_CST))
		return true;
	__atomic_store_n(flags, before, __ATOMIC_SEQ_CST);
	return false;
}

/* Nobody has it: what is in the page stays, whatever backends try. */
static void own_for_a_while(struct traffic *t, unsigned i)
{
	uint32_t *w = word(t, i);

	for (unsigned k = 1; k <= BACKENDS; k++)
		store(w + 1 + k, 0x1000 + k);
	sched_yield();
	for (unsigned k = 1; k <= BACKENDS; k++)
		if (load(w + 1 + k) != 0x1000 + k)
			count(&t->failures);
}

static void *run_guest(void *opaque)
{
	struct traffic *t = opaque;
	const struct grant_table *g = &t->f->domain.grants;

	for (unsigned i = 0; working(t); i = (i + 1) % TAKEN) {
		bool taken = g->version == 1 ? take_back_v1(g, REF + i) : take_back_v2(g, REF + i);

		if (!taken)
			continue;
		count(&t->taken_back);
		own_for_a_while(t, i);
		fake_grant(t->f, REF + i, GTF_permit_access, 0, PAGE + i);
	}
	return NULL;
}

/* Pages of the hypervisor's come and go over those that are free at that moment. */
static void *run_changer(void *opaque)
{
	struct traffic *t = opaque;
	struct memslots *slots = &t->f->domain.memslots;

	for (unsigned i = 0; working(t); i = (i + 1) % COVERED) {
		struct gfn at = gfn(PAGE + TAKEN + i);
		int rc = overlay_show(slots, OVERLAY_GRANT_FRAMES + 50, at);

		count(rc ? &t->busy : &t->covered);
		if (rc && rc != -EBUSY)
			count(&t->failures);
		while (!rc && overlay_hide(slots, at) == -EBUSY)
			sched_yield();
	}
	return NULL;
}

/* The same pages are mapped by the guest itself, when no backend has them; what is in them stays.
 */
static void *run_own_maps(void *opaque)
{
	struct traffic *t = opaque;
	struct domain *d = &t->f->domain;
	struct gnttab_unmap_grant_ref unmap;

	for (uint32_t i = 0; working(t); i++) {
		unsigned page = TAKEN + i % COVERED;
		struct gnttab_map_grant_ref map = {.host_addr = FAKE_HOLE,
						   .flags = GNTMAP_host_map,
						   .ref = 100,
						   .dom = FAKE_DOMID};

		fake_grant(t->f, 100, GTF_permit_access, FAKE_DOMID, PAGE + page);
		store(word(t, page) + 100, i);
		grant_self_map(d, &map);
		count(map.status ? &t->busy : &t->covered);
		if (map.status)
			continue;
		if (load(word(t, page) + 100) != i)
			count(&t->failures);
		unmap = (struct gnttab_unmap_grant_ref){.host_addr = FAKE_HOLE,
							.handle = map.handle};
		grant_self_unmap(d, &unmap);
		if (unmap.status || load(word(t, page) + 100) != i)
			count(&t->failures);
	}
	pthread_mutex_lock(&d->lock);
	grant_self_settle(d);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Everything again and again: the version, frames at other places, two entries swapped. */
static void *run_hypercalls(void *opaque)
{
	struct traffic *t = opaque;
	struct domain *d = &t->f->domain;

	for (unsigned i = 0; working(t); i++) {
		if (!grants_set_version(d, 1 + i % 2))
			count(&t->changed);
		grants_show_frame(d, i % 3, gfn(0x80 + i % 5));
		grants_show_frame(d, XENMAPIDX_grant_table_status, gfn(0x88 + i % 3));
		for (unsigned k = 0; k < TAKEN + COVERED; k++)
			fake_grant(t->f, REF + k, GTF_permit_access, 0, PAGE + k);
		sched_yield();
	}
	return NULL;
}

static void run(struct traffic *t, void *(*first)(void *), void *(*second)(void *))
{
	struct backend b[BACKENDS];
	pthread_t other[2];

	for (unsigned i = 0; i < TAKEN + COVERED; i++)
		fake_grant(t->f, REF + i, GTF_permit_access, 0, PAGE + i);
	t->working = BACKENDS;
	for (unsigned i = 0; i < BACKENDS; i++) {
		b[i] = (struct backend){.t = t, .stamp = i + 1, .random = i};
		assert_int_equal(pthread_create(&b[i].id, NULL, run_backend, &b[i]), 0);
	}
	assert_int_equal(pthread_create(&other[0], NULL, first, t), 0);
	assert_int_equal(pthread_create(&other[1], NULL, second, t), 0);
	for (unsigned i = 0; i < BACKENDS; i++)
		pthread_join(b[i].id, NULL);
	pthread_join(other[0], NULL);
	pthread_join(other[1], NULL);
	assert_int_equal(t->failures, 0);
	assert_false(grants_in_use(&t->f->domain.grants, 0));
	for (unsigned i = 0; i < TAKEN + COVERED; i++) {
		assert_int_equal(fake_grant_status(t->f, REF + i), 0);
		assert_int_equal(overlay_show(&t->f->domain.memslots, 0, gfn(PAGE + i)), 0);
	}
	assert_int_equal(overlay_hide_all(&t->f->domain.memslots), 0);
}

static void grants_taken_back(void **state)
{
	struct traffic t = {.f = *state};

	run(&t, run_guest, run_changer);
	assert_true(t.mapped && t.taken_back && t.covered);
}

static void grants_taken_back_in_version_2(void **state)
{
	fake_grant_version(*state, 2);
	grants_taken_back(state);
}

static void pages_that_are_mapped_twice(void **state)
{
	struct traffic t = {.f = *state};

	run(&t, run_guest, run_own_maps);
	assert_true(t.mapped && t.covered);
}

static void tables_that_change(void **state)
{
	struct traffic t = {.f = *state};

	run(&t, run_hypercalls, run_changer);
	assert_true(t.mapped && t.changed);
}

/*
 * One grant, one backend, as fast as can be: so that each gets between any two steps of the other.
 */

#define TIMES 100000 /* mapped and taken back, before a minute has passed */

static void *run_fast_backend(void *opaque)
{
	struct backend *b = opaque;
	struct grant_mapping m;

	while (working(b->t)) {
		if (grant_map(&b->t->f->domain, REF, true, &m) != GNTST_okay)
			continue;
		count(&b->t->mapped);
		store((uint32_t *)m.hva, 1);
		grant_unmap(&b->t->f->domain, &m, false);
	}
	return NULL;
}

static void grants_taken_back_at_any_moment(void **state)
{
	struct traffic t = {.f = *state, .working = 1};
	struct backend b = {.t = &t};
	const struct grant_table *g = &t.f->domain.grants;
	time_t end = time(NULL) + 60;

	fake_grant(t.f, REF, GTF_permit_access, 0, PAGE);
	assert_int_equal(pthread_create(&b.id, NULL, run_fast_backend, &b), 0);
	while ((t.taken_back < TIMES || load(&t.mapped) < TIMES) && time(NULL) < end) {
		if (!(g->version == 1 ? take_back_v1(g, REF) : take_back_v2(g, REF)))
			continue;
		t.taken_back++;
		store(word(&t, 0), 0);
		for (unsigned i = t.taken_back % 64; i; i--)
			if (load(word(&t, 0)))
				count(&t.failures);
		fake_grant(t.f, REF, GTF_permit_access, 0, PAGE);
		/* Who is far ahead would keep the other out for good. */
		for (unsigned i = t.taken_back > load(&t.mapped) ? t.taken_back % 1024 : 0; i; i--)
			load(word(&t, 0));
	}
	__atomic_store_n(&t.working, 0, __ATOMIC_SEQ_CST);
	pthread_join(b.id, NULL);
	assert_int_equal(t.failures, 0);
	assert_true(t.taken_back >= TIMES && t.mapped >= TIMES);
	assert_int_equal(fake_grant_status(t.f, REF), 0);
}

static void grants_taken_back_at_any_moment_in_version_2(void **state)
{
	fake_grant_version(*state, 2);
	grants_taken_back_at_any_moment(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(grants_taken_back),
		TEST_64(grants_taken_back_in_version_2),
		TEST_64(pages_that_are_mapped_twice),
		TEST_64(tables_that_change),
		TEST_64(grants_taken_back_at_any_moment),
		TEST_64(grants_taken_back_at_any_moment_in_version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
