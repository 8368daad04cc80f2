// SPDX-License-Identifier: BSD-2-Clause
/*
 * A change either happens or leaves no trace. Every operation is tried with its first allocation
 * failing, then with the second, and so on until it succeeds; then the same with each call of the
 * platform. After each failure everything that can be seen is compared with what was before, and
 * then the operation is tried again, and must succeed.
 */
#include "shim/memslot/fake_memory_test.h"

#include <errno.h>

#include "shim/gpc/gpc.h"
#include "shim/memslot/dirty_log.h"
#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/overlay.h"
#include "shim/memslot/pin.h"
#include "shim/memslot/tracker.h"

#define LOG MEMSLOT_LOG_DIRTY

/* The guest before the operation. All of its slots show parts of m->ram. */
enum {
	RAM = 0,     /* 64 pages at 0 */
	LOGGED = 1,  /* 80 pages at 0x100, dirty here and there, watched */
	PLAIN = 2,   /* 16 pages at 0x1000 */
	FREE = 5,    /* a free number; so is a high one */
	HIGH = 3000, /* needs more room in the books */
	OTHER = 1 << 16,
};

#define OVER_RAM    gfn(3) /* overlays that there are: of page 1, */
#define OUTSIDE_RAM gfn(0x90)
#define LENT_RAM    gfn(9) /* as page 3 */

struct guest {
	struct fake_memory *m;
	struct tracker tracker, another;
	unsigned told; /* to trackers, but for vetoes */
	struct gpc gpc, large;
	void *cached; /* what gpc has */
};

static struct guest *guest_of(struct tracker *t)
{
	return (struct guest *)((char *)t - offsetof(struct guest, tracker));
}

static void flush(struct tracker *t, struct gfn base, uint64_t npages)
{
	(void)base;
	(void)npages;
	guest_of(t)->told++;
}

static void moved(struct tracker *t, struct gfn from, struct gfn to, uint64_t npages)
{
	(void)to;
	flush(t, from, npages);
}

static void make_slots(struct fake_memory *m)
{
	const struct memslot_set *set;

	assert_int_equal(fake_memory_set(m, RAM, 0, gfn(0), 64, m->ram), 0);
	assert_int_equal(fake_memory_set(m, LOGGED, LOG, gfn(0x100), 80, m->ram), 0);
	assert_int_equal(fake_memory_set(m, PLAIN, 0, gfn(0x1000), 16, m->ram + (1 << 18)), 0);
	assert_int_equal(fake_memory_set(m, OTHER, LOG, gfn(0x100), 16, m->ram), 0);
	set = memslots_enter(&m->slots);
	memslots_written(set, gpa(0x103000), 0x3000);
	memslots_written(set, gpa(0x14f000), 1);
	memslots_leave();
	fake_memory_guest_writes(m, LOGGED, 70);
}

/* So many that an index has several leaves, and changes of it split and join them. */
static void make_crowd(struct fake_memory *m)
{
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(fake_memory_set(m, 10 + i, 0, gfn(0x4000 + 2 * i), 1,
						 m->ram + (i % 7) * GUEST_PAGE_SIZE),
				 0);
}

