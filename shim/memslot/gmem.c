// SPDX-License-Identifier: BSD-2-Clause
/* The memory of a guest_memfd: what of it is allocated, and in which units. */
#include "shim/memslot/gmem_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes fit into an off_t. */
#define MAX_PAGES (1ull << 51)

/* A block is 2 MiB: how many of its pages are allocated, and the unit + 1 that it belongs to. */
#define BLOCK_SHIFT      9
#define BLOCK_PAGES      (1u << BLOCK_SHIFT)
#define BLOCK_COUNT      0x0fffu
#define BLOCK_UNIT_SHIFT 12

#define GIB_SHIFT 18
#define GIB_PAGES (1u << GIB_SHIFT)

static uint64_t unit_pages(enum page_level unit)
{
	return 1ull << page_level_shift(unit);
}

static uint16_t block_of(const struct gmem *g, uint64_t page)
{
	return __atomic_load_n(&g->blocks[page >> BLOCK_SHIFT], __ATOMIC_RELAXED);
}

static unsigned block_count(uint16_t block)
{
	return block & BLOCK_COUNT;
}

/* Only of one that is not 0. */
static enum page_level block_unit(uint16_t block)
{
	return (block >> BLOCK_UNIT_SHIFT) - 1;
}

static uint64_t block_end(uint64_t page)
{
	return (page | (BLOCK_PAGES - 1)) + 1;
}

enum page_level gmem_allocated_level(const struct gmem *g, uint64_t page)
{
	uint16_t block = block_of(g, page);

	if (!block || block_unit(block) == PAGE_4K || block_count(block) != BLOCK_PAGES)
		return PAGE_4K;
	if (block_unit(block) == PAGE_2M)
		return PAGE_2M;
	return __atomic_load_n(&g->gibs[page >> GIB_SHIFT], __ATOMIC_RELAXED) == GIB_PAGES
		       ? PAGE_1G
		       : PAGE_2M;
}

static void free_gmem(struct gmem *g)
{
	free(g->allocated);
	free(g->blocks);
	free(g->gibs);
	free(g->shared);
	free(g->bindings);
	free(g);
}

struct gmem *gmem_create(struct memslots *slots, uint64_t npages, const struct gmem_ops *ops,
			 void *host)
{
	uint64_t words = npages / 64 + 1;
	struct gmem *g;

	if (!npages || npages > MAX_PAGES)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->slots = slots;
	g->ops = ops;
	g->host = host;
	g->npages = npages;
	g->refs = 1;
	g->allocated = calloc(words, sizeof(g->allocated[0]));
	g->shared = calloc(words, sizeof(g->shared[0]));
	g->blocks = calloc((npages >> BLOCK_SHIFT) + 1, sizeof(g->blocks[0]));
	g->gibs = calloc((npages >> GIB_SHIFT) + 1, sizeof(g->gibs[0]));
	if (g->allocated && g->shared && g->blocks && g->gibs)
		return g;
	free_gmem(g);
	return NULL;
}

/* Undo all units in [first, end), where none begins or ends outside. */
static void undo_units(struct gmem *g, uint64_t first, uint64_t end)
{
	if (!g->ops->undo)
		return;
	for (uint64_t page = first; page < end;) {
		uint16_t block = block_of(g, page);

		if (!block) {
			page = block_end(page);
		} else if (block_unit(block) == PAGE_4K) {
			if (gmem_bits_count(g->allocated, page, 1))
				g->ops->undo(g->host, page, 1);
			page++;
		} else {
			uint64_t pages = unit_pages(block_unit(block));

			g->ops->undo(g->host, page, pages);
			page += pages;
		}
	}
}

void gmem_drop(struct gmem *g)
{
	if (--g->refs)
		return;
	if (g->used) {
		undo_units(g, 0, g->npages);
		/* What this cannot give back, destroy() does. */
		g->ops->punch(g->host, 0, g->npages);
	}
	g->ops->destroy(g->host);
	free_gmem(g);
}

void gmem_put(struct gmem *g)
{
	struct memslots *slots = g->slots;

	pthread_mutex_lock(&slots->lock);
	gmem_drop(g);
	pthread_mutex_unlock(&slots->lock);
}

void *gmem_host(const struct gmem *g)
{
	return g->host;
}

static void put_block(struct gmem *g, uint64_t page, unsigned count, enum page_level unit)
{
	/* While some of a large unit is left, all of it stays taken: see release_blocks(). */
	uint16_t block = count || unit > PAGE_4K ? count | (unit + 1) << BLOCK_UNIT_SHIFT : 0;

	__atomic_store_n(&g->blocks[page >> BLOCK_SHIFT], block, __ATOMIC_RELAXED);
}

/* Write down that these pages are allocated. */
static void mark_allocated(struct gmem *g, uint64_t first, uint64_t npages, enum page_level unit)
{
	uint64_t end = first + npages, next;

	gmem_bits_put(g->allocated, first, npages, true);
	for (uint64_t page = first; page < end; page = next) {
		next = min_of(block_end(page), end);
		put_block(g, page, block_count(block_of(g, page)) + (next - page), unit);
		__atomic_fetch_add(&g->gibs[page >> GIB_SHIFT], next - page, __ATOMIC_RELAXED);
	}
}

