// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/fake_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/levels.h"
#include "shim/memslot/overlay.h"
#include "shim/memslot/tracker.h"

#define HOW_MANY_PAGES 600 /* of each slot are told of one by one */

static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325, word; /* FNV-1a, by words */

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3;
	}
	return hash;
}

static void tell_dirty(FILE *out, struct fake_memory *m, const struct memslot *slot)
{
	uint64_t words = dirty_log_words(slot->npages), *bits;

	if (!slot->dirty || !(m->slots.features & MEMSLOTS_MANUAL_PROTECT))
		return;
	bits = calloc(words + 1, sizeof(*bits));
	fprintf(out, " dirty(%d)", bits ? dirty_log_get(&m->slots, slot->id, bits) : -1);
	for (uint64_t i = 0; bits && i < words; i++)
		fprintf(out, " %" PRIx64, bits[i]);
	free(bits);
}

static void tell_pages(FILE *out, struct fake_memory *m, const struct memslot *slot)
{
	uint64_t base = gpa_to_gfn(slot->start).v;

	fprintf(out, " levels ");
	for (uint64_t i = 0; i < slot->npages && i < HOW_MANY_PAGES; i++)
		fprintf(out, "%d", memslot_max_level(slot, gfn(base + i)));
	for (uint64_t i = 0; !(slot->id >> 16) && i < slot->npages && i < HOW_MANY_PAGES; i++) {
		unsigned watched = tracker_watched(&m->slots, gfn(base + i));

		if (watched)
			fprintf(out, " watched[%" PRIu64 "]=%u", i, watched);
	}
}

static void tell_lookups(FILE *out, struct fake_memory *m, const struct memslot *slot)
{
	const struct memslot_set *set = memslots_enter(&m->slots);
	uint64_t size = slot->npages << GUEST_PAGE_SHIFT;
	const uint64_t offsets[] = {-1ull, 0, size - 1, size};
	struct memslot_hint hint = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		const struct memslot_hint *h =
			memslots_search(set, &hint, gpa(slot->start.v + offsets[i]));

		fprintf(out, " %s%p", h && h->slot == slot ? "its " : "", h ? h->hva : NULL);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		const void *hva = (const void *)((uintptr_t)slot->hva + offsets[i]);
		const struct memslot_hint *h = memslots_search_hva(set, &hint, hva);

		fprintf(out, " %" PRIx64, h ? h->start : 1);
	}
	memslots_leave();
}

static void tell_slot(FILE *out, struct fake_memory *m, uint32_t id)
{
	const struct memslot *slot = fake_memory_slot(m, id);

	if (!slot)
		return;
	fprintf(out,
		"slot %x: %p id %x flags %x at %" PRIx64 " pages %" PRIu64
		" hva %p gmem %p+%" PRIx64 " own %p %p %p",
		id, (const void *)slot, slot->id, slot->flags, slot->start.v, slot->npages,
		slot->hva, (void *)slot->gmem, slot->gmem_offset, (void *)slot->dirty,
		(void *)slot->levels, (void *)slot->write_track);
	tell_lookups(out, m, slot);
	tell_pages(out, m, slot);
	tell_dirty(out, m, slot);
	fputc('\n', out);
}

static void tell_kernel(FILE *out, const struct fake_memory *m, unsigned as)
{
	for (unsigned i = 0; i < m->nr[as]; i++) {
		const struct fake_kernel_slot *k = &m->kernel[as][m->order[as][i]];

		fprintf(out,
			"kernel %u:%u: flags %x at %" PRIx64 " pages %" PRIu64 " hva %p dirty %p",
			as, m->order[as][i], k->flags, k->start, k->npages, k->hva,
			(void *)k->dirty);
		for (uint64_t j = 0; k->dirty && j < dirty_log_words(k->npages); j++)
			fprintf(out, " %" PRIx64, k->dirty[j]);
		fputc('\n', out);
	}
}

static void tell_overlays(FILE *out, struct fake_memory *m)
{
	for (uint64_t i = 0; i < 2 * FAKE_RAM_PAGES; i++) {
		int page = overlay_at(&m->slots, gfn(i));

		if (page >= 0)
			fprintf(out, "overlay at %" PRIx64 ": %d\n", i, page);
	}
	for (unsigned i = 0; i < FAKE_COVERS; i++)
		if (m->cover[i].hva)
			fprintf(out, "covered %p: %u\n", m->cover[i].hva, m->cover[i].page);
	for (unsigned i = 0; i < FAKE_MAPPINGS; i++)
		if (m->mapping[i].hva)
			fprintf(out, "mapped %p: %u\n", m->mapping[i].hva, m->mapping[i].page);
}

static void tell_set(FILE *out, struct fake_memory *m)
{
	const struct memslot_set *set = memslots_enter(&m->slots);

	fprintf(out, "generation %" PRIu64 " watched %d trackers", set->generation, set->watched);
	for (struct tracker *const *t = set->trackers; t && *t; t++)
		fprintf(out, " %p", (void *)*t);
	memslots_leave();
	fprintf(out, "\nchanging %d logged %u tracking %d pages %" PRIu64 " %" PRIu64 "\n",
		m->slots.changing, m->slots.logged, m->slots.tracking, m->slots.ids[0].npages,
		m->slots.ids[1].npages);
}

char *fake_memory_tell(struct fake_memory *m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	tell_set(out, m);
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++) {
		for (unsigned i = 0; i < m->slots.ids[as].room; i++)
			tell_slot(out, m, as << 16 | i);
		tell_kernel(out, m, as);
	}
	tell_overlays(out, m);
	fprintf(out, "ram %" PRIx64 "\n", hash_of(m->ram, FAKE_RAM_PAGES * GUEST_PAGE_SIZE));
	fclose(out);
	return text;
}
