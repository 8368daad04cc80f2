// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_mmuext_op: pins, base pointers, TLBs, caches, the LDT, whole pages. */
#include "shim/pv/access.h"
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/boot.h"
#include "xen-abi/xen.h"

#define LDT_ENTRIES_MAX 8192u

/*
 * With the lock held.
 */

static int change_pages(struct pv_vcpu *v, const struct mmuext_op *op)
{
	struct pv_mm *mm = &v->domain->mm;

	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return pv_pin(mm, op->arg1.mfn, PV_TYPE_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE));
	case MMUEXT_UNPIN_TABLE:
		return pv_unpin(mm, op->arg1.mfn);
	case MMUEXT_NEW_BASEPTR:
		return pv_new_base(v, op->arg1.mfn);
	case MMUEXT_NEW_USER_BASEPTR:
		return pv_new_user_base(v, op->arg1.mfn);
	case MMUEXT_CLEAR_PAGE:
		return pv_clear_page(mm, op->arg1.mfn);
	default:
		return pv_copy_page(mm, op->arg1.mfn, op->arg2.src_mfn);
	}
}

static int set_ldt(struct pv_vcpu *v, const struct mmuext_op *op)
{
	uint32_t entries = op->arg2.nr_ents;
	uint64_t base = entries ? op->arg1.linear_addr : 0;

	if (entries > LDT_ENTRIES_MAX || base % PV_PAGE_SIZE || !pv_address_guests(base))
		return -XEN_EINVAL;
	if (v->ldt_entries == entries && v->ldt_base == base)
		return 0;
	pv_forget_ldt(v);
	v->ldt_base = base;
	v->ldt_entries = entries;
	pv_load_ldt(v);
	return 0;
}

static int locked(struct pv_vcpu *v, const struct mmuext_op *op,
		  int (*f)(struct pv_vcpu *, const struct mmuext_op *))
{
	struct pv_mm *mm = &v->domain->mm;
	int rc;

	pv_lock(&mm->lock);
	rc = f(v, op);
	pv_unlock(&mm->lock);
	return rc;
}

/*
 * Without it.
 */

static int flush_all(struct pv_vcpu *v, uint64_t vcpus)
{
	pv_mm_flush_all(&v->domain->mm, vcpus);
	return 0;
}

static int flush_some(struct pv_vcpu *v, const struct mmuext_op *op)
{
	uint64_t vcpus;

	if (pv_vcpu_mask(v, (uintptr_t)op->arg2.vcpumask.p, &vcpus))
		return -XEN_EINVAL;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		return flush_all(v, vcpus);
	if (pv_address_guests(op->arg1.linear_addr))
		pv_flush_page(vcpus, op->arg1.linear_addr);
	return 0;
}

static int flush(struct pv_vcpu *v, const struct mmuext_op *op)
{
	uint64_t va = op->arg1.linear_addr, this = 1ull << v->id;

	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_LOCAL:
		return flush_all(v, this);
	case MMUEXT_TLB_FLUSH_ALL:
		return flush_all(v, pv_mm_vcpus_up(&v->domain->mm));
	case MMUEXT_INVLPG_LOCAL:
		if (pv_address_canonical(va))
			pv_flush_page(this, va);
		return 0;
	case MMUEXT_INVLPG_ALL:
		if (pv_address_guests(va))
			pv_flush_page(pv_mm_vcpus_up(&v->domain->mm), va);
		return 0;
	default:
		return flush_some(v, op);
	}
}

static int one(struct pv_vcpu *v, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE ... MMUEXT_NEW_BASEPTR:
	case MMUEXT_NEW_USER_BASEPTR ... MMUEXT_COPY_PAGE:
		return locked(v, op, change_pages);
	case MMUEXT_SET_LDT:
		return locked(v, op, set_ldt);
	case MMUEXT_TLB_FLUSH_LOCAL ... MMUEXT_INVLPG_ALL:
		return flush(v, op);
	case MMUEXT_FLUSH_CACHE: /* for who has devices */
		return -XEN_EACCES;
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return -XEN_EINVAL;
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_ENOSYS;
	}
}

static int all(struct pv_vcpu *v, struct pv_batch *b)
{
	for (; b->count; b->count--, b->done++, b->list += sizeof(struct mmuext_op)) {
		struct mmuext_op op;
		int rc;

		if (pv_copy_from_guest(&op, b->list, sizeof(op), NULL))
			return -XEN_EFAULT;
		rc = one(v, &op);
		if (rc)
			return rc;
	}
	return 0;
}

long pv_op_mmuext(struct pv_vcpu *v, const uint64_t args[6])
{
	struct pv_batch b;
	bool io;
	long rc;
	int begun = pv_batch_begin(&b, args, &rc);

	if (begun)
		return begun < 0 ? begun : rc;
	rc = pv_page_owner(&v->domain->mm, b.page_owner, &io);
	if (rc || io)
		return rc ? rc : -XEN_EPERM;
	rc = all(v, &b);
	pv_batch_end(&b);
	return rc;
}
