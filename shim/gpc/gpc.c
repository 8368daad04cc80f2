// SPDX-License-Identifier: BSD-2-Clause
/*
 * Three ways to use an area, quickest first: gpc_lock() in the header, when the slots have not
 * changed; gpc_lock_slowly(), which brings the cache up to date; and by pieces, under the cache's
 * own lock. That lock is held while pieces are used but never while waiting for a change of slots.
 */
#include "shim/gpc/gpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gpc_init(struct gpc *gpc, struct memslots *slots)
{
	*gpc = (struct gpc){.slots = slots};
	gpc->parts = gpc->inline_parts;
	gpc->pieces = gpc->inline_pieces;
	pthread_mutex_init(&gpc->lock, NULL);
}

/*
 * What an activation needs, made before anything is changed. As many pieces as pages are the worst
 * case: each in a slot of its own.
 */
struct area {
	struct gpc_part *parts;
	struct gpc_piece *pieces;
	unsigned nr_parts;
	uint32_t len;
	void *fixed;
};

static void free_area(const struct gpc *gpc, struct gpc_part *parts, struct gpc_piece *pieces)
{
	if (parts != gpc->inline_parts)
		free(parts);
	if (pieces != gpc->inline_pieces)
		free(pieces);
}

void gpc_destroy(struct gpc *gpc)
{
	free_area(gpc, gpc->parts, gpc->pieces);
	pthread_mutex_destroy(&gpc->lock);
}

static uint64_t pages_touched(struct gpa at, uint64_t len)
{
	return (gpa_offset(at) + len + GUEST_PAGE_SIZE - 1) >> GUEST_PAGE_SHIFT;
}

/* Add up the parts. -EINVAL: one is empty or wraps, or it is more than a length can say. */
static int measure(const struct gpc_part *parts, unsigned nr, uint32_t *len, uint64_t *pages)
{
	uint64_t sum = 0;

	*pages = 0;
	for (unsigned i = 0; i < nr; i++) {
		if (!parts[i].len || parts[i].at.v + parts[i].len < parts[i].at.v)
			return -EINVAL;
		sum += parts[i].len;
		*pages += pages_touched(parts[i].at, parts[i].len);
	}
	*len = sum;
	return sum && sum <= UINT32_MAX ? 0 : -EINVAL;
}

/* Of the inline arrays nobody may be reading when they are filled: set_area() does it. */
static int make_area(const struct gpc *gpc, const struct gpc_part *parts, unsigned nr,
		     struct area *a)
{
	uint64_t pages;
	int rc = measure(parts, nr, &a->len, &pages);

	if (rc)
		return rc;
	a->nr_parts = nr;
	a->parts = nr > GPC_INLINE ? calloc(nr, sizeof(a->parts[0])) : NULL;
	a->pieces = pages > GPC_INLINE ? calloc(pages, sizeof(a->pieces[0])) : NULL;
	if ((nr > GPC_INLINE && !a->parts) || (pages > GPC_INLINE && !a->pieces)) {
		free_area(gpc, a->parts, a->pieces);
		return -ENOMEM;
	}
	return 0;
}

/* Under gpc->lock: no area any more, for those who come. */
static void forget(struct gpc *gpc)
{
	gpc->nr_pieces = 0;
	__atomic_store_n(&gpc->generation, GPC_NEVER, __ATOMIC_RELAXED);
	__atomic_store_n(&gpc->hva, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&gpc->active, false, __ATOMIC_RELAXED);
}

/*
 * Let no new users in and wait for those of the old area, so that no pointer and no length of it
 * meets the new one. Under memslots.lock, which serialises activations.
 */
static void retire(struct gpc *gpc)
{
	bool was_active;

	pthread_mutex_lock(&gpc->lock);
	was_active = gpc->active;
	forget(gpc);
	pthread_mutex_unlock(&gpc->lock);
	if (was_active)
		rcu_synchronize();
}

static void set_area(struct gpc *gpc, const struct area *a, const struct gpc_part *parts)
{
	pthread_mutex_lock(&gpc->lock);
	free_area(gpc, gpc->parts, gpc->pieces);
	gpc->parts = a->parts ? a->parts : gpc->inline_parts;
	gpc->pieces = a->pieces ? a->pieces : gpc->inline_pieces;
	gpc->nr_parts = a->nr_parts;
	memcpy(gpc->parts, parts, a->nr_parts * sizeof(parts[0]));
	gpc->len = a->len;
	gpc->fixed = a->fixed;
	__atomic_store_n(&gpc->active, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&gpc->lock);
}

static int activate(struct gpc *gpc, const struct gpc_part *parts, unsigned nr, void *fixed)
{
	struct area a = {.fixed = fixed};
	int rc = make_area(gpc, parts, nr, &a);

	if (rc)
		return rc;
	pthread_mutex_lock(&gpc->slots->lock);
	retire(gpc);
	set_area(gpc, &a, parts);
	pthread_mutex_unlock(&gpc->slots->lock);
	gpc_refresh_maysleep(gpc); /* that there is no memory is no error */
	return 0;
}

