// SPDX-License-Identifier: BSD-2-Clause
/*
 * An edit of an index copies the root, and each leaf that it is the first to change.
 */
#include "shim/memslot/range_index_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Order.
 */

/* < 0, 0, > 0. Equal starts are ordered by slot, so that one among many is found quickly. */
static int compare(const struct range *r, uint64_t start, const struct memslot *slot)
{
	uintptr_t a = (uintptr_t)r->slot, b = (uintptr_t)slot;

	if (r->start != start)
		return r->start < start ? -1 : 1;
	return (a > b) - (a < b);
}

/* The leaf to which a range belongs: the last that begins with it or before it, or the first. */
static unsigned leaf_of(const struct range_index *index, uint64_t start, const struct memslot *slot)
{
	unsigned low = 0, high = index->nr;

	while (high - low > 1) {
		unsigned mid = low + (high - low) / 2;

		if (compare(index->leaf[mid]->at, start, slot) <= 0)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* How many entries of the leaf come before it. */
static unsigned position(const struct range_leaf *leaf, uint64_t start, const struct memslot *slot)
{
	unsigned i = 0;

	while (i < leaf->nr && compare(&leaf->at[i], start, slot) < 0)
		i++;
	return i;
}

/* The leaf's entries have changed. */
static void update_leaf(struct range_leaf *leaf)
{
	uint64_t reach = 0;

	for (unsigned i = 0; i < LEAF_RANGES; i++) {
		if (i >= leaf->nr)
			reach = UINT64_MAX;
		else if (leaf->at[i].end > reach)
			reach = leaf->at[i].end;
		leaf->reach[i] = reach;
	}
}

/* Leaves [first, end) have changed, or others are there. It goes on for as long as it matters. */
static void update_root(struct range_index *root, unsigned first, unsigned end)
{
	uint64_t reach = first > 0 ? root->reach[first - 1] : 0;

	for (unsigned j = first; j < root->nr; j++) {
		const struct range_leaf *leaf = root->leaf[j];

		if (leaf->reach[leaf->nr - 1] > reach)
			reach = leaf->reach[leaf->nr - 1];
		if (j >= end && root->reach[j] == reach)
			break;
		root->reach[j] = reach;
	}
}

/*
 * Roots and leaves of an edit.
 */

/* So many that most have no more than one leaf's end in them. */
#define BUCKETS_PER_LEAF 4

/* One block: itself, reach[], leaf[], bucket[]. */
static struct range_index *root_copy(const struct range_index *from, unsigned room)
{
	struct range_index *to;

	to = malloc(sizeof(*to) + room * (sizeof(uint64_t) + sizeof(struct range_leaf *) +
					  BUCKETS_PER_LEAF * sizeof(uint32_t)));
	if (!to)
		return NULL;
	*to = (struct range_index){.nr = from->nr, .room = room};
	to->reach = (uint64_t *)(to + 1);
	to->leaf = (struct range_leaf **)(to->reach + room);
	to->bucket = (uint32_t *)(to->leaf + room);
	if (from->nr > 0) {
		memcpy(to->reach, from->reach, from->nr * sizeof(uint64_t));
		memcpy(to->leaf, from->leaf, from->nr * sizeof(struct range_leaf *));
	}
	return to;
}

/* The root's leaves are complete: make the buckets. */
static void divide_into_buckets(struct range_index *root)
{
	unsigned nr = root->nr, last, j = 0;

	root->base = root->leaf[0]->at[0].start;
	root->limit = root->reach[nr - 1];
	root->shift = 0;
	while ((root->limit - root->base - 1) >> root->shift >= nr * BUCKETS_PER_LEAF)
		root->shift++;
	last = (unsigned)((root->limit - root->base - 1) >> root->shift);

	/* An address is beyond all the leaves that its bucket's first address is beyond. */
	root->width = 0;
	for (unsigned b = 0; b <= last; b++) {
		unsigned before = j;

		while (root->reach[j] <= root->base + ((uint64_t)b << root->shift))
			j++;
		root->bucket[b] = j;
		if (j - before > root->width)
			root->width = j - before;
	}
	if (nr - 1 - j > root->width)
		root->width = nr - 1 - j;
	/* The search looks at `width` reaches, whichever the bucket: no further than the last. */
	for (unsigned b = last; root->bucket[b] + root->width > nr; b--)
		root->bucket[b] = nr - root->width;
}

/* So that no edit of one or two ranges has to copy the root again. */
#define SPARE_LEAVES 4

static int own_root(struct range_index_edit *e)
{
	if (!e->to)
		e->to = root_copy(e->from, e->from->nr + SPARE_LEAVES);
	return e->to ? 0 : -ENOMEM;
}

static int grow_root(struct range_index_edit *e)
{
	struct range_index *bigger;

	if (e->to->nr < e->to->room)
		return 0;
	bigger = root_copy(e->to, 2 * e->to->room);
	if (!bigger)
		return -ENOMEM;
	free(e->to);
	e->to = bigger;
	return 0;
}

/* Room for one more in each of the edit's lists. */
static int grow_lists(struct range_index_edit *e)
{
	unsigned room = e->room ? 2 * e->room : 8;
	struct range_leaf **list;

	if (e->nr_fresh < e->room && e->nr_replaced < e->room)
		return 0;
	list = realloc(e->fresh, room * sizeof(struct range_leaf *));
	if (!list)
		return -ENOMEM;
	e->fresh = list;
	list = realloc(e->replaced, room * sizeof(struct range_leaf *));
	if (!list)
		return -ENOMEM;
	e->replaced = list;
	e->room = room;
	return 0;
}

static struct range_leaf *new_leaf(struct range_index_edit *e)
{
	struct range_leaf *leaf = grow_lists(e) == 0 ? calloc(1, sizeof(*leaf)) : NULL;

	if (leaf)
		e->fresh[e->nr_fresh++] = leaf;
	return leaf;
}

/* The leaf's place in e->fresh, or nr_fresh: it belongs to the old version, too. */
static unsigned find_fresh(const struct range_index_edit *e, const struct range_leaf *leaf)
{
	unsigned i = 0;

	while (i < e->nr_fresh && e->fresh[i] != leaf)
		i++;
	return i;
}

/* Leaf j, to be written to. NULL: no memory. */
static struct range_leaf *own_leaf(struct range_index_edit *e, unsigned j)
{
	struct range_leaf *old = e->to->leaf[j], *leaf;

	if (find_fresh(e, old) < e->nr_fresh)
		return old;
	leaf = new_leaf(e);
	if (!leaf)
		return NULL;
	*leaf = *old;
	e->replaced[e->nr_replaced++] = old;
	e->to->leaf[j] = leaf;
	return leaf;
}

/* A new leaf at j, without entries: the caller gives it some. NULL: no memory. */
static struct range_leaf *insert_leaf(struct range_index_edit *e, unsigned j)
{
	struct range_leaf *leaf = grow_root(e) == 0 ? new_leaf(e) : NULL;
	struct range_index *root = e->to;

	if (!leaf)
		return NULL;
	memmove(&root->reach[j + 1], &root->reach[j], (root->nr - j) * sizeof(uint64_t));
	memmove(&root->leaf[j + 1], &root->leaf[j], (root->nr - j) * sizeof(struct range_leaf *));
	root->leaf[j] = leaf;
	root->nr++;
	return leaf;
}

/* Leaf j is not part of the new version. */
static int drop_leaf(struct range_index_edit *e, unsigned j)
{
	struct range_index *root = e->to;
	struct range_leaf *leaf = root->leaf[j];
	unsigned fresh = find_fresh(e, leaf);

	if (fresh < e->nr_fresh) {
		e->fresh[fresh] = e->fresh[--e->nr_fresh];
		free(leaf);
	} else if (grow_lists(e) == 0) {
		e->replaced[e->nr_replaced++] = leaf;
	} else {
		return -ENOMEM;
	}
	root->nr--;
	memmove(&root->reach[j], &root->reach[j + 1], (root->nr - j) * sizeof(uint64_t));
	memmove(&root->leaf[j], &root->leaf[j + 1], (root->nr - j) * sizeof(struct range_leaf *));
	return 0;
}

/*
 * Editing.
 */

void range_index_edit_begin(struct range_index_edit *e, const struct range_index *from)
{
	*e = (struct range_index_edit){.from = from};
}

const struct range_index *range_index_edit_result(struct range_index_edit *e)
{
	if (!e->to)
		return e->from;
	if (e->to->nr > 0)
		divide_into_buckets(e->to);
	return e->to;
}

/*
 * Make room in full leaf *j for an entry before *i, which may be in the next leaf afterwards. Who
 * comes last of all gets a leaf of its own: slots made in ascending order fill their leaves.
 */
static struct range_leaf *split_leaf(struct range_index_edit *e, unsigned *j, unsigned *i)
{
	bool append = *i == LEAF_RANGES && *j == e->to->nr - 1;
	unsigned keep = append ? LEAF_RANGES : LEAF_RANGES / 2;
	struct range_leaf *low = e->to->leaf[*j], *high = insert_leaf(e, *j + 1);

	if (!high)
		return NULL;
	high->nr = LEAF_RANGES - keep;
	memcpy(high->at, &low->at[keep], high->nr * sizeof(*high->at));
	low->nr = keep;
	update_leaf(low);
	update_leaf(high);
	if (*i < keep)
		return low;
	*i -= keep;
	(*j)++;
	return high;
}

int range_index_add(struct range_index_edit *e, const struct range *r)
{
	struct range_leaf *leaf;
	unsigned first, j, i;

	if (own_root(e) != 0)
		return -ENOMEM;
	first = j = leaf_of(e->to, r->start, r->slot);
	leaf = e->to->nr > 0 ? own_leaf(e, j) : insert_leaf(e, 0);
	if (!leaf)
		return -ENOMEM;
	i = position(leaf, r->start, r->slot);
	if (leaf->nr == LEAF_RANGES) {
		leaf = split_leaf(e, &j, &i);
		if (!leaf)
			return -ENOMEM;
	}
	memmove(&leaf->at[i + 1], &leaf->at[i], (leaf->nr - i) * sizeof(*r));
	leaf->at[i] = *r;
	leaf->nr++;
	update_leaf(leaf);
	update_root(e->to, first, first + 2);
	return 0;
}

/* One leaf of leaf j and the next if they are small: so there are few, whatever has been removed.
 */
static int merge_leaves(struct range_index_edit *e, unsigned j)
{
	struct range_leaf *low, *high;

	if (j + 1 >= e->to->nr || e->to->leaf[j]->nr + e->to->leaf[j + 1]->nr > LEAF_RANGES / 2)
		return 0;
	low = own_leaf(e, j);
	if (!low)
		return -ENOMEM;
	high = e->to->leaf[j + 1];
	memcpy(&low->at[low->nr], high->at, high->nr * sizeof(*high->at));
	low->nr += high->nr;
	update_leaf(low);
	return drop_leaf(e, j + 1);
}

int range_index_remove(struct range_index_edit *e, uint64_t start, const struct memslot *slot)
{
	struct range_leaf *leaf;
	unsigned j, i;
	int err;

	if (own_root(e) != 0)
		return -ENOMEM;
	if (e->to->nr == 0)
		return -ENOENT;
	j = leaf_of(e->to, start, slot);
	leaf = own_leaf(e, j);
	if (!leaf)
		return -ENOMEM;
	i = position(leaf, start, slot);
	if (i == leaf->nr || compare(&leaf->at[i], start, slot) != 0)
		return -ENOENT;
	leaf->nr--;
	memmove(&leaf->at[i], &leaf->at[i + 1], (leaf->nr - i) * sizeof(*leaf->at));
	update_leaf(leaf);
	err = leaf->nr > 0 ? merge_leaves(e, j) : drop_leaf(e, j);
	if (err == 0 && j > 0)
		err = merge_leaves(e, --j);
	if (err == 0)
		update_root(e->to, j, j + 2);
	return err;
}

/*
 * Freeing. -Wcast-qual knows no other way to free what is const for everybody else.
 */

static void free_root(const struct range_index *root)
{
	if (root != &range_index_empty)
		free((void *)(uintptr_t)root);
}

static void free_lists(struct range_index_edit *e)
{
	free(e->fresh);
	free(e->replaced);
	range_index_edit_begin(e, NULL);
}

void range_index_edit_abort(struct range_index_edit *e)
{
	for (unsigned i = 0; i < e->nr_fresh; i++)
		free(e->fresh[i]);
	free(e->to);
	free_lists(e);
}

void range_index_edit_commit(struct range_index_edit *e)
{
	for (unsigned i = 0; i < e->nr_replaced; i++)
		free(e->replaced[i]);
	if (e->to)
		free_root(e->from);
	free_lists(e);
}

void range_index_free(const struct range_index *index)
{
	for (unsigned j = 0; j < index->nr; j++)
		free(index->leaf[j]);
	free_root(index);
}
