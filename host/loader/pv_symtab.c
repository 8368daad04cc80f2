// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/pv_symtab.h"

#include <inttypes.h>
#include <string.h>

#define SYMBOLS  1 /* section 0 is empty, as in any file */
#define STRINGS  2
#define SECTIONS 3

struct symtab_header {
	uint32_t size; /* of all that follows */
	Elf64_Ehdr elf;
	Elf64_Shdr sections[SECTIONS];
} __attribute__((packed));

static uint64_t align_up(uint64_t bytes)
{
	return (bytes + 7) & ~UINT64_C(7);
}

static uint64_t strings_at(const struct pv_symtab *t)
{
	return align_up(align_up(sizeof(struct symtab_header)) + t->symbols.sh_size);
}

static bool find_sections(struct pv_symtab *t, const struct elf *elf)
{
	for (uint32_t i = 1; i < elf->shnum; i++) {
		t->symbols = elf_shdr(elf, i);
		if (t->symbols.sh_type != SHT_SYMTAB || t->symbols.sh_link >= elf->shnum)
			continue;
		t->strings = elf_shdr(elf, t->symbols.sh_link);
		return t->strings.sh_type == SHT_STRTAB;
	}
	return false;
}

int pv_symtab_find(struct pv_symtab *t, const struct kernel *k, uint64_t end, struct problem *p)
{
	*t = (struct pv_symtab){0};
	if (!find_sections(t, &k->elf))
		return 0;
	if (!elf_at(&k->elf, t->symbols.sh_offset, t->symbols.sh_size) ||
	    !elf_at(&k->elf, t->strings.sh_offset, t->strings.sh_size))
		return problem(p,
			       "%s: the symbol table of %#" PRIx64 " + %#" PRIx64
			       " bytes passes the file's end at %#zx; the file is truncated, "
			       "fetch it again",
			       k->name, t->symbols.sh_size, t->strings.sh_size, k->elf.size);
	t->size = align_up(strings_at(t) + t->strings.sh_size);
	t->at = align_up(end);
	if (t->size > UINT32_MAX)
		return problem(p,
			       "%s: a symbol table of %" PRIu64 " bytes; at most 4 GiB can be "
			       "passed: strip the kernel",
			       k->name, t->size);
	return 0;
}

void pv_symtab_write(const struct pv_symtab *t, const struct kernel *k, const struct pv_memory *m)
{
	const uint64_t skip = offsetof(struct symtab_header, elf); /* offsets count from there */
	const uint64_t symbols = align_up(sizeof(struct symtab_header)), strings = strings_at(t);
	struct symtab_header h = {.size = strings + t->strings.sh_size - skip};

	memcpy(&h.elf, k->elf.bytes, sizeof(h.elf));
	h.elf.e_version = EV_CURRENT;
	h.elf.e_ehsize = sizeof(h.elf);
	h.elf.e_phoff = 0;
	h.elf.e_phentsize = 0;
	h.elf.e_phnum = 0;
	h.elf.e_shoff = sizeof(h.elf);
	h.elf.e_shentsize = sizeof(Elf64_Shdr);
	h.elf.e_shnum = SECTIONS;
	h.elf.e_shstrndx = SHN_UNDEF;
	h.sections[SYMBOLS] = t->symbols;
	h.sections[SYMBOLS].sh_offset = symbols - skip;
	h.sections[SYMBOLS].sh_link = STRINGS;
	h.sections[STRINGS] = t->strings;
	h.sections[STRINGS].sh_offset = strings - skip;
	pv_memory_write(m, t->at, &h, sizeof(h));
	pv_memory_write(m, t->at + symbols,
			elf_at(&k->elf, t->symbols.sh_offset, t->symbols.sh_size),
			t->symbols.sh_size);
	pv_memory_write(m, t->at + strings,
			elf_at(&k->elf, t->strings.sh_offset, t->strings.sh_size),
			t->strings.sh_size);
}