int gpc_activate_parts(struct gpc *gpc, const struct gpc_part *parts, unsigned nr_parts)
{
	return activate(gpc, parts, nr_parts, NULL);
}

int gpc_activate(struct gpc *gpc, struct gpa addr, uint32_t len)
{
	const struct gpc_part part = {addr, len};

	return activate(gpc, &part, 1, NULL);
}

int gpc_activate_hva(struct gpc *gpc, void *hva, uint32_t len)
{
	const struct gpc_part part = {gpa((uintptr_t)hva), len};

	return hva ? activate(gpc, &part, 1, hva) : -EINVAL;
}

void gpc_deactivate(struct gpc *gpc)
{
	pthread_mutex_lock(&gpc->slots->lock);
	retire(gpc);
	pthread_mutex_unlock(&gpc->slots->lock);
}

bool gpc_gpa(struct gpc *gpc, struct gpa *out)
{
	bool known;

	pthread_mutex_lock(&gpc->lock);
	known = gpc->active && !gpc->fixed;
	if (known)
		*out = gpc->parts[0].at;
	pthread_mutex_unlock(&gpc->lock);
	return known;
}

/*
 * Bringing a cache up to date: under gpc->lock, in a read section.
 */

/* One more piece, or a longer last one when it goes on there. */
static void add_piece(struct gpc *gpc, uint8_t *hva, uint32_t len)
{
	struct gpc_piece *last = &gpc->pieces[gpc->nr_pieces];

	if (gpc->nr_pieces && last[-1].hva + last[-1].len == hva)
		last[-1].len += len;
	else
		gpc->pieces[gpc->nr_pieces++] = (struct gpc_piece){hva, len};
}

/* The pieces of one part, which slots may divide. False: some of it has no memory, or is ROM. */
static bool find_part(struct gpc *gpc, const struct memslot_set *set, struct gpa at, uint32_t len)
{
	struct memslot_hint hint = {0};

	while (len) {
		const struct memslot_hint *slot = memslots_find(set, &hint, at);
		uint64_t offset, run;

		if (!slot || slot->slot->flags & MEMSLOT_READONLY)
			return false;
		offset = at.v - slot->start;
		run = slot->size - offset < len ? slot->size - offset : len;
		add_piece(gpc, slot->hva + offset, run);
		at.v += run;
		len -= run;
	}
	return true;
}

static bool find_fixed(struct gpc *gpc, const struct memslot_set *set)
{
	uint64_t start = (uintptr_t)gpc->fixed;

	if (start < set->gone_end && set->gone < start + gpc->len)
		return false;
	add_piece(gpc, gpc->fixed, gpc->len);
	return true;
}

static bool find_all(struct gpc *gpc, const struct memslot_set *set)
{
	if (gpc->fixed)
		return find_fixed(gpc, set);
	for (unsigned i = 0; i < gpc->nr_parts; i++)
		if (!find_part(gpc, set, gpc->parts[i].at, gpc->parts[i].len))
			return false;
	return true;
}

static bool is_fresh(const struct gpc *gpc, const struct memslot_set *set)
{
	return gpc->generation == set->generation;
}

static void bring_up_to_date(struct gpc *gpc, const struct memslot_set *set)
{
	gpc->nr_pieces = 0;
	if (!find_all(gpc, set))
		gpc->nr_pieces = 0;
	/* Who sees the generation sees the pointer that belongs to it, or a later one: and with
	 * that, that its memory has been mapped. */
	__atomic_store_n(&gpc->hva, gpc->nr_pieces == 1 ? gpc->pieces[0].hva : NULL,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&gpc->generation, set->generation, __ATOMIC_RELEASE);
}

/* As bring() below, but for the waiting. *generation: what it was looked up in. */
static int refresh(struct gpc *gpc, uint64_t *generation, unsigned *nr_pieces)
{
	const struct memslot_set *set;
	int rc = -EINVAL;

	pthread_mutex_lock(&gpc->lock);
	set = memslots_enter(gpc->slots);
	*generation = set->generation;
	if (gpc->active) {
		if (!is_fresh(gpc, set))
			bring_up_to_date(gpc, set);
		rc = gpc->nr_pieces ? 0 : -EFAULT;
		*nr_pieces = gpc->nr_pieces;
	}
	memslots_leave();
	pthread_mutex_unlock(&gpc->lock);
	return rc;
}

/* As gpc_refresh_maysleep; *nr_pieces: what the area has at that moment. */
static int bring(struct gpc *gpc, unsigned *nr_pieces)
{
	uint64_t generation;
	int rc;

	do {
		rc = refresh(gpc, &generation, nr_pieces);
	} while (rc == -EFAULT && memslots_retry(gpc->slots, generation));
	if (rc == -EFAULT && rcu_inside() &&
	    __atomic_load_n(&gpc->slots->changing, __ATOMIC_RELAXED))
		return -EAGAIN;
	return rc;
}

int gpc_refresh_maysleep(struct gpc *gpc)
{
	unsigned nr_pieces;

	return bring(gpc, &nr_pieces);
}

/*
 * In one piece.
 */

