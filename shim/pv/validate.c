// SPDX-License-Identifier: BSD-2-Clause
/*
 * What entries of page tables may be, and the references that they hold. Recursion is by the level
 * of the table: a table holds tables of the level below, or (linear page tables) validated ones of
 * its own, which have no such entries themselves.
 */
#include "shim/pv/mm.h"
#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

static bool table_has_hyper_slots(unsigned level)
{
	return level == 4;
}

/*
 * A table that maps one of its own level, read-only: the other has been validated and is not one
 * that does it itself, and this one is mapped by no such one. An entry that maps its own table
 * holds no reference.
 */
static bool get_linear(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry)
{
	uint64_t mfn = pv_pte_mfn(entry);
	struct pv_frame *t = &mm->frames[table], *f;

	if (entry & PV_PTE_RW)
		return false;
	if (mfn == table)
		return true;
	if (mm->idle_roots) /* roots.c: it comes again without */
		return false;
	if (!pv_get_ref(mm, mfn))
		return false;
	f = &mm->frames[mfn];
	if (t->linear < 0 || t->linear == INT16_MAX || f->linear > 0 || f->linear == INT16_MIN ||
	    f->type != level || !(f->flags & PV_FRAME_VALIDATED) || pv_get_type(mm, mfn, level)) {
		pv_put_ref(mm, mfn);
		return false;
	}
	t->linear++;
	f->linear--;
	mm->linear_entries++;
	return true;
}

int pv_get_entry(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry)
{
	int rc;

	if (entry & ~(PV_PTE_TABLE_FLAGS | PV_PTE_MFN_MASK))
		return -XEN_EINVAL;
	rc = pv_get_ref_and_type(mm, pv_pte_mfn(entry), level - 1);
	if (rc == -XEN_EINVAL && get_linear(mm, table, level, entry))
		rc = 0;
	return rc;
}

/* Is there memory behind a frame number, the domain's or not? */
static bool is_memory(const struct pv_mm *mm, uint64_t mfn)
{
	bool hole =
		mfn >= PV_LOW_RAM_MAX >> PV_PAGE_SHIFT && mfn < PV_HIGH_RAM_START >> PV_PAGE_SHIFT;

	return mfn < mm->max_mfn && (!hole || mm->frames[mfn].refs);
}

int pv_get_page_entry(struct pv_mm *mm, uint64_t entry, bool io)
{
	uint64_t mfn = pv_pte_mfn(entry);

	if (!pv_page_flags_allowed(entry))
		return -XEN_EINVAL;
	if (pv_pte_io(entry))
		return 0;
	if (!is_memory(mm, mfn))
		return mfn == PV_PTE_MFN_NONE ? -XEN_EINVAL : -XEN_EPERM;
	if (io || !pv_get_ref(mm, mfn))
		return -XEN_EBUSY;
	if (entry & PV_PTE_RW && pv_get_type(mm, mfn, PV_TYPE_WRITABLE)) {
		pv_put_ref(mm, mfn);
		return -XEN_EBUSY;
	}
	return 0;
}

static void put_page_entry(struct pv_mm *mm, uint64_t entry)
{
	uint64_t mfn = pv_pte_mfn(entry);

	if (pv_pte_io(entry))
		return;
	if (entry & PV_PTE_RW)
		pv_put_type(mm, mfn);
	pv_put_ref(mm, mfn);
}

void pv_put_entry(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry)
{
	uint64_t mfn = pv_pte_mfn(entry);

	if (!(entry & PV_PTE_PRESENT))
		return;
	if (level == 1) {
		put_page_entry(mm, entry);
	} else if (mfn != table) {
		pv_put_type_in(mm, mfn, table);
		pv_put_ref(mm, mfn);
	}
}

/*
 * Ring 3 is where the guest's kernel runs, so its pages are all ring 3's; a bit tells which it
 * wants for its kernel only, and the others are in both of its address spaces.
 */