static void mark_freed(struct gmem *g, uint64_t first, uint64_t npages)
{
	uint64_t end = first + npages, next;

	gmem_bits_put(g->allocated, first, npages, false);
	for (uint64_t page = first; page < end; page = next) {
		uint16_t block = block_of(g, page);

		next = min_of(block_end(page), end);
		put_block(g, page, block_count(block) - (next - page), block_unit(block));
		__atomic_fetch_sub(&g->gibs[page >> GIB_SHIFT], next - page, __ATOMIC_RELAXED);
	}
}

/* Of these pages no unit is left. */
static void release_blocks(struct gmem *g, uint64_t first, uint64_t end)
{
	for (uint64_t page = first; page < end; page = block_end(page))
		if (!block_count(block_of(g, page)))
			put_block(g, page, 0, PAGE_4K);
}

static bool in_file(const struct gmem *g, uint64_t first, uint64_t npages)
{
	return npages && npages <= g->npages && first <= g->npages - npages;
}

/* May these pages be allocated in such units? */
static bool all_free(const struct gmem *g, uint64_t first, uint64_t npages, enum page_level unit)
{
	for (uint64_t page = first; page < first + npages; page = block_end(page)) {
		uint16_t block = block_of(g, page);

		if (block && (unit > PAGE_4K || block_unit(block) > PAGE_4K))
			return false;
	}
	return !gmem_bits_count(g->allocated, first, npages);
}

/* Prepare every unit, or none. */
static int prepare_units(struct gmem *g, uint64_t first, uint64_t npages, uint64_t unit)
{
	if (!g->ops->prepare)
		return 0;
	for (uint64_t done = 0; done < npages; done += unit) {
		int rc = g->ops->prepare(g->host, first + done, unit);

		if (!rc)
			continue;
		for (; done && g->ops->undo; done -= unit)
			g->ops->undo(g->host, first + done - unit, unit);
		return rc;
	}
	return 0;
}

static int allocate(struct gmem *g, uint64_t first, uint64_t npages, enum page_level unit)
{
	int rc;

	if (!all_free(g, first, npages, unit))
		return -EEXIST;
	rc = g->ops->allocate(g->host, first, npages);
	if (rc)
		return rc;
	g->used = true;
	rc = prepare_units(g, first, npages, unit_pages(unit));
	if (rc)
		g->ops->punch(g->host, first, npages);
	else
		mark_allocated(g, first, npages, unit);
	return rc;
}

int gmem_allocate(struct gmem *g, uint64_t first, uint64_t npages, enum page_level unit)
{
	int rc;

	if (unit >= PAGE_LEVELS || !in_file(g, first, npages) ||
	    (first | npages) & (unit_pages(unit) - 1))
		return -EINVAL;
	pthread_mutex_lock(&g->slots->lock);
	rc = allocate(g, first, npages, unit);
	pthread_mutex_unlock(&g->slots->lock);
	return rc;
}

/* The unit of an allocated page, [*start, *end): will it be empty without [first, first + npages)?
 */
static bool empties_unit(const struct gmem *g, uint64_t page, uint64_t first, uint64_t npages,
			 uint64_t *start, uint64_t *end)
{
	enum page_level unit = block_unit(block_of(g, page));
	uint64_t left = 1;

	*start = page & ~(unit_pages(unit) - 1);
	*end = *start + unit_pages(unit);
	if (unit == PAGE_2M)
		left = block_count(block_of(g, page));
	else if (unit == PAGE_1G)
		left = g->gibs[page >> GIB_SHIFT];
	return left == min_of(*end, first + npages) - (*start > first ? *start : first);
}

static int free_pages(struct gmem *g, uint64_t first, uint64_t npages)
{
	uint64_t start, end, unit_start, unit_end;

	if (gmem_bits_count(g->allocated, first, npages) != npages)
		return -ENOENT;
	/* From which unit to which all goes: at either end some of one may be left. */
	start = empties_unit(g, first, first, npages, &unit_start, &unit_end) ? unit_start
									      : unit_end;
	end = empties_unit(g, first + npages - 1, first, npages, &unit_start, &unit_end)
		      ? unit_end
		      : unit_start;
	undo_units(g, start, end);
	mark_freed(g, first, npages);
	if (start >= end)
		return 0;
	release_blocks(g, start, end);
	return g->ops->punch(g->host, start, end - start);
}

int gmem_free(struct gmem *g, uint64_t first, uint64_t npages)
{
	int rc;

	if (!in_file(g, first, npages))
		return -EINVAL;
	pthread_mutex_lock(&g->slots->lock);
	rc = free_pages(g, first, npages);
	pthread_mutex_unlock(&g->slots->lock);
	return rc;
}
