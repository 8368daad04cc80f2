// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/memslot_fuzz_model.h"

#include <errno.h>
#include <string.h>

#define USER_END 0x7ffffffff000ull

uint32_t model_id(unsigned as, unsigned number)
{
	return as << 16 | (number == MODEL_NUMBERS - 1 ? MEMSLOTS_MAX - 1 : number);
}

struct model_slot *model_by_id(struct model *m, uint32_t id)
{
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		for (unsigned i = 0; i < MODEL_NUMBERS; i++)
			if (model_id(as, i) == id)
				return &m->slot[as][i];
	return NULL;
}

/*
 * Finding.
 */

bool model_is_hidden(const struct model *m, const struct model_slot *s)
{
	return s->hva < m->gone_end && m->gone < s->hva + s->npages * GUEST_PAGE_SIZE;
}

static bool holds(const struct model_slot *s, uint64_t frame)
{
	return s->there && frame >= s->base && frame - s->base < s->npages;
}

struct model_slot *model_find(struct model *m, unsigned as, uint64_t frame)
{
	for (unsigned i = 0; i < MODEL_NUMBERS; i++)
		if (holds(&m->slot[as][i], frame) && !model_is_hidden(m, &m->slot[as][i]))
			return &m->slot[as][i];
	return NULL;
}

bool model_shows(const struct model *m, const struct model_slot *s, const uint8_t *hva)
{
	return s->there && !model_is_hidden(m, s) && hva >= s->hva &&
	       hva < s->hva + s->npages * GUEST_PAGE_SIZE;
}

struct model_overlay *model_overlay_at(struct model *m, uint64_t frame)
{
	for (unsigned i = 0; i < MODEL_OVERLAYS; i++)
		if (m->overlay[i].there && m->overlay[i].at == frame)
			return &m->overlay[i];
	return NULL;
}

/*
 * Changes.
 */

static bool bad_arguments(const struct memslot_request *r)
{
	uint32_t number = r->slot & 0xffff;

	return number >= MEMSLOTS_MAX || r->slot >> 16 >= MEMSLOT_ADDRESS_SPACES ||
	       (r->flags & ~(MEMSLOT_LOG_DIRTY | MEMSLOT_READONLY)) || r->size % GUEST_PAGE_SIZE ||
	       r->gpa % GUEST_PAGE_SIZE || r->hva % GUEST_PAGE_SIZE || r->size > USER_END ||
	       r->hva > USER_END - r->size || r->gpa + r->size < r->gpa ||
	       r->size / GUEST_PAGE_SIZE > MEMSLOT_MAX_PAGES;
}

static bool overlaps_another(struct model *m, const struct memslot_request *r)
{
	uint64_t base = r->gpa / GUEST_PAGE_SIZE, end = base + r->size / GUEST_PAGE_SIZE;

	for (unsigned i = 0; i < MODEL_NUMBERS; i++) {
		const struct model_slot *s = &m->slot[r->slot >> 16][i];

		if (s->there && model_id(r->slot >> 16, i) != r->slot && s->base < end &&
		    base < s->base + s->npages)
			return true;
	}
	return false;
}

static bool is_covered(struct model *m, uint32_t id, const struct model_slot *s)
{
	for (unsigned i = 0; !(id >> 16) && i < MODEL_OVERLAYS; i++)
		if (m->overlay[i].there && holds(s, m->overlay[i].at))
			return true;
	return false;
}

int model_check(struct model *m, const struct memslot_request *r, enum memslot_change *kind)
{
	uint64_t base = r->gpa / GUEST_PAGE_SIZE, npages = r->size / GUEST_PAGE_SIZE;
	const struct model_slot *s;

	if (bad_arguments(r))
		return -EINVAL;
	s = model_by_id(m, r->slot);
	if (!npages) {
		*kind = MEMSLOT_DELETE;
		if (!s->there)
			return -EINVAL;
		return is_covered(m, r->slot, s) ? -EBUSY : 0;
	}
	*kind = !s->there ? MEMSLOT_CREATE : base != s->base ? MEMSLOT_MOVE : MEMSLOT_FLAGS_ONLY;
	if (s->there && (r->hva != (uintptr_t)s->hva || npages != s->npages ||
			 (r->flags ^ s->flags) & MEMSLOT_READONLY))
		return -EINVAL;
	if (*kind == MEMSLOT_FLAGS_ONLY)
		return r->flags == s->flags ? MODEL_SAME : 0;
	if (overlaps_another(m, r))
		return -EEXIST;
	if (*kind == MEMSLOT_MOVE && is_covered(m, r->slot, s))
		return -EBUSY;
	return base + npages > MODEL_MAX_GFN ? -EINVAL : 0;
}

void model_tell(struct model *m, struct model_event event)
{
	if (m->tracked)
		m->event[m->nr_events++] = event;
}

