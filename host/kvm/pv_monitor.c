// SPDX-License-Identifier: BSD-2-Clause
/*
 * The monitor's memory, from its start: frame table and M2P, each a multiple of 2 MiB; the image;
 * the windows' own pages; page tables. Its place in virtual memory is shim/pv/layout.h's.
 */
#include "host/kvm/pv.h"
#include "shim/pv/pte.h"

#include <stdlib.h>
#include <string.h>

#define MIB2         (2ull << 20)
#define GIB          (1ull << 30)
#define ROUND(x, to) (((x) + (to)-1) / (to) * (to))

#define TABLE_FLAGS (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_ACCESSED)
#define OURS        (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_AD)

/* Own pages of a window, in this order. */
#define DATA_PAGES   8
#define STACKS       4
#define STACK_PAGES  (PV_WINDOW_STACK_SIZE / PV_PAGE_SIZE)
#define GDT_PAGES    2
#define SEGMENTS     (sizeof(struct pv_regs) - offsetof(struct pv_regs, ds))
#define WINDOW_PAGES (DATA_PAGES + STACKS * STACK_PAGES + GDT_PAGES)

extern const uint8_t pv_image[], pv_image_end[];

uint64_t pv_monitor_start(uint64_t memory)
{
	uint64_t low = min_of(memory, PV_LOW_RAM_MAX - PV_RAM_START);

	return ROUND(PV_HIGH_RAM_START + memory - low, MIB2);
}

/* Of the frames that a guest may name: its RAM, and those that are shared with it. */
static uint64_t max_mfn(uint64_t monitor_start)
{
	uint64_t shared = PV_SHARED_FRAMES / PV_PAGE_SIZE + OVERLAY_MAPPED;

	return monitor_start > PV_HIGH_RAM_START ? monitor_start / PV_PAGE_SIZE : shared;
}

static struct pv_image_header image_header(void)
{
	struct pv_image_header h;

	memcpy(&h, pv_image, sizeof(h));
	return h;
}

/* Enough tables for: each area's last level, and one of each level above in each of six places. */
static uint64_t table_bytes(uint64_t mapped, unsigned vcpus)
{
	return (mapped / GIB + 2 + (vcpus + 1) / 2 + 24) * PV_PAGE_SIZE;
}

uint64_t pv_monitor_size(uint64_t memory, unsigned vcpus)
{
	uint64_t frames = max_mfn(pv_monitor_start(memory));
	uint64_t size = ROUND(frames * sizeof(struct pv_frame), MIB2) +
			ROUND(frames * sizeof(uint64_t), MIB2) +
			ROUND(image_header().bss_end, PV_PAGE_SIZE) +
			(uint64_t)vcpus * WINDOW_PAGES * PV_PAGE_SIZE;

	size += table_bytes(pv_monitor_start(memory) + 2 * size, vcpus);
	return ROUND(size, MIB2);
}

static void *at(const struct pv_monitor *m, uint64_t gpa)
{
	return m->hva + (gpa - m->gpa);
}

static uint64_t new_table(struct pv_monitor *m)
{
	uint64_t gpa = m->tables.next;

	if (gpa == m->tables.end)
		return 0;
	m->tables.next += PV_PAGE_SIZE;
	return gpa;
}

/* The entry for `va` in the tables, at `level` (1: 4 KiB pages, 2: 2 MiB); NULL: no room. */
static uint64_t *entry_for(struct pv_monitor *m, uint64_t va, unsigned level)
{
	uint64_t table = m->root;

	for (unsigned l = 4;; l--) {
		uint64_t *e = (uint64_t *)at(m, table) + (va >> (3 + 9 * l) & 511);

		if (l == level)
			return e;
		if (!*e) {
			uint64_t lower = new_table(m);

			if (!lower)
				return NULL;
			*e = lower | TABLE_FLAGS;
		}
		table = *e & PV_PTE_MFN_MASK;
	}
}

static int map_small(struct pv_monitor *m, uint64_t va, uint64_t gpa, uint64_t pages,
		     uint64_t flags)
{
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t *e = entry_for(m, va + i * PV_PAGE_SIZE, 1);

		if (!e)
			return -1;
		*e = (gpa + i * PV_PAGE_SIZE) | flags;
	}
	return 0;
}

static int map_large(struct pv_monitor *m, uint64_t va, uint64_t gpa, uint64_t size, uint64_t flags)
{
	for (uint64_t i = 0; i < size; i += MIB2) {
		uint64_t *e = entry_for(m, va + i, 2);

		if (!e)
			return -1;
		*e = (gpa + i) | flags | PV_PTE_PSE;
	}
	return 0;
}

uint64_t pv_monitor_window_gpa(const struct pv_monitor *m, unsigned vcpu)
{
	return m->windows + (uint64_t)vcpu * WINDOW_PAGES * PV_PAGE_SIZE;
}

/*
 * A window. Its L1 entries are to be found by the window's number, one after the other in memory,
 * so windows come first of all that needs L1 tables.
 */
