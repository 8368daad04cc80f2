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

/* Give it back. Any thread, in a section or not, no lock. Before memslots_destroy(). */
void memslots_unpin(struct memslot_pin *pin);

/*
 * For the files of shim/memslot.
 */

/* Of one slot; goes along from version to version. NULL: no memory. */
struct memslot_pins *memslot_pins_create(void);
void memslot_pins_free(struct memslot_pins *pins);

/*
 * Under memslots.lock: no page can be pinned from now on, until open. False: one of these pages,
 * by number in the slot, is pinned, and the slot is open as it was.
 */
bool memslot_pins_close(const struct memslot *s, uint64_t first, uint64_t npages);
/* After a grace period, if another set has been published. */
void memslot_pins_open(const struct memslot *s);

#endif
