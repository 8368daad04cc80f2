/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For those outside who mirror parts of guest memory (shadow page tables of a device, say): told of
 * writes to the pages they watch, and of what becomes of the memory below.
 *
 * Commands and events are kept apart. flush() is a command: drop what you have cached of these
 * pages; nothing has gone. removed() and moved() are events: they come after the change, when
 * nobody can reach the old range any more. veto() is asked before anything happens. A change that
 * fails calls none but veto().
 *
 * Counts of watched pages move with their slot and end with it; not with the last tracker.
 */
#ifndef SHIM_TRACKER_H
#define SHIM_TRACKER_H

#include "shim/memslot/memslot.h"

enum memslot_change {
	MEMSLOT_CREATE,
	MEMSLOT_DELETE,
	MEMSLOT_MOVE,
	MEMSLOT_FLAGS_ONLY,
};

/*
 * Any of them may be NULL. All but written(): with memslots.lock held, so they change no slots.
 * Frames are of address space 0; of slots in another one only veto() hears.
 */
struct tracker {
	/*
	 * May this happen? 0, or -errno that becomes the change's result. `old` is NULL for CREATE,
	 * `new` for DELETE.
	 */
	int (*veto)(struct tracker *t, enum memslot_change change, const struct memslot *old,
		    const struct memslot *new);
	/* Drop what is cached of these pages: what the guest sees there, or whether writes are
	 * logged, changes. */
	void (*flush)(struct tracker *t, struct gfn base, uint64_t npages);
	void (*removed)(struct tracker *t, struct gfn base, uint64_t npages);
	void (*moved)(struct tracker *t, struct gfn from, struct gfn to, uint64_t npages);
	/* [addr, addr + len), in one watched page, has been written by us. Any thread, in a read
	 * section: it may not wait. */
	void (*written)(struct tracker *t, struct gpa addr, uint64_t len);
};

/*
 * The tracker stays its owner's, until tracker_unregister has returned: then it is in no call.
 * Takes the lock, not in a read section. 0; -EEXIST: it is registered; -ENOMEM: nothing has
 * changed.
 */
int tracker_register(struct memslots *slots, struct tracker *t);
/* 0; -ENOENT: it is not registered; -ENOMEM. */
int tracker_unregister(struct memslots *slots, struct tracker *t);

/*
 * Watch a page of address space 0, once more or once less. On return from the first watch, writes
 * that were not told of can be read in the page. Takes the lock, not in a read section. 0; -EINVAL:
 * no slot there, or no tracker registered; -ERANGE: watched 65535 times already, or not at all.
 */
int tracker_watch(struct memslots *slots, struct gfn page);
int tracker_unwatch(struct memslots *slots, struct gfn page);

/* How often the page is watched; 0 where there is no memory. Any thread. */
unsigned tracker_watched(struct memslots *slots, struct gfn page);

#endif
