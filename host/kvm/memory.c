// SPDX-License-Identifier: BSD-2-Clause
/*
 * The guest's own memory: its areas, from before the first vCPU until after the last. RAM is
 * private anonymous memory, aligned so that the kernel can back it by huge pages: a memfd gets none
 * on an ordinary host, which costs six times the instructions for each page that a guest touches
 * first, and as many more TLB misses later (docs/design-notes.md).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/kvm/pv.h"
#include "shim/memslot/overlay.h"

#define HUGE_PAGE (2ull << 20)

/*
 * Fresh memory of `size` bytes at the same offset in a huge page as gpa_start is: only then can a
 * huge page of the host back one of the guest.
 */
static uint8_t *map_ram(uint64_t gpa_start, uint64_t size)
{
	uint64_t skew = gpa_start % HUGE_PAGE, room = size + 2 * HUGE_PAGE;
	uint8_t *base, *ram;

	base = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	ram = (uint8_t *)(((uintptr_t)base + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE) + skew;
	if (ram > base)
		munmap(base, ram - base);
	if (base + room > ram + size)
		munmap(ram + size, base + room - (ram + size));
	madvise(ram, size, MADV_HUGEPAGE); /* a wish */
	madvise(ram, size, MADV_DONTFORK);
	return ram;
}

/* Areas take the lowest slots, in the order of their addresses. */
static int set_slot(struct vm *vm, const struct vm_area *a, uint64_t size)
{
	const struct memslot_request request = {
		.slot = a - vm->areas,
		.gpa = a->gpa,
		.size = size,
		.hva = (uintptr_t)a->hva,
	};

	return memslots_set_slot(&vm->domain.memslots, &request);
}

static void free_area(struct vm_area *a)
{
	if (!a->borrowed)
		munmap(a->hva, a->size);
	free(a->kept_small);
}

/* hva: where its memory is already, or NULL: fresh. */
static int add_area(struct vm *vm, uint64_t start, uint64_t size, uint8_t *hva,
		    struct vm_area **out)
{
	struct vm_area *a = &vm->areas[vm->nr_areas];
	int rc;

	*a = (struct vm_area){.gpa = start,
			      .size = size,
			      .hva = hva ? hva : map_ram(start, size),
			      .borrowed = hva};
	if (!a->hva)
		return -ENOMEM;
	rc = vm_area_books(a);
	if (!rc)
		rc = set_slot(vm, a, size);
	if (rc) {
		free_area(a);
		return rc;
	}
	vm->nr_areas++;
	*out = a;
	return 0;
}

static int memory_problem(struct problem *p, uint64_t size, int err)
{
	return problem(p, "cannot give the guest %llu MiB of memory: %s; try less",
		       (unsigned long long)size >> 20, strerror(err));
}

static void add_to_map(struct vm *vm, uint64_t addr, uint64_t size, uint32_t type)
{
	vm->memmap[vm->domain.memmap_entries++] =
		(struct hvm_memmap_table_entry){.addr = addr, .size = size, .type = type};
}

/* withheld: bytes at its end that are not the guest's until it takes them. */
static int add_ram(struct vm *vm, const struct vm_area *a, uint64_t withheld)
{
	int rc = domain_add_ram(&vm->domain, gpa_to_gfn(gpa(a->gpa)), a->size >> GUEST_PAGE_SHIFT);
	uint64_t size = a->size - withheld;

	if (!rc && withheld)
		rc = domain_withhold_ram(&vm->domain, gpa_to_gfn(gpa(a->gpa + size)),
					 withheld >> GUEST_PAGE_SHIFT);
	if (size)
		vm->ram.blocks[vm->ram.count++] = (struct ram_block){a->gpa, size, a->hva};
	return rc;
}

/* All that the guest may ever have is RAM from the beginning, and costs nothing until touched. */
static uint64_t vm_max_memory(const struct vm *vm)
{
	return vm->config.max_memory ? vm->config.max_memory : vm->config.memory;
}

/* A piece of guest-physical memory, and what the memory map says of it. */
struct piece {
	uint64_t start, size;
	uint32_t type;
	uint64_t withheld; /* bytes at the end of RAM */
};

static void pieces_of_pvh(uint64_t memory, struct piece pieces[VM_AREAS_MAX])
{
	uint64_t low = memory < LOW_RAM_MAX ? memory : LOW_RAM_MAX;

	pieces[0] = (struct piece){0, low, XEN_HVM_MEMMAP_TYPE_RAM, 0};
	pieces[1] = (struct piece){ACPI_START, ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI, 0};
	pieces[2] = (struct piece){SPECIAL_PAGES_START, SPECIAL_PAGES * GUEST_PAGE_SIZE,
				   XEN_HVM_MEMMAP_TYPE_RESERVED, 0};
	pieces[3] = (struct piece){HIGH_RAM_START, memory - low, XEN_HVM_MEMMAP_TYPE_RAM, 0};
}

/*
 * docs/pv.md. What the guest is told of its memory is of pseudo-physical addresses, not these. It
 * may have a little more of the machine's than that (RESERVATION_SLACK), if it asks.
 */
static void pieces_of_pv(uint64_t memory, unsigned vcpus, struct piece pieces[VM_AREAS_MAX])
{
	const uint64_t slack = (uint64_t)RESERVATION_SLACK << GUEST_PAGE_SHIFT;
	uint64_t low;

	memory += slack;
	low = min_of(memory, PV_LOW_RAM_MAX - PV_RAM_START);

	pieces[0] = (struct piece){PV_RAM_START, low, XEN_HVM_MEMMAP_TYPE_RAM, 0};
	pieces[1] = (struct piece){PV_SHARED_FRAMES, OVERLAY_MAPPED * GUEST_PAGE_SIZE,
				   XEN_HVM_MEMMAP_TYPE_RESERVED, 0};
	pieces[2] = (struct piece){PV_HIGH_RAM_START, memory - low, XEN_HVM_MEMMAP_TYPE_RAM, 0};
	pieces[2].withheld = min_of(slack, pieces[2].size);
	pieces[0].withheld = slack - pieces[2].withheld;
	pieces[3] = (struct piece){pv_monitor_start(memory), pv_monitor_size(memory, vcpus),
				   XEN_HVM_MEMMAP_TYPE_RESERVED, 0};
}

static int add_piece(struct vm *vm, const struct piece *piece)
{
	uint8_t *pages =
		piece->start == PV_SHARED_FRAMES && vm->config.pv ? vm->domain.shared_info : NULL;
	struct vm_area *added;
	int rc = add_area(vm, piece->start, piece->size, pages, &added);

	if (rc)
		return rc;
	if (!vm->config.pv)
		add_to_map(vm, piece->start, piece->size, piece->type);
	if (piece->type == XEN_HVM_MEMMAP_TYPE_ACPI)
		vm->acpi = added->hva;
	return piece->type == XEN_HVM_MEMMAP_TYPE_RAM ? add_ram(vm, added, piece->withheld) : 0;
}

/* In the order of their addresses. */
static int add_areas(struct vm *vm)
{
	struct piece pieces[VM_AREAS_MAX];

	if (vm->config.pv)
		pieces_of_pv(vm_max_memory(vm), vm->config.vcpus, pieces);
	else
		pieces_of_pvh(vm_max_memory(vm), pieces);
	for (unsigned i = 0; i < VM_AREAS_MAX; i++) {
		int rc = pieces[i].size ? add_piece(vm, &pieces[i]) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

int vm_memory_create(struct vm *vm, struct problem *p)
{
	int rc;

	rc = add_areas(vm);
	if (rc)
		return memory_problem(p, vm_max_memory(vm), -rc);
	vm->domain.memmap = vm->memmap;
	domain_set_memory_target(&vm->domain, vm->config.memory >> GUEST_PAGE_SHIFT);
	return 0;
}

/* First nobody can reach the memory any more, then it goes. */
void vm_memory_destroy(struct vm *vm)
{
	overlay_hide_all(&vm->domain.memslots);
	while (vm->nr_areas) {
		struct vm_area *a = &vm->areas[--vm->nr_areas];

		set_slot(vm, a, 0);
		free_area(a);
	}
}
