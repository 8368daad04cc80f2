// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/notes.h"

#include <string.h>

#include "host/loader/features.h"
#include "host/loader/guest_section.h"
#include "xen-abi/xen.h"

static const char owner[] = "Xen"; /* its NUL is part of the name in the file */

struct reader {
	struct kernel_notes *notes;
	const char *name; /* of the kernel file */
	struct problem *problem;
	unsigned found;
};

/* One note, wholly inside the file. */
struct note {
	uint32_t type;
	const uint8_t *desc;
	uint32_t descsz;
};

void notes_text(char *to, size_t room, const uint8_t *from, size_t size)
{
	size_t length = strnlen((const char *)from, size);

	if (length > room - 1)
		length = room - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	/* These are shown to people: a terminal must not be at the file's mercy. */
	for (size_t i = 0; i < length; i++)
		if (to[i] < ' ' || to[i] > '~')
			to[i] = '?';
}

static void take_string(char *to, size_t room, const struct note *note)
{
	notes_text(to, room, note->desc, note->descsz);
}

/* xen/elfnote.h: numeric descriptors are 4 or 8 bytes long, whatever the file's word size. */
static int take_number(uint64_t *to, const struct note *note, struct reader *r)
{
	uint32_t narrow;

	switch (note->descsz) {
	case sizeof(narrow):
		memcpy(&narrow, note->desc, sizeof(narrow));
		*to = narrow;
		return 0;
	case sizeof(*to):
		memcpy(to, note->desc, sizeof(*to));
		return 0;
	}
	return problem(r->problem,
		       "%s: Xen ELF note %u has a number of %u bytes, must be 4 or 8; "
		       "the kernel is damaged, build or fetch it again",
		       r->name, note->type, note->descsz);
}

static int take_pv_number(struct kernel_number *to, const struct note *note, struct reader *r)
{
	to->given = true;
	return take_number(&to->value, note, r);
}

/* Of those that say "yes" or "no". */
static bool says_yes(const struct note *note)
{
	return note->descsz >= 3 && memcmp(note->desc, "yes", 3) == 0 &&
	       (note->descsz == 3 || !note->desc[3]);
}

static int take_pv_note(const struct note *note, struct reader *r)
{
	struct kernel_pv_notes *pv = &r->notes->pv;

	switch (note->type) {
	case XEN_ELFNOTE_ENTRY:
		return take_pv_number(&pv->entry, note, r);
	case XEN_ELFNOTE_VIRT_BASE:
		return take_pv_number(&pv->virt_base, note, r);
	case XEN_ELFNOTE_PADDR_OFFSET:
		return take_pv_number(&pv->paddr_offset, note, r);
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		return take_pv_number(&pv->hypercall_page, note, r);
	case XEN_ELFNOTE_INIT_P2M:
		return take_pv_number(&pv->init_p2m, note, r);
	case XEN_ELFNOTE_HV_START_LOW:
		return take_pv_number(&pv->hv_start_low, note, r);
	case XEN_ELFNOTE_MOD_START_PFN:
		return take_pv_number(&pv->mod_start_pfn, note, r);
	case XEN_ELFNOTE_BSD_SYMTAB:
		pv->bsd_symtab = says_yes(note);
		break;
	}
	return 0;
}

static int take_note(const struct note *note, struct reader *r)
{
	struct kernel_notes *n = r->notes;

	switch (note->type) {
	case XEN_ELFNOTE_PHYS32_ENTRY:
		n->has_phys32_entry = true;
		return take_number(&n->phys32_entry, note, r);
	case XEN_ELFNOTE_GUEST_OS:
		take_string(n->guest_os, sizeof(n->guest_os), note);
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		take_string(n->guest_version, sizeof(n->guest_version), note);
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		take_string(n->xen_version, sizeof(n->xen_version), note);
		break;
	case XEN_ELFNOTE_LOADER:
		take_string(n->loader, sizeof(n->loader), note);
		break;
	case XEN_ELFNOTE_FEATURES:
		take_string(n->features, sizeof(n->features), note);
		features_lacking(n->pv.lacks, sizeof(n->pv.lacks), note->desc, note->descsz);
		break;
	}
	return take_pv_note(note, r);
}

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* All notes of one area of `size` bytes, name and descriptor each padded to `align`. */
static int read_area(const uint8_t *area, uint64_t size, uint64_t align, struct reader *r)
{
	uint64_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h; /* Elf32_Nhdr is the same */
		uint64_t desc;
		struct note note;

		memcpy(&h, area + at, sizeof(h));
		desc = align_up(at + sizeof(h) + h.n_namesz, align);
		if (desc > size || h.n_descsz > size - desc)
			return problem(r->problem,
				       "%s: an ELF note of %u + %u bytes passes its segment's end; "
				       "the kernel is damaged, build or fetch it again",
				       r->name, h.n_namesz, h.n_descsz);
		note = (struct note){h.n_type, area + desc, h.n_descsz};
		if (h.n_namesz == sizeof(owner) &&
		    memcmp(area + at + sizeof(h), owner, sizeof(owner)) == 0) {
			r->found++;
			if (take_note(&note, r))
				return -1;
		}
		at = align_up(desc + h.n_descsz, align);
		if (at > size)
			break; /* the last note needs no padding */
	}
	return 0;
}

static int read_notes(const struct elf *elf, uint64_t offset, uint64_t size, uint64_t align,
		      struct reader *r)
{
	const uint8_t *area = elf_at(elf, offset, size);
	const struct kernel_notes saved = *r->notes;
	unsigned before = r->found;

	if (!area)
		return problem(r->problem,
			       "%s: ELF notes of %#llx bytes at %#llx pass the file's "
			       "end at %#zx; the file is truncated, fetch it again",
			       r->name, (unsigned long long)size, (unsigned long long)offset,
			       elf->size);
	if (align != 8)
		return read_area(area, size, 4, r);
	/*
	 * An alignment of 8 should mean padding to 8, but linker scripts that gather all notes in
	 * one segment give it the largest alignment and keep Xen's notes padded to 4: when 8 does
	 * not read, or shows no Xen note, 4 decides.
	 */
	if (read_area(area, size, 8, r) == 0 && r->found > before)
		return 0;
	*r->notes = saved;
	r->found = before;
	return read_area(area, size, 4, r);
}

int notes_read(struct kernel_notes *notes, const struct elf *elf, const char *name,
	       struct problem *p)
{
	struct reader r = {.notes = notes, .name = name, .problem = p};

	*notes = (struct kernel_notes){0};
	for (uint32_t i = 0; i < elf->phnum; i++) {
		Elf64_Phdr h = elf_phdr(elf, i);

		if (h.p_type == PT_NOTE && read_notes(elf, h.p_offset, h.p_filesz, h.p_align, &r))
			return -1;
	}
	if (r.found)
		return 0;
	for (uint32_t i = 0; i < elf->shnum; i++) {
		Elf64_Shdr h = elf_shdr(elf, i);

		if (h.sh_type == SHT_NOTE &&
		    read_notes(elf, h.sh_offset, h.sh_size, h.sh_addralign, &r))
			return -1;
	}
	if (!r.found)
		guest_section_read(notes, elf);
	return 0;
}
