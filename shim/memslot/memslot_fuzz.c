// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random changes of slots, overlays, mappings, trackers and caches, with failures of the machinery
 * and of allocations, done to the real thing and to a model of plain arrays. After each step they
 * agree on every look-up, result, event and count, and on whether there is a new generation.
 *
 * The input is read front to back; where it ends everything is 0, so any bytes are a program.
 */
#include "shim/memslot/memslot_fuzz.h"

#include <errno.h>
#include <string.h>

#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/overlay.h"

#define MAX_STEPS 150

_Alignas(GUEST_PAGE_SIZE) uint8_t host_memory[HOST_PAGES][GUEST_PAGE_SIZE];
_Alignas(GUEST_PAGE_SIZE) uint8_t shadow_memory[HOST_PAGES][GUEST_PAGE_SIZE];

#define UNCOVERED 0xff

/* The page of the hypervisor's that covers a page. */
static uint8_t *cover_of(struct fuzz *f, const uint8_t *hva)
{
	return &f->cover[(hva - host_memory[0]) / GUEST_PAGE_SIZE];
}

uint8_t take(struct fuzz *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->next++;
}

unsigned pick(struct fuzz *f, unsigned n)
{
	return take(f) % n;
}

/*
 * The machinery.
 */

/* 0 or rc, which is a failure then. */
static int may_fail(struct fuzz *f, int rc)
{
	if (!f->fail || (f->skip && f->skip--))
		return 0;
	f->failure = rc;
	return rc;
}

/* The kernel is asked when all else is certain, and knows what we have told it before. */
static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	struct fuzz *f = host;
	const struct model_slot *s = model_by_id(&f->m, old ? old->id : new->id);

	must(s->there == !!old, "the kernel has a slot or has none");
	must(!old || (old->start.v == s->base * GUEST_PAGE_SIZE && old->npages == s->npages &&
		      old->hva == s->hva && old->flags == s->flags),
	     "the old slot is the one that was there");
	return may_fail(f, -EIO);
}

static int log_get(void *host, const struct memslot *slot, uint64_t *bits)
{
	struct fuzz *f = host;
	struct model_slot *s = model_by_id(&f->m, slot->id);
	int rc = may_fail(f, -EIO);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < s->npages; i++)
		bits[i / 64] |= (uint64_t)s->kernel[i] << i % 64;
	return 0;
}

static int log_clear(void *host, const struct memslot *slot, uint64_t first, uint64_t npages,
		     const uint64_t *bits)
{
	struct fuzz *f = host;

	(void)bits;
	must(f->m.features & MEMSLOTS_MANUAL_PROTECT, "only with manual protect");
	must(first % 64 == 0 && npages <= slot->npages && first <= slot->npages - npages,
	     "a range in the slot");
	return may_fail(f, -EIO);
}

static int cover(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct fuzz *f = host;
	bool own = hva >= host_memory[MODEL_PAGES];
	int rc;

	must(own || !*aside == (*cover_of(f, hva) == UNCOVERED), "RAM is put aside once");
	rc = may_fail(f, -EIO);
	if (rc)
		return rc;
	*cover_of(f, hva) = page;
	if (!*aside)
		*aside = hva;
	return 0;
}

static int uncover(void *host, uint8_t *hva, void *aside)
{
	struct fuzz *f = host;
	int rc;

	must(aside == hva && *cover_of(f, hva) < MODEL_SHOWN, "it is covered");
	rc = may_fail(f, -EIO);
	if (rc)
		return rc;
	*cover_of(f, hva) = UNCOVERED;
	return 0;
}

static uint8_t *page_map(void *host, unsigned page)
{
	struct fuzz *f = host;
	unsigned i = 0;

	if (may_fail(f, -ENOMEM))
		return NULL;
	while (f->own_used[i])
		i++;
	f->own_used[i] = true;
	f->mapped = host_memory[MODEL_PAGES + i];
	*cover_of(f, f->mapped) = page;
	return f->mapped;
}

static void page_unmap(void *host, uint8_t *hva)
{
	struct fuzz *f = host;

	f->own_used[(hva - host_memory[MODEL_PAGES]) / GUEST_PAGE_SIZE] = false;
}

