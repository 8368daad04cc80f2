// SPDX-License-Identifier: BSD-2-Clause
/* Pins: the memory of a page that is pinned stays where it is, until the last pin is given back. */
#include "shim/memslot/pin.h"

#include "shim/memslot/fake_memory_test.h"

#include <errno.h>
#include <unistd.h>

#include "shim/memslot/overlay.h"

/* Of m->ram: slot 0 shows all of it from 0 on, OTHER its pages 4 to 7 at OTHER_AT. */
#define OTHER    1
#define OTHER_AT 0x1000
#define LAST     (FAKE_RAM_PAGES - 1)

static int setup_ram(void **state)
{
	struct fake_memory *m;

	if (fake_memory_setup(state) || fake_memory_set_ram(*state, 0))
		return -1;
	m = *state;
	return fake_memory_set(m, OTHER, 0, gfn(OTHER_AT), 4, m->ram + 4 * GUEST_PAGE_SIZE);
}

static struct memslot_pin pin(struct fake_memory *m, uint64_t page)
{
	struct memslot_hint hint = {0};
	struct memslot_pin p;

	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(page), true, &p), 0);
	assert_non_null(p.count);
	return p;
}

static int remap(struct fake_memory *m, uint64_t page, uint64_t npages)
{
	int rc = memslots_remap_begin(&m->slots, m->ram + page * GUEST_PAGE_SIZE,
				      npages * GUEST_PAGE_SIZE);

	if (!rc)
		memslots_remap_end(&m->slots, false);
	return rc;
}

static void a_pin_tells_where_the_page_is(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_pin p = pin(m, 5), q = pin(m, OTHER_AT + 1);

	assert_ptr_equal(p.hva, m->ram + 5 * GUEST_PAGE_SIZE);
	assert_ptr_equal(q.hva, p.hva);
	memslots_unpin(&p);
	assert_null(p.hva);
	memslots_unpin(&p); /* to no effect: it is not held */
	memslots_unpin(&q);
}

static void what_cannot_be_pinned(void **state)
{
	struct memslot_hint hint = {0};
	struct fake_memory *m = *state;
	struct memslot_pin p;

	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(FAKE_RAM_PAGES), false, &p), -ENOENT);
	assert_null(p.count);
	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(UINT64_MAX), false, &p), -ENOENT);
	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(1ull << 52), false, &p), -ENOENT);
	assert_int_equal(fake_memory_set(m, 2, MEMSLOT_READONLY, gfn(0x2000), 1, m->ram), 0);
	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(0x2000), true, &p), -ENOENT);
	assert_int_equal(memslots_pin(&m->slots, &hint, gfn(0x2000), false, &p), 0);
	memslots_unpin(&p);
}

/* Pages of one slot, in one section. */
static void a_window_shows_one_slot(void **state)
{
	struct memslot_pin p = {0}, q = {0};
	struct memslot_window w = {0};
	struct fake_memory *m = *state;
	const struct memslot_set *set;

	assert_false(memslot_window_pin(&w, gfn(0), &p));
	set = memslots_enter(&m->slots);
	w = memslots_window(set, gfn(5), true);
	assert_true(memslot_window_pin(&w, gfn(LAST), &p));
	assert_ptr_equal(p.hva, m->ram + LAST * GUEST_PAGE_SIZE);
	assert_false(memslot_window_pin(&w, gfn(LAST + 1), &q));
	assert_false(memslot_window_pin(&w, gfn(OTHER_AT), &q));
	assert_false(memslot_window_pin(&w, gfn(1ull << 52), &q)); /* where a gpa begins anew */
	w = memslots_window(set, gfn(OTHER_AT + 1), true);
	assert_false(memslot_window_pin(&w, gfn(OTHER_AT - 1), &q));
	assert_true(memslot_window_pin(&w, gfn(OTHER_AT), &q));
	assert_ptr_equal(q.hva, m->ram + 4 * GUEST_PAGE_SIZE);
	assert_int_equal(memslots_window(set, gfn(0x3000), false).size, 0);
	memslots_leave();
	assert_without_trace(m, remap(m, LAST, 1), -EBUSY);
	assert_without_trace(m, remap(m, 4, 1), -EBUSY);
	memslots_unpin(&p);
	memslots_unpin(&q);
	assert_int_equal(remap(m, 0, FAKE_RAM_PAGES), 0);
}

