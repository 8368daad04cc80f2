// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/fill.h"
#include "host/loader/map.h"
#include "shim/pv/hypercall_page.h"
#include "host/loader/pv_layout.h"
#include "xen-abi/xen.h"

/* What goes where: made and checked as a whole before guest RAM is touched. */
struct plan {
	const struct pv_args *args;
	struct pv_memory memory;
	struct pv_kernel kernel;
	int ramdisk_fd; /* -1: none */
	uint64_t ramdisk_size;
	struct pv_layout layout;
};

static int check_args(const struct plan *plan, struct problem *p)
{
	const struct pv_args *args = plan->args;
	size_t length = args->cmdline ? strlen(args->cmdline) : 0;

	if (length >= MAX_GUEST_CMDLINE)
		return problem(p,
			       "the guest's command line has %zu bytes, but a PV guest's must be "
			       "shorter than %d; shorten it",
			       length, MAX_GUEST_CMDLINE);
	if (pv_memory_max_mfn(&plan->memory) > args->m2p_entries)
		return problem(p,
			       "the machine-to-physical table ends at frame %#" PRIx64
			       ", RAM at %#" PRIx64 "; use less --memory",
			       args->m2p_entries, pv_memory_max_mfn(&plan->memory));
	return 0;
}

static int open_ramdisk(struct plan *plan, struct problem *p)
{
	const char *path = plan->args->ramdisk;

	if (!path)
		return 0;
	plan->ramdisk_fd = map_open(path, &plan->ramdisk_size, p);
	if (plan->ramdisk_fd < 0)
		return -1;
	if (!plan->ramdisk_size)
		return problem(p, "%s: the file is empty; fetch it again or leave it out", path);
	if (plan->ramdisk_size > PV_SIZE_LIMIT)
		return problem(
			p, "%s: %" PRIu64 " bytes are more than any guest has; give a smaller one",
			path, plan->ramdisk_size);
	return 0;
}

static int make_plan(struct plan *plan, const struct kernel *k, const struct ram *ram,
		     struct problem *p)
{
	if (pv_memory_init(&plan->memory, ram, p) || check_args(plan, p) ||
	    pv_kernel_read(&plan->kernel, k, p) || open_ramdisk(plan, p))
		return -1;
	return pv_layout_make(&plan->layout, &plan->kernel, plan->ramdisk_size, plan->memory.pages,
			      p);
}

static int load_segment(const struct plan *plan, const struct kernel_segment *s, struct problem *p)
{
	const uint64_t at = pv_kernel_segment_at(&plan->kernel, s);
	uint64_t step;

	for (uint64_t done = 0; done < s->filesz; done += step) {
		uint8_t *to;

		step = s->filesz - done;
		to = pv_memory_at(&plan->memory, at + done, &step);
		if (fill_from_segment(plan->kernel.kernel, s, done, to, step, p))
			return -1;
	}
	return 0;
}

static int load_kernel(const struct plan *plan, struct problem *p)
{
	const struct pv_kernel *pk = &plan->kernel;

	for (unsigned i = 0; i < pk->kernel->segment_count; i++)
		if (load_segment(plan, &pk->kernel->segments[i], p))
			return -1;
	if (pk->symtab.size)
		pv_symtab_write(&pk->symtab, pk->kernel, &plan->memory);
	if (pk->has_hypercall_page)
		pv_hypercall_page_fill(
			pv_memory_page(&plan->memory, pk->hypercall_page / PV_PAGE_SIZE));
	return 0;
}

static int load_ramdisk(const struct plan *plan, struct problem *p)
{
	const uint64_t at = plan->layout.ramdisk.pfn * PV_PAGE_SIZE;
	uint64_t step;

	for (uint64_t done = 0; done < plan->ramdisk_size; done += step) {
		uint8_t *to;

		step = plan->ramdisk_size - done;
		to = pv_memory_at(&plan->memory, at + done, &step);
		if (map_read(plan->ramdisk_fd, done, to, step, plan->args->ramdisk, p))
			return -1;
	}
	return 0;
}

