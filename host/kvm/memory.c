// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guest memory. RAM is private anonymous memory, aligned so that the kernel can back it by huge
 * pages: a memfd gets none on an ordinary host, which costs six times the instructions for each
 * page that a guest touches first, and as many more TLB misses later (docs/design-notes.md).
 *
 * An overlay is a page of the hypervisor's memfd, mapped over the RAM's host address, so that the
 * guest sees it at once. The RAM below is moved aside (mremap) and moved back when it is uncovered.
 * At no moment is there no memory. Where a guest asks for an overlay outside RAM, a slot of one
 * page is made.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/kvm/vm.h"

#define HUGE_PAGE   (2ull << 20)
#define NOT_COVERED UINT64_MAX

static struct vm_slot *free_slot(struct vm *vm)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vm->slots); i++)
		if (!vm->slots[i].size)
			return &vm->slots[i];
	return NULL;
}

static int set_kvm_slot(struct vm *vm, const struct vm_slot *s, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = s - vm->slots,
		.guest_phys_addr = s->gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)s->hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

/*
 * Fresh memory of `size` bytes at the same offset in a huge page as gpa_start is: only then can a
 * huge page of the host back one of the guest.
 */
static void *map_ram(uint64_t gpa_start, uint64_t size)
{
	uint64_t skew = gpa_start % HUGE_PAGE, room = size + 2 * HUGE_PAGE;
	uint8_t *base, *ram;

	base = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED)
		return MAP_FAILED;
	ram = (uint8_t *)(((uintptr_t)base + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE) + skew;
	if (ram > base)
		munmap(base, ram - base);
	if (base + room > ram + size)
		munmap(ram + size, base + room - (ram + size));
	madvise(ram, size, MADV_HUGEPAGE); /* a wish */
	madvise(ram, size, MADV_DONTFORK);
	return ram;
}

static void *map_overlay(int fd, uint64_t offset)
{
	return mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

/* Give the guest [gpa_start, gpa_start + size) at hva, which the slot owns from then on. -errno. */
static int add_slot(struct vm *vm, uint64_t gpa_start, uint64_t size, void *hva,
		    struct vm_slot **out)
{
	struct vm_slot *s = free_slot(vm);
	int rc;

	if (hva == MAP_FAILED)
		return -ENOMEM;
	if (!s) {
		munmap(hva, size);
		return -ENOSPC;
	}
	*s = (struct vm_slot){.gpa = gpa_start, .size = size, .hva = hva};
	rc = set_kvm_slot(vm, s, size);
	if (!rc && memslot_create(&vm->domain.memslots, gpa_to_gfn(gpa(gpa_start)),
				  size >> GUEST_PAGE_SHIFT, hva)) {
		set_kvm_slot(vm, s, 0);
		rc = -EINVAL;
	}
	if (rc) {
		munmap(hva, size);
		s->size = 0;
		return rc;
	}
	*out = s;
	return 0;
}

static void remove_slot(struct vm *vm, struct vm_slot *s)
{
	/* First we, then KVM, forget the slot; only then may its memory go. */
	memslot_delete(&vm->domain.memslots, gpa_to_gfn(gpa(s->gpa)));
	set_kvm_slot(vm, s, 0);
	munmap(s->hva, s->size);
	s->size = 0;
}

static struct vm_slot *slot_at(struct vm *vm, uint64_t addr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vm->slots); i++)
		if (vm->slots[i].size && addr - vm->slots[i].gpa < vm->slots[i].size)
			return &vm->slots[i];
	return NULL;
}

/* The record of the covered page at addr; with addr == NOT_COVERED, a free record. */
static struct vm_covered *covered_at(struct vm *vm, uint64_t addr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vm->covered); i++)
		if (vm->covered[i].ram ? vm->covered[i].gpa == addr : addr == NOT_COVERED)
			return &vm->covered[i];
	return NULL;
}

/*
 * Move the RAM of a page that is about to be covered aside. The page stays mapped (empty) for the
 * moment until the overlay is there (MREMAP_DONTUNMAP), so that a vCPU that races with the change
 * finds something.
 */
