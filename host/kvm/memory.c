// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guest memory: one memfd holds all RAM, a second one the pages of the hypervisor that a guest may
 * see.
 *
 * An overlay is mapped over the RAM's host address (MAP_FIXED), so that the guest sees it at once
 * and there is no moment without memory; mapping the RAM's own page again uncovers it as it was.
 * Where a guest asks for an overlay outside RAM, a slot of one page is made for it.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/kvm/vm.h"

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

/* A slot at gpa, backed by `size` bytes of fd from offset. -errno of what failed. */
static int add_slot(struct vm *vm, uint64_t gpa_start, uint64_t size, int fd, uint64_t offset,
		    struct vm_slot **out)
{
	struct vm_slot *s = free_slot(vm);
	void *hva;
	int rc;

	if (!s)
		return -ENOSPC;
	hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, offset);
	if (hva == MAP_FAILED)
		return -errno;
	*s = (struct vm_slot){.gpa = gpa_start, .size = size, .ram_offset = offset, .hva = hva};
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

/* Map one page of fd over a slot's page; 0 or -XEN_ENOMEM. */
static int cover(struct vm_slot *s, uint64_t addr, int fd, uint64_t offset)
{
	void *page = s->hva + (addr - s->gpa);

	return mmap(page, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		    offset) == MAP_FAILED
		       ? -XEN_ENOMEM
		       : 0;
}

int vm_overlay_map(struct domain *d, enum overlay which, struct gfn at)
{
	struct vm *vm = d->host;
	uint64_t addr = gfn_to_gpa(at).v, offset = (uint64_t)which * GUEST_PAGE_SIZE;
	struct vm_slot *s = slot_at(vm, addr);

	if (s)
		return cover(s, addr, vm->overlay_fd, offset);
	switch (add_slot(vm, addr, GUEST_PAGE_SIZE, vm->overlay_fd, offset, &s)) {
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
		return cover(s, addr, vm->ram_fd, s->ram_offset + (addr - s->gpa));
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
	uint64_t offset = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(areas); i++) {
		const struct area *a = &areas[i];
		struct vm_slot *s;
		int rc;

		if (!a->size)
			continue;
		rc = add_slot(vm, a->start, a->size, vm->ram_fd, offset, &s);
		if (rc)
			return rc;
		offset += a->size;
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
	uint64_t size = vm->config.memory + ACPI_SIZE + SPECIAL_PAGES * GUEST_PAGE_SIZE;
	int rc;

	vm->ram_fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (vm->ram_fd < 0 || ftruncate(vm->ram_fd, size))
		return memory_problem(p, vm->config.memory, errno);
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
	if (vm->ram_fd >= 0)
		close(vm->ram_fd);
}
