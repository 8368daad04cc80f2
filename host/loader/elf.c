// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/elf.h"

#include <string.h>

bool elf_magic(const uint8_t *bytes, size_t size)
{
	return size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

const uint8_t *elf_at(const struct elf *elf, uint64_t offset, uint64_t size)
{
	if (offset > elf->size || size > elf->size - offset)
		return NULL;
	return elf->bytes + offset;
}

static Elf64_Phdr widen_phdr(const Elf32_Phdr *h)
{
	return (Elf64_Phdr){
		.p_type = h->p_type,
		.p_flags = h->p_flags,
		.p_offset = h->p_offset,
		.p_vaddr = h->p_vaddr,
		.p_paddr = h->p_paddr,
		.p_filesz = h->p_filesz,
		.p_memsz = h->p_memsz,
		.p_align = h->p_align,
	};
}

static Elf64_Shdr widen_shdr(const Elf32_Shdr *h)
{
	return (Elf64_Shdr){
		.sh_name = h->sh_name,
		.sh_type = h->sh_type,
		.sh_flags = h->sh_flags,
		.sh_addr = h->sh_addr,
		.sh_offset = h->sh_offset,
		.sh_size = h->sh_size,
		.sh_link = h->sh_link,
		.sh_info = h->sh_info,
		.sh_addralign = h->sh_addralign,
		.sh_entsize = h->sh_entsize,
	};
}

Elf64_Phdr elf_phdr(const struct elf *elf, uint32_t i)
{
	Elf64_Phdr h64;
	Elf32_Phdr h32;

	if (elf->is64) {
		memcpy(&h64, elf->bytes + elf->phoff + i * sizeof(h64), sizeof(h64));
		return h64;
	}
	memcpy(&h32, elf->bytes + elf->phoff + i * sizeof(h32), sizeof(h32));
	return widen_phdr(&h32);
}

Elf64_Shdr elf_shdr(const struct elf *elf, uint32_t i)
{
	Elf64_Shdr h64;
	Elf32_Shdr h32;

	if (elf->is64) {
		memcpy(&h64, elf->bytes + elf->shoff + i * sizeof(h64), sizeof(h64));
		return h64;
	}
	memcpy(&h32, elf->bytes + elf->shoff + i * sizeof(h32), sizeof(h32));
	return widen_shdr(&h32);
}

/* The file header in its 64-bit form; false if the file is shorter than that. */
static bool read_ehdr(const struct elf *elf, Elf64_Ehdr *h)
{
	Elf32_Ehdr h32;

	if (elf->is64) {
		if (elf->size < sizeof(*h))
			return false;
		memcpy(h, elf->bytes, sizeof(*h));
		return true;
	}
	if (elf->size < sizeof(h32))
		return false;
	memcpy(&h32, elf->bytes, sizeof(h32));
	*h = (Elf64_Ehdr){
		.e_type = h32.e_type,
		.e_machine = h32.e_machine,
		.e_entry = h32.e_entry,
		.e_phoff = h32.e_phoff,
		.e_shoff = h32.e_shoff,
		.e_phentsize = h32.e_phentsize,
		.e_phnum = h32.e_phnum,
		.e_shentsize = h32.e_shentsize,
		.e_shnum = h32.e_shnum,
		.e_shstrndx = h32.e_shstrndx,
	};
	return true;
}

static int check_phdrs(struct elf *elf, const Elf64_Ehdr *h, const char *name, struct problem *p)
{
	size_t each = elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (!h->e_phnum)
		return problem(p,
			       "%s: the ELF file has no program headers; give a linked kernel "
			       "(vmlinux), not an object file",
			       name);
	if (h->e_phentsize != each)
		return problem(p,
			       "%s: ELF program headers of %u bytes, must be %zu; the file is "
			       "damaged, build or fetch it again",
			       name, h->e_phentsize, each);
	if (!elf_at(elf, h->e_phoff, h->e_phnum * each))
		return problem(p,
			       "%s: the %u ELF program headers at %#llx pass the file's end at "
			       "%#zx; the file is truncated, fetch it again",
			       name, h->e_phnum, (unsigned long long)h->e_phoff, elf->size);
	elf->phoff = h->e_phoff;
	elf->phnum = h->e_phnum;
	return 0;
}

/* Section headers are optional: only where they say that they are must they be whole. */
static int check_shdrs(struct elf *elf, const Elf64_Ehdr *h, const char *name, struct problem *p)
{
	size_t each = elf->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t count = h->e_shnum;

	if (!h->e_shoff)
		return 0;
	if (count && h->e_shentsize != each)
		return problem(p,
			       "%s: ELF section headers of %u bytes, must be %zu; the file is "
			       "damaged, build or fetch it again",
			       name, h->e_shentsize, each);
	elf->shoff = h->e_shoff;
	/* gABI, e_shnum: a count too big for the field is in the first section's sh_size. */
	if (!count && elf_at(elf, h->e_shoff, each))
		count = elf_shdr(elf, 0).sh_size;
	if (count > UINT32_MAX || !elf_at(elf, h->e_shoff, count * each))
		return problem(p,
			       "%s: the %llu ELF section headers at %#llx pass the file's end at "
			       "%#zx; the file is truncated, fetch it again",
			       name, (unsigned long long)count, (unsigned long long)h->e_shoff,
			       elf->size);
	elf->shnum = count;
	elf->shstrndx = h->e_shstrndx;
	if (elf->shstrndx == SHN_XINDEX && count)
		elf->shstrndx = elf_shdr(elf, 0).sh_link;
	return 0;
}

bool elf_find_section(const struct elf *elf, const char *name, Elf64_Shdr *h)
{
	const size_t size = strlen(name) + 1;
	Elf64_Shdr names;

	if (elf->shstrndx >= elf->shnum)
		return false;
	names = elf_shdr(elf, elf->shstrndx);
	for (uint32_t i = 1; i < elf->shnum; i++) {
		const uint8_t *at;

		*h = elf_shdr(elf, i);
		if (h->sh_name >= names.sh_size || size > names.sh_size - h->sh_name ||
		    !elf_at(elf, names.sh_offset, names.sh_size))
			continue;
		at = elf_at(elf, names.sh_offset, names.sh_size) + h->sh_name;
		if (memcmp(at, name, size) == 0)
			return true;
	}
	return false;
}

static int check_ident(const uint8_t *bytes, size_t size, const char *name, struct problem *p)
{
	if (size < EI_NIDENT)
		return problem(p, "%s: only %zu bytes; the file is truncated, fetch it again", name,
			       size);
	if (bytes[EI_CLASS] != ELFCLASS32 && bytes[EI_CLASS] != ELFCLASS64)
		return problem(p, "%s: ELF class %u is neither 32 nor 64 bits; give an x86 kernel",
			       name, bytes[EI_CLASS]);
	if (bytes[EI_DATA] != ELFDATA2LSB)
		return problem(p, "%s: the ELF file is not little-endian; give an x86 kernel",
			       name);
	return 0;
}

int elf_open(struct elf *elf, const uint8_t *bytes, size_t size, const char *name,
	     struct problem *p)
{
	Elf64_Ehdr h;

	*elf = (struct elf){.bytes = bytes, .size = size};
	if (check_ident(bytes, size, name, p))
		return -1;
	elf->is64 = bytes[EI_CLASS] == ELFCLASS64;
	if (!read_ehdr(elf, &h))
		return problem(p, "%s: only %zu bytes; the file is truncated, fetch it again", name,
			       size);
	if (h.e_machine != EM_386 && h.e_machine != EM_X86_64)
		return problem(p, "%s: built for ELF machine %u; give an x86 kernel", name,
			       h.e_machine);
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return problem(p,
			       "%s: ELF type %u cannot be loaded; give a linked kernel (vmlinux)",
			       name, h.e_type);
	elf->machine = h.e_machine;
	elf->entry = h.e_entry;
	if (check_phdrs(elf, &h, name, p))
		return -1;
	return check_shdrs(elf, &h, name, p);
}
