// SPDX-License-Identifier: BSD-2-Clause
/* Trackers: which hook is called, when, with what; and what becomes of the counts. */
#include "shim/memslot/tracker.h"

#include "shim/memslot/fake_memory_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/overlay.h"

#define PAGES 16
#define SIZE  ((uint64_t)PAGES * GUEST_PAGE_SIZE)

/* A tracker that writes down all it is told, and looks around when it is. */
struct spy {
	struct tracker t;
	struct fake_memory *m;
	char log[512];
	int veto_rc;
	const struct memslot *seen_old, *seen_new; /* by veto; only to compare with */
	bool old_found;                            /* at the old place, when it was told */
	unsigned calls_to_kernel;                  /* by then */
};

static struct spy *spy_of(struct tracker *t)
{
	return (struct spy *)t;
}

static void note(struct spy *s, const char *what, uint64_t a, uint64_t b, uint64_t c)
{
	size_t used = strlen(s->log);

	snprintf(s->log + used, sizeof(s->log) - used, "%s %" PRIx64 " %" PRIx64 " %" PRIx64 ";",
		 what, a, b, c);
	s->calls_to_kernel = s->m->calls[FAKE_OP_SET_SLOT];
}

static bool found(struct fake_memory *m, struct gfn page)
{
	struct memslot_hint hint = {0};
	bool is = memslots_find(memslots_enter(&m->slots), &hint, gfn_to_gpa(page));

	memslots_leave();
	return is;
}

static int veto(struct tracker *t, enum memslot_change change, const struct memslot *old,
		const struct memslot *new)
{
	static const char *const name[] = {"create?", "delete?", "move?", "flags?"};
	struct spy *s = spy_of(t);
	uint32_t id = 0;

	if (old)
		id = old->id;
	else if (new)
		id = new->id;
	note(s, name[change], old ? old->start.v : 0, new ? new->start.v : 0, id);
	s->seen_old = old;
	s->seen_new = new;
	return s->veto_rc;
}

static void flush(struct tracker *t, struct gfn base, uint64_t npages)
{
	note(spy_of(t), "flush", base.v, npages, 0);
}

static void removed(struct tracker *t, struct gfn base, uint64_t npages)
{
	note(spy_of(t), "removed", base.v, npages, 0);
	spy_of(t)->old_found = found(spy_of(t)->m, base);
}

static void moved(struct tracker *t, struct gfn from, struct gfn to, uint64_t npages)
{
	note(spy_of(t), "moved", from.v, to.v, npages);
	spy_of(t)->old_found = found(spy_of(t)->m, from);
}

static void written(struct tracker *t, struct gpa addr, uint64_t len)
{
	note(spy_of(t), "written", addr.v, len, 0);
}

static struct spy spy_on(struct fake_memory *m)
{
	return (struct spy){.t = {veto, flush, removed, moved, written}, .m = m};
}

/* Registered, with slot 0: PAGES at frame 0x10. What it was told so far is forgotten. */
static void spy_on_slot_0(struct spy *s, struct fake_memory *m, uint32_t slot_flags)
{
	*s = spy_on(m);
	assert_int_equal(tracker_register(&m->slots, &s->t), 0);
	assert_int_equal(fake_memory_set(m, 0, slot_flags, gfn(0x10), PAGES, m->ram), 0);
	s->log[0] = '\0';
}

/* What it was told since it was last asked. */
#define assert_told(s, what)                         \
	do {                                         \
		assert_string_equal((s)->log, what); \
		(s)->log[0] = '\0';                  \
	} while (0)

/*
 * Each kind of change.
 */

static void create_asks_and_tells_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy s = spy_on(m);

	tracker_register(&m->slots, &s.t);
	assert_int_equal(fake_memory_set(m, 3, 0, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "create? 0 10000 3;");
	assert_int_equal(s.calls_to_kernel, 0);
	assert_null(s.seen_old);
}

static void delete_tells_removed_when_it_cannot_be_reached(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	s.old_found = true;
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_told(&s, "delete? 10000 0 0;removed 10 10 0;");
	assert_false(s.old_found);
	assert_null(s.seen_new);
	assert_int_equal(s.calls_to_kernel, 2);
}

