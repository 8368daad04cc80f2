// SPDX-License-Identifier: BSD-2-Clause
/*
 * What memslot_fuzz does: each step to the real thing and to the model.
 */
#include "shim/memslot/memslot_fuzz.h"

#include <errno.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/overlay.h"

/*
 * Slots.
 */

static uint64_t some_frame(struct fuzz *f)
{
	unsigned way = take(f);

	return way == 255 ? MODEL_MAX_GFN - 1 - pick(f, 3) : FIRST_FRAME + way % FRAMES;
}

static unsigned some_number(struct fuzz *f)
{
	unsigned way = take(f);

	return way == 255 ? MODEL_NUMBERS - 1 : way % 6;
}

/* Where another slot ends, in the guest's memory and in ours. */
static unsigned go_on(struct fuzz *f, struct memslot_request *r, unsigned otherwise)
{
	const struct model_slot *s = &f->m.slot[r->slot >> 16][pick(f, 4)];
	uint64_t page = (s->hva - (uint8_t *)host_memory) / GUEST_PAGE_SIZE + s->npages;

	if (!s->there || page >= MODEL_PAGES)
		return otherwise;
	r->gpa = (s->base + s->npages) * GUEST_PAGE_SIZE;
	return page;
}

/* Most requests are possible: those about a slot that is there start from what it is. */
static struct memslot_request some_request(struct fuzz *f)
{
	unsigned as = pick(f, 4) == 3, what = take(f);
	struct memslot_request r = {.slot = model_id(as, some_number(f)), .flags = what % 4};
	const struct model_slot *s = model_by_id(&f->m, r.slot);

	r.gpa = some_frame(f) * GUEST_PAGE_SIZE;
	if (!s->there || what / 4 % 8 == 7) {
		unsigned page = pick(f, MODEL_PAGES);

		if (what >= 192)
			page = go_on(f, &r, page);
		r.size = (1 + take(f) % (MODEL_PAGES - page)) * (uint64_t)GUEST_PAGE_SIZE;
		r.hva = (uintptr_t)host_memory[page];
	} else {
		r.hva = (uintptr_t)s->hva;
		r.size = s->npages * GUEST_PAGE_SIZE;
		r.flags = (what & MEMSLOT_LOG_DIRTY) | (s->flags & MEMSLOT_READONLY);
		if (what / 4 % 8 < 2)
			r.size = 0;
		else if (what / 4 % 8 < 4)
			r.gpa = s->base * GUEST_PAGE_SIZE;
	}
	return r;
}

/* One value that is wrong, or may be. */
static void spoil(struct fuzz *f, struct memslot_request *r)
{
	uint64_t bit = 1ull << take(f) % 64;

	switch (pick(f, 5)) {
	case 0:
		r->slot ^= (uint32_t)bit & 0x3ffff;
		if (!model_by_id(&f->m, r->slot)) /* the model has not got all the numbers */
			r->slot |= 0x8000;
		break;
	case 1:
		r->flags ^= (uint32_t)bit;
		break;
	case 2:
		r->gpa ^= bit;
		break;
	case 3:
		r->size ^= bit;
		break;
	default:
		r->hva ^= bit;
	}
}

/* What the model cannot hold is not asked for, unless it is refused anyway. */
static bool fits_model(struct fuzz *f, const struct memslot_request *r)
{
	enum memslot_change kind;

	if (model_check(&f->m, r, &kind) || kind != MEMSLOT_CREATE)
		return true;
	return r->hva >= (uintptr_t)host_memory[0] &&
	       r->hva + r->size <= (uintptr_t)host_memory[MODEL_PAGES];
}

static void change_slot(struct fuzz *f)
{
	struct memslot_request r = some_request(f);
	enum memslot_change kind = 0;
	int expected, rc;

	if (pick(f, 8) == 7)
		spoil(f, &r);
	if (!fits_model(f, &r))
		return;
	expected = model_check(&f->m, &r, &kind);
	arm(f);
	if (!expected && f->veto)
		expected = -f->veto;
	rc = memslots_set_slot(&f->slots, &r);
	if (disarm(f, rc, expected == MODEL_SAME ? 0 : expected) && !expected) {
		model_change(&f->m, &r, kind);
		compare(f, true);
	} else {
		compare(f, false);
	}
}

/*
 * Overlays and remapping.
 */

