// SPDX-License-Identifier: BSD-2-Clause
/*
 * Base pointers. A root that something else keeps validated (a pin, mostly) costs nothing to come
 * back to. One that only this vCPU has had would be taken apart when it leaves it, and checked as a
 * whole when it comes back: a few of these are kept. They would be seen where a frame of theirs is
 * to be something else, or where a page table that nobody else knows as one is written to: so all
 * such calls forget them first. Linear page tables are such that have been validated already, so
 * nothing is kept while there are some, and none comes to be while something is kept.
 */
#include "shim/pv/cpu.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

static void close_gap(struct pv_roots *r, unsigned i)
{
	for (; i + 1 < PV_ROOTS_PREVIOUS; i++)
		r->previous[i] = r->previous[i + 1];
	r->previous[PV_ROOTS_PREVIOUS - 1] = 0;
}

/* Its references go to the caller. */
static bool take_previous(struct pv_mm *mm, struct pv_roots *r, uint64_t mfn)
{
	for (unsigned i = 0; i < PV_ROOTS_PREVIOUS && r->previous[i]; i++)
		if (r->previous[i] == mfn) {
			close_gap(r, i);
			mm->idle_roots--;
			return true;
		}
	return false;
}

static void put_oldest(struct pv_mm *mm, struct pv_roots *r)
{
	uint64_t mfn = r->previous[PV_ROOTS_PREVIOUS - 1];

	if (!mfn)
		return;
	r->previous[PV_ROOTS_PREVIOUS - 1] = 0;
	mm->idle_roots--;
	pv_put_ref_and_type(mm, mfn);
}

static void keep(struct pv_mm *mm, struct pv_roots *r, uint64_t mfn)
{
	put_oldest(mm, r);
	for (unsigned i = PV_ROOTS_PREVIOUS - 1; i > 0; i--)
		r->previous[i] = r->previous[i - 1];
	r->previous[0] = mfn;
	mm->idle_roots++;
}

static void forget(struct pv_mm *mm, struct pv_roots *r)
{
	for (unsigned i = 0; i < PV_ROOTS_PREVIOUS; i++) {
		put_oldest(mm, r);
		for (unsigned j = PV_ROOTS_PREVIOUS - 1; j > 0; j--)
			r->previous[j] = r->previous[j - 1];
		r->previous[0] = 0;
	}
}

void pv_roots_forget(struct pv_mm *mm)
{
	for (unsigned i = 0; i < PV_MAX_VCPUS && mm->idle_roots; i++)
		if (mm->vcpus[i])
			forget(mm, &mm->vcpus[i]->roots);
}

/* The vCPU has left a root, and what it runs on knows nothing of it any more. */
static void leave(struct pv_mm *mm, struct pv_roots *r, uint64_t mfn)
{
	if (!mfn)
		return;
	if (mm->frames[mfn].type_refs > 1 || mm->linear_entries)
		pv_put_ref_and_type(mm, mfn);
	else
		keep(mm, r, mfn);
}

/* How often a root is kept, by all vCPUs. */
static unsigned kept(const struct pv_mm *mm, uint64_t mfn)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PV_MAX_VCPUS && mm->idle_roots; i++)
		for (unsigned j = 0; mm->vcpus[i] && j < PV_ROOTS_PREVIOUS; j++)
			n += mm->vcpus[i]->roots.previous[j] == mfn;
	return n;
}

/*
 * What is kept may be in the way of a root that has to be checked, and makes linear page tables
 * fail: without it, then.
 */
static int get_root(struct pv_mm *mm, uint64_t mfn)
{
	int rc;

	if (!mfn)
		return -XEN_EINVAL;
	rc = pv_get_ref_and_type(mm, mfn, PV_TYPE_L4);
	if (!rc || !mm->idle_roots)
		return rc;
	pv_roots_forget(mm);
	return pv_get_ref_and_type(mm, mfn, PV_TYPE_L4);
}

/* Get one's own or a new one. If nothing but being kept has kept it validated, it is as new. */
static int enter(struct pv_mm *mm, struct pv_roots *r, uint64_t mfn)
{
	int rc;

	if (!take_previous(mm, r, mfn)) {
		rc = get_root(mm, mfn);
		if (rc)
			return rc;
	}
	if (mm->frames[mfn].type_refs == 1 + kept(mm, mfn))
		pv_fill_hyper_slots(mm, mfn);
	return 0;
}

static void show_m2p(const struct pv_mm *mm, uint64_t mfn)
{
	uint64_t *entry = (uint64_t *)pv_frame_at(mm, mfn) + PV_L4_FIRST;

	if (!mm->m2p_strict && !pv_pte_read(entry))
		pv_pte_write(entry, mm->l4_slots[0]);
}

static void hide_m2p(const struct pv_mm *mm, uint64_t mfn)
{
	if (mm->m2p_strict)
		pv_pte_write((uint64_t *)pv_frame_at(mm, mfn) + PV_L4_FIRST, 0);
}

/* The old tables' translations are in the TLB, pages of both modes too: what is loaded forgets
 * them. */
static void load(struct pv_mm *mm, struct pv_vcpu *v)
{
	pv_load_base(v);
	pv_mm_note_forgotten(mm, 1ull << v->id);
}

int pv_new_base(struct pv_vcpu *v, uint64_t mfn)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t old = v->roots.kernel;
	int rc;

	if (mfn != old) {
		rc = enter(mm, &v->roots, mfn);
		if (rc)
			return rc;
		if (pv_forget_ldt(v))
			pv_load_ldt(v);
		show_m2p(mm, mfn);
		v->roots.kernel = mfn;
	}
	load(mm, v);
	if (mfn != old)
		leave(mm, &v->roots, old);
	return 0;
}

int pv_new_user_base(struct pv_vcpu *v, uint64_t mfn)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t old = v->roots.user;
	int rc;

	if (mfn == old)
		return 0;
	if (mfn) {
		rc = enter(mm, &v->roots, mfn);
		if (rc)
			return rc;
		hide_m2p(mm, mfn);
	}
	v->roots.user = mfn;
	leave(mm, &v->roots, old);
	return 0;
}

int pv_roots_set(struct pv_vcpu *v, uint64_t kernel, uint64_t user)
{
	struct pv_mm *mm = &v->domain->mm;
	int rc = enter(mm, &v->roots, kernel);

	if (rc)
		return rc;
	if (user && (rc = enter(mm, &v->roots, user))) {
		pv_put_ref_and_type(mm, kernel);
		return rc;
	}
	show_m2p(mm, kernel);
	if (user)
		hide_m2p(mm, user);
	v->roots.kernel = kernel;
	v->roots.user = user;
	return 0;
}

void pv_roots_put(struct pv_vcpu *v)
{
	struct pv_mm *mm = &v->domain->mm;

	forget(mm, &v->roots);
	if (v->roots.kernel)
		pv_put_ref_and_type(mm, v->roots.kernel);
	if (v->roots.user)
		pv_put_ref_and_type(mm, v->roots.user);
	v->roots.kernel = v->roots.user = 0;
}
