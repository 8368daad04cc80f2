// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/dirty_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/internal.h"

/* What we have written. What the guest has written the kernel knows, until we ask. */
struct dirty_log {
	uint64_t words;
	uint64_t bits[]; /* atomic */
};

struct dirty_log *dirty_log_create(uint64_t npages, bool all_set)
{
	uint64_t words = dirty_log_words(npages);
	struct dirty_log *log = calloc(1, sizeof(*log) + words * sizeof(log->bits[0]));

	if (!log)
		return NULL;
	log->words = words;
	if (all_set) {
		memset(log->bits, 0xff, words * sizeof(log->bits[0]));
		if (npages % 64)
			log->bits[words - 1] = (1ull << npages % 64) - 1;
	}
	return log;
}

void dirty_log_free(struct dirty_log *log)
{
	free(log);
}

/*
 * Also when the bit is set already. To look first would be cheaper, but a processor may look before
 * what was written to the page is visible: a getter could take the bit, and copy the page without
 * the write.
 */
static void set_bits(uint64_t *word, uint64_t bits)
{
	__atomic_fetch_or(word, bits, __ATOMIC_RELEASE);
}

void dirty_log_mark(struct dirty_log *log, uint64_t first, uint64_t last)
{
	for (uint64_t word = first / 64; word <= last / 64; word++) {
		uint64_t bits = UINT64_MAX;

		if (word == first / 64)
			bits &= UINT64_MAX << first % 64;
		if (word == last / 64)
			bits &= UINT64_MAX >> (63 - last % 64);
		set_bits(&log->bits[word], bits);
	}
}

/* The slot whose log is meant. Under the lock. */
static int find_logged(const struct memslots *slots, uint32_t id, const struct memslot **out)
{
	if (memslot_number(id) >= MEMSLOTS_MAX || memslot_as(id) >= MEMSLOT_ADDRESS_SPACES)
		return -EINVAL;
	*out = memslots_by_id(slots, id);
	return *out && (*out)->dirty ? 0 : -ENOENT;
}

/*
 * The kernel first: its call may fail, and then ours have not been touched.
 */
static int get(struct memslots *slots, const struct memslot *slot, uint64_t *bits)
{
	struct dirty_log *log = slot->dirty;
	bool manual = slots->features & MEMSLOTS_MANUAL_PROTECT;
	int rc;

	memset(bits, 0, log->words * sizeof(bits[0]));
	rc = slots->ops->log_get(slots->host, slot, bits);
	if (rc)
		return rc;
	for (uint64_t i = 0; i < log->words; i++) {
		if (manual)
			bits[i] |= __atomic_load_n(&log->bits[i], __ATOMIC_ACQUIRE);
		else if (__atomic_load_n(&log->bits[i], __ATOMIC_RELAXED))
			bits[i] |= __atomic_exchange_n(&log->bits[i], 0, __ATOMIC_ACQUIRE);
	}
	return 0;
}

int dirty_log_get(struct memslots *slots, uint32_t id, uint64_t *bits)
{
	const struct memslot *slot;
	int rc;

	pthread_mutex_lock(&slots->lock);
	rc = find_logged(slots, id, &slot);
	if (!rc)
		rc = get(slots, slot, bits);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}

static int check_range(const struct memslot *slot, uint64_t first, uint64_t npages)
{
	if (first > slot->npages || npages > slot->npages - first)
		return -EINVAL;
	return npages < slot->npages - first && npages % 64 ? -EINVAL : 0;
}

static int clear(struct memslots *slots, const struct memslot *slot, uint64_t first,
		 uint64_t npages, const uint64_t *bits)
{
	uint64_t *word = &slot->dirty->bits[first / 64];
	int rc = slots->ops->log_clear(slots->host, slot, first, npages, bits);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < dirty_log_words(npages); i++)
		if (bits[i])
			__atomic_fetch_and(&word[i], ~bits[i], __ATOMIC_ACQUIRE);
	return 0;
}

int dirty_log_clear(struct memslots *slots, uint32_t id, uint64_t first, uint64_t npages,
		    const uint64_t *bits)
{
	const struct memslot *slot;
	int rc;

	if (!(slots->features & MEMSLOTS_MANUAL_PROTECT))
		return -ENXIO;
	pthread_mutex_lock(&slots->lock);
	rc = first % 64 ? -EINVAL : find_logged(slots, id, &slot);
	if (!rc)
		rc = check_range(slot, first, npages);
	if (!rc)
		rc = clear(slots, slot, first, npages, bits);
	pthread_mutex_unlock(&slots->lock);
	return rc;
}