static struct model_overlay *free_overlay(struct fuzz *f)
{
	for (unsigned i = 0; i < MODEL_OVERLAYS; i++)
		if (!f->m.overlay[i].there)
			return &f->m.overlay[i];
	return NULL;
}

static uint8_t *page_at(const struct model_slot *s, uint64_t frame)
{
	return s->hva + (frame - s->base) * GUEST_PAGE_SIZE;
}

/* Two frames that are the same page of the host's cannot both be covered. */
static bool covered_by_another(struct fuzz *f, const uint8_t *hva)
{
	for (unsigned i = 0; i < MODEL_OVERLAYS; i++) {
		const struct model_overlay *o = &f->m.overlay[i];

		if (o->there && o->own < 0 && page_at(model_find(&f->m, 0, o->at), o->at) == hva)
			return true;
	}
	return false;
}

/* What the guest sees at a frame with memory is another page. */
static void seen_anew(struct fuzz *f, uint64_t at)
{
	struct model_slot *s = model_find(&f->m, 0, at);

	if (s->flags & MEMSLOT_LOG_DIRTY)
		s->dirty[at - s->base] = true;
	model_tell(&f->m, (struct model_event){FLUSHED, at, 0, 1});
}

static struct memslot_request own_slot(struct fuzz *f, unsigned number, uint64_t at)
{
	return (struct memslot_request){
		.slot = model_id(0, number),
		.gpa = at * GUEST_PAGE_SIZE,
		.size = GUEST_PAGE_SIZE,
		.hva = (uintptr_t)f->mapped,
	};
}

static void show_anew(struct fuzz *f, struct model_overlay *o, uint64_t at, unsigned page, bool ram)
{
	*o = (struct model_overlay){true, at, page, -1};
	if (!ram) {
		struct memslot_request r;

		o->own = 0;
		while (f->m.slot[0][o->own].there)
			o->own++;
		r = own_slot(f, o->own, at);
		model_change(&f->m, &r, MEMSLOT_CREATE);
	} else {
		seen_anew(f, at);
	}
}

/* Another frame that is the same page of the host's as one with an overlay, if there is one. */
static uint64_t frame_of_covered_page(struct fuzz *f, uint64_t otherwise)
{
	const struct model_overlay *o = &f->m.overlay[pick(f, 4)];
	const struct model_slot *s = o->there ? model_find(&f->m, 0, o->at) : NULL;

	for (unsigned i = 0; s && i < MODEL_NUMBERS; i++) {
		const struct model_slot *other = &f->m.slot[0][i];

		if (other != s && model_shows(&f->m, other, page_at(s, o->at)))
			return other->base + (page_at(s, o->at) - other->hva) / GUEST_PAGE_SIZE;
	}
	return otherwise;
}

static void show_overlay(struct fuzz *f)
{
	unsigned way = pick(f, 16);
	uint64_t frame = some_frame(f) + (way == 15);
	uint64_t at = way < 4 ? frame_of_covered_page(f, frame) : frame;
	unsigned page = pick(f, MODEL_SHOWN);
	struct model_overlay *o = model_overlay_at(&f->m, at), *new = free_overlay(f);
	struct model_slot *ram = model_find(&f->m, 0, at);
	bool same = o && o->page == page;
	int expected = 0, rc;

	if (!o && !new)
		return;
	arm(f);
	if (at >= MODEL_MAX_GFN)
		expected = -EINVAL;
	else if (!o && ram && covered_by_another(f, page_at(ram, at)))
		expected = -EBUSY;
	else if (!o && !ram)
		expected = -f->veto;
	rc = overlay_show(&f->slots, page, gfn(at));
	if (!disarm(f, rc, expected)) {
		compare(f, false);
		return;
	}
	if (!o) {
		show_anew(f, new, at, page, ram);
	} else if (!same) {
		o->page = page;
		seen_anew(f, at);
	}
	compare(f, !same);
}

static void hide_overlay(struct fuzz *f)
{
	struct model_overlay *o = &f->m.overlay[pick(f, MODEL_OVERLAYS)];
	uint64_t at = o->there ? o->at : some_frame(f);
	int expected, rc;

	o = model_overlay_at(&f->m, at);
	arm(f);
	expected = !o ? -ENOENT : o->own >= 0 ? -f->veto : 0;
	rc = overlay_hide(&f->slots, gfn(at));
	if (!disarm(f, rc, expected) || !o) {
		compare(f, false);
		return;
	}
	o->there = false;
	if (o->own >= 0) {
		const struct memslot_request r = {.slot = model_id(0, o->own)};

		model_change(&f->m, &r, MEMSLOT_DELETE);
	} else {
		seen_anew(f, at);
	}
	compare(f, true);
}

