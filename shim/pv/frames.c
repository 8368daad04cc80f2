// SPDX-License-Identifier: BSD-2-Clause
/* The frame table: references, and what a frame is used as. */
#include "shim/pv/mm.h"
#include "xen-abi/xen.h"

/* The counts of a frame have room for one more below this. */
#define COUNT_MAX UINT32_MAX

static bool is_table(uint8_t type)
{
	return type >= PV_TYPE_L1 && type <= PV_TYPE_L4;
}

void pv_mm_init(struct pv_mm *mm)
{
	mm->lock = (struct pv_lock){0};
	mm->m2p_strict = false;
	mm->vcpus_up = 0;
	mm->idle_roots = mm->linear_entries = 0;
	mm->clock = 1;
	for (unsigned i = 0; i < PV_MAX_VCPUS; i++) {
		mm->vcpus[i] = NULL;
		mm->flushed[i] = 1;
	}
}

bool pv_get_ref(struct pv_mm *mm, uint64_t mfn)
{
	struct pv_frame *f;

	if (mfn >= mm->max_mfn)
		return false;
	f = &mm->frames[mfn];
	if (!f->refs || f->refs == COUNT_MAX)
		return false;
	f->refs++;
	return true;
}

void pv_put_ref(struct pv_mm *mm, uint64_t mfn)
{
	struct pv_frame *f = &mm->frames[mfn];

	if (--f->refs)
		return;
	f->type = PV_TYPE_NONE;
	f->flags &= ~PV_FRAME_VALIDATED;
}

static int validate(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	if (is_table(type))
		return pv_validate_table(mm, mfn, type);
	return type == PV_TYPE_DESCRIPTORS ? pv_validate_descriptors(mm, mfn) : 0;
}

/* The first typed reference since the type has changed. */
static int get_first(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	struct pv_frame *f = &mm->frames[mfn];
	int rc;

	f->type_refs = 1;
	rc = validate(mm, mfn, type);
	if (!rc) {
		f->flags |= PV_FRAME_VALIDATED;
		return 0;
	}
	f->type_refs = 0;
	f->type = PV_TYPE_NONE;
	f->stamp = mm->clock;
	return rc;
}

static void change_type(struct pv_mm *mm, struct pv_frame *f, enum pv_type type)
{
	pv_mm_flush_for(mm, f);
	f->type = type;
	f->flags &= ~PV_FRAME_VALIDATED;
}

int pv_get_type(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	struct pv_frame *f = &mm->frames[mfn];

	if (f->type_refs == COUNT_MAX || (f->type_refs && f->type != type))
		return -XEN_EINVAL;
	if (f->type != type)
		change_type(mm, f, type);
	if (!f->type_refs && !(f->flags & PV_FRAME_VALIDATED))
		return get_first(mm, mfn, type);
	f->type_refs++;
	return 0;
}

/* The last use as this type ends. Descriptors stay checked: nobody can write to them meanwhile. */
static void put_last(struct pv_mm *mm, uint64_t mfn)
{
	struct pv_frame *f = &mm->frames[mfn];

	if (is_table(f->type)) {
		f->flags &= ~PV_FRAME_VALIDATED;
		pv_devalidate_table(mm, mfn, f->type);
	}
	f->type_refs = 0;
	f->stamp = mm->clock;
}

void pv_put_type(struct pv_mm *mm, uint64_t mfn)
{
	struct pv_frame *f = &mm->frames[mfn];

	if (f->type_refs == 1)
		put_last(mm, mfn);
	else
		f->type_refs--;
}

void pv_put_type_in(struct pv_mm *mm, uint64_t mfn, uint64_t table)
{
	struct pv_frame *f = &mm->frames[mfn], *t = &mm->frames[table];
	bool linear = f->type == t->type;

	pv_put_type(mm, mfn);
	if (linear) {
		f->linear++;
		t->linear--;
		mm->linear_entries--;
	}
}

int pv_get_ref_and_type(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	int rc;

	if (!pv_get_ref(mm, mfn))
		return -XEN_EINVAL;
	rc = pv_get_type(mm, mfn, type);
	if (rc)
		pv_put_ref(mm, mfn);
	return rc;
}

void pv_put_ref_and_type(struct pv_mm *mm, uint64_t mfn)
{
	pv_put_type(mm, mfn);
	pv_put_ref(mm, mfn);
}
