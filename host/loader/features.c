// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/features.h"

#include <stdbool.h>
#include <string.h>

#include "host/loader/notes.h"

/*
 * A page table that the guest writes to is emulated, and a 64-bit one's root may be anywhere.
 * Xen's tools let a kernel also require writable_descriptor_tables, supervisor_mode_kernel and
 * hvm_callback_vector, which no PV guest gets: it is better told before it starts.
 */
static const char *const offered[] = {"writable_page_tables", "pae_pgdir_above_4gb"};

static bool is_offered(const uint8_t *name, size_t size)
{
	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
		if (strlen(offered[i]) == size && memcmp(offered[i], name, size) == 0)
			return true;
	return false;
}

void features_lacking(char *name, size_t room, const uint8_t *note, size_t size)
{
	const uint8_t *end = memchr(note, '\0', size);

	if (!end)
		end = note + size;
	while (note < end && !*name) {
		const uint8_t *next = memchr(note, '|', end - note);

		if (!next)
			next = end;
		if (*note == '!' && !is_offered(note + 1, next - note - 1))
			notes_text(name, room, note + 1, next - note - 1);
		note = next + 1;
	}
}
