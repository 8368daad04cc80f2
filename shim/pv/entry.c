// SPDX-License-Identifier: BSD-2-Clause
/* One entry of a page table that is in use: found, changed by a hypercall, or by a plain write. */
#include "shim/pv/cpu.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

static void replace(uint64_t *at, uint64_t old, uint64_t value, unsigned how)
{
	if (!(how & PV_ENTRY_KEEP_AD)) {
		pv_pte_write(at, value);
		return;
	}
	while (!__atomic_compare_exchange_n(at, &old, value | (old & PV_PTE_AD), false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static bool flags_allowed(unsigned level, uint64_t value)
{
	return level == 1 ? pv_page_flags_allowed(value)
			  : !(value & ~(PV_PTE_TABLE_FLAGS | PV_PTE_MFN_MASK));
}

/* A new entry that is present. *value: as it is to stand there. 1: the old references do for it. */
static int get_new(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t old, uint64_t *value,
		   unsigned how)
{
	if (!flags_allowed(level, *value))
		return -XEN_EINVAL;
	*value = pv_adjust_entry(level, *value);
	if (!((old ^ *value) & ~PV_PTE_FREE_FLAGS))
		return 1;
	if (level == 1)
		return pv_get_page_entry(mm, *value, how & PV_ENTRY_IO);
	return pv_get_entry(mm, table, level, *value);
}

int pv_modify_entry(struct pv_mm *mm, uint64_t table, unsigned index, uint64_t value, unsigned how)
{
	unsigned level = mm->frames[table].type;
	uint64_t *at = (uint64_t *)pv_frame_at(mm, table) + index, old = pv_pte_read(at);
	int rc = 0;

	if (level > 1 && how & PV_ENTRY_IO)
		return -XEN_EINVAL;
	if (level == 4 && pv_hyper_slot(index))
		return -XEN_EINVAL;
	if (value & PV_PTE_PRESENT)
		rc = get_new(mm, table, level, old, &value, how);
	if (rc < 0)
		return rc;
	replace(at, old, value, how);
	if (!rc)
		pv_put_entry(mm, table, level, old);
	return 0;
}

/* Without `expected` nobody changes the entry meanwhile but the CPU, its accessed and dirty bits.
 */
static int write_l1(struct pv_mm *mm, uint64_t *at, uint64_t *expected, uint64_t value)
{
	uint64_t old = expected ? *expected : pv_pte_read(at);

	if (!expected) {
		pv_pte_write(at, value);
	} else if (!__atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
		pv_put_entry(mm, 0, 1, value);
		return -XEN_EAGAIN;
	}
	pv_put_entry(mm, 0, 1, old);
	return 0;
}

bool pv_is_l1(const struct pv_mm *mm, uint64_t table)
{
	return table < mm->max_mfn && mm->frames[table].type == PV_TYPE_L1 &&
	       mm->frames[table].type_refs;
}

static int write_entry(struct pv_mm *mm, uint64_t table, unsigned index, uint64_t *expected,
		       uint64_t value)
{
	int rc = 0;

	if (!pv_is_l1(mm, table))
		return -XEN_EINVAL;
	if (value & PV_PTE_PRESENT)
		rc = pv_get_page_entry(mm, value, false);
	if (rc)
		return rc;
	return write_l1(mm, (uint64_t *)pv_frame_at(mm, table) + index, expected,
			pv_adjust_entry(1, value));
}

int pv_write_entry(struct pv_vcpu *v, uint64_t table, unsigned index, uint64_t *expected,
		   uint64_t value)
{
	struct pv_mm *mm = &v->domain->mm;
	int rc;

	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	rc = write_entry(mm, table, index, expected, value);
	pv_unlock(&mm->lock);
	return rc;
}

/*
 * A table that maps one of its level can lead into the hypervisor's slots, so each step looks
 * whether the frame is the domain's.
 */
bool pv_find_entry(struct pv_vcpu *v, uint64_t va, uint64_t *table, unsigned *index)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t mfn = v->roots.kernel;

	if (va >= 1ull << 47 && va < PV_HYPER_END)
		return false;
	for (unsigned level = 4; level > 1; level--) {
		const uint64_t *entries = pv_frame_at(mm, mfn);
		uint64_t entry = pv_pte_read(&entries[pv_pte_index(va, level)]);

		mfn = pv_pte_mfn(entry);
		if (!(entry & PV_PTE_PRESENT) || mfn >= mm->max_mfn || !mm->frames[mfn].refs)
			return false;
	}
	*table = mfn;
	*index = pv_pte_index(va, 1);
	return true;
}
