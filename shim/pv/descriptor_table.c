// SPDX-License-Identifier: BSD-2-Clause
/* A vCPU's GDT, given by its frames; and LDT, an address whose pages are mapped when they are used.
 */
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

#define GDT_FRAMES FIRST_RESERVED_GDT_PAGE
#define PER_FRAME  512u
#define LDT_PAGES  16u

static unsigned frames_of(unsigned entries)
{
	return (entries + PER_FRAME - 1) / PER_FRAME;
}

static int get_frames(struct pv_mm *mm, const uint64_t *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (pv_get_ref_and_type(mm, frames[i], PV_TYPE_DESCRIPTORS)) {
			while (i--)
				pv_put_ref_and_type(mm, frames[i]);
			return -XEN_EINVAL;
		}
	return 0;
}

int pv_set_gdt(struct pv_vcpu *v, const uint64_t *frames, unsigned entries)
{
	struct pv_mm *mm = &v->domain->mm;
	unsigned count = frames_of(entries);

	if (entries > FIRST_RESERVED_GDT_ENTRY || get_frames(mm, frames, count))
		return -XEN_EINVAL;
	for (unsigned i = 0; i < frames_of(v->gdt_entries); i++)
		pv_put_ref_and_type(mm, v->gdt_frames[i]);
	for (unsigned i = 0; i < GDT_FRAMES; i++)
		v->gdt_frames[i] = i < count ? frames[i] : 0;
	v->gdt_entries = entries;
	return 0;
}

long pv_op_set_gdt(struct pv_vcpu *v, const uint64_t args[6])
{
	struct pv_mm *mm = &v->domain->mm;
	uint32_t entries = args[1];
	uint64_t frames[GDT_FRAMES];
	int rc;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -XEN_EINVAL;
	if (entries &&
	    pv_copy_from_guest(frames, args[0], frames_of(entries) * sizeof(frames[0]), NULL))
		return -XEN_EFAULT;
	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	rc = pv_set_gdt(v, frames, entries);
	if (!rc)
		pv_load_gdt(v);
	pv_unlock(&mm->lock);
	return rc;
}

bool pv_forget_ldt(struct pv_vcpu *v)
{
	struct pv_mm *mm = &v->domain->mm;
	uint16_t mapped = v->ldt_mapped;

	v->ldt_mapped = 0;
	for (unsigned i = 0; i < LDT_PAGES; i++)
		if (mapped >> i & 1) {
			pv_put_ref_and_type(mm, v->ldt_frames[i]);
			v->ldt_frames[i] = 0;
		}
	return mapped;
}

/* The frame that the vCPU's kernel has at an address, with references for descriptors. */
static bool get_descriptors_at(struct pv_vcpu *v, uint64_t va, uint64_t *mfn)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t table, entry;
	unsigned index;

	if (!pv_find_entry(v, va, &table, &index))
		return false;
	entry = pv_pte_read((uint64_t *)pv_frame_at(mm, table) + index);
	*mfn = pv_pte_mfn(entry);
	return entry & PV_PTE_PRESENT && !pv_get_ref_and_type(mm, *mfn, PV_TYPE_DESCRIPTORS);
}

static bool map_page(struct pv_vcpu *v, unsigned page)
{
	uint64_t mfn;

	if (v->ldt_mapped >> page & 1 ||
	    !get_descriptors_at(v, v->ldt_base + page * PV_PAGE_SIZE, &mfn))
		return false;
	v->ldt_frames[page] = mfn;
	v->ldt_mapped |= 1u << page;
	pv_load_ldt(v);
	return true;
}

bool pv_map_ldt_page(struct pv_vcpu *v, uint32_t offset)
{
	struct pv_mm *mm = &v->domain->mm;
	bool mapped;

	if (offset / 8 >= v->ldt_entries)
		return false;
	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	mapped = map_page(v, offset / PV_PAGE_SIZE);
	pv_unlock(&mm->lock);
	return mapped;
}