static void move_tells_moved_when_the_old_place_cannot_be_reached(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	s.old_found = true;
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x40), PAGES, m->ram), 0);
	assert_told(&s, "move? 10000 40000 0;moved 10 40 10;");
	assert_false(s.old_found);
	assert_int_equal(s.calls_to_kernel, 2);
}

static void logging_on_tells_flush_and_off_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "flags? 10000 10000 0;flush 10 10 0;");
	assert_int_equal(s.calls_to_kernel, 2);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "flags? 10000 10000 0;");
}

static void identical_request_asks_nobody(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "");
}

/* Frames that a tracker knows are of address space 0. */
static void other_address_space_is_vetoed_but_not_told_of(void **state)
{
	struct fake_memory *m = *state;
	const uint32_t id = 1 << 16;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	assert_int_equal(fake_memory_set(m, id, 0, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "create? 0 10000 10000;");
	assert_int_equal(fake_memory_set(m, id, MEMSLOT_LOG_DIRTY, gfn(0x10), PAGES, m->ram), 0);
	assert_told(&s, "flags? 10000 10000 10000;");
	assert_int_equal(fake_memory_set(m, id, 0, gfn(0x40), PAGES, m->ram), 0);
	assert_told(&s, "move? 10000 40000 10000;");
	assert_int_equal(fake_memory_delete(m, id), 0);
	assert_told(&s, "delete? 40000 0 10000;");
}

static void overlay_tells_flush(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	assert_int_equal(overlay_show(&m->slots, 1, gfn(0x12)), 0);
	assert_told(&s, "flush 12 1 0;");
	assert_int_equal(overlay_show(&m->slots, 2, gfn(0x12)), 0);
	assert_told(&s, "flush 12 1 0;");
	assert_int_equal(overlay_hide(&m->slots, gfn(0x12)), 0);
	assert_told(&s, "flush 12 1 0;");
}

static void failed_overlay_tells_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	fake_memory_fail(m, FAKE_OP_COVER, 1, ENOMEM);
	assert_int_equal(overlay_show(&m->slots, 1, gfn(0x12)), -ENOMEM);
	assert_told(&s, "");
	overlay_show(&m->slots, 1, gfn(0x12));
	s.log[0] = '\0';
	fake_memory_fail(m, FAKE_OP_UNCOVER, 1, ENOMEM);
	assert_int_equal(overlay_hide(&m->slots, gfn(0x12)), -ENOMEM);
	assert_told(&s, "");
}

/* One outside RAM is a slot that comes and goes. */
static void overlay_in_its_own_slot_tells_removed(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	assert_int_equal(overlay_show(&m->slots, 1, gfn(0x80)), 0);
	s.log[0] = '\0';
	assert_int_equal(overlay_hide(&m->slots, gfn(0x80)), 0);
	assert_non_null(strstr(s.log, "removed 80 1 0;"));
	assert_null(strstr(s.log, "flush"));
}

/*
 * Failures: nothing but veto() is called.
 */

/* A request of each kind about slot 0. */
static const struct {
	uint32_t id, flags;
	uint64_t base, npages;
	const char *asked;
} change[] = {
	{1, 0, 0x40, PAGES, "create? 0 40000 1;"},
	{0, 0, 0x40, PAGES, "move? 10000 40000 0;"},
	{0, MEMSLOT_LOG_DIRTY, 0x10, PAGES, "flags? 10000 10000 0;"},
	{0, 0, 0, 0, "delete? 10000 0 0;"},
};

static int request(struct fake_memory *m, unsigned i)
{
	return fake_memory_set(m, change[i].id, change[i].flags, gfn(change[i].base),
			       change[i].npages, m->ram);
}

static void veto_is_the_result_and_all_that_happens(void **state)
{
	struct fake_memory *m = *state;
	unsigned calls;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	s.veto_rc = -EDOM;
	calls = fake_memory_calls(m);
	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		assert_without_trace(m, request(m, i), -EDOM);
		assert_told(&s, change[i].asked);
		assert_int_equal(fake_memory_calls(m), calls);
	}
}

static void any_tracker_may_veto(void **state)
{
	struct fake_memory *m = *state;
	struct spy willing, unwilling = spy_on(m);

	spy_on_slot_0(&willing, m, 0);
	unwilling.veto_rc = -EDOM;
	tracker_register(&m->slots, &unwilling.t);
	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		assert_without_trace(m, request(m, i), -EDOM);
		assert_told(&willing, change[i].asked);
	}
}

