// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv_layout.h"

#include <inttypes.h>

#define MIB        (UINT64_C(1) << 20)
#define MIB_PAGES  (UINT64_C(1) << (20 - PV_PAGE_SHIFT))
#define PADDING    (MIB_PAGES / 2)     /* pages, at least */
#define ALIGNMENT  (4 * MIB)           /* of the address behind it */
#define LOWER_HALF (UINT64_C(1) << 47) /* its end */

static uint64_t pages_of(uint64_t bytes)
{
	return (bytes + PV_PAGE_SIZE - 1) / PV_PAGE_SIZE;
}

static struct pv_extent take(struct pv_layout *l, uint64_t pages)
{
	const struct pv_extent e = {l->end, pages};

	l->end += pages;
	return e;
}

/*
 * Pages to map at `base` so that `used` ones are there, the tables for all of them, a stack and
 * padding. More tables may make it more, and more may take another table. The address behind may
 * wrap here.
 */
static uint64_t region_pages(const struct pv_tables *t, uint64_t base, uint64_t used)
{
	uint64_t tables = 0, region;

	do {
		uint64_t needed = used + tables + 1 + PADDING;
		uint64_t end = ((base + needed * PV_PAGE_SIZE) | (ALIGNMENT - 1)) + 1;

		region = (end - base) / PV_PAGE_SIZE;
		tables = pv_tables_needed(t, base, region);
	} while (used + tables + 1 + PADDING > region);
	return region;
}

/* For a guest of `pages` pages, whether they suffice or not. */
static void lay_out(struct pv_layout *l, const struct pv_kernel *pk, uint64_t ramdisk_size,
		    uint64_t pages)
{
	const uint64_t base = pk->virt_base;
	const uint64_t p2m_pages = pages_of(pages * sizeof(uint64_t));
	uint64_t region;

	*l = (struct pv_layout){.end = pages_of(pk->size)};
	if (!pk->ramdisk_unmapped)
		l->ramdisk = take(l, pages_of(ramdisk_size));
	if (!pk->has_init_p2m) {
		l->p2m = take(l, p2m_pages);
		l->p2m_va = base + l->p2m.pfn * PV_PAGE_SIZE;
	}
	l->start_info = take(l, 1).pfn;
	l->store = take(l, 1).pfn;
	l->console = take(l, 1).pfn;

	region = region_pages(&l->tables, base, l->end);
	pv_tables_add(&l->tables, base, region, 0, l->end);
	take(l, l->tables.mappings[0].tables);
	l->stack = take(l, 1).pfn;
	l->end = region;

	if (pk->ramdisk_unmapped)
		l->ramdisk = take(l, pages_of(ramdisk_size));
	if (pk->has_init_p2m) {
		l->p2m = take(l, p2m_pages);
		l->p2m_va = pk->init_p2m;
		pv_tables_add(&l->tables, l->p2m_va, p2m_pages, l->p2m.pfn, l->end);
		take(l, l->tables.mappings[1].tables);
	}
}

/* More memory makes the list of frames longer, so what is needed is asked for until it suffices. */
static int no_room(const struct pv_kernel *pk, uint64_t ramdisk_size, uint64_t pages,
		   struct problem *p)
{
	uint64_t needed = pages;
	struct pv_layout l;

	for (lay_out(&l, pk, ramdisk_size, needed); l.end > needed;
	     lay_out(&l, pk, ramdisk_size, needed))
		needed = (l.end + MIB_PAGES - 1) / MIB_PAGES * MIB_PAGES;
	return problem(p,
		       "%s: the kernel%s and what it starts with do not fit into %" PRIu64
		       " MiB of memory; use --memory %" PRIu64 "M or more",
		       pk->kernel->name, ramdisk_size ? ", its ramdisk" : "", pages / MIB_PAGES,
		       (needed + MIB_PAGES - 1) / MIB_PAGES);
}

/* In one half of the address space, and not the hypervisor's. */
static bool is_guests(uint64_t va, uint64_t pages)
{
	uint64_t last = va + pages * PV_PAGE_SIZE - 1;

	return last > va && (last < LOWER_HALF || va >= PV_HYPER_END);
}

static int check_mapping(const struct pv_kernel *pk, const struct pv_mapping *m, const char *what,
			 struct problem *p)
{
	if (is_guests(m->va, m->pages))
		return 0;
	return problem(p,
		       "%s: %s takes %" PRIu64 " MiB from address %#" PRIx64
		       " on, not all of which is the guest's (below %#" PRIx64 ", or from %#llx "
		       "on); give less to load, or a kernel linked elsewhere",
		       pk->kernel->name, what, (m->pages + MIB_PAGES - 1) / MIB_PAGES, m->va,
		       LOWER_HALF, PV_HYPER_END);
}

static int check_addresses(const struct pv_layout *l, const struct pv_kernel *pk, struct problem *p)
{
	const struct pv_mapping *start = &l->tables.mappings[0], *p2m = &l->tables.mappings[1];

	if (check_mapping(pk, start, "what it starts with", p))
		return -1;
	if (!pk->has_init_p2m)
		return 0;
	if (check_mapping(pk, p2m, "its list of frames (INIT_P2M)", p))
		return -1;
	if (p2m->pages <= (start->va - p2m->va) / PV_PAGE_SIZE)
		return 0;
	return problem(p,
		       "%s: its list of frames (INIT_P2M) at %#" PRIx64
		       " reaches VIRT_BASE %#" PRIx64
		       " in a guest of so much memory; use less --memory",
		       pk->kernel->name, p2m->va, start->va);
}

int pv_layout_make(struct pv_layout *l, const struct pv_kernel *pk, uint64_t ramdisk_size,
		   uint64_t pages, struct problem *p)
{
	lay_out(l, pk, ramdisk_size, pages);
	if (l->end > pages)
		return no_room(pk, ramdisk_size, pages, p);
	return check_addresses(l, pk, p);
}
