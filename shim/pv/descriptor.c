// SPDX-License-Identifier: BSD-2-Clause
/*
 * Descriptors of a PV guest, and the pages that hold them: ring 3's code and data, and call gates,
 * which always fault. Nothing of them is in the way of the monitor's own.
 */
#include "shim/pv/mmu_op.h"
#include "shim/pv/monitor/boot.h"
#include "xen-abi/xen.h"

/* Bits of a descriptor's upper half; its type is in four of them. */
#define SEGMENT_PRESENT 0x8000u
#define SEGMENT_DPL     0x6000u
#define SEGMENT_USER    0x1000u /* code or data, not the system's */
#define SEGMENT_TYPE    0x0f00u
#define TYPE_CALL_GATE  0x0c00u
#define GATE_RESERVED   0x00ffu

#define PER_PAGE (PV_PAGE_SIZE / sizeof(uint64_t))

/* Selectors that a gate may lead to: of the guest's part of the GDT, its LDT, or Xen's own code. */
static bool selector_allowed(uint16_t selector)
{
	return selector >> 3 < FIRST_RESERVED_GDT_ENTRY || selector == FLAT_KERNEL_CS ||
	       selector & 4;
}

/* A gate goes to privilege level 0, so that who uses it faults; its selector keeps level 3. */
static bool check_gate(uint32_t *low, uint32_t *high)
{
	if (!selector_allowed(*low >> 16) || *high & GATE_RESERVED)
		return false;
	*high &= ~SEGMENT_DPL;
	*low |= 3u << 16;
	return true;
}

bool pv_check_descriptor(uint64_t *d)
{
	uint32_t low = *d, high = *d >> 32;

	if (!(high & SEGMENT_PRESENT))
		return true;
	if (high & SEGMENT_USER)
		high |= SEGMENT_DPL;
	else if (!(high & SEGMENT_TYPE)) /* the second half of a gate */
		return true;
	else if ((high & SEGMENT_TYPE) != TYPE_CALL_GATE || !check_gate(&low, &high))
		return false;
	*d = (uint64_t)high << 32 | low;
	return true;
}

int pv_validate_descriptors(const struct pv_mm *mm, uint64_t mfn)
{
	uint64_t *descriptors = pv_frame_at(mm, mfn);

	for (unsigned i = 0; i < PER_PAGE; i++)
		if (!pv_check_descriptor(&descriptors[i]))
			return -XEN_EINVAL;
	return 0;
}

/* Into a page of descriptors, or one that could be written to. */
static int write_descriptor(struct pv_mm *mm, uint64_t address, uint64_t d)
{
	uint64_t mfn = address >> PV_PAGE_SHIFT;
	unsigned index = (address & (PV_PAGE_SIZE - 1)) / sizeof(d);
	int rc;

	if (!pv_get_ref(mm, mfn))
		return -XEN_EINVAL;
	rc = pv_get_type(mm, mfn,
			 mm->frames[mfn].type == PV_TYPE_DESCRIPTORS ? PV_TYPE_DESCRIPTORS
								     : PV_TYPE_WRITABLE);
	if (!rc) {
		__atomic_store_n((uint64_t *)pv_frame_at(mm, mfn) + index, d, __ATOMIC_RELEASE);
		pv_put_type(mm, mfn);
	}
	pv_put_ref(mm, mfn);
	return rc;
}

long pv_op_update_descriptor(struct pv_vcpu *v, const uint64_t args[6])
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t d = args[1];
	int rc;

	if (args[0] % sizeof(d) || !pv_check_descriptor(&d))
		return -XEN_EINVAL;
	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	rc = write_descriptor(mm, args[0], d);
	pv_unlock(&mm->lock);
	return rc;
}
