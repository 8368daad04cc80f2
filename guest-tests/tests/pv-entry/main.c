// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a PV kernel finds when it starts: its registers, start_info, and the initial mapping with
 * its order, as the public header xen.h promises ("start of day"), and the features that are those
 * of PV guests. Kernels lay out their memory by this before they can print a word.
 */
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "the state at entry, start_info, the initial page tables, M2P";

static uint8_t witness[3 * PAGE_SIZE] __attribute__((section(".bss.witness"), aligned(4096)));
extern uint8_t image_end[];

static void registers(void)
{
	const struct pv_entry_state *e = &pv_entry_state;

	CHECK_EQ(e->cs, FLAT_KERNEL_CS);
	CHECK_EQ(e->ss, FLAT_KERNEL_SS);
	CHECK_EQ(e->ds | e->es | e->fs | e->gs, 0);
	CHECK((e->rflags & ~0xffUL) == (EFLAGS_IF | 0), "flags %#lx", e->rflags);
	CHECK_EQ(e->cr3, mfn_of(l4_table()) * PAGE_SIZE);
	CHECK((e->cr0 & (CR0_PG | CR0_PE)) == (CR0_PG | CR0_PE), "cr0 %#lx", e->cr0);
	CHECK(READ_ONCE(vcpu_info_of(0)->evtchn_upcall_mask), "events are not masked");
	for (unsigned int i = 0; i < sizeof(witness); i++)
		if (READ_ONCE(witness[i])) {
			CHECK(false, "byte %u of .bss is not 0", i);
			break;
		}
}

static void information(void)
{
	const struct start_info *si = pv_start_info();

	CHECK(!strcmp(si->magic, "xen-3.0-x86_64"), "magic %s", si->magic);
	CHECK_EQ(si->nr_pages, 64 << 8);
	CHECK_EQ(si->shared_info % PAGE_SIZE, 0);
	CHECK_EQ(si->flags, 0);
	CHECK_EQ(si->mod_start, 0);
	CHECK_EQ(si->mod_len, 0);
	/* `xenolith run` has no store. */
	CHECK((si->store_evtchn || !strstr(start_info_cmdline(), "subject=xen")) &&
		      si->console.domU.evtchn && si->store_evtchn != si->console.domU.evtchn,
	      "event channels %u and %u", si->store_evtchn, si->console.domU.evtchn);
}

/* Each part begins behind the one before it, on a page of its own. */
static void order(void)
{
	const struct start_info *si = pv_start_info();
	unsigned long list = (unsigned long)image_end, list_end = list;
	unsigned long start = (unsigned long)si;
	unsigned long store = (unsigned long)page_of_mfn(si->store_mfn);
	unsigned long console = (unsigned long)page_of_mfn(si->console.domU.mfn);
	unsigned long stack = pv_entry_state.rsp;

#ifdef INIT_P2M
	CHECK_EQ(si->mfn_list, INIT_P2M);
	CHECK_EQ(si->nr_p2m_frames * PAGE_SIZE >= si->nr_pages * 8, true);
	CHECK(si->first_p2m_pfn < si->nr_pages, "first p2m frame %lu", si->first_p2m_pfn);
#else
	list = si->mfn_list;
	list_end = list + si->nr_pages * sizeof(unsigned long);
	CHECK_EQ(si->first_p2m_pfn, 0);
	CHECK_EQ(si->nr_p2m_frames, 0);
#endif
	CHECK((unsigned long)image_end <= list && list_end <= start && start < store &&
		      store < console && console < si->pt_base &&
		      si->pt_base + si->nr_pt_frames * PAGE_SIZE < stack,
	      "image to %p, list %#lx-%#lx, start %#lx, store %#lx, console %#lx, tables %#lx + %lu, stack %#lx",
	      (void *)image_end, list, list_end, start, store, console, si->pt_base,
	      si->nr_pt_frames, stack);
	CHECK_EQ((list | start | si->pt_base | stack) % PAGE_SIZE, 0);
	CHECK_EQ(mapped_end() % (4UL << 20), 0);
	CHECK(mapped_end() - stack >= 512UL << 10, "%#lx to %#lx is less than 512 KiB", stack,
	      mapped_end());
}