static void watch(struct guest *g)
{
	g->tracker = (struct tracker){.flush = flush, .removed = flush, .moved = moved};
	assert_int_equal(tracker_register(&g->m->slots, &g->tracker), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(tracker_watch(&g->m->slots, gfn(0x100 + i * i)), 0);
}

#define CROWDED 1
#define TRACKED 2
#define GUESTS  4 /* combinations of these */

static void guest_create(struct guest *g, unsigned which)
{
	*g = (struct guest){.m = fake_memory_create(MEMSLOTS_MANUAL_PROTECT)};
	make_slots(g->m);
	if (which & CROWDED)
		make_crowd(g->m);
	if (which & TRACKED)
		watch(g);
	assert_int_equal(overlay_show(&g->m->slots, 1, OVER_RAM), 0);
	assert_int_equal(overlay_show(&g->m->slots, 1, OUTSIDE_RAM), 0);
	assert_int_equal(overlay_lend(&g->m->slots, 3, LENT_RAM), 0);
	gpc_init(&g->gpc, &g->m->slots);
	gpc_init(&g->large, &g->m->slots);
	assert_int_equal(gpc_activate(&g->gpc, gpa(0x5123), 64), 0);
	assert_int_equal(gpc_activate(&g->large, gpa(0x6800), 0x3000), 0);
	g->cached = gpc_lock(&g->gpc);
	gpc_unlock(&g->gpc);
	assert_non_null(gpc_lock(&g->large));
	gpc_unlock(&g->large);
	g->told = 0;
}

static void guest_destroy(struct guest *g)
{
	gpc_destroy(&g->gpc);
	gpc_destroy(&g->large);
	fake_memory_destroy(g->m);
}

/* A cache that was valid is so still: no change of the slots has been seen by it. */
static void assert_still_cached(struct guest *g)
{
	assert_int_equal(g->gpc.generation, fake_memory_generation(g->m));
	assert_ptr_equal(gpc_lock_nosleep(&g->gpc), g->cached);
	gpc_unlock(&g->gpc);
	assert_int_equal(g->large.generation, fake_memory_generation(g->m));
	assert_int_equal(g->large.len, 0x3000);
	assert_ptr_equal(gpc_lock_nosleep(&g->large), g->m->ram + 0x6800);
	gpc_unlock(&g->large);
}

/*
 * The operations.
 */

static int create(struct guest *g)
{
	return fake_memory_set(g->m, FREE, 0, gfn(0x2000), 600, g->m->ram);
}

static int create_logged(struct guest *g)
{
	return fake_memory_set(g->m, FREE, LOG, gfn(0x2000), 100, g->m->ram);
}

static int create_with_high_number(struct guest *g)
{
	return fake_memory_set(g->m, HIGH, LOG, gfn(0x4001), 1, g->m->ram);
}

static int create_in_other_address_space(struct guest *g)
{
	return fake_memory_set(g->m, OTHER + HIGH, 0, gfn(0), 100, g->m->ram);
}

static int delete (struct guest *g)
{
	return fake_memory_delete(g->m, PLAIN);
}

static int delete_logged(struct guest *g)
{
	return fake_memory_delete(g->m, LOGGED);
}

static int move(struct guest *g)
{
	return fake_memory_set(g->m, PLAIN, 0, gfn(0x800), 16, g->m->ram + (1 << 18));
}

static int move_logged(struct guest *g)
{
	return fake_memory_set(g->m, LOGGED, LOG, gfn(0x101), 80, g->m->ram);
}

static int move_and_log(struct guest *g)
{
	return fake_memory_set(g->m, PLAIN, LOG, gfn(0x1001), 16, g->m->ram + (1 << 18));
}

static int move_and_log_no_more(struct guest *g)
{
	return fake_memory_set(g->m, LOGGED, 0, gfn(0xff), 80, g->m->ram);
}

static int log_on(struct guest *g)
{
	return fake_memory_set(g->m, RAM, LOG, gfn(0), 64, g->m->ram);
}

static int log_off(struct guest *g)
{
	return fake_memory_set(g->m, LOGGED, 0, gfn(0x100), 80, g->m->ram);
}

static int log_clear(struct guest *g)
{
	const uint64_t bits[2] = {UINT64_MAX, UINT64_MAX};

	return dirty_log_clear(&g->m->slots, LOGGED, 0, 80, bits);
}

static int log_get(struct guest *g)
{
	uint64_t bits[2];

	return dirty_log_get(&g->m->slots, LOGGED, bits);
}

static int show_over_ram(struct guest *g)
{
	return overlay_show(&g->m->slots, 2, gfn(0x110));
}

static int show_over_overlay(struct guest *g)
{
	return overlay_show(&g->m->slots, 2, OVER_RAM);
}

static int show_outside_ram(struct guest *g)
{
	return overlay_show(&g->m->slots, 1, gfn(0xa0));
}

static int show_over_overlay_outside_ram(struct guest *g)
{
	return overlay_show(&g->m->slots, 2, OUTSIDE_RAM);
}

static int hide_over_ram(struct guest *g)
{
	return overlay_hide(&g->m->slots, OVER_RAM);
}

static int hide_outside_ram(struct guest *g)
{
	return overlay_hide(&g->m->slots, OUTSIDE_RAM);
}

static int show_readonly(struct guest *g)
{
	return overlay_show_readonly(&g->m->slots, 1, gfn(0xa0));
}

static int lend_ram(struct guest *g)
{
	return overlay_lend(&g->m->slots, 2, gfn(0x112));
}

static int hide_lent_ram(struct guest *g)
{
	return overlay_hide(&g->m->slots, LENT_RAM);
}

/* The first of its slot. */
static int pin(struct guest *g)
{
	struct memslot_hint hint = {0};
	struct memslot_pin p;
	int rc = memslots_pin(&g->m->slots, &hint, gfn(0x1003), true, &p);

	memslots_unpin(&p);
	return rc;
}

/* More than there is room for at first. */
static int show_many(struct guest *g)
{
	for (unsigned i = 0; i < 8; i++)
		if (overlay_at(&g->m->slots, gfn(0x120 + i)) < 0)
			return overlay_show(&g->m->slots, 1, gfn(0x120 + i)) || show_many(g);
	return 0;
}

static int register_tracker(struct guest *g)
{
	return tracker_register(&g->m->slots, &g->another);
}

static int unregister_tracker(struct guest *g)
{
	return tracker_unregister(&g->m->slots, &g->tracker);
}

static int watch_page(struct guest *g)
{
	return tracker_watch(&g->m->slots, gfn(0x105));
}

static int remap(struct guest *g)
{
	int rc = memslots_remap_begin(&g->m->slots, g->m->ram + 0x5000, 0x1000);

	if (!rc)
		memslots_remap_end(&g->m->slots, true);
	return rc;
}

static int activate_many_pages(struct guest *g)
{
	return gpc_activate(&g->large, gpa(0x110001), 0x20000);
}

static int activate_many_parts(struct guest *g)
{
	const struct gpc_part parts[] = {
		{gpa(0x7ff0), 0x20}, {gpa(0x100008), 8}, {gpa(0x1000010), 8}, {gpa(0x40000), 16}};

	return gpc_activate_parts(&g->large, parts, ARRAY_SIZE(parts));
}

static const struct operation {
	const char *name;
	int (*act)(struct guest *g);
	unsigned in; /* CROWDED | TRACKED: only then. */
} operations[] = {
#define OPERATION(f)     \
	{                \
#f, f, 0 \
	}
	OPERATION(create),
	OPERATION(create_logged),
	OPERATION(create_with_high_number),
	OPERATION(create_in_other_address_space),
	OPERATION(delete),
	OPERATION(delete_logged),
	OPERATION(move),
	OPERATION(move_logged),
	OPERATION(move_and_log),
	OPERATION(move_and_log_no_more),
	OPERATION(log_on),
	OPERATION(log_off),
	OPERATION(log_get),
	OPERATION(log_clear),
	OPERATION(show_over_ram),
	OPERATION(show_over_overlay),
	OPERATION(show_outside_ram),
	OPERATION(show_over_overlay_outside_ram),
	OPERATION(hide_over_ram),
	OPERATION(hide_outside_ram),
	OPERATION(show_readonly),
	OPERATION(lend_ram),
	OPERATION(hide_lent_ram),
	OPERATION(pin),
	OPERATION(register_tracker),
	{"unregister_tracker", unregister_tracker, TRACKED},
	{"watch_page", watch_page, TRACKED},
	OPERATION(remap),
	OPERATION(activate_many_pages),
	OPERATION(activate_many_parts),
};

/*
 * Failing it.
 */

/* Pages of the slots that operations change: none is closed to pins. (One that was would have who
 * pins wait for ever.) */
static void assert_can_be_pinned(struct guest *g)
{
	const uint64_t pages[] = {3, 5, 9, 0x100, 0x112, 0x1003};

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		struct memslot_hint hint = {0};
		struct memslot_pin p;

		assert_int_equal(memslots_pin(&g->m->slots, &hint, gfn(pages[i]), true, &p), 0);
		memslots_unpin(&p);
	}
}

