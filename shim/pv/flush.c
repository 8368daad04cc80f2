// SPDX-License-Identifier: BSD-2-Clause
/*
 * Translations that vCPUs have cached. What a frame was may still be known to a TLB when it becomes
 * something else: a page that was writable and is to be a page table could still be written. So
 * each such change has vCPUs forget, but only those that have not done it since the last use of the
 * frame as what it was.
 */
#include "shim/pv/mm.h"

/* Stamps of before would look late on a clock that has begun again. */
static void begin_clock_again(struct pv_mm *mm)
{
	pv_flush_all(mm->vcpus_up);
	for (uint64_t mfn = 0; mfn < mm->max_mfn; mfn++)
		mm->frames[mfn].stamp = 0;
	for (unsigned i = 0; i < PV_MAX_VCPUS; i++)
		mm->flushed[i] = 1;
	mm->clock = 1;
}

static uint32_t tick(struct pv_mm *mm)
{
	if (mm->clock == UINT32_MAX)
		begin_clock_again(mm);
	return ++mm->clock;
}

static void note(struct pv_mm *mm, uint64_t vcpus, uint32_t when)
{
	for (; vcpus; vcpus &= vcpus - 1) {
		uint32_t *flushed = &mm->flushed[__builtin_ctzll(vcpus)];

		if (when > *flushed)
			*flushed = when;
	}
}

void pv_mm_note_forgotten(struct pv_mm *mm, uint64_t vcpus)
{
	note(mm, vcpus, tick(mm));
}

void pv_mm_forget(struct pv_mm *mm, uint64_t vcpus)
{
	pv_mm_note_forgotten(mm, vcpus);
	pv_flush_all(vcpus);
}

/*
 * What is put while the others forget may be too late for them: they have forgotten as of the
 * moment before. With the clock begun again meanwhile, they have at least done that.
 */
void pv_mm_flush_all(struct pv_mm *mm, uint64_t vcpus)
{
	uint32_t when;

	pv_lock(&mm->lock);
	when = tick(mm);
	pv_unlock(&mm->lock);
	pv_flush_all(vcpus);
	pv_lock(&mm->lock);
	if (when <= mm->clock)
		note(mm, vcpus, when);
	pv_unlock(&mm->lock);
}

void pv_mm_flush_for(struct pv_mm *mm, const struct pv_frame *f)
{
	uint64_t late = 0, vcpus;

	for (vcpus = mm->vcpus_up; vcpus; vcpus &= vcpus - 1) {
		unsigned id = __builtin_ctzll(vcpus);

		if (mm->flushed[id] <= f->stamp)
			late |= 1ull << id;
	}
	if (late)
		pv_mm_forget(mm, late);
}
