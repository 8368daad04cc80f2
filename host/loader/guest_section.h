/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PV kernels had before ELF notes, and those of NetBSD long after: a section "__xen_guest",
 * text of the form NAME=VALUE,NAME=VALUE (xen/elfnote.h gives each note's "LEGACY" name).
 */
#ifndef HOST_LOADER_GUEST_SECTION_H
#define HOST_LOADER_GUEST_SECTION_H

#include "host/loader/kernel.h"

/* Fill *notes, which are all empty, from the section, if there is one. */
void guest_section_read(struct kernel_notes *notes, const struct elf *elf);

#endif
