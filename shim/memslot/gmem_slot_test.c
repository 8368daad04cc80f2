// SPDX-License-Identifier: BSD-2-Clause
/* Slots of private memory: binding, sharing of pages, and the largest page that may map them. */
#include "shim/memslot/gmem_fake.h"

#include <errno.h>
#include <pthread.h>

#include "shim/memslot/tracker.h"

/* A file of which all is allocated in these units and shown in slot 0 at the same frames. */
static struct gmem_fake *shown_file(struct gmem_fake_domain *d, uint64_t npages,
				    enum page_level unit)
{
	struct gmem_fake *f = gmem_fake_create(d, npages);

	assert_int_equal(gmem_allocate(f->g, 0, npages, unit), 0);
	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 0, npages, 0), 0);
	gmem_fake_forget_calls(d);
	return f;
}

static int share(struct gmem_fake_domain *d, uint64_t first, uint64_t npages)
{
	return gmem_set_private(&d->slots, gfn(first), npages, false);
}

static int make_private(struct gmem_fake_domain *d, uint64_t first, uint64_t npages)
{
	return gmem_set_private(&d->slots, gfn(first), npages, true);
}

/* The machinery has been told of these frames once, and nothing else. */
static void assert_only_told(const struct gmem_fake_domain *d, uint64_t first, uint64_t npages)
{
	for (unsigned i = 0; i < FAKE_OPS; i++)
		assert_int_equal(d->calls[i], i == FAKE_SET_PRIVATE);
	assert_last(d, FAKE_SET_PRIVATE, first, npages);
}

static void assert_levels(struct gmem_fake_domain *d, uint64_t first, uint64_t npages,
			  enum page_level level)
{
	for (uint64_t i = first; i < first + npages; i++)
		if (gmem_fake_level(d, i) != level)
			fail_msg("frame %lu: level %d, not %d", i, gmem_fake_level(d, i), level);
}

/* 4 KiB of a 2 MiB unit are shared: nothing is prepared or undone, and it is lower there alone. */
static void one_shared_page(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 4 * M2, PAGE_2M);

	assert_levels(d, 0, 4 * M2, PAGE_2M);
	assert_int_equal(share(d, M2 + 7, 1), 0);
	assert_only_told(d, M2 + 7, 1);
	assert_levels(d, 0, M2, PAGE_2M);
	assert_levels(d, M2, M2, PAGE_4K);
	assert_levels(d, 2 * M2, 2 * M2, PAGE_2M);
	for (uint64_t i = 0; i < 4 * M2; i++) {
		assert_int_equal(gmem_fake_is_private(d, i), i != M2 + 7);
		assert_int_equal(d->private_frame[i], i != M2 + 7);
		assert_int_equal(f->prepared[i], PAGE_2M + 1);
	}

	gmem_fake_forget_calls(d);
	assert_int_equal(make_private(d, M2 + 7, 1), 0);
	assert_only_told(d, M2 + 7, 1);
	assert_levels(d, 0, 4 * M2, PAGE_2M);
	assert_true(gmem_fake_is_private(d, M2 + 7));
	gmem_put(f->g);
}

/* Every page shared: no page is mixed, and the host's memory is not in the allocation's units. */
static void all_of_a_large_page(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * M2, PAGE_4K);

	assert_levels(d, 0, 2 * M2, PAGE_4K);
	assert_int_equal(share(d, 0, M2 - 1), 0);
	assert_levels(d, 0, M2, PAGE_4K);
	assert_int_equal(share(d, M2 - 1, 1), 0);
	assert_levels(d, 0, M2, PAGE_2M);
	assert_levels(d, M2, M2, PAGE_4K);
	assert_int_equal(make_private(d, 300, 1), 0);
	assert_levels(d, 0, M2, PAGE_4K);
	gmem_put(f->g);
}

