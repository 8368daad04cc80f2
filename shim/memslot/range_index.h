/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordered map from address ranges to memslots, in versions: a version never changes once it is
 * published, so readers under RCU need no lock, and a change that is given up leaves no trace. Two
 * levels of sorted arrays: an edit copies the root and the leaves that it touches, all others are
 * shared with the version before.
 *
 * Ranges may overlap (host addresses may be used by two slots); where they do not (guest-physical
 * addresses) an address has at most one. O(log n) either way, and nearly constant for ranges that
 * are spread evenly.
 */
#ifndef SHIM_RANGE_INDEX_H
#define SHIM_RANGE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct memslot;

struct range {
	uint64_t start, end; /* bytes; end is the first address behind, > start */
	uint64_t to;         /* what `start` maps to in the other address space */
	const struct memslot *slot;
};

struct range_index;

/* The index without ranges. It is never freed. */
extern const struct range_index range_index_empty;

/*
 * Find a range that holds `addr`; of several, that with the lowest start (and slot). False: there
 * is none. Within the RCU section in which `index` was read, as all look-ups.
 */
bool range_index_find(const struct range_index *index, uint64_t addr, struct range *out);

/*
 * Call visit(range, opaque) for the ranges that overlap [start, end), in the order of their starts,
 * until it returns true. Returns whether it has.
 */
bool range_index_visit(const struct range_index *index, uint64_t start, uint64_t end,
		       bool (*visit)(const struct range *r, void *opaque), void *opaque);

/* One edit: the version it starts from, the one it builds, and the leaves in which they differ. */
struct range_index_edit {
	const struct range_index *from;
	struct range_index *to; /* NULL until something has changed */
	struct range_leaf **fresh, **replaced;
	unsigned nr_fresh, nr_replaced;
	unsigned room; /* in each of the two */
};

void range_index_edit_begin(struct range_index_edit *e, const struct range_index *from);

/*
 * Add a range (end > start; no two have the same start and slot); remove the one with this start
 * and slot. 0; -ENOMEM; -ENOENT: it is not there. After an error the edit can only be aborted.
 */
int range_index_add(struct range_index_edit *e, const struct range *r);
int range_index_remove(struct range_index_edit *e, uint64_t start, const struct memslot *slot);

/* The version that the edit has built: no more is added or removed then. */
const struct range_index *range_index_edit_result(struct range_index_edit *e);

/* Free what only the new version has (it was not published) ... */
void range_index_edit_abort(struct range_index_edit *e);
/* ... or what only the old one had, after a grace period. Neither can fail. */
void range_index_edit_commit(struct range_index_edit *e);

/* Free a whole index that nobody reads. */
void range_index_free(const struct range_index *index);

#endif
