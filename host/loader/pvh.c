// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pvh.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/acpi.h"
#include "host/loader/fill.h"
#include "host/loader/map.h"
#include "host/loader/place.h"

#define MIB (UINT64_C(1) << 20)

struct module {
	const char *path;
	int fd;
	uint64_t gpa, size;
};

/* What goes where: made and checked as a whole before guest RAM is touched. */
struct plan {
	const struct kernel *kernel;
	const struct pvh_args *args;
	struct place place;
	struct module modules[PVH_MODULES_MAX];
	unsigned module_count;
	uint64_t kernel_end;
	/* The start_info and, behind it in the same room, what it points to. */
	uint64_t info_gpa, info_size;
	uint64_t modlist_at, memmap_at, cmdline_at; /* offsets from info_gpa */
};

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + PLACE_PAGE - 1) & ~(PLACE_PAGE - 1);
}

static int check_entry(const struct kernel *k, struct problem *p)
{
	uint64_t entry = k->notes.phys32_entry;

	if (!k->notes.has_phys32_entry)
		return problem(p,
			       "%s: no PVH entry (Xen ELF note PHYS32_ENTRY); give a kernel "
			       "built with CONFIG_PVH or CONFIG_XEN_PVH",
			       k->name);
	if (entry > UINT32_MAX)
		return problem(p,
			       "%s: the PVH entry %#" PRIx64 " is above 4 GiB, where 32-bit code "
			       "cannot be; the kernel is damaged, build or fetch it again",
			       k->name, entry);
	for (unsigned i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];

		if (entry >= s->paddr && entry - s->paddr < s->memsz)
			return 0;
	}
	return problem(p,
		       "%s: the PVH entry %#" PRIx64 " is in none of the kernel's segments; the "
		       "kernel is damaged, build or fetch it again",
		       k->name, entry);
}

static int open_module(struct plan *plan, const char *path, struct problem *p)
{
	struct module *m = &plan->modules[plan->module_count];
	uint64_t size;
	int fd;

	if (plan->module_count == PVH_MODULES_MAX)
		return problem(p, "%s: more than %d modules; give fewer", path, PVH_MODULES_MAX);
	fd = map_open(path, &size, p);
	if (fd < 0)
		return -1;
	*m = (struct module){.path = path, .fd = fd, .size = size};
	plan->module_count++;
	if (!size)
		return problem(p, "%s: the file is empty; fetch it again or leave it out", path);
	return 0;
}

static int open_modules(struct plan *plan, struct problem *p)
{
	const char *const *more = plan->args->modules;

	if (plan->args->initrd && open_module(plan, plan->args->initrd, p))
		return -1;
	while (more && *more)
		if (open_module(plan, *more++, p))
			return -1;
	return 0;
}

static void close_modules(struct plan *plan)
{
	for (unsigned i = 0; i < plan->module_count; i++)
		close(plan->modules[i].fd);
}

/* Alignment of each part is 8, as its widest member's. */
static void size_info(struct plan *plan)
{
	uint64_t at = sizeof(struct hvm_start_info);

	plan->modlist_at = at;
	at += plan->module_count * sizeof(struct hvm_modlist_entry);
	plan->memmap_at = at;
	at += plan->args->memmap_entries * sizeof(struct hvm_memmap_table_entry);
	plan->cmdline_at = at;
	if (plan->args->cmdline)
		at += strlen(plan->args->cmdline) + 1;
	plan->info_size = at;
}

/* Bytes of RAM from address 0 that hold the kernel and, behind it, all that comes with it. */
static uint64_t memory_needed(const struct plan *plan)
{
	uint64_t bytes = page_up(plan->kernel_end);

	for (unsigned i = 0; i < plan->module_count; i++)
		bytes += page_up(plan->modules[i].size);
	return bytes + page_up(plan->info_size);
}

static uint64_t memory_given(const struct ram *ram)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < ram->count; i++)
		bytes += ram->blocks[i].size;
	return bytes;
}

/* `what` of `path` has no room: say which memory would do, if memory is what lacks. */
static int no_room(const struct plan *plan, const char *path, const char *what, struct problem *p)
{
	uint64_t needed = (memory_needed(plan) + MIB - 1) / MIB;
	uint64_t given = memory_given(plan->place.ram) / MIB;

	if (needed <= given || needed > PLACE_LIMIT / MIB)
		return problem(p,
			       "%s: %s does not fit into the guest's RAM below 4 GiB (%" PRIu64
			       " MiB are given, some of it at other addresses); give a smaller "
			       "one or one linked lower",
			       path, what, given);
	return problem(p,
		       "%s: %s does not fit into %" PRIu64 " MiB of memory; use --memory %" PRIu64
		       "M or more",
		       path, what, given, needed);
}

static int place_segments(struct plan *plan, struct problem *p)
{
	const struct kernel *k = plan->kernel;

	for (unsigned i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];
		char what[96];

		snprintf(what, sizeof(what), "the kernel's segment at %#" PRIx64 "-%#" PRIx64,
			 s->paddr, s->paddr + s->memsz - 1);
		if (!place_usable(&plan->place, s->paddr, s->memsz))
			return no_room(plan, k->name, what, p);
		place_take(&plan->place, s->paddr, s->memsz);
	}
	return 0;
}

