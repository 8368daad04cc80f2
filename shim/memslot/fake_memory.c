// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/fake_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/memslot/dirty_log.h"

/* Not as a test's failure: it may be on any thread, and what is to come makes no sense. */
static void must(bool good, const char *rule)
{
	if (good)
		return;
	fprintf(stderr, "fake_memory: not so: %s\n", rule);
	abort();
}

static bool fails(struct fake_memory *m, enum fake_memory_op op)
{
	m->calls[op]++;
	return m->fail_in[op] && !--m->fail_in[op];
}

static void check_caller(struct fake_memory *m)
{
	must(pthread_mutex_trylock(&m->slots.lock) == EBUSY, "the lock is held");
	must(!rcu_inside(), "not in a read section");
}

/*
 * The kernel's slots.
 */

static struct fake_kernel_slot *kernel_slot(struct fake_memory *m, uint32_t id)
{
	must(id >> 16 < MEMSLOT_ADDRESS_SPACES && (id & 0xffff) < MEMSLOTS_MAX, "a slot number");
	return &m->kernel[id >> 16][id & 0xffff];
}

static bool matches(const struct fake_kernel_slot *k, const struct memslot *s)
{
	return k->npages == s->npages && k->start == s->start.v && k->flags == s->flags &&
	       k->hva == s->hva;
}

