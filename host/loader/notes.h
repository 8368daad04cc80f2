/* SPDX-License-Identifier: BSD-2-Clause */
/* The Xen notes of an ELF file. */
#ifndef HOST_LOADER_NOTES_H
#define HOST_LOADER_NOTES_H

#include "host/loader/kernel.h"

/*
 * Fill *notes from the PT_NOTE segments or, if those hold no Xen note, from the SHT_NOTE sections,
 * or, if neither do they, from what came before notes (guest_section.h).
 * A file without Xen notes is fine (and has no PVH entry); a damaged one is a problem.
 */
int notes_read(struct kernel_notes *notes, const struct elf *elf, const char *name,
	       struct problem *p);

/* The text of up to `size` bytes, cut to `room`, with '?' for what is not to be shown. */
void notes_text(char *to, size_t room, const uint8_t *from, size_t size);

#endif
