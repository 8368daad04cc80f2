// SPDX-License-Identifier: BSD-2-Clause
/* The slots that show a guest_memfd, and which of their pages are private. */
#include "shim/memslot/gmem_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/internal.h"

#define MAX_GFN (1ull << (64 - GUEST_PAGE_SHIFT))

/* The page of the file that is this page of the slot. */
static uint64_t file_page(const struct memslot *slot, uint64_t page)
{
	return page - gpa_to_gfn(slot->start).v + (slot->gmem_offset >> GUEST_PAGE_SHIFT);
}

/*
 * Bindings.
 */

/* The first binding that ends after this page of the file. */
static unsigned binding_after(const struct gmem *g, uint64_t page)
{
	unsigned low = 0, high = g->nr_bindings;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const struct gmem_binding *b = g->bindings[middle];

		if (b->first + b->npages > page)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int check_binding(const struct memslots *slots, const struct memslot *slot)
{
	const struct gmem *g = slot->gmem;
	uint64_t first = slot->gmem_offset >> GUEST_PAGE_SHIFT;
	unsigned at;

	if (!g)
		return -EBADF;
	if (g->slots != slots || memslot_as(slot->id) ||
	    slot->gmem_offset & (GUEST_PAGE_SIZE - 1) || slot->npages > g->npages ||
	    first > g->npages - slot->npages)
		return -EINVAL;
	at = binding_after(g, first);
	return at < g->nr_bindings && g->bindings[at]->first < first + slot->npages ? -EEXIST : 0;
}

static int make_room(struct gmem *g)
{
	unsigned room = g->room ? g->room * 2 : 4;
	struct gmem_binding **grown;

	if (g->nr_bindings < g->room)
		return 0;
	grown = realloc(g->bindings, room * sizeof(struct gmem_binding *));
	if (!grown)
		return -ENOMEM;
	g->bindings = grown;
	g->room = room;
	return 0;
}

static struct gmem_binding *make_binding(const struct memslot *slot)
{
	struct gfn base = gpa_to_gfn(slot->start);
	uint64_t nr_2m = memslot_level_entries(base, slot->npages, PAGE_2M);
	uint64_t nr_1g = memslot_level_entries(base, slot->npages, PAGE_1G);
	struct gmem_binding *b = calloc(1, sizeof(*b) + (nr_2m + nr_1g) * sizeof(b->shared[0]));

	if (!b)
		return NULL;
	b->first = file_page(slot, base.v);
	b->npages = slot->npages;
	b->base = base;
	b->nr_2m = nr_2m;
	return b;
}

static void insert(struct gmem *g, struct gmem_binding *b)
{
	unsigned at = binding_after(g, b->first);

	memmove(&g->bindings[at + 1], &g->bindings[at],
		(g->nr_bindings - at) * sizeof(struct gmem_binding *));
	g->bindings[at] = b;
	g->nr_bindings++;
	g->refs++;
}

int gmem_bind(struct memslots *slots, const struct memslot *slot)
{
	int rc = check_binding(slots, slot);
	struct gmem *g = slot->gmem;
	struct gmem_binding *b;

	if (!rc)
		rc = make_room(g);
	if (rc)
		return rc;
	b = make_binding(slot);
	if (!b)
		return -ENOMEM;
	rc = g->ops->set_private(g->host, b->base, b->npages, true);
	if (rc)
		free(b);
	else
		insert(g, b);
	return rc;
}

void gmem_unbind(const struct memslot *slot)
{
	struct gmem *g = slot->gmem;
	unsigned at = binding_after(g, slot->gmem_offset >> GUEST_PAGE_SHIFT);
	struct gmem_binding *b = g->bindings[at];

	/* Should it fail, the next slot here is the one to hear of it. */
	g->ops->set_private(g->host, b->base, b->npages, false);
	gmem_bits_put(g->shared, b->first, b->npages, false);
	g->nr_bindings--;
	memmove(&g->bindings[at], &g->bindings[at + 1],
		(g->nr_bindings - at) * sizeof(struct gmem_binding *));
	free(b);
	gmem_drop(g);
}

/*
 * Private and shared.
 */

/* How many of a slot's pages [first, end) are not yet as wanted. */
static uint64_t pages_to_change(const struct memslot *slot, uint64_t first, uint64_t end,
				bool is_private)
{
	uint64_t shared = gmem_bits_count(slot->gmem->shared, file_page(slot, first), end - first);

	return is_private ? shared : end - first - shared;
}

static uint32_t *shared_in(struct gmem_binding *b, enum page_level level, uint64_t page)
{
	unsigned shift = page_level_shift(level);

	return &b->shared[(level == PAGE_1G ? b->nr_2m : 0) + (page >> shift) -
			  (b->base.v >> shift)];
}

/*
 * Has the large page around this one private and shared pages? One that is not all in the slot is
 * taken to have some of both: it is forbidden anyway.
 */
static bool is_mixed(struct gmem_binding *b, enum page_level level, uint64_t page)
{
	uint32_t shared = *shared_in(b, level, page);

	return shared && shared < 1u << page_level_shift(level);
}

/*
 * Change pages [first, end) of the slot, a large page of that level at a time. Who reads meanwhile
 * may find a large page too many forbidden, but none too few.
 */
static void change(const struct memslot *slot, struct gmem_binding *b, enum page_level level,
		   uint64_t first, uint64_t end, bool is_private)
{
	unsigned shift = page_level_shift(level);
	uint64_t next;

	for (uint64_t page = first; page < end; page = next) {
		bool before = is_mixed(b, level, page), after;
		uint64_t n;

		next = ((page >> shift) + 1) << shift;
		if (next > end)
			next = end;
		n = pages_to_change(slot, page, next, is_private);
		*shared_in(b, level, page) += is_private ? -n : n;
		after = is_mixed(b, level, page);
		if (!before && after)
			memslot_level_count(slot, gfn(page), level, 1);
		if (level > PAGE_2M)
			change(slot, b, level - 1, page, next, is_private);
		else
			gmem_bits_put(slot->gmem->shared, file_page(slot, page), next - page,
				      !is_private);
		if (before && !after)
			memslot_level_count(slot, gfn(page), level, -1);
	}
}

/* A request, and how far it has been looked through. */
struct conversion {
	uint64_t first, end, next; /* frames */
	bool is_private;
	uint64_t changes;
	const struct gmem *g; /* the first slot's */
};

/* The frames of the request that are in this range. */
static void clip(const struct conversion *c, const struct range *r, uint64_t *first, uint64_t *end)
{
	*first = r->start >> GUEST_PAGE_SHIFT;
	*end = *first + r->slot->npages;
	if (*first < c->first)
		*first = c->first;
	if (*end > c->end)
		*end = c->end;
}

static bool look(const struct range *r, void *opaque)
{
	struct conversion *c = opaque;
	uint64_t first, end;

	clip(c, r, &first, &end);
	if (first != c->next || !r->slot->gmem)
		return true;
	c->changes += pages_to_change(r->slot, first, end, c->is_private);
	if (!c->g)
		c->g = r->slot->gmem;
	c->next = end;
	return false;
}

static bool carry_out(const struct range *r, void *opaque)
{
	const struct conversion *c = opaque;
	struct gmem *g = r->slot->gmem;
	uint64_t first, end;

	clip(c, r, &first, &end);
	change(r->slot, g->bindings[binding_after(g, file_page(r->slot, first))], PAGE_1G, first,
	       end, c->is_private);
	return false;
}

static int convert(struct memslots *slots, struct conversion *c)
{
	const struct range_index *index = memslots_current(slots)->by_gpa[0];
	uint64_t start = c->first << GUEST_PAGE_SHIFT, end = c->end << GUEST_PAGE_SHIFT;
	int rc;

	if (range_index_visit(index, start, end, look, c) || c->next != c->end)
		return -EINVAL;
	if (!c->changes)
		return 0;
	rc = c->g->ops->set_private(c->g->host, gfn(c->first), c->end - c->first, c->is_private);
	if (rc)
		return rc;
	range_index_visit(index, start, end, carry_out, c);
	trackers_flush(slots, gfn(c->first), c->end - c->first);
	return 0;
}

int gmem_set_private(struct memslots *slots, struct gfn base, uint64_t npages, bool is_private)
{
	struct conversion c = {
		.first = base.v, .next = base.v, .end = base.v + npages, .is_private = is_private};
	int rc;

	/* Below the last page, so that no end is 2^64. */
	if (!npages || npages >= MAX_GFN || base.v >= MAX_GFN - npages)
		return -EINVAL;
	pthread_mutex_lock(&slots->lock);
	rc = convert(slots, &c);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

/*
 * What readers ask.
 */

bool gmem_is_private(const struct memslot *slot, struct gfn page)
{
	uint64_t at;

	if (!slot->gmem)
		return false;
	at = file_page(slot, page.v);
	/* Acquire: who sees a page shared sees what has been forbidden because of it. */
	return !(__atomic_load_n(&slot->gmem->shared[at / 64], __ATOMIC_ACQUIRE) >> at % 64 & 1);
}

/* Nor may it map more than is congruent with the file. */
static enum page_level private_level(const struct memslot *slot, struct gfn page)
{
	uint64_t at = file_page(slot, page.v);
	enum page_level level = gmem_allocated_level(slot->gmem, at);

	while ((at ^ page.v) & ((1ull << page_level_shift(level)) - 1))
		level--;
	return level;
}

enum page_level gmem_max_level(const struct memslot *slot, struct gfn page)
{
	bool is_private = gmem_is_private(slot, page);
	enum page_level level = memslot_max_level(slot, page), most;

	if (!is_private || level == PAGE_4K)
		return level;
	most = private_level(slot, page);
	return level < most ? level : most;
}
