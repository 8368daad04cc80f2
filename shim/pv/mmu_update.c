// SPDX-License-Identifier: BSD-2-Clause
/*
 * HYPERVISOR_mmu_update: entries of page tables, and of the machine-to-physical table. Who removes
 * a translation has it forgotten by a call of its own: Xen's flush after a change of an upper
 * table is for linear page tables that it uses itself, which we walk in software.
 */
#include "shim/pv/access.h"
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

#define COMMAND_MASK 7ull

/* A frame that nobody has for a page table or descriptors is written to like any memory. */
static int write_data(struct pv_mm *mm, uint64_t mfn, unsigned index, uint64_t value)
{
	int rc = pv_get_type(mm, mfn, PV_TYPE_WRITABLE);

	if (rc)
		return rc;
	pv_pte_write((uint64_t *)pv_frame_at(mm, mfn) + index, value);
	pv_put_type(mm, mfn);
	return 0;
}

static int write_frame(struct pv_mm *mm, const struct mmu_update *u, unsigned how)
{
	uint64_t mfn = u->ptr >> PV_PAGE_SHIFT;
	unsigned index = (u->ptr & (PV_PAGE_SIZE - 1)) / sizeof(uint64_t);
	const struct pv_frame *f;
	int rc;

	if (!pv_get_ref(mm, mfn))
		return -XEN_EINVAL;
	f = &mm->frames[mfn];
	if (f->type_refs && f->type >= PV_TYPE_L1 && f->type <= PV_TYPE_L4)
		rc = pv_modify_entry(mm, mfn, index, u->val, how);
	else
		rc = write_data(mm, mfn, index, u->val);
	pv_put_ref(mm, mfn);
	return rc;
}

static int set_m2p(struct pv_mm *mm, const struct mmu_update *u, bool io)
{
	uint64_t mfn = u->ptr >> PV_PAGE_SHIFT;

	if (io || mfn >= mm->max_mfn || !mm->frames[mfn].refs)
		return -XEN_EINVAL;
	__atomic_store_n(&mm->m2p[mfn], u->val, __ATOMIC_RELAXED);
	return 0;
}

/* Whose page tables and frames a call is about, as far as it matters to a request. */
struct owners {
	bool io;     /* the frames are DOMID_IO's */
	bool denied; /* another domain's: it is there, but the caller has no right */
};

static int one(struct pv_mm *mm, const struct mmu_update *u, const struct owners *o)
{
	unsigned command = u->ptr & COMMAND_MASK, how = o->io ? PV_ENTRY_IO : 0;

	if (o->denied && command <= MMU_PT_UPDATE_NO_TRANSLATE)
		return -XEN_EPERM;
	switch (command) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE: /* frames of a PV guest are not translated */
		return write_frame(mm, u, how);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return write_frame(mm, u, how | PV_ENTRY_KEEP_AD);
	case MMU_MACHPHYS_UPDATE:
		return set_m2p(mm, u, o->io);
	default:
		return -XEN_ENOSYS;
	}
}

static int all(struct pv_mm *mm, struct pv_batch *b, const struct owners *o)
{
	for (; b->count; b->count--, b->done++, b->list += sizeof(struct mmu_update)) {
		struct mmu_update u;
		int rc;

		if (pv_copy_from_guest(&u, b->list, sizeof(u), NULL))
			return -XEN_EFAULT;
		pv_lock(&mm->lock);
		pv_roots_forget(mm);
		rc = one(mm, &u, o);
		pv_unlock(&mm->lock);
		if (rc)
			return rc;
	}
	return 0;
}

/* 0 in foreigndom's upper half says the caller's own tables; else it is a domid and one. */
static int table_owner(const struct pv_mm *mm, uint16_t owner, struct owners *o)
{
	if (!owner || owner - 1 == mm->domid)
		return 0;
	o->denied = true;
	return owner - 1 == 0 ? 0 : -XEN_ESRCH;
}

static int page_owner(const struct pv_mm *mm, uint16_t owner, struct owners *o)
{
	int rc = pv_page_owner(mm, owner, &o->io);

	if (rc != -XEN_EPERM)
		return rc;
	o->denied = true;
	return 0;
}

long pv_op_mmu_update(struct pv_vcpu *v, const uint64_t args[6])
{
	struct pv_mm *mm = &v->domain->mm;
	struct owners o = {0};
	struct pv_batch b;
	long rc;
	int begun = pv_batch_begin(&b, args, &rc);

	if (begun)
		return begun < 0 ? begun : rc;
	if (table_owner(mm, b.table_owner, &o))
		return -XEN_ESRCH;
	rc = page_owner(mm, b.page_owner, &o);
	if (!rc)
		rc = all(mm, &b, &o);
	pv_batch_end(&b);
	return rc;
}
