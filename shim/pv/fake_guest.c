// SPDX-License-Identifier: BSD-2-Clause
/* A PV guest on the fake machine. */
#include "shim/pv/fake_guest.h"

#include <stdlib.h>
#include <string.h>

#include "xen-abi/xen.h"

/* Requests are at the start of what is outside. */
#define MASK_OFFSET 2048

static void set_flags(struct fake_machine *m)
{
	for (unsigned mfn = FAKE_L4; mfn < FAKE_SHARED; mfn++)
		pv_frame_become(&m->frames[mfn], PV_FRAME_RAM);
	pv_frame_become(&m->frames[FAKE_SHARED], PV_FRAME_SHARED);
}

static void build_tables(struct fake_machine *m)
{
	fake_table(m, FAKE_L4)[pv_pte_index(FAKE_BASE, 4)] = pv_pte_make(FAKE_L3, FAKE_TABLE_FLAGS);
	fake_table(m, FAKE_L3)[0] = pv_pte_make(FAKE_L2, FAKE_TABLE_FLAGS);
	fake_table(m, FAKE_L2)[0] = pv_pte_make(FAKE_L1, FAKE_TABLE_FLAGS);
	for (unsigned mfn = FAKE_L4; mfn <= FAKE_SHARED; mfn++) {
		bool writable = mfn >= FAKE_WRITABLE;

		fake_table(m, FAKE_L1)[mfn] = pv_pte_make(mfn, writable ? FAKE_RW : FAKE_RO);
	}
}

static void set_l4_slots(struct pv_mm *mm)
{
	for (unsigned i = 0; i < sizeof(mm->l4_slots) / sizeof(mm->l4_slots[0]); i++)
		mm->l4_slots[i] = pv_pte_make(FAKE_HOLE + i, 0x63);
}

static void start_vcpus(struct fake_machine *m)
{
	if (pv_pin(fake_mm(m), FAKE_L4, PV_TYPE_L4))
		abort();
	for (unsigned i = 0; i < 2; i++) {
		if (pv_roots_set(&m->vcpus[i], FAKE_L4, 0))
			abort();
		pv_mm_add_vcpu(fake_mm(m), &m->vcpus[i]);
		pv_mm_vcpu_up(fake_mm(m), i);
	}
}

struct fake_machine *fake_guest_new(void)
{
	struct fake_machine *m = fake_machine_new();

	set_flags(m);
	build_tables(m);
	set_l4_slots(fake_mm(m));
	fake_mm(m)->domid = FAKE_DOMID;
	pv_mm_init(fake_mm(m));
	start_vcpus(m);
	memset(m->asked, 0, sizeof(m->asked));
	return m;
}

long fake_mmuext(struct fake_machine *m, unsigned cmd, uint64_t arg1, uint64_t arg2)
{
	const uint64_t args[6] = {FAKE_OUTSIDE, 1, 0, DOMID_SELF};
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2};

	memcpy(m->outside, &op, sizeof(op));
	return pv_op_mmuext(&m->vcpus[fake_current()], args);
}

long fake_mmu_update(struct fake_machine *m, uint64_t ptr, uint64_t value)
{
	const uint64_t args[6] = {FAKE_OUTSIDE, 1, 0, DOMID_SELF};
	struct mmu_update u = {.ptr = ptr, .val = value};

	memcpy(m->outside, &u, sizeof(u));
	return pv_op_mmu_update(&m->vcpus[fake_current()], args);
}

long fake_update(struct fake_machine *m, uint64_t table, unsigned index, uint64_t value)
{
	return fake_mmu_update(m, table * PV_PAGE_SIZE + index * sizeof(value), value);
}

long fake_remap(struct fake_machine *m, uint64_t mfn, uint64_t flags)
{
	return fake_update(m, FAKE_L1, mfn, pv_pte_make(mfn, flags));
}

long fake_grant_op(struct fake_machine *m, unsigned cmd, void *op, size_t size)
{
	const uint64_t args[6] = {cmd, FAKE_OUTSIDE, 1};
	long rc;

	memcpy(m->outside, op, size);
	rc = pv_op_grant_table(&m->vcpus[fake_current()], args);
	memcpy(op, m->outside, size);
	return rc;
}

uint64_t fake_mask(struct fake_machine *m, uint64_t vcpus)
{
	memcpy(m->outside + MASK_OFFSET, &vcpus, sizeof(vcpus));
	return FAKE_OUTSIDE + MASK_OFFSET;
}

void fake_build_tree(struct fake_machine *m, uint64_t root, uint64_t flags, uint64_t mfn)
{
	for (unsigned i = 0; i < 3; i++)
		fake_table(m, root + i)[0] = pv_pte_make(root + i + 1, FAKE_TABLE_FLAGS);
	fake_table(m, root + 3)[1] = pv_pte_make(mfn, flags);
}

bool fake_allocate(struct fake_machine *m, uint64_t mfn)
{
	if (mfn < FAKE_L4 || mfn >= FAKE_HOLE || m->frames[mfn].refs)
		return false;
	pv_frame_become(&m->frames[mfn], PV_FRAME_RAM);
	return true;
}

bool fake_give_up(struct fake_machine *m, uint64_t mfn)
{
	if (mfn >= FAKE_FRAMES || !(m->frames[mfn].flags & PV_FRAME_RAM))
		return false;
	pv_roots_forget(fake_mm(m));
	m->frames[mfn].flags &= ~PV_FRAME_RAM;
	pv_put_ref(fake_mm(m), mfn);
	return true;
}
