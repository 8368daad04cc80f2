// SPDX-License-Identifier: BSD-2-Clause
/*
 * Look-ups, which all rest on one idea. Entries are sorted by start; an entry's reach is the
 * greatest end of all entries up to it, so reaches ascend, too, even where ranges overlap. The
 * first entry whose reach is beyond x got it from its own end. If it starts at or before x it holds
 * x, and is the first to do so; if not, nobody does: who comes before ends too early, who comes
 * after starts too late.
 *
 * The root has the reaches of whole leaves. Which of them is first beyond x is known in part from
 * x's bucket, and is searched for among those few that are left: one where slots are spread evenly,
 * all in the worst case.
 */
#include "shim/memslot/range_index_internal.h"

#include <stddef.h>

const struct range_index range_index_empty;

/*
 * How many of n ascending keys are <= x. Without branches: for random x each would be predicted
 * wrongly half of the time, which costs more than all the rest.
 */
static inline unsigned count_up_to(const uint64_t *key, unsigned n, uint64_t x)
{
	const uint64_t *base = key;

	if (n == 0)
		return 0;
	while (n > 1) {
		unsigned half = n / 2;

		base += half & -(uint64_t)(base[half - 1] <= x);
		n -= half;
	}
	return (unsigned)(base - key) + (*base <= x);
}

/* The first entry whose reach is beyond x; NULL: nobody's is. */
static inline const struct range *first_beyond(const struct range_index *index, uint64_t x,
					       unsigned *leaf)
{
	const struct range_leaf *l;
	unsigned j;

	if (x >= index->limit)
		return NULL;
	j = index->bucket[x > index->base ? (x - index->base) >> index->shift : 0];
	j += count_up_to(index->reach + j, index->width, x);
	l = index->leaf[j];
	*leaf = j;
	return &l->at[count_up_to(l->reach, LEAF_RANGES, x)];
}

bool range_index_find(const struct range_index *index, uint64_t addr, struct range *out)
{
	unsigned j;
	const struct range *r = first_beyond(index, addr, &j);

	if (!r || r->start > addr)
		return false;
	*out = *r;
	return true;
}

bool range_index_visit(const struct range_index *index, uint64_t start, uint64_t end,
		       bool (*visit)(const struct range *r, void *opaque), void *opaque)
{
	unsigned j;
	const struct range *r = first_beyond(index, start, &j);

	if (!r || start >= end)
		return false;
	for (;;) {
		const struct range_leaf *leaf = index->leaf[j];

		for (; r < leaf->at + leaf->nr; r++) {
			if (r->start >= end)
				return false;
			if (r->end > start && visit(r, opaque))
				return true;
		}
		if (++j == index->nr)
			return false;
		r = index->leaf[j]->at;
	}
}