static int map_window(struct pv_monitor *m, unsigned vcpu, uint64_t entry_page)
{
	uint64_t va = pv_window_address(vcpu);
	uint64_t gpa = pv_monitor_window_gpa(m, vcpu);

	if (map_small(m, va + PV_WINDOW_ENTRY, entry_page, 1, OURS & ~PV_PTE_RW) ||
	    map_small(m, va + PV_WINDOW_VCPU, gpa, DATA_PAGES, OURS | PV_PTE_NX))
		return -1;
	gpa += DATA_PAGES * PV_PAGE_SIZE;
	for (unsigned i = 0; i < STACKS; i++, gpa += PV_WINDOW_STACK_SIZE)
		if (map_small(m, va + PV_WINDOW_STACK + i * PV_WINDOW_STACK_STEP, gpa, STACK_PAGES,
			      OURS | PV_PTE_NX))
			return -1;
	return map_small(m, va + PV_WINDOW_GDT + 14 * PV_PAGE_SIZE, gpa, GDT_PAGES,
			 OURS | PV_PTE_NX);
}

static int map_all(struct pv_monitor *m, uint64_t image, uint64_t frames_size, uint64_t m2p_size,
		   unsigned vcpus)
{
	uint64_t entry_page = image + (m->image.entry_page - PV_MONITOR_VIRT);

	for (unsigned i = 0; i < vcpus; i++)
		if (map_window(m, i, entry_page))
			return -1;
	return map_small(m, PV_MONITOR_VIRT, image,
			 ROUND(m->image.bss_end, PV_PAGE_SIZE) / PV_PAGE_SIZE, OURS) ||
	       map_large(m, PV_M2P_VIRT, m->gpa + frames_size, m2p_size,
			 (OURS & ~PV_PTE_RW) | PV_PTE_USER | PV_PTE_NX) ||
	       map_large(m, PV_FRAMES_VIRT, m->gpa, frames_size, OURS | PV_PTE_NX) ||
	       map_large(m, PV_DIRECT_VIRT, 0, m->gpa + m->size, OURS | PV_PTE_NX);
}

/* An entry of the IDT: interrupts off; ring 3 may raise what it may raise on Xen. */
static void set_gate(uint64_t *gate, uint64_t address, unsigned dpl, unsigned ist)
{
	gate[0] = (address & 0xffff) | (uint64_t)PV_SEL_CODE << 16 | (uint64_t)ist << 32 |
		  (0x8eull | dpl << 5) << 40 | (address >> 16 & 0xffff) << 48;
	gate[1] = address >> 32;
}

static void fill_idt(struct pv_monitor *m, uint64_t image)
{
	uint64_t *idt = at(m, image + (m->image.idt - PV_MONITOR_VIRT));

	for (unsigned i = 0; i < 256; i++) {
		unsigned dpl = i == 3 || i == 4 || i == 0x80 ? 3 : 0;
		unsigned ist = i == 8 ? 1 : i == 2 ? 2 : i == 1 ? 3 : 0;

		set_gate(idt + 2 * i, m->image.vector_stubs + 16 * i, dpl, ist);
	}
}

/* The reserved part of the GDT (xen/arch-x86/xen.h), and the vCPU's TSS. */
static void fill_gdt(struct pv_monitor *m, unsigned vcpu, uint8_t *pages)
{
	uint64_t tss = pv_window_address(vcpu) + PV_WINDOW_VCPU + offsetof(struct pv_window, tss);
	uint64_t *gdt = (uint64_t *)pages;
	static const struct {
		uint16_t selector;
		uint64_t descriptor;
	} flat[] = {
		{PV_SEL_CODE, 0x00af9b000000ffffull},
		{PV_SEL_DATA, 0x00cf93000000ffffull},
		{FLAT_RING3_CS32 & ~7, 0x00cffb000000ffffull},
		{FLAT_RING3_DS32 & ~7, 0x00cff3000000ffffull},
		{FLAT_RING3_CS64 & ~7, 0x00affb000000ffffull},
		/* Of this vCPU: lsl tells the number, as on Xen. */
	};

	(void)m;
	for (unsigned i = 0; i < ARRAY_SIZE(flat); i++)
		gdt[(flat[i].selector - FIRST_RESERVED_GDT_BYTE) / 8] = flat[i].descriptor;
	gdt[(PV_SEL_TSS - FIRST_RESERVED_GDT_BYTE) / 8] =
		0x67 | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	gdt[(PV_SEL_TSS - FIRST_RESERVED_GDT_BYTE) / 8 + 1] = tss >> 32;
}

static uint64_t stack_end(unsigned vcpu, unsigned stack)
{
	return pv_window_address(vcpu) + PV_WINDOW_STACK + stack * PV_WINDOW_STACK_STEP +
	       PV_WINDOW_STACK_SIZE;
}

struct pv_window *pv_monitor_window(const struct pv_monitor *m, unsigned vcpu)
{
	return at(m, pv_monitor_window_gpa(m, vcpu));
}

