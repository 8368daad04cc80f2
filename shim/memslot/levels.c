// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/levels.h"

#include <stdlib.h>

/* Reasons against each large page, all levels one after the other. */
struct memslot_levels {
	uint64_t entries[PAGE_LEVELS]; /* none for PAGE_4K, which is always allowed */
	uint32_t against[];            /* atomic: read without the lock */
};

static uint32_t *entries_of(const struct memslot_levels *l, enum page_level level)
{
	const uint32_t *first = l->against;

	return (uint32_t *)(uintptr_t)first + (level == PAGE_1G ? l->entries[PAGE_2M] : 0);
}

static uint32_t *entry_of(const struct memslot *slot, struct gfn page, enum page_level level)
{
	unsigned shift = page_level_shift(level);
	uint64_t first = gpa_to_gfn(slot->start).v >> shift;

	return &entries_of(slot->levels, level)[(page.v >> shift) - first];
}

/* What alignment alone forbids at a level. */
static void count_misaligned(const struct memslot *slot, struct memslot_levels *l,
			     enum page_level level)
{
	const uint64_t mask = (1ull << page_level_shift(level)) - 1;
	uint64_t base = gpa_to_gfn(slot->start).v;
	uint64_t host = (uintptr_t)slot->hva >> GUEST_PAGE_SHIFT;
	uint32_t *against = entries_of(l, level);

	if (base & mask)
		against[0]++;
	if ((base + slot->npages) & mask)
		against[l->entries[level] - 1]++;
	if ((base ^ host) & mask)
		for (uint64_t i = 0; i < l->entries[level]; i++)
			against[i]++;
}

static void count_watched(const struct memslot *slot)
{
	struct gfn base = gpa_to_gfn(slot->start);

	for (uint64_t i = 0; i < slot->npages; i++)
		if (slot->write_track[i])
			memslot_levels_count(slot, gfn(base.v + i), 1);
}

struct memslot_levels *memslot_levels_create(struct memslot *slot)
{
	struct gfn base = gpa_to_gfn(slot->start);
	uint64_t small = memslot_level_entries(base, slot->npages, PAGE_2M);
	uint64_t large = memslot_level_entries(base, slot->npages, PAGE_1G);
	struct memslot_levels *l = calloc(1, sizeof(*l) + (small + large) * sizeof(l->against[0]));

	if (!l)
		return NULL;
	l->entries[PAGE_2M] = small;
	l->entries[PAGE_1G] = large;
	count_misaligned(slot, l, PAGE_2M);
	count_misaligned(slot, l, PAGE_1G);
	slot->levels = l;
	if (slot->write_track)
		count_watched(slot);
	return l;
}

void memslot_levels_free(struct memslot_levels *levels)
{
	free(levels);
}

void memslot_level_count(const struct memslot *slot, struct gfn page, enum page_level level,
			 int reasons)
{
	__atomic_fetch_add(entry_of(slot, page, level), (uint32_t)reasons, __ATOMIC_RELAXED);
}

void memslot_levels_count(const struct memslot *slot, struct gfn page, int reasons)
{
	memslot_level_count(slot, page, PAGE_2M, reasons);
	memslot_level_count(slot, page, PAGE_1G, reasons);
}

enum page_level memslot_max_level(const struct memslot *slot, struct gfn page)
{
	for (enum page_level level = PAGE_1G; level > PAGE_4K; level--)
		if (!__atomic_load_n(entry_of(slot, page, level), __ATOMIC_RELAXED))
			return level;
	return PAGE_4K;
}