static void a_window_on_rom(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot_set *set;

	assert_int_equal(fake_memory_set(m, 2, MEMSLOT_READONLY, gfn(0x2000), 1, m->ram), 0);
	set = memslots_enter(&m->slots);
	assert_int_equal(memslots_window(set, gfn(0x2000), true).size, 0);
	assert_int_equal(memslots_window(set, gfn(0x2000), false).size, GUEST_PAGE_SIZE);
	memslots_leave();
}

/* A changer has closed it meanwhile: nothing is counted. */
static void a_window_that_is_closed(void **state)
{
	struct fake_memory *m = *state;
	const struct memslot_set *set = memslots_enter(&m->slots);
	struct memslot_window w = memslots_window(set, gfn(5), true);
	const struct memslot *slot = memslots_by_id(&m->slots, 0);
	struct memslot_pin p = {0};

	assert_true(memslot_pins_close(slot, 5, 1));
	assert_false(memslot_window_pin(&w, gfn(5), &p));
	assert_null(p.count);
	memslot_pins_open(slot);
	assert_true(memslot_window_pin(&w, gfn(5), &p));
	assert_false(memslot_pins_close(slot, 5, 1));
	memslots_unpin(&p);
	assert_true(memslot_pins_close(slot, 5, 1));
	memslot_pins_open(slot);
	memslots_leave();
}

/* All that takes the page's memory away says -EBUSY, and has done nothing. */
static void assert_stays(struct fake_memory *m, uint64_t page)
{
	uint8_t *hva = m->ram;

	assert_without_trace(m, fake_memory_delete(m, 0), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0x4000), FAKE_RAM_PAGES, hva), -EBUSY);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(1), FAKE_RAM_PAGES, hva), -EBUSY);
	assert_without_trace(m, remap(m, page, 1), -EBUSY);
	assert_without_trace(m, remap(m, 0, FAKE_RAM_PAGES), -EBUSY);
	assert_without_trace(m, overlay_show(&m->slots, 2, gfn(page)), -EBUSY);
	assert_without_trace(m, overlay_move(&m->slots, 2, gfn(page)), -EBUSY);
	assert_without_trace(m, overlay_lend(&m->slots, 2, gfn(page)), -EBUSY);
}

static void a_pinned_page_stays(void **state)
{
	const uint64_t pages[] = {0, 20, LAST};
	struct fake_memory *m = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		struct memslot_pin p = pin(m, pages[i]), q = pin(m, pages[i]);

		assert_stays(m, pages[i]);
		memslots_unpin(&p);
		assert_stays(m, pages[i]);
		memslots_unpin(&q);
		assert_int_equal(remap(m, pages[i], 1), 0);
	}
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x4000), FAKE_RAM_PAGES, m->ram), 0);
	assert_int_equal(fake_memory_delete(m, 0), 0);
}

static void what_does_not_concern_it(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_pin p = pin(m, 20), q;

	assert_int_equal(remap(m, 0, 20), 0);
	assert_int_equal(remap(m, 21, FAKE_RAM_PAGES - 21), 0);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(19)), 0);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(21)), 0);
	assert_int_equal(overlay_hide_all(&m->slots), 0);
	/* Another slot; and the dirty log of this one. */
	assert_int_equal(fake_memory_delete(m, OTHER), 0);
	assert_int_equal(fake_memory_set_ram(m, MEMSLOT_LOG_DIRTY), 0);
	assert_without_trace(m, remap(m, 20, 1), -EBUSY);
	q = pin(m, 20);
	assert_int_equal(fake_memory_set_ram(m, 0), 0);
	memslots_unpin(&q);
	assert_stays(m, 20);
	memslots_unpin(&p);
	assert_int_equal(fake_memory_delete(m, 0), 0);
}

/* The same memory in two slots, pinned by the one and changed by the other. */
static void in_another_slot(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_pin p = pin(m, 5), q = pin(m, OTHER_AT + 2);

	assert_without_trace(m, overlay_show(&m->slots, 2, gfn(OTHER_AT + 1)), -EBUSY);
	assert_without_trace(m, overlay_show(&m->slots, 2, gfn(6)), -EBUSY);
	assert_without_trace(m, remap(m, 6, 1), -EBUSY);
	memslots_unpin(&q);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(6)), 0);
	assert_int_equal(overlay_show(&m->slots, 2, gfn(OTHER_AT + 3)), 0);
	memslots_unpin(&p);
}