/* The place in the order of the first slot that ends after `start`. */
static unsigned place_of(const struct fake_memory *m, unsigned as, uint64_t start)
{
	unsigned low = 0, high = m->nr[as];

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct fake_kernel_slot *k = &m->kernel[as][m->order[as][middle]];

		if (k->start + (k->npages << GUEST_PAGE_SHIFT) <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void take_out(struct fake_memory *m, uint32_t id)
{
	unsigned as = id >> 16, place = place_of(m, as, kernel_slot(m, id)->start);
	uint16_t *at = &m->order[as][place];

	must(*at == (id & 0xffff), "the fake's own books");
	m->nr[as]--;
	memmove(at, at + 1, (m->nr[as] - place) * sizeof(*at));
}

static void put_in(struct fake_memory *m, uint32_t id, uint64_t start, uint64_t size)
{
	unsigned as = id >> 16, place = place_of(m, as, start);
	uint16_t *at = &m->order[as][place];

	if (place < m->nr[as])
		must(m->kernel[as][*at].start >= start + size, "slots do not overlap");
	memmove(at + 1, at, (m->nr[as] - place) * sizeof(*at));
	*at = id & 0xffff;
	m->nr[as]++;
}

/* Nothing is taken away before the kernel has consented. */
static void check_still_there(struct fake_memory *m, const struct memslot *old)
{
	struct memslot_hint hint = {0};

	if (old->id >> 16)
		return;
	memslots_find(memslots_enter(&m->slots), &hint, old->start);
	memslots_leave();
	must(hint.slot == old, "the old slot is found while the kernel may refuse");
}

static void check_new(const struct memslot *new)
{
	must(new->npages && !gpa_offset(new->start), "a new slot has whole pages");
	must(!((uintptr_t) new->hva % GUEST_PAGE_SIZE), "at an aligned host address");
	must(!(new->flags &MEMSLOT_LOG_DIRTY) == !new->dirty, "a dirty log if it is logged");
	must(new->levels != NULL, "levels");
}

static void check_change(struct fake_memory *m, const struct memslot *old,
			 const struct memslot *new)
{
	check_caller(m);
	must(__atomic_load_n(&m->slots.changing, __ATOMIC_SEQ_CST), "`changing` is set");
	must(old || new, "a change has a slot");
	must(!old || !new || old->id == new->id, "a slot keeps its number");
	if (new)
		check_new(new);
	if (!old) {
		must(!kernel_slot(m, new->id)->npages, "a new slot was not there");
		return;
	}
	must(matches(kernel_slot(m, old->id), old), "the old slot is what the kernel has");
	check_still_there(m, old);
	must(!new || (new->hva == old->hva &&new->npages == old->npages),
	     "neither memory nor size of a slot changes");
}

static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	struct fake_memory *m = host;
	struct fake_kernel_slot *k = kernel_slot(m, old ? old->id : new->id);
	uint64_t *log = k->dirty;

	check_change(m, old, new);
	if (fails(m, FAKE_OP_SET_SLOT))
		return -m->fail_with[FAKE_OP_SET_SLOT];
	if (new && (new->flags &MEMSLOT_LOG_DIRTY) && !log) {
		log = calloc(dirty_log_words(new->npages), sizeof(*log));
		if (!log)
			return -ENOMEM;
	}
	if (old)
		take_out(m, old->id);
	if (new)
		put_in(m, new->id, new->start.v, new->npages << GUEST_PAGE_SHIFT);
	if (!new || !(new->flags &MEMSLOT_LOG_DIRTY)) {
		free(log);
		log = NULL;
	}
	if (new)
		*k = (struct fake_kernel_slot){new->start.v, new->npages, new->flags, new->hva,
					       log};
	else
		*k = (struct fake_kernel_slot){0};
	return 0;
}

/*
 * Its dirty logs.
 */

static struct fake_kernel_slot *logged_slot(struct fake_memory *m, const struct memslot *slot)
{
	struct fake_kernel_slot *k = kernel_slot(m, slot->id);

	check_caller(m);
	must(matches(k, slot) && k->dirty, "the kernel logs the slot");
	return k;
}

static int log_get(void *host, const struct memslot *slot, uint64_t *bits)
{
	struct fake_memory *m = host;
	struct fake_kernel_slot *k = logged_slot(m, slot);
	bool manual = m->slots.features & MEMSLOTS_MANUAL_PROTECT;

	if (fails(m, FAKE_OP_LOG_GET))
		return -m->fail_with[FAKE_OP_LOG_GET];
	for (uint64_t i = 0; i < dirty_log_words(k->npages); i++)
		bits[i] = manual ? __atomic_load_n(&k->dirty[i], __ATOMIC_ACQUIRE)
				 : __atomic_exchange_n(&k->dirty[i], 0, __ATOMIC_ACQUIRE);
	return 0;
}

static int log_clear(void *host, const struct memslot *slot, uint64_t first, uint64_t npages,
		     const uint64_t *bits)
{
	struct fake_memory *m = host;
	struct fake_kernel_slot *k = logged_slot(m, slot);

	must(m->slots.features & MEMSLOTS_MANUAL_PROTECT, "clearing needs manual protect");
	must(first % 64 == 0 && first <= k->npages && npages <= k->npages - first &&
		     (npages % 64 == 0 || first + npages == k->npages),
	     "a range of the log that the kernel takes");
	if (fails(m, FAKE_OP_LOG_CLEAR))
		return -m->fail_with[FAKE_OP_LOG_CLEAR];
	for (uint64_t i = 0; i < dirty_log_words(npages); i++)
		__atomic_fetch_and(&k->dirty[first / 64 + i], ~bits[i], __ATOMIC_ACQUIRE);
	return 0;
}

void fake_memory_guest_writes(struct fake_memory *m, uint32_t id, uint64_t page)
{
	struct fake_kernel_slot *k = kernel_slot(m, id);

	must(page < k->npages, "the guest writes to a page that it has");
	if (k->dirty && !(k->flags & MEMSLOT_READONLY))
		__atomic_fetch_or(&k->dirty[page / 64], 1ull << page % 64, __ATOMIC_RELEASE);
}

/*
 * Overlays. Mappings stay, contents change: a page is shown as it was when it was put there.
 */

static void show(struct fake_memory *m, uint8_t *hva, unsigned page)
{
	memcpy(hva, m->pages + page * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);
}

static struct fake_cover *cover_at(struct fake_memory *m, const uint8_t *hva)
{
	for (unsigned i = 0; i < FAKE_COVERS; i++)
		if (m->cover[i].hva == hva)
			return &m->cover[i];
	return NULL;
}

static struct fake_mapping *mapping_at(struct fake_memory *m, const uint8_t *hva)
{
	for (unsigned i = 0; i < FAKE_MAPPINGS; i++)
		if (m->mapping[i].hva == hva)
			return &m->mapping[i];
	return NULL;
}

static bool is_ram(const struct fake_memory *m, const uint8_t *hva)
{
	return hva >= m->ram && hva < m->ram + FAKE_RAM_PAGES * GUEST_PAGE_SIZE;
}

static void check_remap(struct fake_memory *m, const uint8_t *hva)
{
	struct memslot_hint hint = {0};

	check_caller(m);
	must(__atomic_load_n(&m->slots.changing, __ATOMIC_SEQ_CST), "`changing` is set");
	must(hva && (uintptr_t)hva % GUEST_PAGE_SIZE == 0 && (is_ram(m, hva) || mapping_at(m, hva)),
	     "a page of the RAM, or of page_map");
	must(!memslots_find_hva(memslots_enter(&m->slots), &hint, hva),
	     "nobody finds memory whose mapping changes");
	memslots_leave();
}

/* What is kept of the RAM at hva, as the caller should know it. */
static bool is_aside(struct fake_memory *m, const uint8_t *hva, const void *aside)
{
	const struct fake_cover *c = cover_at(m, hva);

	if (!is_ram(m, hva)) /* none is, so the caller says anything */
		return aside != NULL;
	return aside == (c ? c->aside : NULL);
}

static int keep_aside(struct fake_memory *m, uint8_t *hva, unsigned page, void **aside)
{
	struct fake_cover *c = cover_at(m, NULL);

	must(c != NULL, "not more than FAKE_COVERS");
	*aside = malloc(GUEST_PAGE_SIZE);
	if (!*aside)
		return -ENOMEM;
	memcpy(*aside, hva, GUEST_PAGE_SIZE);
	*c = (struct fake_cover){hva, *aside, page};
	return 0;
}

static int cover(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct fake_memory *m = host;

	check_remap(m, hva);
	must(page < FAKE_OVERLAY_PAGES, "a page number of the hypervisor's");
	must(is_aside(m, hva, *aside), "`aside` of a page");
	if (fails(m, FAKE_OP_COVER))
		return -m->fail_with[FAKE_OP_COVER];
	if (!*aside) {
		if (keep_aside(m, hva, page, aside))
			return -ENOMEM;
	} else if (is_ram(m, hva)) {
		cover_at(m, hva)->page = page;
	} else {
		mapping_at(m, hva)->page = page;
	}
	show(m, hva, page);
	return 0;
}

static int uncover(void *host, uint8_t *hva, void *aside)
{
	struct fake_memory *m = host;

	check_remap(m, hva);
	must(is_ram(m, hva) && aside && is_aside(m, hva, aside), "`aside` of a covered page");
	if (fails(m, FAKE_OP_UNCOVER))
		return -m->fail_with[FAKE_OP_UNCOVER];
	memcpy(hva, aside, GUEST_PAGE_SIZE);
	free(aside);
	*cover_at(m, hva) = (struct fake_cover){0};
	return 0;
}

/* The page at hva stays what it is; that others show the same memory is not modelled. */
static int lend(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct fake_memory *m = host;

	check_remap(m, hva);
	must(page < FAKE_OVERLAY_PAGES, "a page number of the hypervisor's");
	must(is_ram(m, hva) && !*aside && !cover_at(m, hva), "RAM that is not covered");
	if (fails(m, FAKE_OP_LEND))
		return -m->fail_with[FAKE_OP_LEND];
	return keep_aside(m, hva, page, aside);
}

static int take_back(void *host, uint8_t *hva, unsigned page, void *aside)
{
	struct fake_memory *m = host;

	check_remap(m, hva);
	must(is_ram(m, hva) && aside && is_aside(m, hva, aside), "`aside` of a lent page");
	must(cover_at(m, hva)->page == page, "the page that was lent");
	if (fails(m, FAKE_OP_TAKE_BACK))
		return -m->fail_with[FAKE_OP_TAKE_BACK];
	free(aside);
	*cover_at(m, hva) = (struct fake_cover){0};
	return 0;
}

static uint8_t *page_map(void *host, unsigned page)
{
	struct fake_memory *m = host;
	struct fake_mapping *at = mapping_at(m, NULL);

	check_caller(m);
	must(page < FAKE_OVERLAY_PAGES, "a page number of the hypervisor's");
	must(at != NULL, "not more than FAKE_MAPPINGS");
	if (fails(m, FAKE_OP_PAGE_MAP))
		return NULL;
	at->hva = aligned_alloc(GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);
	at->page = page;
	if (at->hva)
		show(m, at->hva, page);
	return at->hva;
}

static void page_unmap(void *host, uint8_t *hva)
{
	struct fake_memory *m = host;
	struct fake_mapping *at = hva ? mapping_at(m, hva) : NULL;
	struct memslot_hint hint = {0};

	check_caller(m);
	must(at != NULL, "what is unmapped was mapped");
	must(!memslots_find_hva(memslots_enter(&m->slots), &hint, hva), "nobody finds it any more");
	memslots_leave();
	free(hva);
	*at = (struct fake_mapping){0};
}

/*
 * Tests' view.
 */

static uint8_t *make_pages(unsigned nr, uint8_t first)
{
	uint8_t *pages = aligned_alloc(GUEST_PAGE_SIZE, (size_t)nr * GUEST_PAGE_SIZE);

	for (unsigned i = 0; pages && i < nr; i++)
		memset(pages + i * GUEST_PAGE_SIZE, first + i, GUEST_PAGE_SIZE);
	return pages;
}

struct fake_memory *fake_memory_create(uint32_t features)
{
	static const struct memslot_ops ops = {
		.set_slot = set_slot,
		.log_get = log_get,
		.log_clear = log_clear,
		.cover = cover,
		.uncover = uncover,
		.lend = lend,
		.take_back = take_back,
		.page_map = page_map,
		.page_unmap = page_unmap,
	};
	struct fake_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ram = make_pages(FAKE_RAM_PAGES, 0);
	m->pages = make_pages(FAKE_OVERLAY_PAGES, 0xf0);
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++) {
		m->kernel[as] = calloc(MEMSLOTS_MAX, sizeof(m->kernel[as][0]));
		m->order[as] = calloc(MEMSLOTS_MAX, sizeof(m->order[as][0]));
		must(m->kernel[as] && m->order[as], "memory for the fake itself");
	}
	must(m->ram && m->pages && !memslots_init(&m->slots, &ops, m, features),
	     "memory for the fake itself");
	return m;
}