static const struct memslot_ops ops = {
	.set_slot = set_slot,
	.log_get = log_get,
	.log_clear = log_clear,
	.cover = cover,
	.uncover = uncover,
	.page_map = page_map,
	.page_unmap = page_unmap,
};

/*
 * The tracker.
 */

static struct fuzz *fuzz_of(struct tracker *t)
{
	return (struct fuzz *)(void *)((char *)t - offsetof(struct fuzz, tracker));
}

static int veto(struct tracker *t, enum memslot_change change, const struct memslot *old,
		const struct memslot *new)
{
	struct fuzz *f = fuzz_of(t);

	must((change == MEMSLOT_CREATE) == !old && (change == MEMSLOT_DELETE) == !new, "veto");
	return -f->veto;
}

static void note(struct tracker *t, struct model_event event)
{
	struct fuzz *f = fuzz_of(t);

	must(f->nr_events < MODEL_EVENTS, "not so many events");
	f->event[f->nr_events++] = event;
}

static void flush(struct tracker *t, struct gfn base, uint64_t npages)
{
	note(t, (struct model_event){FLUSHED, base.v, 0, npages});
}

static void removed(struct tracker *t, struct gfn base, uint64_t npages)
{
	note(t, (struct model_event){REMOVED, base.v, 0, npages});
}

static void moved(struct tracker *t, struct gfn from, struct gfn to, uint64_t npages)
{
	note(t, (struct model_event){MOVED, from.v, to.v, npages});
}

static void written(struct tracker *t, struct gpa addr, uint64_t len)
{
	fuzz_of(t)->written += model_written_event(addr, len);
}

/*
 * Comparing.
 */

static void compare_frame(struct fuzz *f, const struct memslot_set *set, uint64_t frame)
{
	const struct model_slot *s = model_find(&f->m, 0, frame);
	uint8_t *expected = s ? s->hva + (frame - s->base) * GUEST_PAGE_SIZE : NULL;
	struct memslot_hint fresh = {0};
	struct gpa at = gfn_to_gpa(gfn(frame));
	uint64_t rest = s ? (s->base + s->npages - frame) * GUEST_PAGE_SIZE : GUEST_PAGE_SIZE;
	unsigned watched = s && f->m.tracked ? s->watched[frame - s->base] : 0;
	struct range r;

	must(memslots_hva(set, &fresh, at, rest, false) == expected, "frame %lx", frame);
	must(!memslots_hva(set, &fresh, at, rest + 1, false), "frame %lx: no more", frame);
	must(memslots_hva(set, &f->by_gpa, at, 1, false) == expected, "frame %lx, hint", frame);
	must(!memslots_hva(set, &f->by_gpa, at, 1, true) == (!s || s->flags & MEMSLOT_READONLY),
	     "frame %lx, for writing", frame);
	must(tracker_watched(&f->slots, gfn(frame)) == watched, "frame %lx watched", frame);

	s = model_find(&f->m, 1, frame);
	must(range_index_find(set->by_gpa[1], at.v, &r) == !!s, "frame %lx in 1", frame);
	must(!s || r.to - r.start == (uintptr_t)s->hva - s->base * GUEST_PAGE_SIZE,
	     "frame %lx in 1", frame);
}

/* Several slots may show a page: any of them will do. */
static void compare_page(struct fuzz *f, const struct memslot_set *set, const uint8_t *hva)
{
	struct memslot_hint fresh = {0}, *hints[] = {&fresh, &f->by_hva};
	bool shown = false;

	for (unsigned i = 0; i < MEMSLOT_ADDRESS_SPACES * MODEL_NUMBERS; i++)
		shown |= model_shows(&f->m, &f->m.slot[i / MODEL_NUMBERS][i % MODEL_NUMBERS], hva);
	for (unsigned i = 0; i < ARRAY_SIZE(hints); i++) {
		const struct memslot_hint *h = memslots_find_hva(set, hints[i], hva);
		const struct model_slot *s;

		must(!h == !shown, "page %p", hva);
		if (!h)
			continue;
		s = model_by_id(&f->m, h->slot->id);
		must(model_shows(&f->m, s, hva) && s->base * GUEST_PAGE_SIZE == h->start &&
			     s->hva == h->hva,
		     "page %p", hva);
	}
}