/* Who is in a section gets what is not being remapped, or nothing, and at once. */
static void use_cache_meanwhile(struct fuzz *f, unsigned i)
{
	struct gpc_piece pieces[MODEL_PIECES];
	unsigned nr = model_pieces(&f->m, &f->model_cache[i], pieces);
	uint8_t *one = nr == 1 ? pieces[0].hva : NULL, *p = gpc_lock_nosleep(&f->cache[i]);
	int expected = !f->model_cache[i].active ? -EINVAL : nr ? 0 : -EAGAIN;

	must(!p || p == one, "cache %u, nosleep", i);
	if (p)
		gpc_unlock(&f->cache[i]);
	rcu_enter();
	p = gpc_lock(&f->cache[i]);
	must(p == one, "cache %u: %p, not %p", i, p, one);
	if (p)
		gpc_unlock(&f->cache[i]);
	must(gpc_refresh_maysleep(&f->cache[i]) == expected, "cache %u", i);
	rcu_leave();
}

static void write_hva(struct fuzz *f, unsigned page, unsigned offset, unsigned len)
{
	const struct memslot_set *set = memslots_enter(&f->slots);

	memslots_written_hva(set, host_memory[page] + offset, len);
	memslots_leave();
	model_write_hva(&f->m, host_memory[page] + offset, len);
}

static void remap(struct fuzz *f)
{
	unsigned page = pick(f, MODEL_PAGES - 4), nr = 1 + pick(f, 4), how = take(f);
	bool changed = how & 1;

	arm(f);
	if (!disarm(f, memslots_remap_begin(&f->slots, host_memory[page], nr * GUEST_PAGE_SIZE),
		    0)) {
		compare(f, false);
		return;
	}
	f->m.gone = host_memory[page];
	f->m.gone_end = host_memory[page + nr];
	must(memslots_current(&f->slots)->generation > f->highest, "a generation of its own");
	f->highest = memslots_current(&f->slots)->generation;
	compare_slots(f);
	for (unsigned i = 0; i < CACHES; i++)
		use_cache_meanwhile(f, i);
	if (how & 2) /* one whom begin has waited for */
		write_hva(f, page + nr / 2, how * 8, 100);
	f->m.gone = f->m.gone_end = NULL;
	memslots_remap_end(&f->slots, changed);
	compare(f, changed);
}

/*
 * Trackers.
 */

static void track(struct fuzz *f)
{
	bool on = pick(f, 4);
	int expected = on == f->m.tracked ? on ? -EEXIST : -ENOENT : 0, rc;

	arm(f);
	f->veto = 0;
	rc = on ? tracker_register(&f->slots, &f->tracker)
		: tracker_unregister(&f->slots, &f->tracker);
	if (disarm(f, rc, expected))
		f->m.tracked = on;
	compare(f, false);
}

/* As if it had been watched very often. */
static void watch_often(struct fuzz *f, struct model_slot *s, uint64_t frame)
{
	struct memslot_hint hint = {0};

	if (!s->watched[frame - s->base])
		return;
	memslots_find(memslots_enter(&f->slots), &hint, gfn_to_gpa(gfn(frame)));
	hint.slot->write_track[frame - s->base] = UINT16_MAX - 1;
	s->watched[frame - s->base] = UINT16_MAX - 1;
	memslots_leave();
}

static void watch(struct fuzz *f)
{
	uint64_t frame = some_frame(f);
	struct model_slot *s = model_find(&f->m, 0, frame);
	unsigned how = pick(f, 16);
	bool off = how % 4 == 0;
	int expected = 0, rc;

	if (s && f->m.tracked && how == 15)
		watch_often(f, s, frame);
	if (!s || !f->m.tracked)
		expected = -EINVAL;
	else if (s->watched[frame - s->base] == (off ? 0 : UINT16_MAX))
		expected = -ERANGE;
	rc = off ? tracker_unwatch(&f->slots, gfn(frame)) : tracker_watch(&f->slots, gfn(frame));
	must(rc == expected, "%d, not %d", rc, expected);
	if (!rc)
		s->watched[frame - s->base] += off ? -1 : 1;
	compare(f, false);
}

/*
 * Dirty logs.
 */