/* A page of 1 GiB is spoilt by a mixture in it, and its pages of 2 MiB only by their own. */
static void mixed_gib(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * G1, PAGE_1G);

	assert_int_equal(gmem_fake_level(d, 5), PAGE_1G);
	assert_int_equal(share(d, 3 * M2, 2 * M2), 0);
	assert_levels(d, 3 * M2, 2 * M2, PAGE_2M);
	assert_int_equal(gmem_fake_level(d, 5), PAGE_2M);
	assert_int_equal(gmem_fake_level(d, G1 - 1), PAGE_2M);
	assert_int_equal(gmem_fake_level(d, G1), PAGE_1G);
	assert_int_equal(share(d, 7 * M2 + 1, 1), 0);
	assert_levels(d, 7 * M2, M2, PAGE_4K);
	/* All over the end of one GiB and into the next. */
	assert_int_equal(share(d, 0, G1 + 1), 0);
	assert_int_equal(gmem_fake_level(d, 7 * M2), PAGE_1G);
	assert_int_equal(gmem_fake_level(d, G1), PAGE_4K);
	assert_int_equal(gmem_fake_level(d, G1 + M2), PAGE_2M);
	assert_int_equal(make_private(d, 0, 2 * G1), 0);
	assert_int_equal(gmem_fake_level(d, 7 * M2), PAGE_1G);
	assert_int_equal(gmem_fake_level(d, G1), PAGE_1G);
	assert_prepared(d, 0, 0);
	gmem_put(f->g);
}

/* What has been freed of a unit cannot be mapped by a page that reaches over it. */
static void partly_freed_units(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * G1, PAGE_1G);

	assert_int_equal(gmem_free(f->g, 9, 1), 0);
	assert_levels(d, 0, M2, PAGE_4K);
	assert_levels(d, M2, M2, PAGE_2M);
	assert_int_equal(gmem_fake_level(d, G1), PAGE_1G);
	assert_int_equal(gmem_free(f->g, 0, 9), 0);
	assert_int_equal(gmem_free(f->g, 10, G1 - 10), 0);
	assert_int_equal(gmem_fake_level(d, 0), PAGE_4K);
	assert_int_equal(gmem_allocate(f->g, 0, M2, PAGE_2M), 0);
	assert_int_equal(gmem_fake_level(d, 0), PAGE_2M);
	assert_int_equal(gmem_fake_level(d, M2), PAGE_4K);
	gmem_put(f->g);
}

/* What forbids large pages for other reasons still does; and so does an offset in the file. */
static void other_reasons(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 8 * M2);

	assert_int_equal(gmem_allocate(f->g, 0, 8 * M2, PAGE_2M), 0);
	/* The slot begins one page late and ends one early. */
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 1, 3 * M2 - 2, 1), 0);
	assert_levels(d, 1, M2 - 1, PAGE_4K);
	assert_levels(d, M2, M2, PAGE_2M);
	assert_levels(d, 2 * M2, M2 - 1, PAGE_4K);
	/* It lies in the file as it does not in the guest: private pages are small, shared not. */
	assert_int_equal(gmem_fake_add_slot(d, 2, f->g, 4 * M2, 2 * M2, 4 * M2 + 1), 0);
	assert_levels(d, 4 * M2, 2 * M2, PAGE_4K);
	assert_int_equal(share(d, 4 * M2, M2), 0);
	assert_levels(d, 4 * M2, M2, PAGE_2M);
	/* Mixed again and again: one reason, not many. */
	assert_int_equal(share(d, M2 + 1, 1), 0);
	assert_int_equal(share(d, M2 + 3, 1), 0);
	assert_int_equal(share(d, M2, 10), 0);
	assert_int_equal(make_private(d, M2 + 2, M2 - 2), 0);
	assert_levels(d, M2, M2, PAGE_4K);
	assert_int_equal(make_private(d, M2, 2), 0);
	assert_levels(d, M2, M2, PAGE_2M);
	gmem_put(f->g);
}

/* In a slot that covers a large page in part, that part alone is what can be mixed. */
static void mixed_at_the_edge(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, M2 + 2, PAGE_4K);

	assert_int_equal(share(d, M2, 2), 0);
	assert_int_equal(share(d, 0, M2), 0);
	assert_int_equal(make_private(d, M2 + 1, 1), 0);
	assert_int_equal(make_private(d, M2, 1), 0);
	assert_int_equal(make_private(d, 0, M2), 0);
	assert_int_equal(share(d, 0, M2 + 2), 0);
	/* The last page is too small for 2 MiB, but not because something was left counted. */
	assert_levels(d, 0, M2, PAGE_2M);
	assert_levels(d, M2, 2, PAGE_4K);
	gmem_put(f->g);
}