static void compare_edges(struct fuzz *f, const struct memslot_set *set, const struct model_slot *s)
{
	if (!s->there)
		return;
	if (s->base)
		compare_frame(f, set, s->base - 1);
	compare_frame(f, set, s->base);
	compare_frame(f, set, s->base + s->npages - 1);
	compare_frame(f, set, s->base + s->npages);
	compare_page(f, set, s->hva - 1);
	compare_page(f, set, s->hva);
	compare_page(f, set, s->hva + s->npages * GUEST_PAGE_SIZE - 1);
	compare_page(f, set, s->hva + s->npages * GUEST_PAGE_SIZE);
}

static void compare_everywhere(struct fuzz *f, const struct memslot_set *set)
{
	for (uint64_t i = 0; i < FRAMES + 2 * MODEL_PAGES; i++)
		compare_frame(f, set, FIRST_FRAME - MODEL_PAGES + i);
	compare_frame(f, set, MODEL_MAX_GFN - 1);
	compare_frame(f, set, MODEL_MAX_GFN);
	compare_frame(f, set, 0);
	for (unsigned i = 0; i < HOST_PAGES; i++)
		compare_page(f, set, host_memory[i] + i);
}

/* Where slots begin and end, and here and there; everywhere from time to time. */
void compare_slots(struct fuzz *f)
{
	const struct memslot_set *set = memslots_enter(&f->slots);
	unsigned some = f->step * 37;

	for (unsigned i = 0; i < MEMSLOT_ADDRESS_SPACES * MODEL_NUMBERS; i++)
		compare_edges(f, set, &f->m.slot[i / MODEL_NUMBERS][i % MODEL_NUMBERS]);
	compare_frame(f, set, FIRST_FRAME + some % FRAMES);
	compare_page(f, set, host_memory[some % HOST_PAGES]);
	if (f->step % 16 == 15)
		compare_everywhere(f, set);
	memslots_leave();
}

/* What a cache gives is what the model says; who may not sleep gets that or nothing. */
static void compare_cache(struct fuzz *f, unsigned i)
{
	struct gpc *gpc = &f->cache[i];
	struct gpc_piece pieces[MODEL_PIECES];
	unsigned nr = model_pieces(&f->m, &f->model_cache[i], pieces), found = 0;
	uint8_t *one = nr == 1 ? pieces[0].hva : NULL, *p = gpc_lock_nosleep(gpc);
	const struct gpc_piece *got;
	struct gpa at = {0};

	must(!p || p == one, "cache %u, nosleep", i);
	if (p)
		gpc_unlock(gpc);
	p = gpc_lock(gpc);
	must(p == one, "cache %u: %p %p", i, p, one);
	if (p)
		gpc_unlock(gpc);
	got = gpc_lock_pieces(gpc, &found);
	must(!got == !nr && found == nr, "cache %u: %u pieces, not %u", i, found, nr);
	for (unsigned n = 0; n < nr; n++)
		must(got[n].hva == pieces[n].hva && got[n].len == pieces[n].len,
		     "cache %u, piece %u", i, n);
	if (got)
		gpc_unlock_pieces(gpc, false);
	got = gpc_lock_pieces_nosleep(gpc, &found); /* it is fresh now */
	must(!got == !nr, "cache %u, pieces, nosleep", i);
	if (got)
		gpc_unlock_pieces(gpc, false);
	must(gpc_is_active(gpc) == f->model_cache[i].active, "cache %u is active", i);
	must(gpc_gpa(gpc, &at) == (f->model_cache[i].active && !f->model_cache[i].fixed) &&
		     at.v == (at.v ? f->model_cache[i].part[0].at.v : 0),
	     "cache %u is somewhere", i);
}

static void compare_events(struct fuzz *f)
{
	must(f->nr_events == f->m.nr_events, "%u events, not %u", f->nr_events, f->m.nr_events);
	for (unsigned i = 0; i < f->nr_events; i++) {
		const struct model_event *a = &f->event[i], *b = &f->m.event[i];

		must(a->kind == b->kind && a->base == b->base && a->to == b->to &&
			     a->npages == b->npages,
		     "event %u", i);
	}
	must(f->written == f->m.written, "writes that the tracker was told of");
	f->nr_events = f->m.nr_events = 0;
}