static int place_modules(struct plan *plan, struct problem *p)
{
	uint64_t from = plan->kernel_end;

	for (unsigned i = 0; i < plan->module_count; i++) {
		struct module *m = &plan->modules[i];
		char what[64];

		snprintf(what, sizeof(what), "the module of %" PRIu64 " bytes", m->size);
		if (!place_find(&plan->place, from, m->size, &m->gpa))
			return no_room(plan, m->path, what, p);
	}
	return 0;
}

/*
 * Linux's PVH entry takes the PC's hole of video memory and ROMs out of the RAM, whatever the
 * memory map says (arch/x86/platform/pvh/enlighten.c): a kernel may be linked there, but we add
 * nothing.
 */
static void avoid_isa_hole(struct plan *plan)
{
	place_take(&plan->place, 0xa0000, 0x60000);
}

static int make_plan(struct plan *plan, struct problem *p)
{
	const struct kernel *k = plan->kernel;
	const struct kernel_segment *last = &k->segments[k->segment_count - 1];

	plan->kernel_end = last->paddr + last->memsz;
	if (check_entry(k, p) || open_modules(plan, p))
		return -1;
	size_info(plan);
	if (place_segments(plan, p))
		return -1;
	avoid_isa_hole(plan);
	/*
	 * Before the modules: a 32-bit Linux reads it, with all that it points to, when no more is
	 * mapped than the kernel and some 2 MiB behind it (mk_early_pgtbl_32).
	 */
	if (!place_find(&plan->place, plan->kernel_end, plan->info_size, &plan->info_gpa))
		return no_room(plan, k->name, "the start info with its command line", p);
	return place_modules(plan, p);
}

static int load_segments(const struct plan *plan, struct problem *p)
{
	const struct kernel *k = plan->kernel;

	for (unsigned i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];
		uint8_t *to = ram_at(plan->place.ram, s->paddr, s->memsz);

		if (fill_from_segment(k, s, 0, to, s->filesz, p))
			return -1;
	}
	return 0;
}

static int read_modules(const struct plan *plan, struct problem *p)
{
	for (unsigned i = 0; i < plan->module_count; i++) {
		const struct module *m = &plan->modules[i];
		uint8_t *to = ram_at(plan->place.ram, m->gpa, m->size);

		if (map_read(m->fd, 0, to, m->size, m->path, p))
			return -1;
	}
	return 0;
}

static void write_info(const struct plan *plan)
{
	const struct pvh_args *args = plan->args;
	uint8_t *to = ram_at(plan->place.ram, plan->info_gpa, plan->info_size);
	struct hvm_start_info info = {
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.nr_modules = plan->module_count,
		.modlist_paddr = plan->module_count ? plan->info_gpa + plan->modlist_at : 0,
		.cmdline_paddr = args->cmdline ? plan->info_gpa + plan->cmdline_at : 0,
		.rsdp_paddr = args->rsdp,
		.memmap_paddr = args->memmap_entries ? plan->info_gpa + plan->memmap_at : 0,
		.memmap_entries = args->memmap_entries,
	};

	memcpy(to, &info, sizeof(info));
	for (unsigned i = 0; i < plan->module_count; i++) {
		struct hvm_modlist_entry entry = {
			.paddr = plan->modules[i].gpa,
			.size = plan->modules[i].size,
		};

		memcpy(to + plan->modlist_at + i * sizeof(entry), &entry, sizeof(entry));
	}
	if (args->memmap_entries)
		memcpy(to + plan->memmap_at, args->memmap,
		       args->memmap_entries * sizeof(args->memmap[0]));
	if (args->cmdline)
		memcpy(to + plan->cmdline_at, args->cmdline, strlen(args->cmdline) + 1);
}

/*
 * A kernel that another one has started has no start info: it looks for the RSDP where a PC's BIOS
 * has it (ACPI 6.0, 5.2.5.1). Xen's toolstack puts it there too, and Linux keeps off (see above).
 */
static void write_rsdp(const struct plan *plan)
{
	const struct kernel *k = plan->kernel;
	uint8_t *to = ram_at(plan->place.ram, PVH_RSDP_BIOS, ACPI_RSDP_SIZE);

	for (unsigned i = 0; i < k->segment_count; i++)
		if (k->segments[i].paddr < PVH_RSDP_BIOS + ACPI_RSDP_SIZE &&
		    PVH_RSDP_BIOS < k->segments[i].paddr + k->segments[i].memsz)
			return;
	if (to && plan->args->rsdp_bytes)
		memcpy(to, plan->args->rsdp_bytes, ACPI_RSDP_SIZE);
}

int pvh_load(const struct kernel *k, const struct ram *ram, const struct pvh_args *args,
	     struct pvh_start *start, struct problem *p)
{
	struct plan plan = {
		.kernel = k,
		.args = args,
		.place = {.ram = ram,
			  .memmap = args->memmap,
			  .memmap_entries = args->memmap_entries},
	};
	int ret = make_plan(&plan, p);

	if (!ret)
		ret = load_segments(&plan, p);
	if (!ret)
		ret = read_modules(&plan, p);
	if (!ret) {
		write_info(&plan);
		write_rsdp(&plan);
		*start = (struct pvh_start){k->notes.phys32_entry, plan.info_gpa};
	}
	close_modules(&plan);
	return ret;
}