/* Nothing to do is no call; what is in no private slot is refused as a whole. */
static void what_can_be_shared(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * M2, PAGE_2M);
	const struct memslot_request plain = {
		.slot = 5,
		.gpa = 4 * M2 << GUEST_PAGE_SHIFT,
		.size = GUEST_PAGE_SIZE,
		.hva = 0x10000,
	};

	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 2 * M2, 1, 0), -EEXIST);
	assert_int_equal(memslots_set_slot(&d->slots, &plain), 0);
	gmem_fake_forget_calls(d);
	assert_int_equal(make_private(d, 0, 2 * M2), 0);
	assert_int_equal(share(d, 0, 0), -EINVAL);
	assert_int_equal(share(d, 0, 2 * M2 + 1), -EINVAL); /* past the slot */
	assert_int_equal(share(d, 3 * M2, 1), -EINVAL);     /* nothing there */
	assert_int_equal(share(d, 4 * M2, 1), -EINVAL);     /* a plain slot */
	assert_int_equal(share(d, 1, UINT64_MAX), -EINVAL);
	assert_int_equal(share(d, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(share(d, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(share(d, (1ull << 52) - 1, 1), -EINVAL);
	assert_int_equal(share(d, 1, (1ull << 52)), -EINVAL);
	assert_int_equal(share(d, 1ull << 52, 1), -EINVAL); /* not frame 0 */
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 0);
	assert_levels(d, 0, 2 * M2, PAGE_2M);
	assert_int_equal(share(d, 2 * M2 - 1, 1), 0);
	assert_int_equal(share(d, 2 * M2 - 1, 1), 0);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 1);
	assert_false(gmem_is_private(&(struct memslot){.start = gpa(0)}, gfn(0)));
	gmem_put(f->g);
}

/* Several slots of several files change together, or none of them does. */
static void all_slots_or_none(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 4 * M2), *other = gmem_fake_create(d, 2 * M2);

	assert_int_equal(gmem_allocate(f->g, 0, 4 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_allocate(other->g, 0, 2 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_fake_add_slot(d, 7, f->g, 0, 2 * M2, 2 * M2), 0);
	assert_int_equal(gmem_fake_add_slot(d, 3, other->g, 2 * M2, 2 * M2, 0), 0);
	assert_int_equal(gmem_fake_add_slot(d, 5, f->g, 5 * M2, M2, M2), 0);
	gmem_fake_forget_calls(d);

	/* With a gap behind them. */
	assert_int_equal(share(d, 10, 5 * M2), -EINVAL);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 0);
	/* Refused. */
	d->fail_with = -ENOMEM;
	d->fail_at[FAKE_SET_PRIVATE] = 1;
	assert_int_equal(share(d, M2 + 1, 2 * M2), -ENOMEM);
	for (uint64_t i = 0; i < 4 * M2; i++)
		assert_true(gmem_fake_is_private(d, i));
	assert_levels(d, 0, 4 * M2, PAGE_2M);

	gmem_fake_forget_calls(d);
	assert_int_equal(share(d, M2 + 1, 2 * M2), 0);
	assert_only_told(d, M2 + 1, 2 * M2);
	for (uint64_t i = 0; i < 4 * M2; i++)
		assert_int_equal(gmem_fake_is_private(d, i), i < M2 + 1 || i > 3 * M2);
	assert_levels(d, M2, M2, PAGE_4K);
	assert_levels(d, 2 * M2, M2, PAGE_2M);
	assert_levels(d, 3 * M2, M2, PAGE_4K);
	assert_levels(d, 5 * M2, M2, PAGE_2M);
	gmem_put(f->g);
	gmem_put(other->g);
}

struct seen {
	struct tracker tracker;
	unsigned flushes;
	uint64_t base, npages;
};

static void note_flush(struct tracker *t, struct gfn base, uint64_t npages)
{
	struct seen *s = (struct seen *)t;

	s->flushes++;
	s->base = base.v;
	s->npages = npages;
}

/* Trackers drop what they have of pages that are no longer where they were. */
static void trackers_are_told(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * M2, PAGE_2M);
	struct seen seen = {.tracker = {.flush = note_flush}};

	assert_int_equal(tracker_register(&d->slots, &seen.tracker), 0);
	seen.flushes = 0;
	assert_int_equal(share(d, 3 * M2, 1), -EINVAL);
	assert_int_equal(seen.flushes, 0);
	assert_int_equal(share(d, 3, 9), 0);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(seen.base, 3);
	assert_int_equal(seen.npages, 9);
	/* A page that is watched and shared has two reasons. */
	assert_int_equal(tracker_watch(&d->slots, gfn(4)), 0);
	assert_int_equal(make_private(d, 0, M2), 0);
	assert_levels(d, 0, M2, PAGE_4K);
	assert_int_equal(tracker_unwatch(&d->slots, gfn(4)), 0);
	assert_levels(d, 0, M2, PAGE_2M);
	assert_int_equal(tracker_unregister(&d->slots, &seen.tracker), 0);
	gmem_put(f->g);
}