/* A page of the hypervisor's that is seen, with RAM below or without, can be pinned as well. */
static void overlays_can_be_pinned(void **state)
{
	const struct gfn places[] = {gfn(9), gfn(0x3000)};
	struct fake_memory *m = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		struct memslot_pin p;

		assert_int_equal(overlay_show(&m->slots, 2, places[i]), 0);
		p = pin(m, places[i].v);
		assert_without_trace(m, overlay_hide(&m->slots, places[i]), -EBUSY);
		assert_without_trace(m, overlay_show(&m->slots, 3, places[i]), -EBUSY);
		assert_int_equal(overlay_move(&m->slots, 2, gfn(30)), -EBUSY);
		assert_int_equal(overlay_at(&m->slots, gfn(30)), -ENOENT);
		assert_int_equal(overlay_at(&m->slots, places[i]), 2);
		memslots_unpin(&p);
		assert_int_equal(overlay_hide(&m->slots, places[i]), 0);
	}
}

static void after_a_move(void **state)
{
	struct fake_memory *m = *state;
	struct memslot_pin p;

	assert_int_equal(fake_memory_set(m, OTHER, 0, gfn(0x5000), 4, m->ram + 4 * GUEST_PAGE_SIZE),
			 0);
	p = pin(m, 0x5001);
	assert_without_trace(m, fake_memory_delete(m, OTHER), -EBUSY);
	memslots_unpin(&p);
	assert_int_equal(fake_memory_delete(m, OTHER), 0);
}

/*
 * Somebody who pins while the kernel is being told to take the slot away: too late, whenever he
 * gets there.
 */

struct late {
	struct memslots slots;
	pthread_t id;
	bool started;
	int kernel_rc, rc;
	struct memslot_pin pin;
};

static void *pin_late(void *opaque)
{
	struct late *l = opaque;
	struct memslot_hint hint = {0};

	l->rc = memslots_pin(&l->slots, &hint, gfn(1), true, &l->pin);
	return NULL;
}

static int set_slot_slowly(void *host, const struct memslot *old, const struct memslot *new)
{
	struct late *l = host;

	(void)new;
	if (!old)
		return 0;
	l->started = !pthread_create(&l->id, NULL, pin_late, l);
	usleep(20000); /* time enough to do it wrong */
	return l->kernel_rc;
}

static void pins_that_come_late(void **state)
{
	static const struct memslot_ops ops = {.set_slot = set_slot_slowly};
	struct memslot_request r = {.size = 4 * GUEST_PAGE_SIZE};
	struct fake_memory *m = *state;

	for (int kernel_rc = -EIO; kernel_rc <= 0; kernel_rc += EIO) {
		struct late l = {.kernel_rc = kernel_rc};

		assert_int_equal(memslots_init(&l.slots, &ops, &l, 0), 0);
		r.hva = (uintptr_t)m->ram;
		r.size = 4 * GUEST_PAGE_SIZE;
		assert_int_equal(memslots_set_slot(&l.slots, &r), 0);
		r.size = 0;
		assert_int_equal(memslots_set_slot(&l.slots, &r), kernel_rc);
		assert_true(l.started);
		pthread_join(l.id, NULL);
		assert_int_equal(l.rc, kernel_rc ? 0 : -ENOENT);
		memslots_unpin(&l.pin);
		memslots_destroy(&l.slots);
	}
}

int main(void)
{
#define TEST_RAM(test)                                         \
	{                                                      \
#test, test, setup_ram, fake_memory_teardown,  \
			(void *)(uintptr_t)&fake_memory_manual \
	}
	const struct CMUnitTest tests[] = {
		TEST_RAM(a_pin_tells_where_the_page_is), TEST_RAM(what_cannot_be_pinned),
		TEST_RAM(a_window_shows_one_slot),       TEST_RAM(a_window_on_rom),
		TEST_RAM(a_window_that_is_closed),       TEST_RAM(a_pinned_page_stays),
		TEST_RAM(what_does_not_concern_it),      TEST_RAM(in_another_slot),
		TEST_RAM(overlays_can_be_pinned),        TEST_RAM(after_a_move),
		TEST_RAM(pins_that_come_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
