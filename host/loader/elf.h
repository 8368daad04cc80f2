/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A read-only look at an ELF file in memory: x86, little-endian, 32 or 64 bits.
 *
 * The file is hostile: headers are copied out and checked against the file's size before use.
 * 32-bit headers are handed out in their 64-bit form, so that callers know one form only.
 */
#ifndef HOST_LOADER_ELF_H
#define HOST_LOADER_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/problem.h"

struct elf {
	const uint8_t *bytes;
	size_t size;
	bool is64;
	uint16_t machine; /* EM_386 or EM_X86_64; says nothing about the code's mode */
	uint64_t entry;
	uint64_t phoff, shoff;
	uint32_t phnum, shnum; /* both tables lie wholly inside the file */
	uint32_t shstrndx;     /* the section with the sections' names; any number */
};

bool elf_magic(const uint8_t *bytes, size_t size);

/* Check the file header and the place of both tables. `name` is the file's, for the message. */
int elf_open(struct elf *elf, const uint8_t *bytes, size_t size, const char *name,
	     struct problem *p);

/* Header `i`, which must be below phnum or shnum. */
Elf64_Phdr elf_phdr(const struct elf *elf, uint32_t i);
Elf64_Shdr elf_shdr(const struct elf *elf, uint32_t i);

/* The first section of that name; false if there is none, or sections have no names. */
bool elf_find_section(const struct elf *elf, const char *name, Elf64_Shdr *h);

/* The file's bytes [offset, offset + size), or NULL if they are not all there. */
const uint8_t *elf_at(const struct elf *elf, uint64_t offset, uint64_t size);

#endif