static void fill_window(struct pv_monitor *m, unsigned vcpu)
{
	struct pv_window *w = pv_monitor_window(m, vcpu);
	struct pv_vcpu *v = &w->vcpu;

	w->away = 1;
	/* What struct pv_regs ends with the CPU does not push. */
	w->tss.rsp[0] = stack_end(vcpu, 0) - SEGMENTS;
	for (unsigned i = 0; i < STACKS - 1; i++)
		w->tss.ist[i] = stack_end(vcpu, i + 1) - SEGMENTS;
	w->tss.iomap = sizeof(w->tss);
	v->id = vcpu;
	v->domain = (struct pv_domain *)(m->image.boot + offsetof(struct pv_boot, domain));
	if (vcpu < XEN_LEGACY_MAX_VCPUS)
		v->info = (struct vcpu_info *)(PV_DIRECT_VIRT + PV_SHARED_FRAMES) + vcpu;
	fill_gdt(m, vcpu, (uint8_t *)w + (DATA_PAGES + STACKS * STACK_PAGES) * PV_PAGE_SIZE);
}

static uint64_t direct(uint64_t gpa)
{
	return PV_DIRECT_VIRT + gpa;
}

static void fill_boot(struct pv_monitor *m, const struct ram *ram, domid_t domid, unsigned vcpus)
{
	struct pv_domain *d = &m->boot->domain;
	const uint64_t *root = at(m, m->root);

	d->shared_info = PV_SHARED_FRAMES / PV_PAGE_SIZE;
	d->nr_vcpus = vcpus;
	d->mm.max_mfn = m->max_mfn;
	d->mm.frames = (struct pv_frame *)direct((uint8_t *)m->frames - m->hva + m->gpa);
	d->mm.m2p = (uint64_t *)direct((uint8_t *)m->m2p - m->hva + m->gpa);
	d->mm.direct = (uint8_t *)PV_DIRECT_VIRT;
	d->mm.nr_vcpus = vcpus;
	d->mm.domid = domid;
	memcpy(d->mm.l4_slots, root + PV_L4_FIRST, sizeof(d->mm.l4_slots));
	m->boot->window_entries =
		(uint64_t *)direct(*entry_for(m, PV_WINDOWS_VIRT, 2) & PV_PTE_MFN_MASK);
	for (unsigned i = 0; i < ram->count; i++)
		for (uint64_t at = 0; at < ram->blocks[i].size; at += PV_PAGE_SIZE)
			pv_frame_become(&m->frames[(ram->blocks[i].gpa + at) / PV_PAGE_SIZE],
					PV_FRAME_RAM);
}

int pv_monitor_create(struct pv_monitor *m, const struct ram *ram, domid_t domid, unsigned vcpus,
		      struct problem *p)
{
	uint64_t frames_size, m2p_size, image;

	m->image = image_header();
	m->max_mfn = max_mfn(m->gpa);
	frames_size = ROUND(m->max_mfn * sizeof(struct pv_frame), MIB2);
	m2p_size = ROUND(m->max_mfn * sizeof(uint64_t), MIB2);
	image = m->gpa + frames_size + m2p_size;
	m->frames = at(m, m->gpa);
	m->m2p = at(m, m->gpa + frames_size);
	m->windows = image + ROUND(m->image.bss_end, PV_PAGE_SIZE);
	m->tables.next = m->windows + (uint64_t)vcpus * WINDOW_PAGES * PV_PAGE_SIZE;
	m->tables.end = m->gpa + m->size;
	m->image_hva = at(m, image);
	memcpy(m->image_hva, pv_image, pv_image_end - pv_image);
	m->boot = at(m, image + (m->image.boot - PV_MONITOR_VIRT));
	m->root = new_table(m);
	if (!m->root || map_all(m, image, frames_size, m2p_size, vcpus))
		return problem(p, "the PV monitor's page tables do not fit into its memory");
	fill_boot(m, ram, domid, vcpus);
	fill_idt(m, image);
	for (unsigned i = 0; i < vcpus; i++)
		fill_window(m, i);
	return 0;
}

int vm_pv_create(struct vm *vm, struct problem *p)
{
	const struct vm_area *a = &vm->areas[vm->nr_areas - 1];

	vm->pv = calloc(1, sizeof(*vm->pv));
	if (!vm->pv)
		return problem(p, "no memory for what is kept of the PV monitor");
	*vm->pv = (struct pv_monitor){.gpa = a->gpa, .size = a->size, .hva = a->hva};
	return pv_monitor_create(vm->pv, &vm->ram, vm->domain.id, vm->config.vcpus, p);
}

int vm_become_pv(struct vm *vm, struct problem *p)
{
	const struct pv_monitor *m = vm->pv;
	const struct pv_machine machine = {
		.max_mfn = m->max_mfn,
		.frames = m->frames,
		.m2p = m->m2p,
		.m2p_mfn = ((uint8_t *)m->m2p - m->hva + m->gpa) / PV_PAGE_SIZE,
		.grant = &m->boot->domain.grant,
	};

	return domain_make_pv(&vm->domain, &machine) ? problem(p, "no memory for a PV domain") : 0;
}