static uint64_t adjust_page_entry(uint64_t entry)
{
	if (!(entry & PV_PTE_USER))
		entry |= PV_PTE_GUEST_KERNEL | PV_PTE_USER;
	if (!(entry & PV_PTE_GUEST_KERNEL))
		entry |= PV_PTE_GLOBAL;
	return entry;
}

uint64_t pv_adjust_entry(unsigned level, uint64_t entry)
{
	if (!(entry & PV_PTE_PRESENT))
		return entry;
	if (level == 1)
		return adjust_page_entry(entry);
	return entry | PV_PTE_USER | (level == 4 ? PV_PTE_ACCESSED : 0);
}

/*
 * Most entries of most tables are not present, so that is asked of several at once (the CPU changes
 * other bits at most). The next one
 * from `i` on that is; `end` or more: none before `end`.
 */
#define AT_ONCE 16u

static bool any_present(const uint64_t *entries)
{
	uint64_t all = 0;

#pragma GCC unroll 16
	for (unsigned i = 0; i < AT_ONCE; i++)
		all |= entries[i];
	return all & PV_PTE_PRESENT;
}

static unsigned next_present(const uint64_t *entries, unsigned i, unsigned end)
{
	while (i < end) {
		if (i % AT_ONCE == 0 && !any_present(&entries[i]))
			i += AT_ONCE;
		else if (pv_pte_read(&entries[i]) & PV_PTE_PRESENT)
			break;
		else
			i++;
	}
	return i;
}

/* The same, of those that are the guest's. */
static unsigned next_entry(const uint64_t *entries, unsigned level, unsigned i, unsigned end)
{
	i = next_present(entries, i, end);
	if (i < end && table_has_hyper_slots(level) && pv_hyper_slot(i))
		i = next_present(entries, PV_L4_LAST + 1, end);
	return i;
}

static int get_any_entry(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry)
{
	return level == 1 ? pv_get_page_entry(mm, entry, false)
			  : pv_get_entry(mm, table, level, entry);
}

/* The CPU may set bits in a table that is in use read-only elsewhere, so write what changes only.
 */
static void set_adjusted(uint64_t *at, unsigned level, uint64_t entry)
{
	uint64_t adjusted = pv_adjust_entry(level, entry);

	if (adjusted != entry)
		pv_pte_write(at, adjusted);
}

static void put_entries(struct pv_mm *mm, uint64_t mfn, unsigned level, unsigned end)
{
	const uint64_t *entries = pv_frame_at(mm, mfn);

	for (unsigned i = next_entry(entries, level, 0, end); i < end;
	     i = next_entry(entries, level, i + 1, end))
		pv_put_entry(mm, mfn, level, pv_pte_read(&entries[i]));
}

void pv_fill_hyper_slots(const struct pv_mm *mm, uint64_t mfn)
{
	uint64_t *entries = pv_frame_at(mm, mfn);

	for (unsigned i = PV_L4_FIRST; i <= PV_L4_LAST; i++)
		pv_pte_write(&entries[i], mm->l4_slots[i - PV_L4_FIRST]);
	if (!mm->m2p_strict)
		pv_pte_write(&entries[PV_L4_FIRST], 0);
}

int pv_validate_table(struct pv_mm *mm, uint64_t mfn, unsigned level)
{
	uint64_t *entries = pv_frame_at(mm, mfn);

	for (unsigned i = next_entry(entries, level, 0, PV_PTE_ENTRIES); i < PV_PTE_ENTRIES;
	     i = next_entry(entries, level, i + 1, PV_PTE_ENTRIES)) {
		uint64_t entry = pv_pte_read(&entries[i]);
		int rc = get_any_entry(mm, mfn, level, entry);

		if (rc) {
			put_entries(mm, mfn, level, i);
			return rc;
		}
		set_adjusted(&entries[i], level, entry);
	}
	if (table_has_hyper_slots(level))
		pv_fill_hyper_slots(mm, mfn);
	return 0;
}

void pv_devalidate_table(struct pv_mm *mm, uint64_t mfn, unsigned level)
{
	put_entries(mm, mfn, level, PV_PTE_ENTRIES);
}