/* Deleting a slot, and looking into it, is none of the processor's business. */
static void delete_and_look_up(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 2 * M2, PAGE_2M);

	assert_levels(d, 0, 2 * M2, PAGE_2M);
	assert_true(gmem_fake_is_private(d, 1));
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 0);
	assert_int_equal(share(d, 1, 5), 0);
	gmem_fake_forget_calls(d);

	assert_int_equal(gmem_fake_delete_slot(d, 0), 0);
	assert_prepared(d, 0, 0);
	assert_int_equal(d->calls[FAKE_PUNCH], 0);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 1); /* the frames are nobody's again */
	for (uint64_t i = 0; i < 2 * M2; i++)
		assert_false(d->private_frame[i]);

	/* The next slot begins all private, with the memory that is there. */
	assert_int_equal(gmem_fake_add_slot(d, 3, f->g, 4 * M2, 2 * M2, 0), 0);
	assert_levels(d, 4 * M2, 2 * M2, PAGE_2M);
	assert_true(gmem_fake_is_private(d, 4 * M2 + 1));
	assert_prepared(d, 0, 0);
	assert_int_equal(d->calls[FAKE_ALLOCATE], 0);
	assert_true(d->private_frame[4 * M2]);
	assert_false(d->private_frame[6 * M2]);
	gmem_put(f->g);
}

/* Rules of binding, with their errno. */
static void binding_rules(void **state)
{
	struct gmem_fake_domain *d = *state, *stranger = gmem_fake_domain_create();
	struct gmem_fake *f = gmem_fake_create(d, 10), *theirs = gmem_fake_create(stranger, 10);
	struct memslot slot = {.id = 1, .gmem = f->g, .npages = 1, .gmem_offset = 1};

	assert_int_equal(gmem_fake_add_slot(d, 1, NULL, 0, 1, 0), -EBADF);
	assert_int_equal(gmem_fake_add_slot(d, 1, theirs->g, 0, 1, 0), -EINVAL);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, 11, 0), -EINVAL);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, 1, 10), -EINVAL);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, 5, 6), -EINVAL);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, 1, (1ull << 52) - 1), -EINVAL);
	assert_int_equal(gmem_fake_add_slot(d, 1 << 16 | 1, f->g, 0, 1, 0), -EINVAL);
	assert_int_equal(gmem_bind(&d->slots, &slot), -EINVAL);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 0);
	assert_int_equal(d->calls[FAKE_SET_SLOT], 0);

	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, 3, 4), 0);
	for (uint64_t first = 0; first < 10; first++)
		for (uint64_t n = 1; first + n <= 10; n++)
			if (first < 7 && first + n > 4)
				assert_int_equal(gmem_fake_add_slot(d, 2, f->g, 100, n, first),
						 -EEXIST);
	assert_int_equal(gmem_fake_add_slot(d, 2, f->g, 200, 4, 0), 0);
	assert_int_equal(gmem_fake_add_slot(d, 3, f->g, 300, 3, 7), 0);
	gmem_put(f->g);
	gmem_put(theirs->g);
	gmem_fake_domain_destroy(stranger);
}

