// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv/fake_cpu.h"

#include <stdlib.h>
#include <string.h>

#include "shim/pv/arch.h"
#include "shim/pv/pte.h"

static struct fake_cpu *cpu;

static struct fake_page *page_of(struct fake_cpu *f, uint64_t va)
{
	for (unsigned n = 0; n < FAKE_CPU_PAGES; n++)
		if (f->pages[n].va && f->pages[n].va == (va & ~(PV_PAGE_SIZE - 1)))
			return &f->pages[n];
	return NULL;
}

uint8_t *fake_cpu_at(struct fake_cpu *f, uint64_t va)
{
	struct fake_page *p = page_of(f, va);

	return p ? &f->ram[p->frame][va & (PV_PAGE_SIZE - 1)] : NULL;
}

uint8_t *fake_cpu_map(struct fake_cpu *f, uint64_t va, unsigned frame, bool writable)
{
	for (unsigned n = 0; n < FAKE_CPU_PAGES; n++) {
		if (f->pages[n].va)
			continue;
		f->pages[n] = (struct fake_page){va, frame, writable, false};
		break;
	}
	return f->ram[frame];
}

void fake_cpu_init(struct fake_cpu *f)
{
	memset(f, 0, sizeof(*f));
	cpu = f;
	f->domain.mm.max_mfn = FAKE_CPU_FRAMES;
	f->domain.mm.direct = f->ram[0];
	f->domain.shared_info = FAKE_SHARED_INFO;
	f->v.domain = &f->domain;
	f->v.regs = &f->r;
	f->v.info = fake_cpu_info(f);
	f->v.info->evtchn_upcall_mask = 1;
	f->v.kernel_mode = f->kernel_base = true;
	f->v.roots.kernel = 7;
	f->v.roots.user = 8;
	fake_cpu_map(f, FAKE_CODE, FAKE_FREE, true);
	fake_cpu_map(f, FAKE_DATA, FAKE_FREE + 1, true);
	fake_cpu_map(f, FAKE_STACK, FAKE_FREE + 2, true);
	fake_cpu_map(f, FAKE_PTES, FAKE_TABLE, false);
	page_of(f, FAKE_STACK)->kernels = page_of(f, FAKE_PTES)->kernels = true;
	f->v.kernel_sp = FAKE_STACK + 0x800;
	f->r.rip = FAKE_CODE;
	f->r.cs = FLAT_KERNEL_CS;
	f->r.ss = FLAT_KERNEL_SS;
	f->r.rsp = FAKE_STACK + 0x1000;
	f->r.rflags = RFLAGS_IF | 2;
	memcpy(f->vendor, "GenuntelineI", 12);
	f->dr6 = DR6_RESERVED_ONE;
}

void fake_cpu_code(struct fake_cpu *f, const void *bytes, unsigned count)
{
	memcpy(fake_cpu_at(f, f->r.rip), bytes, count);
}

void fake_cpu_msr(struct fake_cpu *f, uint32_t index, uint64_t value)
{
	f->msrs[f->nr_msrs].index = index;
	f->msrs[f->nr_msrs++].value = value;
}

struct vcpu_info *fake_cpu_info(struct fake_cpu *f)
{
	return &((struct shared_info *)f->ram[FAKE_SHARED_INFO])->vcpu_info[0];
}

/* Byte by byte; the first that cannot be is *at. */
static int copy(uint64_t va, uint8_t *bytes, size_t len, bool write, uint64_t *at)
{
	for (size_t n = 0; n < len; n++) {
		struct fake_page *p = page_of(cpu, va + n);

		if (!p || !pv_address_guests(va + n) || (write && !p->writable) ||
		    (p->kernels && !cpu->kernel_base)) {
			if (at)
				*at = va + n;
			return -XEN_EFAULT;
		}
		if (write)
			*fake_cpu_at(cpu, va + n) = bytes[n];
		else
			bytes[n] = *fake_cpu_at(cpu, va + n);
	}
	return 0;
}

int pv_copy_from_guest(void *to, uint64_t from, size_t len, uint64_t *at)
{
	return copy(from, to, len, false, at);
}

int pv_copy_to_guest(uint64_t to, const void *from, size_t len, uint64_t *at)
{
	uint8_t bytes[256];

	if (len > sizeof(bytes))
		return -XEN_EFAULT;
	memcpy(bytes, from, len);
	return copy(to, bytes, len, true, at);
}

void pv_load_base(struct pv_vcpu *v)
{
	cpu->kernel_base = v->kernel_mode;
	cpu->base_loads++;
}

void pv_load_ts(struct pv_vcpu *v)
{
	cpu->ts = v->cr0_ts;
}

void pv_load_debug(struct pv_vcpu *v)
{
	memcpy(cpu->debug, v->debug, sizeof(cpu->debug));
	cpu->debug_loads++;
}

void pv_load_cr4(struct pv_vcpu *v)
{
	cpu->cr4 = v->cr4;
	cpu->cr4_loads++;
}

void pv_swap_gs(void)
{
	uint64_t base = cpu->bases[PV_BASE_GS];

	cpu->bases[PV_BASE_GS] = cpu->bases[PV_BASE_GS_OTHER];
	cpu->bases[PV_BASE_GS_OTHER] = base;
	cpu->gs_swaps++;
}

uint64_t pv_read_base(enum pv_base which)
{
	return cpu->bases[which];
}

void pv_write_base(enum pv_base which, uint64_t canonical)
{
	cpu->bases[which] = canonical;
}

