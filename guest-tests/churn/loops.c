// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes at any moment, while the guest uses pages that are there all the time.
 */
#include <string.h>
#include <time.h>

#include "guest-tests/churn/churn.h"
#include "shim/memslot/overlay.h"

#define COUNTED_PAGES 0x10f1u
#define ALL_COVERED   ((1u << CHURN_COVERED_PAGES) - 1)

/* Any moment of the guest's loop is to be hit, and the guest is to have its turn on one CPU, too.
 */
static void pause_a_little(struct churn *c)
{
	const struct timespec t = {.tv_nsec = churn_random(c, 100000)};

	if (churn_random(c, 4))
		nanosleep(&t, NULL);
}

static void compare_counters(struct churn *c)
{
	for (unsigned i = 0; i < CHURN_WINDOW_PAGES; i++) {
		uint32_t counter;

		memcpy(&counter, c->window.memory + i * GUEST_PAGE_SIZE + CHURN_COUNT_AT,
		       sizeof(counter));
		if (counter != (COUNTED_PAGES >> i & 1 ? c->box->turns : 0))
			churn_fail(c, "page %u of the window counts %u, after %u turns", i, counter,
				   c->box->turns);
	}
}

void loop_counting(struct churn *c, unsigned changes)
{
	if (!guest_start(c, CHURN_COUNT, c->window.base, COUNTED_PAGES))
		return;
	for (unsigned i = 0; i < changes && !c->failures; i++) {
		if (churn_random(c, 8))
			others_change(c);
		else
			window_set(c, c->window.base, !c->window.logged);
		pause_a_little(c);
		if (i % 16 == 0 && !guest_turns(c, 1))
			return;
	}
	if (!guest_stop(c))
		return;
	compare_counters(c);
	/* They were written while the log went on and off: what it has is not known. */
	window_set(c, c->window.base, false);
	guest_account(c, "while other slots changed");
}

static struct gfn covered(unsigned page)
{
	return gfn(CHURN_COVERED / GUEST_PAGE_SIZE + page);
}

static void show(struct churn *c, unsigned page, unsigned overlay)
{
	churn_check(c, overlay_show(c->slots, overlay, covered(page)), 0, "overlay_show");
}

static void hide(struct churn *c, unsigned page)
{
	churn_check(c, overlay_hide(c->slots, covered(page)), 0, "overlay_hide");
}

static void cover_or_uncover(struct churn *c, unsigned page)
{
	if (overlay_at(c->slots, covered(page)) < 0)
		show(c, page, CHURN_OVERLAY(page));
	else
		hide(c, page);
}

/* With the guest waiting: each page of the host's in turn, and the RAM. */
static void see_each(struct churn *c)
{
	for (unsigned i = 0; i < CHURN_COVERED_PAGES; i++) {
		show(c, i, CHURN_OVERLAY(i));
		if (!guest_do(c, CHURN_COVERED_ARE, 0, 1u << i,
			      CHURN_TAG_OVERLAY | CHURN_OVERLAY(i)))
			return;
		show(c, i, CHURN_SPARE_OVERLAY);
		if (!guest_do(c, CHURN_COVERED_ARE, 0, 1u << i,
			      CHURN_TAG_OVERLAY | CHURN_SPARE_OVERLAY))
			return;
		hide(c, i);
	}
	guest_do(c, CHURN_COVERED_ARE, 0, ALL_COVERED, CHURN_TAG_RAM);
}

void loop_covered(struct churn *c, unsigned changes)
{
	if (!guest_start(c, CHURN_COVERED_USE, 0, ALL_COVERED))
		return;
	for (unsigned i = 0; i < changes && !c->failures; i++) {
		if (churn_random(c, 4))
			cover_or_uncover(c, churn_random(c, CHURN_COVERED_PAGES));
		else
			others_change(c);
		pause_a_little(c);
		if (i % 16 == 0 && !guest_turns(c, 1))
			return;
	}
	if (guest_stop(c))
		see_each(c);
	guest_account(c, "while pages were covered and uncovered");
}
