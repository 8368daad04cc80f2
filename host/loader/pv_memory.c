// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv_memory.h"

#include <inttypes.h>
#include <string.h>

static int count_pages(struct pv_memory *m, const struct ram *ram, struct problem *p)
{
	for (unsigned i = 0; i < ram->count; i++) {
		const struct ram_block *b = &ram->blocks[i];

		if (b->gpa % PV_PAGE_SIZE || b->size % PV_PAGE_SIZE)
			return problem(p,
				       "RAM of %#" PRIx64 " bytes at %#" PRIx64
				       " is not whole pages: use --memory with a multiple of 4K",
				       b->size, b->gpa);
		m->pages += b->size / PV_PAGE_SIZE;
	}
	if (!m->pages)
		return problem(p, "a guest without memory: use --memory");
	return 0;
}

/* The frames of RAM numbered [from, to), as far as the block that begins with `first` has them. */
static void add_run(struct pv_memory *m, const struct ram_block *b, uint64_t first, uint64_t from,
		    uint64_t to, uint64_t pfn)
{
	uint64_t end = first + b->size / PV_PAGE_SIZE;
	uint64_t skip;

	if (from < first)
		from = first;
	if (to > end)
		to = end;
	if (from >= to)
		return;
	skip = from - first;
	m->runs[m->count++] = (struct pv_run){
		.pfn = pfn,
		.pages = to - from,
		.mfn = b->gpa / PV_PAGE_SIZE + skip,
		.hva = b->hva + skip * PV_PAGE_SIZE,
	};
}

static void add_frames(struct pv_memory *m, const struct ram *ram, uint64_t from, uint64_t to)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < ram->count; i++) {
		const struct pv_run *last = m->count ? &m->runs[m->count - 1] : NULL;
		uint64_t pfn = last ? last->pfn + last->pages : 0;

		add_run(m, &ram->blocks[i], first, from, to, pfn);
		first += ram->blocks[i].size / PV_PAGE_SIZE;
	}
}

int pv_memory_init(struct pv_memory *m, const struct ram *ram, struct problem *p)
{
	uint64_t shift;

	*m = (struct pv_memory){0};
	if (count_pages(m, ram, p))
		return -1;
	shift = PV_MEMORY_SHIFT % m->pages;
	add_frames(m, ram, shift, m->pages);
	add_frames(m, ram, 0, shift);
	return 0;
}

static const struct pv_run *run_of(const struct pv_memory *m, uint64_t pfn)
{
	unsigned i = m->count - 1;

	while (i && m->runs[i].pfn > pfn)
		i--;
	return &m->runs[i];
}

uint64_t pv_memory_mfn(const struct pv_memory *m, uint64_t pfn)
{
	const struct pv_run *run = run_of(m, pfn);

	return run->mfn + (pfn - run->pfn);
}

uint8_t *pv_memory_at(const struct pv_memory *m, uint64_t at, uint64_t *size)
{
	const struct pv_run *run = run_of(m, at / PV_PAGE_SIZE);
	uint64_t offset = at - run->pfn * PV_PAGE_SIZE;
	uint64_t left = run->pages * PV_PAGE_SIZE - offset;

	if (*size > left)
		*size = left;
	return run->hva + offset;
}

void *pv_memory_page(const struct pv_memory *m, uint64_t pfn)
{
	const struct pv_run *run = run_of(m, pfn);

	return run->hva + (pfn - run->pfn) * PV_PAGE_SIZE;
}

void pv_memory_write(const struct pv_memory *m, uint64_t at, const void *bytes, uint64_t size)
{
	const uint8_t *from = bytes;

	while (size) {
		uint64_t step = size;
		uint8_t *to = pv_memory_at(m, at, &step);

		memcpy(to, from, step);
		at += step;
		from += step;
		size -= step;
	}
}

uint64_t pv_memory_max_mfn(const struct pv_memory *m)
{
	uint64_t max = 0;

	for (unsigned i = 0; i < m->count; i++) {
		uint64_t end = m->runs[i].mfn + m->runs[i].pages;

		if (end > max)
			max = end;
	}
	return max;
}

void pv_memory_fill_m2p(const struct pv_memory *m, uint64_t *m2p, uint64_t entries)
{
	memset(m2p, 0xff, entries * sizeof(*m2p));
	for (unsigned i = 0; i < m->count; i++) {
		const struct pv_run *run = &m->runs[i];

		for (uint64_t n = 0; n < run->pages; n++)
			m2p[run->mfn + n] = run->pfn + n;
	}
}
