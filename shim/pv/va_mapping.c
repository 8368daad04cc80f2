// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_update_va_mapping: the entry of the page at an address, and who forgets the old one.
 */
#include "shim/pv/access.h"
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/boot.h"
#include "xen-abi/xen.h"

static int update(struct pv_vcpu *v, uint64_t va, uint64_t value)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t table;
	unsigned index;

	pv_roots_forget(mm);
	if (!pv_find_entry(v, va, &table, &index) || !pv_is_l1(mm, table))
		return -XEN_EINVAL;
	return pv_modify_entry(mm, table, index, value, 0);
}

/* Those that the flags name: all, this one, or the bits of a mask in the guest's memory. */
static int flushing_vcpus(struct pv_vcpu *v, uint64_t flags, uint64_t *vcpus)
{
	uint64_t who = flags & ~UVMF_FLUSHTYPE_MASK;

	if (who == UVMF_ALL)
		*vcpus = pv_mm_vcpus_up(&v->domain->mm);
	else if (who == UVMF_LOCAL)
		*vcpus = 1ull << v->id;
	else
		return pv_vcpu_mask(v, who, vcpus);
	return 0;
}

static int flush(struct pv_vcpu *v, uint64_t va, uint64_t flags)
{
	uint64_t type = flags & UVMF_FLUSHTYPE_MASK, vcpus;
	int rc;

	if (type != UVMF_TLB_FLUSH && type != UVMF_INVLPG)
		return 0;
	rc = flushing_vcpus(v, flags, &vcpus);
	if (rc)
		return rc;
	if (type == UVMF_TLB_FLUSH)
		pv_mm_flush_all(&v->domain->mm, vcpus);
	else
		pv_flush_page(vcpus, va);
	return 0;
}

long pv_op_update_va_mapping(struct pv_vcpu *v, const uint64_t args[6])
{
	struct pv_mm *mm = &v->domain->mm;
	int rc;

	pv_lock(&mm->lock);
	rc = update(v, args[0], args[1]);
	pv_unlock(&mm->lock);
	return rc ? rc : flush(v, args[0], args[2]);
}

long pv_op_update_va_mapping_otherdomain(struct pv_vcpu *v, const uint64_t args[6])
{
	bool io;
	int rc = pv_page_owner(&v->domain->mm, args[3], &io);

	if (rc || io)
		return rc ? rc : -XEN_EPERM;
	return pv_op_update_va_mapping(v, args);
}