static void write_p2m(const struct plan *plan)
{
	const struct pv_memory *m = &plan->memory;
	const uint64_t per_page = PV_PAGE_SIZE / sizeof(uint64_t);

	for (uint64_t pfn = 0; pfn < m->pages; pfn += per_page) {
		uint64_t *list = pv_memory_page(m, plan->layout.p2m.pfn + pfn / per_page);

		for (uint64_t i = 0; i < per_page && pfn + i < m->pages; i++)
			list[i] = pv_memory_mfn(m, pfn + i);
	}
}

/* Address of a page of the region that is mapped at VIRT_BASE. */
static uint64_t address_of(const struct plan *plan, uint64_t pfn)
{
	return plan->kernel.virt_base + pfn * PV_PAGE_SIZE;
}

/* By its address with its size, or by its pfn with its pages: so Xen's tools do it. */
static void say_ramdisk(const struct plan *plan, struct start_info *info)
{
	const struct pv_extent *ramdisk = &plan->layout.ramdisk;

	if (!ramdisk->pages)
		return;
	if (plan->kernel.ramdisk_unmapped) {
		info->flags |= SIF_MOD_START_PFN;
		info->mod_start = ramdisk->pfn;
		info->mod_len = ramdisk->pages * PV_PAGE_SIZE;
	} else {
		info->mod_start = address_of(plan, ramdisk->pfn);
		info->mod_len = plan->ramdisk_size;
	}
}

static void write_start_info(const struct plan *plan)
{
	const struct pv_args *args = plan->args;
	const struct pv_memory *m = &plan->memory;
	const struct pv_layout *l = &plan->layout;
	const struct pv_mapping *start = &l->tables.mappings[0], *p2m = &l->tables.mappings[1];
	struct start_info info = {
		.magic = "xen-3.0-x86_64",
		.nr_pages = m->pages,
		.shared_info = args->shared_info,
		/* Who saves the guest finds its list by p2m_vaddr, not only in the old tree. */
		.store_mfn = pv_memory_mfn(m, l->store),
		.console.domU.mfn = pv_memory_mfn(m, l->console),
		.pt_base = address_of(plan, start->tables_pfn),
		.nr_pt_frames = start->tables,
		.mfn_list = l->p2m_va,
	};

	say_ramdisk(plan, &info);
	if (args->cmdline)
		memcpy(info.cmd_line, args->cmdline, strlen(args->cmdline));
	if (plan->kernel.has_init_p2m) {
		info.first_p2m_pfn = l->p2m.pfn;
		info.nr_p2m_frames = l->p2m.pages + p2m->tables;
	}
	memcpy(pv_memory_page(m, l->start_info), &info, sizeof(info));
}

static int carry_out(const struct plan *plan, struct pv_start *start, struct problem *p)
{
	const struct pv_memory *m = &plan->memory;
	const struct pv_layout *l = &plan->layout;

	if (load_kernel(plan, p) || load_ramdisk(plan, p))
		return -1;
	write_p2m(plan);
	write_start_info(plan);
	pv_tables_fill(&l->tables, m);
	pv_memory_fill_m2p(m, plan->args->m2p, plan->args->m2p_entries);
	*start = (struct pv_start){
		.rip = plan->kernel.entry,
		.rsp = address_of(plan, l->stack + 1),
		.rsi = address_of(plan, l->start_info),
		.base_mfn = pv_memory_mfn(m, l->tables.mappings[0].tables_pfn),
		.store_mfn = pv_memory_mfn(m, l->store),
		.console_mfn = pv_memory_mfn(m, l->console),
		.info = pv_memory_page(m, l->start_info),
		.free_pfn = l->end,
	};
	return 0;
}

int pv_load(const struct kernel *k, const struct ram *ram, const struct pv_args *args,
	    struct pv_start *start, struct problem *p)
{
	struct plan plan = {.args = args, .ramdisk_fd = -1};
	int ret = make_plan(&plan, k, ram, p);

	if (!ret)
		ret = carry_out(&plan, start, p);
	if (plan.ramdisk_fd >= 0)
		close(plan.ramdisk_fd);
	return ret;
}