/* A segment's base is its selector's, so that one sees which was loaded. */
void pv_load_gs_other(uint16_t selector)
{
	cpu->gs_other = selector == cpu->bad_selector ? 0 : selector;
	cpu->bases[PV_BASE_GS_OTHER] = cpu->gs_other * 0x1000ull;
}

void pv_read_selectors(struct pv_regs *r)
{
	r->ds = cpu->selectors[0];
	r->es = cpu->selectors[1];
	r->fs = cpu->selectors[2];
	r->gs = cpu->selectors[3];
}

bool pv_load_selectors(const struct pv_regs *r)
{
	const uint16_t all[] = {r->ds, r->es, r->fs, r->gs};
	bool ok = true;

	for (unsigned n = 0; n < 4; n++) {
		bool bad = all[n] && all[n] == cpu->bad_selector;

		cpu->selectors[n] = bad ? 0 : all[n];
		ok &= !bad;
	}
	return ok;
}

void pv_load_fpu(const void *saved)
{
	memcpy(cpu->fpu, saved, sizeof(cpu->fpu));
}

uint64_t pv_take_dr6(void)
{
	uint64_t value = cpu->dr6;

	cpu->dr6 = DR6_RESERVED_ONE;
	return value;
}

bool pv_set_xcr0(uint64_t value)
{
	if (!(value & 1) || value & ~7ull)
		return false;
	cpu->xcr0 = value;
	return true;
}

void pv_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const uint32_t first[4] = {0xd, cpu->vendor[0], cpu->vendor[1], cpu->vendor[2]};
	const uint32_t named[4] = {leaf, subleaf, ~leaf, ~subleaf};
	const uint32_t *from = leaf == 0            ? first
			       : leaf == 1          ? cpu->leaf1
			       : leaf == 7          ? cpu->leaf7
			       : leaf == 0xd        ? cpu->leafd1
			       : leaf == 0x80000001 ? cpu->ext1
			       : leaf == 0x80000008 ? cpu->ext8
						    : named;

	memcpy(out, from, 16);
}

uint64_t pv_read_tsc(void)
{
	return cpu->tsc;
}

bool pv_read_msr(uint32_t index, uint64_t *value)
{
	for (unsigned n = 0; n < cpu->nr_msrs; n++) {
		if (cpu->msrs[n].index == index) {
			*value = cpu->msrs[n].value;
			return true;
		}
	}
	return false;
}

bool pv_write_msr(uint32_t index, uint64_t value)
{
	for (unsigned n = 0; n < cpu->nr_msrs; n++) {
		if (cpu->msrs[n].index == index) {
			cpu->msrs[n].value = value;
			return true;
		}
	}
	return false;
}

/* Not recursive; and what is found under it is no more than that. */
void pv_lock(struct pv_lock *l)
{
	(void)l;
	if (cpu->locked)
		abort();
	cpu->locked = true;
}

void pv_unlock(struct pv_lock *l)
{
	(void)l;
	cpu->locked = false;
}

bool pv_find_entry(struct pv_vcpu *v, uint64_t va, uint64_t *table, unsigned *index)
{
	struct fake_page *p = page_of(cpu, va);
	uint64_t *entries = (uint64_t *)(void *)cpu->ram[FAKE_MAP];

	(void)v;
	if (!cpu->locked)
		abort();
	if (!p)
		return false;
	*table = FAKE_MAP;
	*index = p - cpu->pages;
	entries[*index] = pv_pte_make(p->frame, PV_PTE_PRESENT | PV_PTE_USER);
	if (p->writable)
		entries[*index] |= PV_PTE_RW;
	return true;
}

int pv_write_entry(struct pv_vcpu *v, uint64_t table, unsigned index, uint64_t *expected,
		   uint64_t value)
{
	uint64_t *entry = (uint64_t *)(void *)cpu->ram[FAKE_TABLE] + index;

	(void)v;
	if (cpu->locked || index >= PV_PTE_ENTRIES)
		abort();
	if (table != FAKE_TABLE || cpu->refuse_entries)
		return -XEN_EINVAL;
	if (expected && cpu->changes_left) {
		cpu->changes_left--;
		*entry ^= PV_PTE_AD;
	}
	if (expected && *entry != *expected) {
		*expected = *entry;
		return -XEN_EAGAIN;
	}
	*entry = value;
	cpu->entry_writes++;
	cpu->last_was_blind = !expected;
	return 0;
}

int pv_new_base(struct pv_vcpu *v, uint64_t mfn)
{
	if (!cpu->locked)
		abort();
	if (mfn != cpu->good_base)
		return -XEN_EINVAL;
	v->roots.kernel = mfn;
	return 0;
}

void pv_roots_forget(struct pv_mm *mm)
{
	(void)mm;
}

int pv_get_ref_and_type(struct pv_mm *mm, uint64_t mfn, enum pv_type type)
{
	if (!cpu->locked || type != PV_TYPE_WRITABLE)
		abort();
	if (mfn >= mm->max_mfn || mfn < FAKE_FREE || mfn == FAKE_MAP)
		return -XEN_EINVAL;
	cpu->held = mfn;
	return 0;
}

void pv_put_ref_and_type(struct pv_mm *mm, uint64_t mfn)
{
	(void)mm;
	if (!cpu->locked || cpu->held != mfn)
		abort();
	cpu->held = 0;
}

bool pv_map_ldt_page(struct pv_vcpu *v, uint32_t offset)
{
	(void)v;
	cpu->ldt_offset = offset;
	return cpu->ldt_works;
}
