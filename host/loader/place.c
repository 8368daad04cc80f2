// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/place.h"

static uint64_t end_of(uint64_t start, uint64_t size)
{
	return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

static uint64_t page_up(uint64_t gpa)
{
	return (gpa + PLACE_PAGE - 1) & ~(PLACE_PAGE - 1);
}

/* The end of the RAM that the map shows from gpa on in one entry; gpa itself if there is none. */
static uint64_t mapped_ram_end(const struct place *place, uint64_t gpa)
{
	for (unsigned i = 0; i < place->memmap_entries; i++) {
		const struct hvm_memmap_table_entry *e = &place->memmap[i];
		uint64_t end = end_of(e->addr, e->size);

		if (e->type == XEN_HVM_MEMMAP_TYPE_RAM && e->addr <= gpa && gpa < end)
			return end;
	}
	return gpa;
}

static bool mapped_as_ram(const struct place *place, uint64_t gpa, uint64_t end)
{
	for (unsigned i = 0; i < place->memmap_entries; i++) {
		const struct hvm_memmap_table_entry *e = &place->memmap[i];

		if (e->type != XEN_HVM_MEMMAP_TYPE_RAM && e->size && e->addr < end &&
		    gpa < end_of(e->addr, e->size))
			return false;
	}
	/* Several entries side by side are as good as one. */
	while (gpa < end) {
		uint64_t next = mapped_ram_end(place, gpa);

		if (next == gpa)
			return false;
		gpa = next;
	}
	return true;
}

bool place_usable(const struct place *place, uint64_t gpa, uint64_t size)
{
	if (!ram_at(place->ram, gpa, size))
		return false;
	return !place->memmap_entries || mapped_as_ram(place, gpa, gpa + size);
}

void place_take(struct place *place, uint64_t gpa, uint64_t size)
{
	place->taken[place->taken_count++] = (struct place_taken){gpa, gpa + size};
}

static const struct place_taken *in_the_way(const struct place *place, uint64_t gpa, uint64_t end)
{
	for (unsigned i = 0; i < place->taken_count; i++) {
		const struct place_taken *t = &place->taken[i];

		if (t->start < end && gpa < t->end)
			return t;
	}
	return NULL;
}

/* The next address above gpa where usable room may begin, PLACE_LIMIT if there is none. */
static uint64_t next_start(const struct place *place, uint64_t gpa)
{
	uint64_t next = PLACE_LIMIT;

	for (unsigned i = 0; i < place->ram->count; i++) {
		uint64_t start = place->ram->blocks[i].gpa;

		if (start > gpa && start < next)
			next = start;
	}
	for (unsigned i = 0; i < place->memmap_entries; i++) {
		const struct hvm_memmap_table_entry *e = &place->memmap[i];
		uint64_t start = e->addr;

		if (e->type != XEN_HVM_MEMMAP_TYPE_RAM)
			start = end_of(e->addr, e->size);
		if (start > gpa && start < next)
			next = start;
	}
	return next;
}

/* Each round moves gpa up to another edge of a block, entry or taken range, so this ends. */
static bool lowest_from(const struct place *place, uint64_t from, uint64_t size, uint64_t *found)
{
	uint64_t gpa = from;

	while (gpa < PLACE_LIMIT) {
		const struct place_taken *t;

		gpa = page_up(gpa);
		if (size > PLACE_LIMIT || gpa > PLACE_LIMIT - size)
			return false;
		t = in_the_way(place, gpa, gpa + size);
		if (t) {
			gpa = t->end;
		} else if (place_usable(place, gpa, size)) {
			*found = gpa;
			return true;
		} else {
			gpa = next_start(place, gpa);
		}
	}
	return false;
}

bool place_find(struct place *place, uint64_t from, uint64_t size, uint64_t *gpa)
{
	if (!lowest_from(place, from, size, gpa) && !lowest_from(place, PLACE_PAGE, size, gpa) &&
	    !lowest_from(place, 0, size, gpa))
		return false;
	place_take(place, *gpa, size);
	return true;
}