/* The operation has failed: so it must look. Then it is done again, and is done. */
static void assert_nothing_has_happened(struct guest *g, const struct operation *o, char *before)
{
	assert_untouched(g->m, before, o->name);
	assert_int_equal(g->told, 0);
	assert_still_cached(g);
	assert_can_be_pinned(g);
	assert_int_equal(o->act(g), 0);
}

/* With the nth allocation failing. False: there are not so many. */
static bool fail_allocation(const struct operation *o, unsigned which, unsigned n)
{
	struct guest g;
	char *before;
	bool failed;
	int rc;

	guest_create(&g, which);
	before = fake_memory_tell(g.m);
	fail_alloc(n);
	rc = o->act(&g);
	failed = fail_alloc_seen() >= n;
	fail_alloc(0);
	assert_int_equal(rc, failed ? -ENOMEM : 0);
	if (failed)
		assert_nothing_has_happened(&g, o, before);
	else
		free(before);
	guest_destroy(&g);
	return failed;
}

/* With the nth call of the platform's op failing. */
static bool fail_op(const struct operation *o, unsigned which, enum fake_memory_op op, unsigned n)
{
	struct guest g;
	char *before;
	bool failed;
	int rc;

	guest_create(&g, which);
	before = fake_memory_tell(g.m);
	fake_memory_fail(g.m, op, n, EIO);
	rc = o->act(&g);
	failed = !g.m->fail_in[op];
	fake_memory_fail(g.m, op, 0, 0);
	if (failed) {
		assert_int_equal(rc, op == FAKE_OP_PAGE_MAP ? -ENOMEM : -EIO);
		assert_nothing_has_happened(&g, o, before);
	} else {
		assert_int_equal(rc, 0);
		free(before);
	}
	guest_destroy(&g);
	return failed;
}