static bool is_initial_table(unsigned long address)
{
	const struct start_info *si = pv_start_info();

	return address >= si->pt_base && address < si->pt_base + si->nr_pt_frames * PAGE_SIZE;
}

/* One to one from VIRT_BASE; all writable but for the tables. */
static void mapping(void)
{
	unsigned int wrong = 0;

	for (unsigned long at = VIRT_BASE; at < mapped_end(); at += PAGE_SIZE) {
		uint64_t pte = pte_value((void *)at);

		if ((void *)at == (void *)shared_info_map())
			continue;
		if ((pte & PTE_FRAME) / PAGE_SIZE != mfn_of((void *)at) ||
		    !(pte & PTE_RW) != is_initial_table(at)) {
			if (!wrong++)
				CHECK(false, "%#lx is mapped by %#lx, its mfn is %#lx", at, pte,
				      mfn_of((void *)at));
		}
	}
	CHECK(!wrong, "%u pages are mapped in another way", wrong);
}

static void all_tables_are_in_the_region(void)
{
	for (unsigned int level = 1; level <= 4; level++)
		CHECK(is_initial_table((unsigned long)pte_of((void *)VIRT_BASE, level)),
		      "the table of level %u of the kernel's first page is at %p", level,
		      (void *)pte_of((void *)VIRT_BASE, level));
}

/* Every frame of the list is ours alone, and the hypervisor's list says so. */
static void lists_of_frames(void)
{
	unsigned int wrong = 0;

	for (unsigned long pfn = 0; pfn < pv_start_info()->nr_pages; pfn++)
		wrong += m2p()[mfn_of_pfn(pfn)] != pfn;
	CHECK(!wrong, "the M2P does not have the pfn of %u frames", wrong);
}

static void write_byte(void *p)
{
	*(volatile uint8_t *)p = 1;
}

static void nothing_else_is_writable(void)
{
	struct fault f = catch_fault(write_byte, (void *)MACH2PHYS_VIRT_START);

	CHECK(f.hit && f.vector == VECTOR_PF, "the M2P may be written to");
	CHECK_EQ(fault_address(), MACH2PHYS_VIRT_START);
	f = catch_fault(write_byte, (void *)0x1000);
	CHECK(f.hit && f.vector == VECTOR_PF, "page 1 of a process may be written to");
	CHECK_EQ(f.error & 2, 2);
	f = catch_fault(write_byte, (void *)mapped_end());
	CHECK(f.hit && f.vector == VECTOR_PF, "there is something behind the initial mapping");
	CHECK_EQ(fault_address(), mapped_end());
}

static void features(void)
{
	struct xen_feature_info fi = {.submap_idx = 0};

	CHECK_EQ(hypercall_xen_version(XENVER_get_features, &fi), 0);
	CHECK_EQ(fi.submap,
		 1U << XENFEAT_memory_op_vnode_supported | 1U << XENFEAT_mmu_pt_update_preserve_ad |
			 1U << XENFEAT_highmem_assist | 1U << XENFEAT_gnttab_map_avail_bits |
			 1U << XENFEAT_direct_mapped);
}

static void where_the_m2p_is(void)
{
	struct xen_machphys_mapping map;

	CHECK_EQ(hypercall_memory_op(XENMEM_machphys_mapping, &map), 0);
	CHECK_EQ(map.v_start, MACH2PHYS_VIRT_START);
	CHECK(map.v_end > map.v_start && map.v_end <= MACH2PHYS_VIRT_END, "it ends at %#lx",
	      map.v_end);
	CHECK((map.max_mfn + 1) * 8 <= map.v_end - map.v_start, "max_mfn %#lx", map.max_mfn);
	for (unsigned long pfn = 0; pfn < pv_start_info()->nr_pages; pfn++)
		if (mfn_of_pfn(pfn) > map.max_mfn) {
			CHECK(false, "pfn %#lx has mfn %#lx, and the largest is %#lx", pfn,
			      mfn_of_pfn(pfn), map.max_mfn);
			break;
		}
}

void test_main(void)
{
	registers();
	information();
	order();
	mapping();
	all_tables_are_in_the_region();
	lists_of_frames();
	nothing_else_is_writable();
	features();
	where_the_m2p_is();
	test_success();
}