/* In a read section. */
static void *fresh_pointer(const struct gpc *gpc, const struct memslot_set *set)
{
	if (__atomic_load_n(&gpc->generation, __ATOMIC_ACQUIRE) != set->generation)
		return NULL;
	return __atomic_load_n(&gpc->hva, __ATOMIC_ACQUIRE);
}

void *gpc_lock_nosleep(struct gpc *gpc)
{
	void *hva = fresh_pointer(gpc, memslots_enter(gpc->slots));

	if (!hva)
		memslots_leave();
	return hva;
}

/*
 * gpc_lock has entered a section and not found what it needs. That the pointer is NULL does not say
 * why: another thread may have looked while a change hid the memory. So it is bring() that decides.
 */
void *gpc_lock_slowly(struct gpc *gpc)
{
	unsigned nr_pieces;

	memslots_leave();
	while (!bring(gpc, &nr_pieces) && nr_pieces == 1) {
		void *hva = fresh_pointer(gpc, memslots_enter(gpc->slots));

		if (hva)
			return hva;
		memslots_leave();
	}
	return NULL;
}

/*
 * In pieces.
 */

/* With gpc->lock held: enter a section if all pieces are known in it. */
static bool enter_with_pieces(struct gpc *gpc)
{
	if (gpc->active && is_fresh(gpc, memslots_enter(gpc->slots)) && gpc->nr_pieces)
		return true;
	if (gpc->active)
		memslots_leave();
	return false;
}

static const struct gpc_piece *pieces_or_unlock(struct gpc *gpc, unsigned *nr)
{
	if (enter_with_pieces(gpc)) {
		*nr = gpc->nr_pieces;
		return gpc->pieces;
	}
	pthread_mutex_unlock(&gpc->lock);
	return NULL;
}

const struct gpc_piece *gpc_lock_pieces_nosleep(struct gpc *gpc, unsigned *nr)
{
	return pthread_mutex_trylock(&gpc->lock) ? NULL : pieces_or_unlock(gpc, nr);
}

const struct gpc_piece *gpc_lock_pieces(struct gpc *gpc, unsigned *nr)
{
	for (;;) {
		const struct gpc_piece *pieces;

		pthread_mutex_lock(&gpc->lock);
		pieces = pieces_or_unlock(gpc, nr);
		if (pieces)
			return pieces;
		if (gpc_refresh_maysleep(gpc))
			return NULL;
	}
}

void gpc_unlock_pieces(struct gpc *gpc, bool written)
{
	const struct memslot_set *set = memslots_current(gpc->slots);

	for (unsigned i = 0; written && i < gpc->nr_pieces; i++)
		memslots_written_hva(set, gpc->pieces[i].hva, gpc->pieces[i].len);
	memslots_leave();
	pthread_mutex_unlock(&gpc->lock);
}

/*
 * Copies.
 */

/* The part of a piece that lies in [offset, offset + len) of the area; `start` is the piece's. */
static bool overlap(const struct gpc_piece *piece, uint64_t start, uint64_t offset, uint64_t len,
		    struct gpc_piece *out)
{
	uint64_t from = offset > start ? offset - start : 0;
	uint64_t to = offset + len < start + piece->len ? offset + len - start : piece->len;

	if (offset + len <= start || from >= piece->len)
		return false;
	*out = (struct gpc_piece){piece->hva + from, to - from};
	return true;
}

bool gpc_read(struct gpc *gpc, uint32_t offset, void *to, uint32_t len)
{
	unsigned nr;
	const struct gpc_piece *pieces = gpc_lock_pieces(gpc, &nr);
	bool fits = pieces && (uint64_t)offset + len <= gpc->len;
	uint8_t *next = to;
	struct gpc_piece part;
	uint64_t start = 0;

	for (unsigned i = 0; fits && i < nr; start += pieces[i++].len) {
		if (!overlap(&pieces[i], start, offset, len, &part))
			continue;
		memcpy(next, part.hva, part.len);
		next += part.len;
	}
	if (pieces)
		gpc_unlock_pieces(gpc, false);
	return fits;
}

bool gpc_write_pieces(struct gpc *gpc, uint32_t offset, const void *from, uint32_t len)
{
	const struct memslot_set *set = memslots_current(gpc->slots);
	bool fits = (uint64_t)offset + len <= gpc->len;
	const uint8_t *next = from;
	struct gpc_piece part;
	uint64_t start = 0;

	for (unsigned i = 0; fits && i < gpc->nr_pieces; start += gpc->pieces[i++].len) {
		if (!overlap(&gpc->pieces[i], start, offset, len, &part))
			continue;
		memcpy(part.hva, next, part.len);
		memslots_written_hva(set, part.hva, part.len);
		next += part.len;
	}
	return fits;
}

bool gpc_write(struct gpc *gpc, uint32_t offset, const void *from, uint32_t len)
{
	unsigned nr;
	bool fits;

	if (!gpc_lock_pieces(gpc, &nr))
		return false;
	fits = gpc_write_pieces(gpc, offset, from, len);
	gpc_unlock_pieces(gpc, false);
	return fits;
}
