// SPDX-License-Identifier: BSD-2-Clause
/* Descriptors are read where the CPU has them from: in the frames, which are typed and stay. */
#include "shim/pv/segment.h"

#include "shim/pv/arch.h"
#include "shim/pv/monitor/boot.h"

#define FLAT_CODE32 0x00cffb000000ffffull
#define FLAT_CODE64 0x00affb000000ffffull
#define FLAT_DATA   0x00cff3000000ffffull

#define FIRST_RESERVED 0xe000

#define DESCRIPTOR_S       (1ull << 44)
#define DESCRIPTOR_CODE    (1ull << 43)
#define DESCRIPTOR_RW      (1ull << 41)
#define DESCRIPTOR_PRESENT (1ull << 47)
#define DESCRIPTOR_L       (1ull << 53)
#define DESCRIPTOR_D       (1ull << 54)
#define DESCRIPTOR_G       (1ull << 55)

static bool from_frame(const struct pv_vcpu *v, uint64_t mfn, unsigned index, uint64_t *descriptor)
{
	const struct pv_mm *mm = &v->domain->mm;
	const uint64_t *table;

	if (mfn >= mm->max_mfn)
		return false;
	table = pv_frame_at(mm, mfn);
	*descriptor = __atomic_load_n(&table[index % 512], __ATOMIC_RELAXED);
	return true;
}

static bool of_ldt(const struct pv_vcpu *v, unsigned index, uint64_t *descriptor)
{
	*descriptor = 0;
	if (index >= v->ldt_entries)
		return true;
	return index / 512 < 16 && v->ldt_mapped >> index / 512 & 1 &&
	       from_frame(v, v->ldt_frames[index / 512], index, descriptor);
}

static bool of_gdt(const struct pv_vcpu *v, uint16_t selector, uint64_t *descriptor)
{
	unsigned index = selector >> 3;

	switch (selector | 3) {
	case FLAT_RING3_CS32:
		*descriptor = FLAT_CODE32;
		return true;
	case FLAT_RING3_CS64:
		*descriptor = FLAT_CODE64;
		return true;
	case FLAT_RING3_DS32:
		*descriptor = FLAT_DATA;
		return true;
	}
	return selector < FIRST_RESERVED && index < v->gdt_entries &&
	       from_frame(v, v->gdt_frames[index / 512], index, descriptor);
}

static void unpack(uint64_t d, struct pv_segment *s)
{
	s->base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
	s->limit = (d & 0xffff) | (d >> 32 & 0xf0000);
	if (d & DESCRIPTOR_G)
		s->limit = s->limit << 12 | 0xfff;
	s->present = d & DESCRIPTOR_PRESENT;
	s->code = d & DESCRIPTOR_CODE;
	s->writable = d & DESCRIPTOR_RW;
	s->code_bytes = d & DESCRIPTOR_L ? 8 : d & DESCRIPTOR_D ? 4 : 2;
}

bool pv_read_segment(const struct pv_vcpu *v, uint16_t selector, struct pv_segment *s)
{
	uint64_t descriptor;

	*s = (struct pv_segment){0};
	if (selector < 4)
		return true;
	if (!(selector & EC_LDT ? of_ldt(v, selector >> 3, &descriptor)
				: of_gdt(v, selector, &descriptor)))
		return false;
	if (!descriptor)
		return true;
	unpack(descriptor, s);
	return descriptor & DESCRIPTOR_S;
}
