// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_paging.h"

#include <string.h>

/* A root with bits below the page's, as PAE allows; it must be found all the same. */
#define PAE_ROOT_OFFSET 0x20

static bool wide_entries(const struct fake_tables *t)
{
	return t->kind >= FAKE_PAGING_PAE;
}

static unsigned index_bits(const struct fake_tables *t)
{
	return wide_entries(t) ? 9 : 10;
}

static unsigned level_shift(const struct fake_tables *t, unsigned level)
{
	return GUEST_PAGE_SHIFT + (level - 1) * index_bits(t);
}

static uint64_t read_entry(const struct fake_tables *t, uint64_t at)
{
	uint64_t entry = 0;

	memcpy(&entry, fake_at(t->f, at), wide_entries(t) ? 8 : 4);
	return entry;
}

static void write_entry(const struct fake_tables *t, uint64_t at, uint64_t entry)
{
	memcpy(fake_at(t->f, at), &entry, wide_entries(t) ? 8 : 4);
}

static uint64_t new_table(struct fake_tables *t)
{
	uint64_t table = t->next;

	t->next += GUEST_PAGE_SIZE;
	memset(fake_at(t->f, table), 0, GUEST_PAGE_SIZE);
	return table;
}

static void set_registers(const struct fake_tables *t)
{
	static const struct {
		uint64_t cr4, efer;
	} modes[] = {
		[FAKE_PAGING_32] = {0, 0},
		[FAKE_PAGING_32_PSE] = {CR4_PSE, 0},
		[FAKE_PAGING_PAE] = {CR4_PAE, 0},
		[FAKE_PAGING_4] = {CR4_PAE, EFER_LME | EFER_LMA},
		[FAKE_PAGING_5] = {CR4_PAE | CR4_LA57, EFER_LME | EFER_LMA},
	};
	struct paging *p = &t->f->vcpu[t->f->current].paging;

	p->cr0 = CR0_PE | CR0_PG | CR0_WP;
	p->cr3 = t->root;
	p->cr4 = modes[t->kind].cr4;
	p->efer = modes[t->kind].efer;
}

struct fake_tables fake_paging_start(struct fake *f, enum fake_paging kind)
{
	static const unsigned levels[] = {2, 2, 3, 4, 5};
	struct fake_tables t = {
		.f = f,
		.kind = kind,
		.levels = levels[kind],
		.next = kind < FAKE_PAGING_4 ? FAKE_LOW_TABLES : FAKE_HIGH,
	};

	t.root = new_table(&t);
	if (kind == FAKE_PAGING_PAE)
		t.root += PAE_ROOT_OFFSET;
	set_registers(&t);
	return t;
}

/* Where the entry is. */
static uint64_t find_entry(struct fake_tables *t, uint64_t addr, unsigned level)
{
	uint64_t table = t->root, at;

	for (unsigned l = t->levels;; l--) {
		uint64_t index = addr >> level_shift(t, l) & ((1u << index_bits(t)) - 1);
		bool pdpte = t->kind == FAKE_PAGING_PAE && l == 3;

		at = table + index * (wide_entries(t) ? 8 : 4);
		if (l == level)
			return at;
		if (!read_entry(t, at))
			write_entry(t, at, new_table(t) | (pdpte ? PTE_P : PTE_RW));
		table = read_entry(t, at) & 0x000ffffffffff000ull;
	}
}

uint64_t fake_entry(struct fake_tables *t, uint64_t addr, unsigned level)
{
	return read_entry(t, find_entry(t, addr, level));
}

void fake_set_entry(struct fake_tables *t, uint64_t addr, unsigned level, uint64_t entry)
{
	write_entry(t, find_entry(t, addr, level), entry);
}

void fake_map(struct fake_tables *t, uint64_t addr, uint64_t phys, uint64_t flags)
{
	fake_set_entry(t, addr, 1, phys | flags);
}

struct fake_tables fake_paging_identity(struct fake *f)
{
	struct fake_tables t = fake_paging_start(f, FAKE_PAGING_4);

	for (uint64_t page = 0; page < FAKE_RAM_SIZE; page += GUEST_PAGE_SIZE)
		fake_map(&t, page, page, PTE_RW);
	return t;
}

void fake_paging_read_only_arg(struct fake *f)
{
	struct fake_tables t = fake_paging_identity(f);

	fake_map(&t, FAKE_ARG, FAKE_ARG, PTE_P);
}