void fake_memory_destroy(struct fake_memory *m)
{
	memslots_destroy(&m->slots);
	for (unsigned as = 0; as < MEMSLOT_ADDRESS_SPACES; as++) {
		for (unsigned i = 0; i < m->nr[as]; i++)
			free(m->kernel[as][m->order[as][i]].dirty);
		free(m->kernel[as]);
		free(m->order[as]);
	}
	for (unsigned i = 0; i < FAKE_COVERS; i++)
		free(m->cover[i].aside);
	for (unsigned i = 0; i < FAKE_MAPPINGS; i++)
		free(m->mapping[i].hva);
	free(m->ram);
	free(m->pages);
	free(m);
}

void fake_memory_fail(struct fake_memory *m, enum fake_memory_op op, unsigned n, int error)
{
	m->fail_in[op] = n;
	m->fail_with[op] = error;
}

unsigned fake_memory_calls(const struct fake_memory *m)
{
	unsigned sum = 0;

	for (unsigned op = 0; op < FAKE_MEMORY_OPS; op++)
		sum += m->calls[op];
	return sum;
}

int fake_memory_set(struct fake_memory *m, uint32_t id, uint32_t flags, struct gfn base,
		    uint64_t npages, const uint8_t *hva)
{
	struct memslot_request r = {
		.slot = id,
		.flags = flags,
		.gpa = gfn_to_gpa(base).v,
		.size = npages << GUEST_PAGE_SHIFT,
		.hva = (uintptr_t)hva,
	};

	return memslots_set_slot(&m->slots, &r);
}

int fake_memory_delete(struct fake_memory *m, uint32_t id)
{
	return fake_memory_set(m, id, 0, gfn(0), 0, NULL);
}

int fake_memory_set_ram(struct fake_memory *m, uint32_t flags)
{
	return fake_memory_set(m, 0, flags, gfn(0), FAKE_RAM_PAGES, m->ram);
}

const struct memslot *fake_memory_slot(struct fake_memory *m, uint32_t id)
{
	const struct memslot *slot;

	pthread_mutex_lock(&m->slots.lock);
	slot = memslots_by_id(&m->slots, id);
	pthread_mutex_unlock(&m->slots.lock);
	return slot;
}

uint64_t fake_memory_generation(struct fake_memory *m)
{
	uint64_t generation = memslots_enter(&m->slots)->generation;

	memslots_leave();
	return generation;
}
