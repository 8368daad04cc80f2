// SPDX-License-Identifier: BSD-2-Clause
/*
 * A slot that moves, goes and comes, changes its flags. The guest waits while it does, so what it
 * finds afterwards is known to the last word, and to the last bit of the dirty log.
 */
#include <errno.h>
#include <string.h>

#include "guest-tests/churn/churn.h"
#include "shim/memslot/dirty_log.h"

#define WINDOW_SLOT 8
#define ALL_PAGES   ((1u << CHURN_WINDOW_PAGES) - 1)

static uint32_t other_base(uint32_t base)
{
	return base == CHURN_WINDOW_A ? CHURN_WINDOW_B : CHURN_WINDOW_A;
}

bool window_set(struct churn *c, uint32_t base, bool logged)
{
	struct window *w = &c->window;
	const struct memslot_request request = {
		.slot = WINDOW_SLOT,
		.flags = logged ? MEMSLOT_LOG_DIRTY : 0,
		.gpa = base,
		.size = base ? (uint64_t)CHURN_WINDOW_PAGES * GUEST_PAGE_SIZE : 0,
		.hva = (uintptr_t)w->memory,
	};

	if (!churn_check(c, memslots_set_slot(c->slots, &request), 0, "changing the window's slot"))
		return false;
	if (!base || !logged || !w->logged)
		w->dirty = 0; /* a log goes with its slot, and ends with it */
	w->base = base;
	w->logged = base && logged;
	return true;
}

static bool change(struct churn *c)
{
	struct window *w = &c->window;

	switch (churn_random(c, 4)) {
	case 0:
		return window_set(c, other_base(w->base), w->logged);
	case 1:
		return window_set(c, w->base, !w->logged);
	case 2: {
		uint32_t base = churn_random(c, 2) ? w->base : other_base(w->base);

		return window_set(c, 0, false) && window_set(c, base, churn_random(c, 2));
	}
	default: /* move and change flags in one */
		return window_set(c, other_base(w->base), !w->logged);
	}
}

static uint32_t stored(const struct churn *c, unsigned page, unsigned offset)
{
	uint32_t word;

	memcpy(&word, c->window.memory + page * GUEST_PAGE_SIZE + offset, sizeof(word));
	return word;
}

static void compare_memory(struct churn *c, uint32_t pages, uint32_t value)
{
	for (unsigned i = 0; i < CHURN_WINDOW_PAGES; i++)
		if (pages >> i & 1 && stored(c, i, CHURN_FILL_AT) != value + i)
			churn_fail(c, "the guest wrote %#x to page %u of the window, it holds %#x",
				   value + i, i, stored(c, i, CHURN_FILL_AT));
}

static bool use(struct churn *c)
{
	struct window *w = &c->window;
	uint32_t pages = churn_random(c, ALL_PAGES + 1), value = churn_random(c, 1u << 30);
	uint32_t away = other_base(w->base);

	if (!guest_do(c, CHURN_FILL, w->base, pages, value) ||
	    !guest_do(c, CHURN_EXPECT, w->base, pages, value))
		return false;
	compare_memory(c, pages, value);
	w->dirty |= pages;
	if (!guest_result(c, CHURN_CALL, w->base, 0))
		return false;
	w->dirty |= 1u << CHURN_PARAM_PAGE; /* our writing */
	/* Where the slot is not, there is nothing, and a hypercall says so. */
	c->expected_nowhere++;
	return guest_do(c, CHURN_EXPECT_NONE, away, 1u << churn_random(c, CHURN_WINDOW_PAGES), 0) &&
	       guest_result(c, CHURN_CALL, away, -XEN_EFAULT);
}

static void compare_log(struct churn *c, const char *when)
{
	uint64_t bits = 0;

	if (!churn_check(c, dirty_log_get(c->slots, WINDOW_SLOT, &bits), 0, "dirty_log_get"))
		return;
	if (bits != c->window.dirty)
		churn_fail(c, "the dirty log %s has pages %#llx, expected %#llx", when,
			   (unsigned long long)bits, (unsigned long long)c->window.dirty);
	if (!c->window.manual)
		c->window.dirty = 0;
}

static void look_at_log(struct churn *c)
{
	struct window *w = &c->window;
	uint64_t all = ALL_PAGES;

	if (!w->logged) {
		churn_check(c, dirty_log_get(c->slots, WINDOW_SLOT, &all), -ENOENT,
			    "dirty_log_get of a slot without");
		return;
	}
	if (churn_random(c, 3) == 0)
		return; /* it is kept over the next change */
	compare_log(c, "of a slot in use");
	if (w->manual && churn_random(c, 2)) {
		churn_check(c, dirty_log_clear(c->slots, WINDOW_SLOT, 0, CHURN_WINDOW_PAGES, &all),
			    0, "dirty_log_clear");
		w->dirty = 0;
	}
	compare_log(c, "afterwards");
}

void window_epochs(struct churn *c, unsigned epochs)
{
	if (!c->window.base && !window_set(c, CHURN_WINDOW_A, false))
		return;
	for (unsigned i = 0; i < epochs && !c->failures; i++) {
		if (!change(c) || !use(c))
			return;
		look_at_log(c);
	}
	guest_account(c, "after changes of the window");
}

/* From now on: a log that is not cleared when it is read. */
void window_manual_log(struct churn *c)
{
	struct vm *vm = &c->machine.vm;
	struct problem p;

	vm->config.manual_dirty_log = true;
	if (vm_enable_manual_dirty_log(vm, &p))
		churn_fail(c, "%s", p.text);
	c->window.manual = true;
}
