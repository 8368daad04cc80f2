// SPDX-License-Identifier: BSD-2-Clause
/*
 * The monitor's memory as the host makes it: the page tables are walked as the CPU would, and lead
 * where shim/pv/layout.h says, with what ring 3 may do there; no two things have a page in common.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "host/kvm/pv.h"
#include "shim/pv/pte.h"

#define MIB   (1ull << 20)
#define DOMID 7

extern const uint8_t pv_image[], pv_image_end[];

struct made {
	struct pv_monitor m;
	struct ram ram;
	uint8_t *used; /* of each page of the monitor's memory: what for */
};

/* RAM of so many bytes, as vm_memory_create() has it. Nobody touches it here. */
static struct ram ram_of(uint64_t memory)
{
	uint64_t low = min_of(memory, PV_LOW_RAM_MAX - PV_RAM_START);
	struct ram ram = {.count = 1, .blocks = {{.gpa = PV_RAM_START, .size = low}}};

	if (memory > low)
		ram.blocks[ram.count++] =
			(struct ram_block){.gpa = PV_HIGH_RAM_START, .size = memory - low};
	return ram;
}

static void make(struct made *d, uint64_t memory, unsigned vcpus)
{
	struct problem p;

	*d = (struct made){.ram = ram_of(memory)};
	d->m.gpa = pv_monitor_start(memory);
	d->m.size = pv_monitor_size(memory, vcpus);
	d->m.hva = mmap(NULL, d->m.size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(d->m.hva != MAP_FAILED);
	d->used = calloc(d->m.size / PV_PAGE_SIZE, 1);
	assert_int_equal(pv_monitor_create(&d->m, &d->ram, DOMID, vcpus, &p), 0);
}

static void unmake(struct made *d)
{
	munmap(d->m.hva, d->m.size);
	free(d->used);
}

static void *seen_at(const struct made *d, uint64_t gpa)
{
	assert_in_range(gpa, d->m.gpa, d->m.gpa + d->m.size - 1);
	return d->m.hva + (gpa - d->m.gpa);
}

/* A page's only use. */
static void use(struct made *d, uint64_t gpa, uint8_t what)
{
	uint8_t *used;

	seen_at(d, gpa);
	used = &d->used[(gpa - d->m.gpa) / PV_PAGE_SIZE];
	assert_true(!*used || *used == what);
	*used = what;
}

/* What the CPU finds for an address: the rights of all levels, and where. 0: nothing. */
static uint64_t walk(const struct made *d, uint64_t va, uint64_t *gpa, uint64_t **entry)
{
	uint64_t table = d->m.root, may = PV_PTE_RW | PV_PTE_USER, never = 0;

	for (unsigned level = 4;; level--) {
		uint64_t *e = (uint64_t *)seen_at(d, table) + pv_pte_index(va, level);

		if (entry)
			*entry = e;
		if (!(*e & PV_PTE_PRESENT))
			return 0;
		may &= *e;
		never |= *e & PV_PTE_NX;
		table = *e & PV_PTE_MFN_MASK;
		if (level == 1 || (level == 2 && *e & PV_PTE_PSE)) {
			*gpa = table + (va & (level == 1 ? 0xfff : 0x1fffff));
			return PV_PTE_PRESENT | may | never;
		}
	}
}

#define RX (PV_PTE_PRESENT)
#define RW (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_NX)

/* Each page of an area leads on, with these rights, and the first behind it nowhere. */
static void assert_area(struct made *d, uint64_t va, uint64_t to, uint64_t size, uint64_t rights)
{
	uint64_t gpa;

	for (uint64_t at = 0; at < size; at += PV_PAGE_SIZE) {
		assert_int_equal(walk(d, va + at, &gpa, NULL), rights);
		assert_int_equal(gpa, to + at);
	}
	assert_int_equal(walk(d, va + size, &gpa, NULL), 0);
}

enum { FRAMES = 1, M2P, IMAGE, TABLES, WINDOW };

static void use_all(struct made *d, uint64_t gpa, uint64_t size, uint8_t what)
{
	for (uint64_t at = 0; at < size; at += PV_PAGE_SIZE)
		use(d, gpa + at, what);
}

static uint64_t gpa_of(const struct made *d, const void *hva)
{
	return (const uint8_t *)hva - d->m.hva + d->m.gpa;
}

static void check_areas(struct made *d)
{
	uint64_t frames_size = (d->m.max_mfn * sizeof(struct pv_frame) + 2 * MIB - 1) & -(2 * MIB);
	uint64_t m2p_size = (d->m.max_mfn * sizeof(uint64_t) + 2 * MIB - 1) & -(2 * MIB);
	uint64_t image_size = (d->m.image.bss_end + PV_PAGE_SIZE - 1) & -PV_PAGE_SIZE;

	assert_area(d, PV_FRAMES_VIRT, gpa_of(d, d->m.frames), frames_size, RW);
	assert_area(d, PV_M2P_VIRT, gpa_of(d, d->m.m2p), m2p_size,
		    PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_NX);
	assert_area(d, PV_MONITOR_VIRT, gpa_of(d, d->m.image_hva), image_size,
		    PV_PTE_PRESENT | PV_PTE_RW);
	assert_area(d, PV_DIRECT_VIRT, 0, d->m.gpa + d->m.size, RW);
	use_all(d, gpa_of(d, d->m.frames), frames_size, FRAMES);
	use_all(d, gpa_of(d, d->m.m2p), m2p_size, M2P);
	use_all(d, gpa_of(d, d->m.image_hva), image_size, IMAGE);
	use_all(d, d->m.root, d->m.tables.next - d->m.root, TABLES);
	assert_true(d->m.tables.next <= d->m.tables.end);
}

/* Only what is ours is there, and every table of the guest's is to have it. */
static void check_root(const struct made *d)
{
	const uint64_t *root = seen_at(d, d->m.root);

	for (unsigned i = 0; i < PV_PTE_ENTRIES; i++)
		if (!pv_hyper_slot(i))
			assert_int_equal(root[i], 0);
	assert_memory_equal(d->m.boot->domain.mm.l4_slots, root + PV_L4_FIRST,
			    sizeof(d->m.boot->domain.mm.l4_slots));
}

/* One page of a window, a use of its own; 0: there is none. */
static void check_window_page(struct made *d, unsigned vcpu, uint64_t offset, uint64_t rights)
{
	uint64_t gpa, *entry;

	assert_int_equal(walk(d, pv_window_address(vcpu) + offset, &gpa, &entry), rights);
	/* Where the monitor looks for the entry. */
	assert_ptr_equal(entry, (uint64_t *)seen_at(d, (uint64_t)d->m.boot->window_entries -
							       PV_DIRECT_VIRT) +
					(vcpu * PV_WINDOW_SIZE + offset) / PV_PAGE_SIZE);
	if (rights)
		use(d, gpa, WINDOW + vcpu);
}

static bool is_stack(uint64_t offset)
{
	uint64_t in = offset - PV_WINDOW_STACK;

	return in < 4 * PV_WINDOW_STACK_STEP && in % PV_WINDOW_STACK_STEP < PV_WINDOW_STACK_SIZE;
}

static void check_window(struct made *d, unsigned vcpu)
{
	uint64_t entry_page = gpa_of(d, d->m.image_hva) + d->m.image.entry_page - PV_MONITOR_VIRT;
	uint64_t gpa;

	assert_int_equal(walk(d, pv_window_address(vcpu), &gpa, NULL), RX);
	assert_int_equal(gpa, entry_page);
	for (uint64_t at = PV_PAGE_SIZE; at < PV_WINDOW_SIZE; at += PV_PAGE_SIZE) {
		bool data = at >= PV_WINDOW_VCPU && at < PV_WINDOW_VCPU + 8 * PV_PAGE_SIZE;
		bool gdt = at >= PV_WINDOW_GDT + 14 * PV_PAGE_SIZE &&
			   at < PV_WINDOW_GDT + 16 * PV_PAGE_SIZE;

		check_window_page(d, vcpu, at, data || gdt || is_stack(at) ? RW : 0);
	}
	walk(d, pv_window_address(vcpu) + PV_WINDOW_VCPU, &gpa, NULL);
	assert_ptr_equal(pv_monitor_window(&d->m, vcpu), seen_at(d, gpa));
}

static uint64_t stack_end(unsigned vcpu, unsigned stack)
{
	return pv_window_address(vcpu) + PV_WINDOW_STACK + stack * PV_WINDOW_STACK_STEP +
	       PV_WINDOW_STACK_SIZE;
}

/* What the CPU takes from a window: stacks, where room for the selectors is left, and descriptors.
 */
static void check_cpu_structures(const struct made *d, unsigned vcpu)
{
	const struct pv_window *w = pv_monitor_window(&d->m, vcpu);
	uint64_t gpa, tss = pv_window_address(vcpu) + PV_WINDOW_VCPU, low, high;

	assert_int_equal(w->tss.rsp[0], stack_end(vcpu, 0) - 32);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(w->tss.ist[i], stack_end(vcpu, i + 1) - 32);
	assert_int_equal(w->tss.iomap, sizeof(w->tss));
	assert_int_equal(w->vcpu.id, vcpu);
	assert_int_equal(w->away, 1);
	tss += offsetof(struct pv_window, tss);
	walk(d, pv_window_address(vcpu) + PV_WINDOW_GDT + PV_SEL_TSS, &gpa, NULL);
	low = ((uint64_t *)seen_at(d, gpa))[0];
	high = ((uint64_t *)seen_at(d, gpa))[1];
	assert_int_equal((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32, tss);
	walk(d, pv_window_address(vcpu) + PV_WINDOW_GDT + FLAT_RING3_CS64, &gpa, NULL);
	assert_int_equal(*(uint64_t *)seen_at(d, gpa & ~7ull), 0x00affb000000ffff);
}

static void check_idt(const struct made *d)
{
	const uint64_t *idt =
		seen_at(d, gpa_of(d, d->m.image_hva) + d->m.image.idt - PV_MONITOR_VIRT);

	for (unsigned n = 0; n < 256; n++, idt += 2) {
		uint64_t to = (idt[0] & 0xffff) | (idt[0] >> 48) << 16 | idt[1] << 32;
		bool rings = n == 3 || n == 4 || n == 0x80;

		assert_int_equal(to, d->m.image.vector_stubs + 16 * n);
		assert_int_equal(idt[0] >> 16 & 0xffff, PV_SEL_CODE);
		assert_int_equal(idt[0] >> 40 & 0xff, rings ? 0xee : 0x8e);
		assert_int_equal(idt[0] >> 32 & 7, n == 8 ? 1 : n == 2 ? 2 : n == 1 ? 3 : 0);
	}
}

static void check_frames(const struct made *d)
{
	const struct pv_mm *mm = &d->m.boot->domain.mm;

	assert_int_equal(mm->max_mfn, d->m.max_mfn);
	assert_int_equal(mm->domid, DOMID);
	assert_ptr_equal(mm->frames, PV_DIRECT_VIRT + gpa_of(d, d->m.frames));
	assert_ptr_equal(mm->m2p, PV_DIRECT_VIRT + gpa_of(d, d->m.m2p));
	for (uint64_t mfn = 0; mfn < d->m.max_mfn; mfn++) {
		bool ram = false;

		for (unsigned i = 0; i < d->ram.count; i++)
			ram |= mfn * PV_PAGE_SIZE - d->ram.blocks[i].gpa < d->ram.blocks[i].size;
		if (d->m.frames[mfn].flags != (ram ? PV_FRAME_RAM : 0) ||
		    d->m.frames[mfn].refs != ram)
			fail_msg("frame %#llx", (unsigned long long)mfn);
	}
}

static void check(uint64_t memory, unsigned vcpus)
{
	struct made d;

	make(&d, memory, vcpus);
	assert_int_equal(d.m.gpa % (2 * MIB), 0);
	assert_int_equal(d.m.size % (2 * MIB), 0);
	assert_true(d.m.gpa >=
		    d.ram.blocks[d.ram.count - 1].gpa + d.ram.blocks[d.ram.count - 1].size);
	assert_true(d.m.gpa >= PV_SHARED_FRAMES + OVERLAY_MAPPED * PV_PAGE_SIZE);
	assert_memory_equal((uint8_t *)d.m.image_hva + sizeof(struct pv_image_header),
			    pv_image + sizeof(struct pv_image_header), 256);
	check_areas(&d);
	check_root(&d);
	for (unsigned i = 0; i < vcpus; i++) {
		check_window(&d, i);
		check_cpu_structures(&d, i);
	}
	check_idt(&d);
	check_frames(&d);
	unmake(&d);
}

static void of_a_small_guest(void **state)
{
	(void)state;
	check(16 * MIB, 1);
}

static void of_many_vcpus(void **state)
{
	(void)state;
	check(64 * MIB, PV_MAX_VCPUS);
}

static void above_4_gib(void **state)
{
	(void)state;
	check(5120 * MIB + PV_PAGE_SIZE, 3);
}

/* With less memory than it has asked for, it says so. */
static void too_little_memory(void **state)
{
	struct problem p = {0};
	struct made d;

	(void)state;
	make(&d, 64 * MIB, 2);
	memset(d.m.hva, 0, d.m.size);
	d.m = (struct pv_monitor){
		.gpa = d.m.gpa, .size = d.m.tables.next - PV_PAGE_SIZE - d.m.gpa, .hva = d.m.hva};
	assert_int_equal(pv_monitor_create(&d.m, &d.ram, DOMID, 2, &p), -1);
	assert_non_null(strstr(p.text, "do not fit"));
	d.m.size = pv_monitor_size(64 * MIB, 2);
	unmake(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_small_guest),
		cmocka_unit_test(of_many_vcpus),
		cmocka_unit_test(above_4_gib),
		cmocka_unit_test(too_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
