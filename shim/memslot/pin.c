// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/pin.h"

#include <stdlib.h>

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

/* They take memory where there are pins: what calloc() gives for many pages is not touched. */
uint32_t *memslot_pins_make_counts(const struct memslot *s)
{
	uint32_t *count = calloc(s->npages, sizeof(*count)), *first = NULL;

	if (!count || __atomic_compare_exchange_n(&s->pins->count, &first, count, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return count;
	free(count);
	return first;
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
		int rc = memslots_try_pin(set, hint, at, write, pin);

		memslots_leave();
		if (rc == -EAGAIN) {
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