/* So that this does not become a test of nothing. */
static unsigned failed_allocations, failed_ops;

static void happens_or_leaves_no_trace(void **state)
{
	const struct operation *o = *state;

	for (unsigned which = 0; which < GUESTS; which++) {
		if ((which & o->in) != o->in)
			continue;
		for (unsigned n = 1; fail_allocation(o, which, n); n++)
			failed_allocations++;
		for (enum fake_memory_op op = 0; op < FAKE_MEMORY_OPS; op++)
			for (unsigned n = 1; fail_op(o, which, op, n); n++)
				failed_ops++;
	}
}

static void operations_have_failed(void **state)
{
	(void)state;
	assert_in_range(failed_allocations, 1000, 3000);
	assert_in_range(failed_ops, 60, 200);
}

/* Overlays are many, and their record grows: those before the one that fails have happened. */
static void many_overlays_one_by_one(void **state)
{
	struct guest g;
	int rc;

	(void)state;
	guest_create(&g, 0);
	for (unsigned n = 1; n < 200; n++) {
		fail_alloc(n);
		rc = show_many(&g);
		fail_alloc(0);
		if (!rc)
			break;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(overlay_hide_all(&g.m->slots), 0);
	for (unsigned i = 0; i < FAKE_RAM_PAGES; i++)
		assert_int_equal(g.m->ram[i * GUEST_PAGE_SIZE], i);
	guest_destroy(&g);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(operations) + 2];

	for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
		tests[i] = (struct CMUnitTest){operations[i].name, happens_or_leaves_no_trace, NULL,
					       NULL, (void *)(uintptr_t)&operations[i]};
	tests[ARRAY_SIZE(operations)] =
		(struct CMUnitTest)cmocka_unit_test(many_overlays_one_by_one);
	tests[ARRAY_SIZE(operations) + 1] =
		(struct CMUnitTest)cmocka_unit_test(operations_have_failed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
