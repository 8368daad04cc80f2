/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: who uses a page's memory for longer than a read section (a backend that has mapped a
 * grant) counts itself in. While a page is pinned its memory stays where it is in our process: what
 * would put something else there or take its slot away (memslots_set_slot that deletes or moves,
 * memslots_remap_begin, overlays) answers -EBUSY.
 *
 * Neither side waits for the other. A changer first closes the slot to new pins and then looks at
 * its counts; who pins counts first and then looks whether the slot is closed. One of them sees the
 * other. docs/memory.md has it in full.
 */
#ifndef SHIM_PIN_H
#define SHIM_PIN_H

#include <errno.h>

#include "shim/memslot/memslot.h"

/* One pin. Plain data of its holder's. */
struct memslot_pin {
	uint8_t *hva;    /* of the page */
	uint32_t *count; /* NULL: not held */
};

/*
 * Pin the page that the guest sees at `at`, in address space 0; `write`: one that may be written
 * to. Any thread, not in a read section; may wait for memslots.lock. `hint` is the caller's own.
 * 0; -ENOENT: there is no (such) memory; -ENOMEM: none to count with. Then *pin is not held.
 */
int memslots_pin(struct memslots *slots, struct memslot_hint *hint, struct gfn at, bool write,
		 struct memslot_pin *pin);

/*
 * The same without waiting, in a read section of the caller's: many pages can be pinned in one. If
 * it fails it is worth asking memslots_pin(), which may find what is being changed now: -ENOENT;
 * -EAGAIN: the slot is closed; -ENOMEM. *pin is not held then, but may have been written to.
 */
static inline int memslots_try_pin(const struct memslot_set *set, struct memslot_hint *hint,
				   struct gfn at, bool write, struct memslot_pin *pin);

/* Give it back. Any thread, in a section or not, no lock. Before memslots_destroy(). */
static inline void memslots_unpin(struct memslot_pin *pin);

/*
 * For the files of shim/memslot, and what is inline: a request of a disk has 256 pages.
 */

/* Of one slot; goes along from version to version. */
struct memslot_pins {
	uint32_t *count; /* for each page; NULL: there was no pin yet. Atomic */
	bool closed;     /* atomic */
};

/* NULL: no memory. */
struct memslot_pins *memslot_pins_create(void);
void memslot_pins_free(struct memslot_pins *pins);

/*
 * Under memslots.lock: no page can be pinned from now on, until open. False: one of these pages,
 * by number in the slot, is pinned, and the slot is open as it was.
 */
bool memslot_pins_close(const struct memslot *s, uint64_t first, uint64_t npages);
/* After a grace period, if another set has been published. */
void memslot_pins_open(const struct memslot *s);

/* The counts of a slot that has none yet; NULL: no memory. Any thread. */
uint32_t *memslot_pins_make_counts(const struct memslot *s);

/* Count, and only then look: a changer does it the other way round. */
static inline int memslot_pin_count_in(const struct memslot *s, uint64_t page,
				       struct memslot_pin *pin)
{
	uint32_t *count = __atomic_load_n(&s->pins->count, __ATOMIC_ACQUIRE);

	if (__builtin_expect(!count, 0))
		count = memslot_pins_make_counts(s);
	if (!count)
		return -ENOMEM;
	__atomic_fetch_add(&count[page], 1, __ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&s->pins->closed, __ATOMIC_SEQ_CST), 0)) {
		__atomic_fetch_sub(&count[page], 1, __ATOMIC_SEQ_CST);
		return -EAGAIN;
	}
	pin->count = &count[page];
	return 0;
}

static inline int memslots_try_pin(const struct memslot_set *set, struct memslot_hint *hint,
				   struct gfn at, bool write, struct memslot_pin *pin)
{
	struct gpa addr = gfn_to_gpa(at);

	if (at.v > UINT64_MAX >> GUEST_PAGE_SHIFT)
		return -ENOENT;
	pin->hva = memslots_hva(set, hint, addr, GUEST_PAGE_SIZE, write);
	if (!pin->hva)
		return -ENOENT;
	return memslot_pin_count_in(hint->slot, (addr.v - hint->start) >> GUEST_PAGE_SHIFT, pin);
}

static inline void memslots_unpin(struct memslot_pin *pin)
{
	if (pin->count)
		__atomic_fetch_sub(pin->count, 1, __ATOMIC_RELEASE);
	*pin = (struct memslot_pin){0};
}

#endif