static int put_ram_aside(struct vm *vm, uint64_t addr, void *page)
{
	struct vm_covered *c = covered_at(vm, NOT_COVERED);
	void *aside;

	if (!c)
		return -XEN_ENOMEM;
	/* With a place to go to: glibc hands on no address without MREMAP_FIXED, and the kernel
	 * wants one. */
	aside = mmap(NULL, GUEST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (aside == MAP_FAILED)
		return -XEN_ENOMEM;
	if (mremap(page, GUEST_PAGE_SIZE, GUEST_PAGE_SIZE,
		   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, aside) == MAP_FAILED) {
		munmap(aside, GUEST_PAGE_SIZE);
		return -XEN_ENOMEM;
	}
	*c = (struct vm_covered){.gpa = addr, .ram = aside};
	return 0;
}

/* Show the overlay page at `offset` over a page of RAM; one that is covered already changes its
 * cover. */
static int cover(struct vm *vm, struct vm_slot *s, uint64_t addr, uint64_t offset)
{
	void *page = s->hva + (addr - s->gpa);
	int rc = covered_at(vm, addr) ? 0 : put_ram_aside(vm, addr, page);

	if (rc)
		return rc;
	if (mmap(page, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 vm->overlay_fd, offset) == MAP_FAILED)
		return -XEN_ENOMEM;
	return 0;
}

static int uncover(struct vm *vm, struct vm_slot *s, uint64_t addr)
{
	struct vm_covered *c = covered_at(vm, addr);
	void *page = s->hva + (addr - s->gpa);

	if (!c)
		return -XEN_EINVAL;
	if (mremap(c->ram, GUEST_PAGE_SIZE, GUEST_PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page) ==
	    MAP_FAILED)
		return -XEN_ENOMEM;
	c->ram = NULL;
	return 0;
}

int vm_overlay_map(struct domain *d, enum overlay which, struct gfn at)
{
	struct vm *vm = d->host;
	uint64_t addr = gfn_to_gpa(at).v, offset = (uint64_t)which * GUEST_PAGE_SIZE;
	struct vm_slot *s = slot_at(vm, addr);

	if (s)
		return cover(vm, s, addr, offset);
	switch (add_slot(vm, addr, GUEST_PAGE_SIZE, map_overlay(vm->overlay_fd, offset), &s)) {
	case 0:
		s->overlay_only = true;
		return 0;
	case -EINVAL: /* beyond what the processor can address */
		return -XEN_EINVAL;
	default:
		return -XEN_ENOMEM;
	}
}

int vm_overlay_unmap(struct domain *d, enum overlay which, struct gfn at)
{
	struct vm *vm = d->host;
	uint64_t addr = gfn_to_gpa(at).v;
	struct vm_slot *s = slot_at(vm, addr);

	(void)which;
	if (!s)
		return -XEN_EINVAL;
	if (!s->overlay_only)
		return uncover(vm, s, addr);
	remove_slot(vm, s);
	return 0;
}

static int memory_problem(struct problem *p, uint64_t size, int err)
{
	return problem(p, "cannot give the guest %llu MiB of memory: %s; try a smaller --memory",
		       (unsigned long long)size >> 20, strerror(err));
}

static void add_to_map(struct vm *vm, uint64_t addr, uint64_t size, uint32_t type)
{
	vm->memmap[vm->domain.memmap_entries++] =
		(struct hvm_memmap_table_entry){.addr = addr, .size = size, .type = type};
}

/* The areas in the order of their addresses, with what the memory map says of them. */
static int add_areas(struct vm *vm)
{
	uint64_t memory = vm->config.memory;
	uint64_t low = memory < LOW_RAM_MAX ? memory : LOW_RAM_MAX;
	const struct area {
		uint64_t start, size;
		uint32_t type;
	} areas[] = {
		{0, low, XEN_HVM_MEMMAP_TYPE_RAM},
		{ACPI_START, ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI},
		{SPECIAL_PAGES_START, SPECIAL_PAGES * GUEST_PAGE_SIZE,
		 XEN_HVM_MEMMAP_TYPE_RESERVED},
		{HIGH_RAM_START, memory - low, XEN_HVM_MEMMAP_TYPE_RAM},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(areas); i++) {
		const struct area *a = &areas[i];
		struct vm_slot *s;
		int rc;

		if (!a->size)
			continue;
		rc = add_slot(vm, a->start, a->size, map_ram(a->start, a->size), &s);
		if (rc)
			return rc;
		add_to_map(vm, a->start, a->size, a->type);
		if (a->start == ACPI_START)
			vm->acpi = s->hva;
		else if (a->start == SPECIAL_PAGES_START)
			vm->special_pages = s->hva;
		else
			vm->ram.blocks[vm->ram.count++] =
				(struct ram_block){a->start, a->size, s->hva};
	}
	return 0;
}

int vm_memory_create(struct vm *vm, struct problem *p)
{
	int rc;

	rc = add_areas(vm);
	if (rc)
		return memory_problem(p, vm->config.memory, -rc);
	vm->domain.memmap = vm->memmap;
	vm->domain.max_pages = vm->config.memory >> GUEST_PAGE_SHIFT;
	return 0;
}

void vm_memory_destroy(struct vm *vm)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vm->slots); i++)
		if (vm->slots[i].size)
			munmap(vm->slots[i].hva, vm->slots[i].size);
	for (unsigned i = 0; i < ARRAY_SIZE(vm->covered); i++)
		if (vm->covered[i].ram)
			munmap(vm->covered[i].ram, GUEST_PAGE_SIZE);
}
