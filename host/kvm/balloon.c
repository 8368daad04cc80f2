// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages that the guest gives back go back to the host, and stay there. A huge page is given back
 * when all of it is; until then the kernel takes it to pieces and frees what it can. But where
 * RAM may be huge, the kernel may also make a huge page again of what the guest has kept, and fill
 * the gaps: so such pages are kept small.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "host/kvm/vm.h"

#define HUGE_PAGE_PAGES 512u

/*
 * Each may cost two mappings of the process more, of which there are vm.max_map_count (65530 by
 * default). Beyond, gaps may fill up.
 */
#define KEPT_SMALL_MAX 8192u

static struct vm_area *area_of(struct vm *vm, uint64_t gpa)
{
	for (unsigned i = 0; i < vm->nr_areas; i++)
		if (gpa - vm->areas[i].gpa < vm->areas[i].size)
			return &vm->areas[i];
	return NULL;
}

/* The part of the area that a huge page of frames may back: clipped at the area's ends. */
struct region {
	uint64_t first, npages; /* frames */
	uint64_t nr;            /* in the area */
};

static struct region region_of(const struct vm_area *a, uint64_t page)
{
	uint64_t start = a->gpa >> GUEST_PAGE_SHIFT;
	uint64_t end = start + (a->size >> GUEST_PAGE_SHIFT);
	uint64_t first = page / HUGE_PAGE_PAGES * HUGE_PAGE_PAGES;
	uint64_t last = first + HUGE_PAGE_PAGES;
	uint64_t nr = page / HUGE_PAGE_PAGES - start / HUGE_PAGE_PAGES;

	first = first < start ? start : first;
	last = last > end ? end : last;
	return (struct region){first, last - first, nr};
}

static uint8_t *page_at(const struct vm_area *a, uint64_t page)
{
	return a->hva + ((page << GUEST_PAGE_SHIFT) - a->gpa);
}

/* Wishes: what the kernel does not heed costs memory, nothing else. */
static void keep_small(struct vm *vm, struct vm_area *a, const struct region *r, bool small)
{
	uint64_t bit = 1ull << r->nr % 64, *word = &a->kept_small[r->nr / 64];

	if (!(*word & bit) != small || (small && vm->kept_small == KEPT_SMALL_MAX))
		return;
	*word ^= bit;
	vm->kept_small += small ? 1 : -1;
	madvise(page_at(a, r->first), r->npages << GUEST_PAGE_SHIFT,
		small ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
}

/* Small are those of which the guest has some pages, and has given back others. */
static void look_at_regions(struct vm *vm, struct vm_area *a, uint64_t first, uint64_t npages)
{
	uint64_t page = first;

	while (page < first + npages) {
		struct region r = region_of(a, page);
		uint64_t has = domain_count_populated(&vm->domain, gfn(r.first), r.npages);

		keep_small(vm, a, &r, has && has < r.npages);
		page = r.first + r.npages;
	}
}

void vm_ram_discard(struct domain *d, struct gfn base, uint64_t npages)
{
	struct vm *vm = d->host;
	struct vm_area *a = area_of(vm, gfn_to_gpa(base).v);

	look_at_regions(vm, a, base.v, npages);
	madvise(page_at(a, base.v), npages << GUEST_PAGE_SHIFT, MADV_DONTNEED);
}

void vm_ram_populated(struct domain *d, struct gfn base, uint64_t npages)
{
	struct vm *vm = d->host;

	look_at_regions(vm, area_of(vm, gfn_to_gpa(base).v), base.v, npages);
}

int vm_area_books(struct vm_area *a)
{
	uint64_t regions = (a->size >> GUEST_PAGE_SHIFT) / HUGE_PAGE_PAGES + 2;

	a->kept_small = calloc(regions / 64 + 1, sizeof(*a->kept_small));
	return a->kept_small ? 0 : -ENOMEM;
}