static void mark(struct fuzz *f)
{
	unsigned offset = take(f) * 16, len = take(f) * 48, by_hva = pick(f, 2);
	uint64_t frame = some_frame(f);

	if (by_hva) {
		write_hva(f, frame % (MODEL_PAGES - 4), offset, len);
	} else if (frame < MODEL_MAX_GFN - MODEL_PAGES) {
		struct gpa at = gpa(frame * GUEST_PAGE_SIZE + offset);

		memslots_written(memslots_enter(&f->slots), at, len);
		memslots_leave();
		model_write(&f->m, at, len);
	}
	compare(f, false);
}

static void guest_write(struct fuzz *f)
{
	struct model_slot *s = model_by_id(&f->m, model_id(pick(f, 4) == 3, some_number(f)));
	unsigned page = take(f);

	if (s->there && page < s->npages && s->flags == MEMSLOT_LOG_DIRTY)
		s->kernel[page] = true;
}

/* A slot, or a number that there cannot be; what asking for its log says. */
static int some_log(struct fuzz *f, uint32_t *id, struct model_slot **s)
{
	unsigned way = take(f);

	*id = model_id(way & 1, some_number(f));
	if (way > 250)
		*id = way & 1 ? 2u << 16 : MEMSLOTS_MAX;
	*s = model_by_id(&f->m, *id);
	if (!*s)
		return -EINVAL;
	return (*s)->there && (*s)->flags & MEMSLOT_LOG_DIRTY ? 0 : -ENOENT;
}

#define WORDS ((MODEL_PAGES + 63) / 64)

static void get_log(struct fuzz *f)
{
	uint64_t bits[WORDS];
	struct model_slot *s;
	uint32_t id;
	int expected = some_log(f, &id, &s);

	memset(bits, 0xa5, sizeof(bits));
	arm(f);
	if (!disarm(f, dirty_log_get(&f->slots, id, bits), expected))
		return;
	for (uint64_t i = 0; i < dirty_log_words(s->npages) * 64; i++) {
		bool bit = bits[i / 64] >> i % 64 & 1;

		must(bit == (i < s->npages && (s->dirty[i] || s->kernel[i])), "page %lu is %d", i,
		     bit);
		if (i < s->npages && !(f->m.features & MEMSLOTS_MANUAL_PROTECT))
			s->dirty[i] = s->kernel[i] = false;
	}
}

static bool is_log_range(const struct model_slot *s, uint64_t first, uint64_t npages)
{
	return first <= s->npages &&
	       (npages == s->npages - first || (npages < s->npages - first && npages % 64 == 0));
}

static void clear_log(struct fuzz *f)
{
	uint64_t bits[WORDS + 2] = {take(f) * 0x0123456789abcdefull, take(f) * 0x11111ull};
	uint64_t first = pick(f, 4) * 64, npages = take(f);
	struct model_slot *s;
	uint32_t id;
	int expected = some_log(f, &id, &s);

	if (npages & 1) /* else it is seldom right */
		npages = s && first < s->npages ? s->npages - first : 64;
	if (pick(f, 16) == 1)
		first++;
	if (!(f->m.features & MEMSLOTS_MANUAL_PROTECT))
		expected = -ENXIO;
	else if (first % 64 || (!expected && !is_log_range(s, first, npages)))
		expected = -EINVAL;
	arm(f);
	if (!disarm(f, dirty_log_clear(&f->slots, id, first, npages, bits), expected))
		return;
	for (uint64_t i = 0; i < npages; i++)
		if (bits[i / 64] >> i % 64 & 1)
			s->dirty[first + i] = s->kernel[first + i] = false;
}

/*
 * Caches.
 */

static struct gpc_part some_part(struct fuzz *f)
{
	uint64_t at = some_frame(f) * GUEST_PAGE_SIZE + take(f) * 16;

	return (struct gpc_part){gpa(at), take(f) * 60};
}

/* An activation has been asked for; `a` is what shall be. */
static void activated(struct fuzz *f, unsigned i, int rc, int expected, const struct model_cache *a)
{
	if (disarm(f, rc, expected))
		f->model_cache[i] = *a;
	compare(f, false);
}

