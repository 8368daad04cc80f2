// SPDX-License-Identifier: BSD-2-Clause
/* vCPUs, as far as a PV guest's memory knows of them. */
#include "shim/pv/cpu.h"

void pv_mm_add_vcpu(struct pv_mm *mm, struct pv_vcpu *v)
{
	mm->vcpus[v->id] = v;
}

/* Nothing that is put from now on has been forgotten. */
void pv_mm_vcpu_up(struct pv_mm *mm, uint32_t id)
{
	pv_mm_note_forgotten(mm, 1ull << id);
	__atomic_fetch_or(&mm->vcpus_up, 1ull << id, __ATOMIC_RELEASE);
}

void pv_mm_vcpu_down(struct pv_mm *mm, uint32_t id)
{
	__atomic_fetch_and(&mm->vcpus_up, ~(1ull << id), __ATOMIC_RELEASE);
}

void pv_mm_release_vcpu(struct pv_vcpu *v)
{
	pv_forget_ldt(v);
	v->ldt_entries = 0;
	v->ldt_base = 0;
	pv_set_gdt(v, NULL, 0);
	pv_roots_put(v);
}
