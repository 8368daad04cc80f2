// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv_tables.h"

#include <stdbool.h>
#include <stddef.h>

#define LEVEL_BITS 9u
#define ROOT       (PV_LEVELS - 1)
#define VA_MASK    ((UINT64_C(1) << 48) - 1)

/* Intel SDM volume 3, 4.5.4. */
#define PTE_PRESENT  UINT64_C(0x01)
#define PTE_WRITABLE UINT64_C(0x02)
#define PTE_USER     UINT64_C(0x04)
#define PTE_ACCESSED UINT64_C(0x20)
#define PTE_DIRTY    UINT64_C(0x40)

/* The kernel runs in ring 3, so its pages are the user's for the CPU. */
#define PAGE_FLAGS  (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

/* Address bits below those that number a level's tables: what one of them maps. */
static unsigned shift_of(unsigned level)
{
	return PV_PAGE_SHIFT + LEVEL_BITS * (level + 1);
}

/* The tables of a level for `pages` pages at `va`, less those that there are. */
static struct pv_level level_for(const struct pv_tables *t, unsigned level, uint64_t va,
				 uint64_t pages)
{
	const unsigned shift = shift_of(level);
	const uint64_t start = va & VA_MASK;
	struct pv_level l = {.first = start >> shift};
	uint64_t end = ((start + (pages - 1) * PV_PAGE_SIZE) >> shift) + 1;

	for (unsigned i = 0; i < t->count; i++)
		if (t->mappings[i].levels[level].count && t->mappings[i].levels[level].first < end)
			end = t->mappings[i].levels[level].first;
	if (end > l.first)
		l.count = end - l.first;
	return l;
}

uint64_t pv_tables_needed(const struct pv_tables *t, uint64_t va, uint64_t pages)
{
	uint64_t tables = 0;

	for (unsigned level = 0; level < PV_LEVELS; level++)
		tables += level_for(t, level, va, pages).count;
	return tables;
}

void pv_tables_add(struct pv_tables *t, uint64_t va, uint64_t pages, uint64_t pfn,
		   uint64_t tables_pfn)
{
	struct pv_mapping m = {.va = va, .pages = pages, .pfn = pfn, .tables_pfn = tables_pfn};

	for (unsigned level = PV_LEVELS; level-- > 0;) {
		m.levels[level] = level_for(t, level, va, pages);
		m.levels[level].pfn = tables_pfn + m.tables;
		m.tables += m.levels[level].count;
	}
	t->mappings[t->count++] = m;
}

/* The table of a level that an address goes through; there is one for all that is mapped. */
static uint64_t *table_of(const struct pv_tables *t, const struct pv_memory *mem, unsigned level,
			  uint64_t va)
{
	uint64_t number = (va & VA_MASK) >> shift_of(level);

	for (unsigned i = 0; i < t->count; i++) {
		const struct pv_level *l = &t->mappings[i].levels[level];

		if (number - l->first < l->count)
			return pv_memory_page(mem, l->pfn + (number - l->first));
	}
	return NULL;
}

static bool is_table(const struct pv_tables *t, uint64_t pfn)
{
	for (unsigned i = 0; i < t->count; i++)
		if (pfn - t->mappings[i].tables_pfn < t->mappings[i].tables)
			return true;
	return false;
}

/* `count` pages or tables from pfn on, each of which is for 1 << shift bytes, into those of
 * `level`. */
static void fill_level(const struct pv_tables *t, const struct pv_memory *mem, unsigned level,
		       uint64_t va, uint64_t pfn, uint64_t count)
{
	const unsigned shift = shift_of(level) - LEVEL_BITS;
	const uint64_t mask = (1u << LEVEL_BITS) - 1;

	for (uint64_t i = 0; i < count; i++, va += UINT64_C(1) << shift) {
		uint64_t *table = table_of(t, mem, level, va);
		uint64_t flags = TABLE_FLAGS;

		if (!level)
			flags = is_table(t, pfn + i) ? PAGE_FLAGS : PAGE_FLAGS | PTE_WRITABLE;
		table[(va >> shift) & mask] = pv_memory_mfn(mem, pfn + i) << PV_PAGE_SHIFT | flags;
	}
}

void pv_tables_fill(const struct pv_tables *t, const struct pv_memory *mem)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct pv_mapping *m = &t->mappings[i];

		fill_level(t, mem, 0, m->va, m->pfn, m->pages);
		for (unsigned level = 0; level < ROOT; level++) {
			const struct pv_level *l = &m->levels[level];

			fill_level(t, mem, level + 1, l->first << shift_of(level), l->pfn,
				   l->count);
		}
	}
}
