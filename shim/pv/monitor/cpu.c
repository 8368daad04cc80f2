// SPDX-License-Identifier: BSD-2-Clause
/* The CPU's state that a guest's hypercalls rule: shim/pv/machine.h. */
#include "shim/pv/monitor/percpu.h"

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/machine.h"
#include "shim/pv/pte.h"

#define WINDOW_PAGE (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_AD | PV_PTE_NX)

/* What is loaded into a CPU only it can load: others find it when they begin. */
static bool is_this(const struct pv_vcpu *v)
{
	return v == this_vcpu();
}

void pv_load_base(struct pv_vcpu *v)
{
	uint64_t mfn = v->kernel_mode || !v->roots.user ? v->roots.kernel : v->roots.user;

	if (is_this(v))
		write_cr3(mfn << PV_PAGE_SHIFT);
}

/* Swap the base of GS that is in use for the other one. */
void pv_swap_gs(void)
{
	__asm__ volatile("swapgs" ::: "memory");
}

static uint64_t *window_entry(const struct pv_vcpu *v, uint64_t offset)
{
	uint64_t page = (v->id * PV_WINDOW_SIZE + offset) >> PV_PAGE_SHIFT;

	return &pv_boot.window_entries[page];
}

/* A page of the window is this frame of the guest's; 0: not there. The CPU sets bits in
 * descriptors. */
static void set_window_page(const struct pv_vcpu *v, uint64_t offset, uint64_t mfn)
{
	uint64_t *entry = window_entry(v, offset);
	uint64_t was = *entry, is = mfn ? pv_pte_make(mfn, WINDOW_PAGE) : 0;

	if (was == is)
		return;
	*entry = is;
	__asm__ volatile("invlpg (%0)" ::"r"(pv_window_address(v->id) + offset) : "memory");
}

static void load_gdtr(const struct pv_vcpu *v)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {0xffff, pv_window_address(v->id) + PV_WINDOW_GDT};

	__asm__ volatile("lgdt %0" ::"m"(gdtr));
}

void pv_load_gdt(struct pv_vcpu *v)
{
	for (unsigned i = 0; i < 14; i++)
		set_window_page(v, PV_WINDOW_GDT + i * PV_PAGE_SIZE,
				i * 512 < v->gdt_entries ? v->gdt_frames[i] : 0);
	if (is_this(v))
		load_gdtr(v);
}

/* The descriptor of the window's LDT: `entries` of 8 bytes. */
static void set_ldt_descriptor(const struct pv_vcpu *v)
{
	uint64_t base = pv_window_address(v->id) + PV_WINDOW_LDT;
	uint32_t limit = v->ldt_entries * 8 - 1;
	uint64_t *at = (uint64_t *)(pv_window_address(v->id) + PV_WINDOW_GDT + PV_SEL_LDT);

	at[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x82ull << 40 |
		(uint64_t)(limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
	at[1] = base >> 32;
}

void pv_load_ldt(struct pv_vcpu *v)
{
	for (unsigned i = 0; i < 16; i++)
		set_window_page(v, PV_WINDOW_LDT + i * PV_PAGE_SIZE,
				v->ldt_mapped >> i & 1 ? v->ldt_frames[i] : 0);
	if (!is_this(v))
		return;
	if (!v->ldt_entries) {
		__asm__ volatile("lldt %w0" ::"r"(0));
		return;
	}
	set_ldt_descriptor(v);
	__asm__ volatile("lldt %w0" ::"r"(PV_SEL_LDT));
}

void pv_load_debug(struct pv_vcpu *v)
{
	if (!is_this(v))
		return;
	__asm__ volatile("mov %0, %%db7" ::"r"(DR7_RESERVED_ONE));
	__asm__ volatile("mov %0, %%db0" ::"r"(v->debug[0]));
	__asm__ volatile("mov %0, %%db1" ::"r"(v->debug[1]));
	__asm__ volatile("mov %0, %%db2" ::"r"(v->debug[2]));
	__asm__ volatile("mov %0, %%db3" ::"r"(v->debug[3]));
	__asm__ volatile("mov %0, %%db6" ::"r"(v->debug[6]));
	if (v->debug[7] & DR7_ENABLES)
		__asm__ volatile("mov %0, %%db7" ::"r"(v->debug[7]));
}

/* The kernel's base is in use in its mode, the user's in the other. */
void pv_load_segment_bases(struct pv_vcpu *v)
{
	pv_write_base(PV_BASE_FS, v->fs_base);
	pv_write_base(PV_BASE_GS, v->kernel_mode ? v->gs_base_kernel : v->gs_base_user);
	pv_write_base(PV_BASE_GS_OTHER, v->kernel_mode ? v->gs_base_user : v->gs_base_kernel);
}

void pv_load_ts(struct pv_vcpu *v)
{
	uint64_t cr0;

	if (!v->cr0_ts) {
		__asm__ volatile("clts");
		return;
	}
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0 | CR0_TS));
}
