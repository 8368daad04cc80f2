// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv_kernel.h"

#include <inttypes.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Xen's libelf looks no further than to these beginnings. */
static int check_notes(const struct kernel *k, struct problem *p)
{
	const struct kernel_notes *n = &k->notes;

	if (!*n->xen_version)
		return problem(p,
			       "%s: no Xen PV entry (Xen ELF note XEN_VERSION); give a kernel "
			       "built with CONFIG_XEN_PV",
			       k->name);
	if (!begins(n->xen_version, "xen-3.0"))
		return problem(p,
			       "%s: built for Xen \"%s\", must be \"xen-3.0\"; give a kernel for "
			       "that",
			       k->name, n->xen_version);
	if (!begins(n->loader, "generic") && !begins(n->guest_os, "linux"))
		return problem(p,
			       "%s: wants a loader of its own (LOADER \"%s\", GUEST_OS \"%s\"); "
			       "give a kernel for the generic one",
			       k->name, n->loader, n->guest_os);
	if (k->elf.machine != EM_X86_64 || !k->elf.is64)
		return problem(p,
			       "%s: a 32-bit PV kernel, which cannot run here; give a 64-bit one",
			       k->name);
	if (*n->pv.lacks)
		return problem(p,
			       "%s: requires the feature \"%s\", which PV guests do not have; give "
			       "a kernel that runs without it, or use type=\"pvh\" if it has a "
			       "PVH entry",
			       k->name, n->pv.lacks);
	if (n->pv.hv_start_low.given && n->pv.hv_start_low.value > PV_HYPER_START)
		return problem(p,
			       "%s: leaves the hypervisor addresses from %#" PRIx64
			       " on only, which begin at %#llx; the kernel is damaged, build or "
			       "fetch it again",
			       k->name, n->pv.hv_start_low.value, PV_HYPER_START);
	return 0;
}

/* Where the kernel is in pseudo-physical memory. */
static int read_place(struct pv_kernel *pk, struct problem *p)
{
	const struct kernel *k = pk->kernel;
	const struct kernel_pv_notes *pv = &k->notes.pv;
	const struct kernel_segment *last = &k->segments[k->segment_count - 1];
	uint64_t end;

	if (pv->paddr_offset.given && !pv->virt_base.given)
		return problem(p,
			       "%s: has the Xen ELF note PADDR_OFFSET but no VIRT_BASE; the kernel "
			       "is damaged, build or fetch it again",
			       k->name);
	pk->virt_base = pv->virt_base.value;
	pk->paddr_offset = pv->paddr_offset.value;
	if (pk->virt_base % PV_PAGE_SIZE || pk->paddr_offset % PV_PAGE_SIZE)
		return problem(p,
			       "%s: VIRT_BASE %#" PRIx64 " and PADDR_OFFSET %#" PRIx64
			       " must be multiples of 4096; the kernel is damaged, build or fetch "
			       "it again",
			       k->name, pk->virt_base, pk->paddr_offset);
	if (k->segments[0].paddr < pk->paddr_offset)
		return problem(p,
			       "%s: a segment at %#" PRIx64 " is below PADDR_OFFSET %#" PRIx64
			       "; the kernel is damaged, build or fetch it again",
			       k->name, k->segments[0].paddr, pk->paddr_offset);
	end = pv_kernel_segment_at(pk, last) + last->memsz;
	if (end > PV_SIZE_LIMIT)
		return problem(p,
			       "%s: ends at pseudo-physical address %#" PRIx64
			       ", where no guest has memory; the kernel is damaged or lacks its "
			       "Xen ELF note PADDR_OFFSET",
			       k->name, end);
	if (pv->bsd_symtab && pv_symtab_find(&pk->symtab, k, end, p))
		return -1;
	pk->size = pk->symtab.size ? pk->symtab.at + pk->symtab.size : end;
	return 0;
}

static bool in_segment(const struct pv_kernel *pk, uint64_t at)
{
	const struct kernel *k = pk->kernel;

	for (unsigned i = 0; i < k->segment_count; i++)
		if (at - pv_kernel_segment_at(pk, &k->segments[i]) < k->segments[i].memsz)
			return true;
	return false;
}

static int read_entry(struct pv_kernel *pk, struct problem *p)
{
	const struct kernel_number *entry = &pk->kernel->notes.pv.entry;

	pk->entry = entry->given ? entry->value : pk->kernel->elf.entry;
	if (in_segment(pk, pk->entry - pk->virt_base))
		return 0;
	return problem(p,
		       "%s: the PV entry %#" PRIx64 " is in none of the kernel's segments; the "
		       "kernel is damaged, build or fetch it again",
		       pk->kernel->name, pk->entry);
}

static int read_hypercall_page(struct pv_kernel *pk, struct problem *p)
{
	const struct kernel_number *page = &pk->kernel->notes.pv.hypercall_page;

	pk->has_hypercall_page = page->given;
	pk->hypercall_page = page->value - pk->virt_base;
	if (!page->given || (!(page->value % PV_PAGE_SIZE) && in_segment(pk, pk->hypercall_page) &&
			     in_segment(pk, pk->hypercall_page + PV_PAGE_SIZE - 1)))
		return 0;
	return problem(p,
		       "%s: the hypercall page %#" PRIx64
		       " is not a page of the kernel's segments; "
		       "the kernel is damaged, build or fetch it again",
		       pk->kernel->name, page->value);
}

/*
 * A list that may be placed anywhere. Like Xen's builder we take the wish only where it does not
 * get in the way; the kernel finds the list by start_info in any case.
 */
static int read_init_p2m(struct pv_kernel *pk, struct problem *p)
{
	const struct kernel *k = pk->kernel;
	const struct kernel_number *p2m = &k->notes.pv.init_p2m;
	const uint64_t start = pv_kernel_segment_at(pk, &k->segments[0]);

	if (p2m->given && p2m->value - pk->virt_base - start < pk->size - start)
		return problem(p,
			       "%s: wants its list of frames (INIT_P2M) at %#" PRIx64
			       ", where it is itself; the kernel is damaged, build or fetch it "
			       "again",
			       k->name, p2m->value);
	pk->init_p2m = p2m->value;
	pk->has_init_p2m =
		p2m->given && p2m->value < pk->virt_base && p2m->value % PV_PAGE_SIZE == 0;
	return 0;
}

int pv_kernel_read(struct pv_kernel *pk, const struct kernel *k, struct problem *p)
{
	*pk = (struct pv_kernel){.kernel = k,
				 .ramdisk_unmapped = k->notes.pv.mod_start_pfn.value != 0};
	if (check_notes(k, p) || read_place(pk, p) || read_entry(pk, p) ||
	    read_hypercall_page(pk, p))
		return -1;
	return read_init_p2m(pk, p);
}
