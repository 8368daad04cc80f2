/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The symbol table that kernels of BSD want behind themselves (note BSD_SYMTAB = "yes"): a length
 * of 32 bits and, as if it were a file of its own, an ELF header, three section headers, .symtab
 * and .strtab. Xen's libelf defines the form (common/libelf/libelf-loader.c).
 */
#ifndef HOST_LOADER_PV_SYMTAB_H
#define HOST_LOADER_PV_SYMTAB_H

#include "host/loader/kernel.h"
#include "host/loader/pv_memory.h"

struct pv_symtab {
	uint64_t at, size; /* pseudo-physical, bytes; size 0: there is none */
	Elf64_Shdr symbols, strings;
};

/*
 * What there is of it in a 64-bit kernel whose segments end at pseudo-physical `end`. A kernel
 * that has been stripped has none. Returns 0, or -1 with the reason in *p.
 */
int pv_symtab_find(struct pv_symtab *t, const struct kernel *k, uint64_t end, struct problem *p);

/* Write it to memory, which has room for it. */
void pv_symtab_write(const struct pv_symtab *t, const struct kernel *k, const struct pv_memory *m);

#endif
