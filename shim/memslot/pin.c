// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/pin.h"

#include <errno.h>
#include <stdlib.h>

struct memslot_pins {
	uint32_t *count; /* for each page; NULL: there was no pin yet. Atomic */
	bool closed;     /* atomic */
};

struct memslot_pins *memslot_pins_create(void)
{
	return calloc(1, sizeof(struct memslot_pins));
}

void memslot_pins_free(struct memslot_pins *pins)
{
	if (pins)
		free(pins->count);
	free(pins);
}

/* The counts of a slot; the first who needs them makes them. They take memory where there are pins,
 * as what calloc() gives for many pages is not touched. */
static uint32_t *counts(const struct memslot *s)
{
	uint32_t *count = __atomic_load_n(&s->pins->count, __ATOMIC_ACQUIRE), *first = NULL;

	if (count)
		return count;
	count = calloc(s->npages, sizeof(*count));
	if (!count || __atomic_compare_exchange_n(&s->pins->count, &first, count, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return count;
	free(count);
	return first;
}

#define CLOSED 1

static int count_in(const struct memslot *s, uint64_t page, struct memslot_pin *pin)
{
	uint32_t *count = counts(s);

	if (!count)
		return -ENOMEM;
	if (!memslot_pin_count(&count[page], &s->pins->closed))
		return CLOSED;
	pin->count = &count[page];
	return 0;
}

/* In a read section. */
static int try_pin(const struct memslot_set *set, struct memslot_hint *hint, struct gfn at,
		   bool write, struct memslot_pin *pin)
{
	struct gpa addr = gfn_to_gpa(at);

	if (at.v > UINT64_MAX >> GUEST_PAGE_SHIFT)
		return -ENOENT;
	pin->hva = memslots_hva(set, hint, addr, GUEST_PAGE_SIZE, write);
	if (!pin->hva)
		return -ENOENT;
	return count_in(hint->slot, (addr.v - hint->start) >> GUEST_PAGE_SHIFT, pin);
}

struct memslot_window memslots_window(const struct memslot_set *set, struct gfn at, bool write)
{
	struct memslot_hint hint = {0};
	uint32_t *count;

	if (!memslots_search(set, &hint, gfn_to_gpa(at)) ||
	    (write && hint.slot->flags & MEMSLOT_READONLY))
		return (struct memslot_window){0};
	count = counts(hint.slot);
	if (!count)
		return (struct memslot_window){0};
	return (struct memslot_window){
		.start = hint.start,
		.size = hint.size,
		.hva = hint.hva,
		.count = count,
		.closed = &hint.slot->pins->closed,
	};
}

static void wait_for_change(struct memslots *slots)
{
	pthread_mutex_lock(&slots->lock);
	pthread_mutex_unlock(&slots->lock);
}

int memslots_pin(struct memslots *slots, struct memslot_hint *hint, struct gfn at, bool write,
		 struct memslot_pin *pin)
{
	while (true) {
		const struct memslot_set *set = memslots_enter(slots);
		uint64_t generation = set->generation;
		int rc = try_pin(set, hint, at, write, pin);

		memslots_leave();
		if (rc == CLOSED) {
			wait_for_change(slots);
			continue;
		}
		if (rc == -ENOENT && memslots_retry(slots, generation))
			continue;
		if (rc)
			*pin = (struct memslot_pin){0};
		return rc;
	}
}

static bool is_pinned(const struct memslot *s, uint64_t first, uint64_t npages)
{
	uint32_t *count = __atomic_load_n(&s->pins->count, __ATOMIC_SEQ_CST);

	for (uint64_t i = first; count && i < first + npages; i++)
		if (__atomic_load_n(&count[i], __ATOMIC_SEQ_CST))
			return true;
	return false;
}

bool memslot_pins_close(const struct memslot *s, uint64_t first, uint64_t npages)
{
	__atomic_store_n(&s->pins->closed, true, __ATOMIC_SEQ_CST);
	if (!is_pinned(s, first, npages))
		return true;
	memslot_pins_open(s);
	return false;
}

void memslot_pins_open(const struct memslot *s)
{
	__atomic_store_n(&s->pins->closed, false, __ATOMIC_SEQ_CST);
}
