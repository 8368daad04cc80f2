// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants in page tables. An entry that maps one is like any other: it holds a reference to the
 * frame, a typed one if it is writable, and whoever overwrites it puts them. Then the grant stays
 * in use, as nobody can show the entry any more.
 */
#include "shim/pv/grant.h"

#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"

/* The entry of a validated L1 table; the table stays so under mm.lock. */
static uint64_t *l1_entry(struct pv_mm *mm, uint64_t table, unsigned index)
{
	return pv_is_l1(mm, table) ? (uint64_t *)pv_frame_at(mm, table) + index : NULL;
}

static uint64_t *entry_at_va(struct pv_vcpu *v, uint64_t va)
{
	uint64_t table;
	unsigned index;

	return pv_find_entry(v, va, &table, &index) ? l1_entry(&v->domain->mm, table, index) : NULL;
}

/* By the address of a page, or of the entry itself. NULL: there is none. */
static uint64_t *entry_at(struct pv_vcpu *v, uint64_t addr, uint32_t flags)
{
	if (!(flags & GNTMAP_contains_pte))
		return entry_at_va(v, addr);
	if (addr % sizeof(uint64_t))
		return NULL;
	return l1_entry(&v->domain->mm, addr >> PV_PAGE_SHIFT,
			addr % PV_PAGE_SIZE / sizeof(uint64_t));
}

static uint64_t entry_of(const struct pv_grant *g)
{
	uint64_t flags = PV_PTE_PRESENT | PV_PTE_AD | PV_PTE_NX;

	if (g->flags & GNTMAP_application_map)
		flags |= PV_PTE_USER;
	if (!(g->flags & GNTMAP_readonly))
		flags |= PV_PTE_RW;
	flags |= (g->flags >> _GNTMAP_guest_avail0) * (PV_PTE_AVAIL & -PV_PTE_AVAIL) & PV_PTE_AVAIL;
	return pv_adjust_entry(1, pv_pte_make(g->mfn, flags));
}

/* What a map holds of its frame. */
static int hold_page(struct pv_mm *mm, const struct pv_grant *g)
{
	if (!pv_get_ref(mm, g->mfn))
		return GNTST_bad_page;
	if (!(g->flags & GNTMAP_readonly) && pv_get_type(mm, g->mfn, PV_TYPE_WRITABLE)) {
		pv_put_ref(mm, g->mfn);
		return GNTST_general_error;
	}
	return GNTST_okay;
}

void pv_grant_put_page(struct pv_mm *mm, const struct pv_grant *g)
{
	if (!(g->flags & GNTMAP_readonly))
		pv_put_type(mm, g->mfn);
	pv_put_ref(mm, g->mfn);
}

static int map_host(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t *at, old;
	int rc = hold_page(mm, g);

	if (rc != GNTST_okay)
		return rc;
	at = entry_at(v, addr, g->flags);
	if (!at) {
		pv_grant_put_page(mm, g);
		return GNTST_general_error;
	}
	old = pv_pte_read(at);
	pv_pte_write(at, entry_of(g));
	pv_put_entry(mm, 0, 1, old);
	return GNTST_okay;
}

/* A device's map is nothing but what it holds: there are no devices. */
int pv_grant_map_page(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr)
{
	struct pv_mm *mm = &v->domain->mm;
	int rc = GNTST_okay;

	if (g->flags & GNTMAP_device_map)
		rc = hold_page(mm, g);
	if (rc != GNTST_okay || !(g->flags & GNTMAP_host_map))
		return rc;
	rc = map_host(v, g, addr);
	if (rc != GNTST_okay && g->flags & GNTMAP_device_map)
		pv_grant_put_page(mm, g);
	return rc;
}

/* The entry of the page at this address goes, and what it holds is the caller's. */
static bool steal_entry(struct pv_vcpu *v, uint64_t va, uint64_t *entry)
{
	uint64_t *at = entry_at_va(v, va);

	if (!at)
		return false;
	*entry = pv_pte_read(at);
	pv_pte_write(at, 0);
	return true;
}

/* Does the entry map this grant, as it was mapped? */
static bool maps(uint64_t entry, const struct pv_grant *g)
{
	return pv_pte_mfn(entry) == g->mfn &&
	       !((entry ^ entry_of(g)) & (PV_PTE_PRESENT | PV_PTE_RW));
}

/* The map of the grant becomes `entry`, whose references it takes over. */
static bool replace(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr, uint64_t entry)
{
	uint64_t *at = entry_at(v, addr, g->flags);

	if (!at || !maps(pv_pte_read(at), g))
		return false;
	pv_pte_write(at, entry);
	return true;
}

int pv_grant_unmap_page(struct pv_vcpu *v, const struct pv_grant *g, uint64_t addr,
			uint64_t new_addr)
{
	uint64_t entry = 0;

	if (new_addr && (g->flags & GNTMAP_contains_pte || !steal_entry(v, new_addr, &entry)))
		return GNTST_general_error;
	if (!replace(v, g, addr, entry)) {
		pv_put_entry(&v->domain->mm, 0, 1, entry);
		return GNTST_general_error;
	}
	return GNTST_okay;
}
