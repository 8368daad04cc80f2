// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/guest_section.h"

#include <stdlib.h>
#include <string.h>

#include "host/loader/features.h"
#include "host/loader/notes.h"

#define PAGE_SHIFT 12

/* A piece of the text. */
struct piece {
	const uint8_t *at;
	size_t size;
};

static bool is(const struct piece *name, const char *text)
{
	return strlen(text) == name->size && memcmp(text, name->at, name->size) == 0;
}

static void take_number(struct kernel_number *to, const struct piece *value)
{
	char text[32];

	notes_text(text, sizeof(text), value->at, value->size);
	*to = (struct kernel_number){.given = true, .value = strtoull(text, NULL, 0)};
}

static void take(struct kernel_notes *n, const struct piece *name, const struct piece *value)
{
	const struct {
		const char *name;
		struct kernel_number *to;
	} numbers[] = {
		{"VIRT_BASE", &n->pv.virt_base},
		{"VIRT_ENTRY", &n->pv.entry},
		{"ELF_PADDR_OFFSET", &n->pv.paddr_offset},
		{"HYPERCALL_PAGE", &n->pv.hypercall_page},
	};
	const struct {
		const char *name;
		char *to;
		size_t room;
	} strings[] = {
		{"GUEST_OS", n->guest_os, sizeof(n->guest_os)},
		{"GUEST_VER", n->guest_version, sizeof(n->guest_version)},
		{"XEN_VER", n->xen_version, sizeof(n->xen_version)},
		{"LOADER", n->loader, sizeof(n->loader)},
		{"FEATURES", n->features, sizeof(n->features)},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is(name, numbers[i].name))
			take_number(numbers[i].to, value);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (is(name, strings[i].name))
			notes_text(strings[i].to, strings[i].room, value->at, value->size);
	if (is(name, "FEATURES"))
		features_lacking(n->pv.lacks, sizeof(n->pv.lacks), value->at, value->size);
	if (is(name, "BSD_SYMTAB"))
		n->pv.bsd_symtab = true;
}

static void take_all(struct kernel_notes *n, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		const uint8_t *next = memchr(at, ',', end - at), *equals;
		struct piece name, value;

		if (!next)
			next = end;
		equals = memchr(at, '=', next - at);
		name = (struct piece){at, (equals ? equals : next) - at};
		value = (struct piece){equals ? equals + 1 : next, 0};
		value.size = next - value.at;
		take(n, &name, &value);
		at = next + 1;
	}
}

/* The hypercall page is a page's number from VIRT_BASE on, and physical addresses are virtual ones.
 */
static void resolve(struct kernel_pv_notes *pv)
{
	if (pv->hypercall_page.given)
		pv->hypercall_page.value =
			(pv->hypercall_page.value << PAGE_SHIFT) + pv->virt_base.value;
	if (pv->virt_base.given && !pv->paddr_offset.given)
		pv->paddr_offset = pv->virt_base;
}

void guest_section_read(struct kernel_notes *notes, const struct elf *elf)
{
	const uint8_t *text, *end;
	Elf64_Shdr h;

	if (!elf_find_section(elf, "__xen_guest", &h))
		return;
	text = elf_at(elf, h.sh_offset, h.sh_size);
	if (!text)
		return;
	end = memchr(text, '\0', h.sh_size);
	take_all(notes, text, end ? end : text + h.sh_size);
	resolve(&notes->pv);
}