static void compare_overlays(struct fuzz *f)
{
	for (unsigned i = 0; i < MODEL_OVERLAYS; i++) {
		const struct model_overlay *o = &f->m.overlay[i];
		const struct model_slot *s = model_find(&f->m, 0, o->at);

		if (!o->there)
			continue;
		must(overlay_at(&f->slots, gfn(o->at)) == (int)o->page, "overlay at %lx", o->at);
		must(*cover_of(f, s->hva + (o->at - s->base) * GUEST_PAGE_SIZE) == o->page,
		     "what is seen at %lx", o->at);
	}
}

/* Writes are told of when somebody wants to know, and else cost nothing. */
static void compare_watched(struct fuzz *f)
{
	bool wanted = f->m.tracked;

	for (unsigned i = 0; i < MEMSLOT_ADDRESS_SPACES * MODEL_NUMBERS; i++) {
		const struct model_slot *s = &f->m.slot[i / MODEL_NUMBERS][i % MODEL_NUMBERS];

		wanted |= s->there && s->flags & MEMSLOT_LOG_DIRTY;
	}
	must(memslots_current(&f->slots)->watched == wanted, "watched");
}

void compare(struct fuzz *f, bool changed)
{
	uint64_t generation = memslots_current(&f->slots)->generation;

	must(!f->slots.changing, "the change has ended");
	must(changed ? generation > f->highest : generation == f->generation,
	     "generation %lu after %lu", generation, f->generation);
	f->generation = generation;
	if (f->highest < generation)
		f->highest = generation;
	compare_watched(f);
	compare_slots(f);
	for (unsigned i = 0; i < CACHES; i++)
		compare_cache(f, i);
	compare_events(f);
	compare_overlays(f);
}

/*
 * Failures.
 */

void arm(struct fuzz *f)
{
	unsigned how = take(f);

	f->fail = how % 8 == 1;
	f->skip = how / 8 % 2;
	f->failure = 0;
	f->veto = how % 8 == 2 && f->m.tracked ? EPERM : 0;
	f->fail_alloc = how % 8 == 3 ? 1 + how / 8 : 0;
	fail_alloc(f->fail_alloc);
}

bool disarm(struct fuzz *f, int rc, int expected)
{
	bool no_memory = f->fail_alloc && fail_alloc_seen() >= f->fail_alloc;

	fail_alloc(0);
	f->fail = false;
	f->veto = 0;
	if (no_memory)
		expected = -ENOMEM;
	else if (f->failure && !expected)
		expected = f->failure;
	must(rc == expected, "%d, not %d", rc, expected);
	return !rc;
}

/*
 * The run.
 */

static void set_up(struct fuzz *f, const uint8_t *data, size_t size)
{
	unsigned features;

	memset(f, 0, sizeof(*f));
	f->next = data;
	f->left = size;
	features = pick(f, 4);
	f->m.features = (features & 1 ? MEMSLOTS_MANUAL_PROTECT : 0) |
			(features & 2 ? MEMSLOTS_INITIALLY_ALL_SET : 0);
	memset(f->cover, UNCOVERED, sizeof(f->cover));
	f->tracker = (struct tracker){veto, flush, removed, moved, written};
	if (memslots_init(&f->slots, &ops, f, f->m.features))
		abort();
	f->generation = f->highest = memslots_current(&f->slots)->generation;
	for (unsigned i = 0; i < CACHES; i++)
		gpc_init(&f->cache[i], &f->slots);
}

static void tear_down(struct fuzz *f)
{
	compare_everywhere(f, memslots_enter(&f->slots));
	memslots_leave();
	if (f->m.tracked)
		tracker_unregister(&f->slots, &f->tracker);
	must(overlay_hide_all(&f->slots) == 0, "hide all");
	for (unsigned i = 0; i < MODEL_OWN; i++)
		must(!f->own_used[i], "mapping %u", i);
	for (unsigned i = 0; i < CACHES; i++)
		gpc_destroy(&f->cache[i]);
	memslots_destroy(&f->slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;
	struct fuzz *f = &fuzz;

	set_up(f, data, size);
	for (f->step = 0; f->left && f->step < MAX_STEPS; f->step++)
		fuzz_steps[pick(f, fuzz_nr_steps)](f);
	tear_down(f);
	return 0;
}