static void kernel_refusing_tells_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		fake_memory_fail(m, FAKE_OP_SET_SLOT, 1, EIO);
		assert_without_trace(m, request(m, i), -EIO);
		assert_told(&s, change[i].asked);
	}
}

static void no_memory_tells_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy s;

	spy_on_slot_0(&s, m, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(change); i++) {
		fail_alloc(1);
		assert_int_equal(request(m, i), -ENOMEM);
		fail_alloc(0);
		assert_told(&s, "");
	}
}

/*
 * Registering.
 */

static void register_and_unregister_errnos(void **state)
{
	struct fake_memory *m = *state;
	struct spy a = spy_on(m), b = spy_on(m);

	assert_int_equal(tracker_unregister(&m->slots, &a.t), -ENOENT);
	assert_int_equal(tracker_register(&m->slots, &a.t), 0);
	assert_without_trace(m, tracker_register(&m->slots, &a.t), -EEXIST);
	assert_without_trace(m, tracker_unregister(&m->slots, &b.t), -ENOENT);
	assert_int_equal(tracker_register(&m->slots, &b.t), 0);
	assert_int_equal(tracker_unregister(&m->slots, &a.t), 0);
	assert_without_trace(m, tracker_unregister(&m->slots, &a.t), -ENOENT);
	assert_int_equal(tracker_unregister(&m->slots, &b.t), 0);
}

static void unregistered_tracker_hears_nothing(void **state)
{
	struct fake_memory *m = *state;
	struct spy gone, stays;

	spy_on_slot_0(&gone, m, 0);
	stays = spy_on(m);
	tracker_register(&m->slots, &stays.t);
	tracker_watch(&m->slots, gfn(0x10));
	assert_int_equal(tracker_unregister(&m->slots, &gone.t), 0);
	memslots_written(memslots_enter(&m->slots), gpa(0x10000), 1);
	memslots_leave();
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_told(&gone, "");
	assert_told(&stays, "written 10000 1 0;delete? 10000 0 0;removed 10 10 0;");
}

static void hooks_may_be_missing(void **state)
{
	struct fake_memory *m = *state;
	struct tracker none = {NULL, NULL, NULL, NULL, NULL};

	tracker_register(&m->slots, &none);
	fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram);
	assert_int_equal(tracker_watch(&m->slots, gfn(1)), 0);
	memslots_written(memslots_enter(&m->slots), gpa(0), SIZE);
	memslots_leave();
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(1), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_delete(m, 0), 0);
}

static void register_counts_in_all_slots_or_leaves_no_trace(void **state)
{
	struct fake_memory *m = *state;
	struct spy s = spy_on(m);
	unsigned n = 0;
	int rc;

	for (unsigned i = 0; i < 5; i++)
		fake_memory_set(m, i, 0, gfn(PAGES * i), PAGES, m->ram);
	do {
		char *before = fake_memory_tell(m);

		fail_alloc(++n);
		rc = tracker_register(&m->slots, &s.t);
		fail_alloc(0);
		if (!rc) {
			free(before);
			break;
		}
		assert_int_equal(rc, -ENOMEM);
		assert_untouched(m, before, "a tracker that was not registered");
	} while (n < 100);
	assert_in_range(n, 6, 20);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(tracker_watch(&m->slots, gfn(PAGES * i + 1)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_asks_and_tells_nothing),
		TEST(delete_tells_removed_when_it_cannot_be_reached),
		TEST(move_tells_moved_when_the_old_place_cannot_be_reached),
		TEST(logging_on_tells_flush_and_off_nothing),
		TEST(identical_request_asks_nobody),
		TEST(other_address_space_is_vetoed_but_not_told_of),
		TEST(overlay_tells_flush),
		TEST(failed_overlay_tells_nothing),
		TEST(overlay_in_its_own_slot_tells_removed),
		TEST(veto_is_the_result_and_all_that_happens),
		TEST(any_tracker_may_veto),
		TEST(kernel_refusing_tells_nothing),
		TEST(no_memory_tells_nothing),
		TEST(register_and_unregister_errnos),
		TEST(unregistered_tracker_hears_nothing),
		TEST(hooks_may_be_missing),
		TEST(register_counts_in_all_slots_or_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