/* Many slots, made and deleted in any order. */
static void many_bindings(void **state)
{
	enum { SLOTS = 257 };
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = gmem_fake_create(d, 2 * SLOTS);

	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned at = i * 101 % SLOTS;

		assert_int_equal(gmem_fake_add_slot(d, at, f->g, 10 * at, 2, 2 * at), 0);
		assert_int_equal(gmem_fake_add_slot(d, 999, f->g, 9999, 1, 2 * at + 1), -EEXIST);
	}
	assert_int_equal(gmem_fake_add_slot(d, 999, f->g, 9999, 2 * SLOTS, 0), -EEXIST);
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned at = i * 53 % SLOTS;

		assert_int_equal(share(d, 10 * at + 1, 1), 0);
		assert_false(gmem_fake_is_private(d, 10 * at + 1));
		assert_int_equal(gmem_fake_delete_slot(d, at), 0);
		assert_int_equal(gmem_fake_add_slot(d, 999, f->g, 9999, 2, 2 * at), 0);
		assert_true(gmem_fake_is_private(d, 10000));
		assert_int_equal(gmem_fake_delete_slot(d, 999), 0);
	}
	assert_int_equal(d->calls[FAKE_DESTROY], 0);
	gmem_put(f->g);
	assert_int_equal(d->calls[FAKE_DESTROY], 1);
}

/* The file lasts as long as somebody has it: its maker or a slot, whoever is the last. */
static void last_reference(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct gmem_fake *f = shown_file(d, 4 * M2, PAGE_2M);

	assert_int_equal(gmem_fake_delete_slot(d, 0), 0);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 0, M2, 0), 0);
	assert_int_equal(gmem_fake_add_slot(d, 2, f->g, M2, M2, M2), 0);
	gmem_fake_forget_calls(d);
	gmem_put(f->g);
	assert_int_equal(gmem_fake_delete_slot(d, 1), 0);
	assert_prepared(d, 0, 0);
	assert_int_equal(d->calls[FAKE_DESTROY], 0);
	assert_true(gmem_fake_is_private(d, M2));
	assert_int_equal(gmem_fake_delete_slot(d, 2), 0);
	assert_prepared(d, 0, 4);
	assert_int_equal(d->calls[FAKE_PUNCH], 1);
	assert_int_equal(d->calls[FAKE_DESTROY], 1);
}

/*
 * Readers take no lock, while pages are shared and freed and slots come and go.
 */

struct reader {
	struct gmem_fake_domain *d;
	bool stop;
	uint64_t found;
};

static void *read_on(void *opaque)
{
	struct reader *r = opaque;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		const struct memslot_set *set = memslots_enter(&r->d->slots);
		struct memslot_hint hint = {0};

		if (memslots_find(set, &hint, gfn_to_gpa(gfn(700)))) {
			r->found++;
			/* 700 is never shared, but its neighbour is. */
			if (!gmem_is_private(hint.slot, gfn(700)) ||
			    gmem_max_level(hint.slot, gfn(700)) > PAGE_2M)
				__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
			gmem_is_private(hint.slot, gfn(701));
		}
		memslots_leave();
	}
	return NULL;
}

static void readers(void **state)
{
	struct gmem_fake_domain *d = *state;
	struct reader r = {.d = d};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned i = 0; i < 200; i++) {
		struct gmem_fake *f = gmem_fake_create(d, 3 * M2);

		assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 0, 3 * M2, 0), 0);
		assert_int_equal(gmem_allocate(f->g, 0, 3 * M2, PAGE_2M), 0);
		assert_int_equal(share(d, 701, M2), 0);
		assert_int_equal(gmem_free(f->g, 600, 100), 0);
		assert_int_equal(make_private(d, 701, M2), 0);
		gmem_put(f->g);
		assert_int_equal(gmem_fake_delete_slot(d, 0), 0);
	}
	assert_false(__atomic_exchange_n(&r.stop, true, __ATOMIC_ACQ_REL));
	pthread_join(thread, NULL);
	assert_int_equal(d->calls[FAKE_DESTROY], 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_shared_page, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(all_of_a_large_page, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(mixed_gib, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(partly_freed_units, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(other_reasons, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(mixed_at_the_edge, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(what_can_be_shared, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(all_slots_or_none, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(trackers_are_told, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(delete_and_look_up, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(binding_rules, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(many_bindings, gmem_fake_setup, gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(last_reference, gmem_fake_setup,
						gmem_fake_teardown),
		cmocka_unit_test_setup_teardown(readers, gmem_fake_setup, gmem_fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