static void activate(struct fuzz *f)
{
	struct model_cache a = {.active = true, .nr_parts = 1};
	unsigned i = pick(f, CACHES);
	struct gpc_part part = some_part(f);
	int expected;

	if (pick(f, 16) == 15) /* to the end of the address space, or beyond */
		part.at = gpa(UINT64_MAX - part.len + pick(f, 2));
	expected = !part.len || part.at.v + part.len < part.at.v ? -EINVAL : 0;
	a.part[0] = part;
	arm(f);
	activated(f, i, gpc_activate(&f->cache[i], part.at, part.len), expected, &a);
}

static void activate_parts(struct fuzz *f)
{
	struct model_cache a = {.active = true, .nr_parts = pick(f, MODEL_PARTS + 1)};
	unsigned i = pick(f, CACHES);
	int expected = a.nr_parts ? 0 : -EINVAL;

	for (unsigned n = 0; n < a.nr_parts; n++) {
		a.part[n] = some_part(f);
		if (n && pick(f, 4) == 0) /* where the one before it ends */
			a.part[n].at.v = a.part[n - 1].at.v + a.part[n - 1].len;
		if (!a.part[n].len)
			expected = -EINVAL;
	}
	arm(f);
	activated(f, i, gpc_activate_parts(&f->cache[i], a.part, a.nr_parts), expected, &a);
}

static void activate_hva(struct fuzz *f)
{
	struct model_cache a = {.active = true, .nr_parts = 1};
	unsigned i = pick(f, CACHES);

	a.fixed = host_memory[pick(f, MODEL_PAGES - 5)] + take(f) * 16;
	a.part[0].len = take(f) * 60;
	arm(f);
	activated(f, i, gpc_activate_hva(&f->cache[i], a.fixed, a.part[0].len),
		  a.part[0].len ? 0 : -EINVAL, &a);
}

static void deactivate(struct fuzz *f)
{
	unsigned i = pick(f, CACHES);

	gpc_deactivate(&f->cache[i]);
	f->model_cache[i].active = false;
	compare(f, false);
}

static uint8_t *shadow_of(const uint8_t *hva)
{
	return (uint8_t *)shadow_memory + (hva - (uint8_t *)host_memory);
}

/* The part of the area that lies in a piece which begins at `start`: as gpc_write() sees it. */
static void write_piece(struct fuzz *f, const struct gpc_piece *piece, uint64_t start,
			uint64_t offset, uint64_t len, const uint8_t *from)
{
	uint64_t first = offset > start ? offset : start, end = start + piece->len;
	uint8_t *hva = piece->hva + (first - start);

	if (end > offset + len)
		end = offset + len;
	if (first >= end)
		return;
	memcpy(shadow_of(hva), from + (first - offset), end - first);
	model_write_hva(&f->m, hva, end - first);
}

static void write_cache(struct fuzz *f)
{
	unsigned i = pick(f, CACHES);
	uint32_t offset = take(f) * 32, len = take(f) * 64;
	struct gpc_piece pieces[MODEL_PIECES];
	unsigned nr = model_pieces(&f->m, &f->model_cache[i], pieces);
	static uint8_t data[256 * 64], got[256 * 64];
	uint64_t whole = 0;
	bool fits;

	for (unsigned n = 0; n < nr; n++)
		whole += pieces[n].len;
	if (len > whole)
		len = pick(f, 2) ? len : whole;
	fits = nr && offset + (uint64_t)len <= whole;
	for (uint32_t n = 0; n < len; n++)
		data[n] = n + f->step;
	must(gpc_write(&f->cache[i], offset, data, len) == fits, "%u+%u of %lu", offset, len,
	     whole);
	must(gpc_read(&f->cache[i], offset, got, len) == fits, "%u+%u of %lu", offset, len, whole);
	for (uint64_t n = 0, start = 0; fits && n < nr; start += pieces[n++].len)
		write_piece(f, &pieces[n], start, offset, len, data);
	for (unsigned n = 0; fits && n < nr; n++)
		must(!memcmp(pieces[n].hva, shadow_of(pieces[n].hva), pieces[n].len),
		     "piece %u holds what was written", n);
	compare(f, false);
}

void (*const fuzz_steps[])(struct fuzz *f) = {
	change_slot,  change_slot, change_slot,    change_slot,  change_slot, show_overlay,
	hide_overlay, remap,       remap,          track,        watch,       watch,
	mark,         mark,        guest_write,    get_log,      get_log,     clear_log,
	activate,     activate,    activate_parts, activate_hva, deactivate,  write_cache,
};
const unsigned fuzz_nr_steps = ARRAY_SIZE(fuzz_steps);