/* Address space 1 is no matter of the trackers'. */
static void tell_change(struct model *m, const struct memslot_request *r, enum memslot_change kind,
			const struct model_slot *old)
{
	bool logged_now = r->flags & ~old->flags & MEMSLOT_LOG_DIRTY;

	if (r->slot >> 16)
		return;
	if (kind == MEMSLOT_DELETE)
		model_tell(m, (struct model_event){REMOVED, old->base, 0, old->npages});
	if (kind == MEMSLOT_MOVE)
		model_tell(m, (struct model_event){MOVED, old->base, r->gpa / GUEST_PAGE_SIZE,
						   old->npages});
	if (kind == MEMSLOT_FLAGS_ONLY && logged_now)
		model_tell(m, (struct model_event){FLUSHED, old->base, 0, old->npages});
}

void model_change(struct model *m, const struct memslot_request *r, enum memslot_change kind)
{
	struct model_slot *s = model_by_id(m, r->slot);
	bool logged_before = kind != MEMSLOT_CREATE && s->flags & MEMSLOT_LOG_DIRTY;

	tell_change(m, r, kind, s);
	if (kind == MEMSLOT_DELETE || kind == MEMSLOT_CREATE)
		memset(s, 0, sizeof(*s));
	if (kind == MEMSLOT_DELETE)
		return;
	s->there = true;
	s->base = r->gpa / GUEST_PAGE_SIZE;
	s->npages = r->size / GUEST_PAGE_SIZE;
	s->hva = (uint8_t *)(uintptr_t)r->hva;
	s->flags = r->flags;
	/* The log goes along with the slot as long as it is kept. */
	if (logged_before && r->flags & MEMSLOT_LOG_DIRTY)
		return;
	memset(s->kernel, 0, sizeof(s->kernel));
	for (uint64_t i = 0; i < s->npages; i++)
		s->dirty[i] =
			m->features & MEMSLOTS_INITIALLY_ALL_SET && s->flags & MEMSLOT_LOG_DIRTY;
}

/*
 * Writes.
 */

uint64_t model_written_event(struct gpa addr, uint64_t len)
{
	uint64_t x = (addr.v + 1) * 0x9e3779b97f4a7c15ull + len;

	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
}

/* One byte range in one page of one slot. */
static void write_page(struct model *m, struct model_slot *s, bool in_as0, uint64_t page,
		       unsigned offset, unsigned len)
{
	if (s->flags & MEMSLOT_LOG_DIRTY)
		s->dirty[page] = true;
	if (m->tracked && in_as0 && s->watched[page])
		m->written +=
			model_written_event(gpa((s->base + page) * GUEST_PAGE_SIZE + offset), len);
}

static unsigned in_this_page(uint64_t at, uint64_t end)
{
	uint64_t room = GUEST_PAGE_SIZE - at % GUEST_PAGE_SIZE;

	return end - at < room ? end - at : room;
}

void model_write(struct model *m, struct gpa addr, uint64_t len)
{
	for (uint64_t at = addr.v, end = at + len; at < end; at += in_this_page(at, end)) {
		struct model_slot *s = model_find(m, 0, at / GUEST_PAGE_SIZE);

		if (s)
			write_page(m, s, true, at / GUEST_PAGE_SIZE - s->base, at % GUEST_PAGE_SIZE,
				   in_this_page(at, end));
	}
}

/* A slot that is hidden for a moment is written as well: by who has found it before. */
void model_write_hva(struct model *m, const uint8_t *hva, uint64_t len)
{
	for (uintptr_t at = (uintptr_t)hva, end = at + len; at < end; at += in_this_page(at, end))
		for (unsigned i = 0; i < MEMSLOT_ADDRESS_SPACES * MODEL_NUMBERS; i++) {
			struct model_slot *s = &m->slot[i / MODEL_NUMBERS][i % MODEL_NUMBERS];
			uint64_t offset = at - (uintptr_t)s->hva;

			if (s->there && offset < s->npages * GUEST_PAGE_SIZE)
				write_page(m, s, i < MODEL_NUMBERS, offset / GUEST_PAGE_SIZE,
					   at % GUEST_PAGE_SIZE, in_this_page(at, end));
		}
}

/*
 * Caches.
 */

static unsigned add_piece(struct gpc_piece *pieces, unsigned nr, uint8_t *hva, uint32_t len)
{
	if (nr && pieces[nr - 1].hva + pieces[nr - 1].len == hva) {
		pieces[nr - 1].len += len;
		return nr;
	}
	pieces[nr] = (struct gpc_piece){hva, len};
	return nr + 1;
}

unsigned model_pieces(struct model *m, const struct model_cache *c,
		      struct gpc_piece pieces[MODEL_PIECES])
{
	unsigned nr = 0;

	if (!c->active)
		return 0;
	if (c->fixed) {
		bool hidden = c->fixed < m->gone_end && m->gone < c->fixed + c->part[0].len;

		return hidden ? 0 : add_piece(pieces, 0, c->fixed, c->part[0].len);
	}
	for (unsigned i = 0; i < c->nr_parts; i++) {
		uint64_t at = c->part[i].at.v, end = at + c->part[i].len;

		for (; at < end; at += in_this_page(at, end)) {
			struct model_slot *s = model_find(m, 0, at / GUEST_PAGE_SIZE);

			if (!s || s->flags & MEMSLOT_READONLY)
				return 0;
			nr = add_piece(pieces, nr, s->hva + (at - s->base * GUEST_PAGE_SIZE),
				       in_this_page(at, end));
		}
	}
	return nr;
}
