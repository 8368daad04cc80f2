// SPDX-License-Identifier: BSD-2-Clause
#include "shim/reservation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/domain.h"
#include "shim/memslot/overlay.h"

void reservation_init(struct reservation *r)
{
	pthread_mutex_init(&r->lock, NULL);
}

void reservation_destroy(struct reservation *r)
{
	for (unsigned i = 0; i < r->nr_ranges; i++)
		free(r->range[i].gone);
	pthread_mutex_destroy(&r->lock);
}

static size_t bitmap_words(uint64_t npages)
{
	return (npages + 63) / 64;
}

int domain_add_ram(struct domain *d, struct gfn base, uint64_t npages)
{
	struct reservation *r = &d->reservation;
	uint64_t *gone;

	if (r->nr_ranges == RESERVATION_RANGES_MAX)
		return -ENOSPC;
	/* Big ones cost nothing until pages are given back. */
	gone = calloc(bitmap_words(npages), sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	r->range[r->nr_ranges++] = (struct ram_range){base.v, npages, gone};
	r->pages += npages;
	return 0;
}

void domain_set_memory_target(struct domain *d, uint64_t pages)
{
	struct reservation *r = &d->reservation;

	pthread_mutex_lock(&r->lock);
	r->target = pages;
	r->max = pages + RESERVATION_SLACK;
	pthread_mutex_unlock(&r->lock);
}

static uint64_t all_ram(const struct reservation *r)
{
	uint64_t npages = 0;

	for (unsigned i = 0; i < r->nr_ranges; i++)
		npages += r->range[i].npages;
	return npages;
}

void domain_memory(struct domain *d, struct domain_memory *m)
{
	struct reservation *r = &d->reservation;

	pthread_mutex_lock(&r->lock);
	*m = (struct domain_memory){
		.pages = r->pages, .target = r->target, .max = r->max, .ram = all_ram(r)};
	pthread_mutex_unlock(&r->lock);
}

/* The piece of RAM that holds all of these frames; NULL: none does. */
static const struct ram_range *range_of(const struct reservation *r, uint64_t first,
					uint64_t npages)
{
	for (unsigned i = 0; i < r->nr_ranges; i++) {
		const struct ram_range *range = &r->range[i];
		uint64_t offset = first - range->first;

		if (offset < range->npages && npages <= range->npages - offset)
			return range;
	}
	return NULL;
}

static uint64_t *word_of(const struct ram_range *range, uint64_t page, uint64_t *bit)
{
	uint64_t offset = page - range->first;

	*bit = 1ull << offset % 64;
	return &range->gone[offset / 64];
}

static bool is_gone(const struct ram_range *range, uint64_t page)
{
	uint64_t bit, *word = word_of(range, page, &bit);

	return __atomic_load_n(word, __ATOMIC_ACQUIRE) & bit;
}

static void set_gone(struct reservation *r, const struct ram_range *range, uint64_t page)
{
	uint64_t bit, *word = word_of(range, page, &bit);

	__atomic_store_n(&r->some_gone, true, __ATOMIC_RELEASE);
	__atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
	if (page < r->first_gone)
		r->first_gone = page;
}

static void set_there(const struct ram_range *range, uint64_t page)
{
	uint64_t bit, *word = word_of(range, page, &bit);

	__atomic_fetch_and(word, ~bit, __ATOMIC_RELEASE);
}

bool domain_page_populated(const struct domain *d, struct gfn page)
{
	const struct ram_range *range = range_of(&d->reservation, page.v, 1);

	return !range || !is_gone(range, page.v);
}

/* Bits `first` to `end` - 1 of a bitmap, a word at a time. */
static uint64_t count_bits(const uint64_t *words, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	while (first < end) {
		uint64_t bits = __atomic_load_n(&words[first / 64], __ATOMIC_ACQUIRE);
		unsigned n = 64 - first % 64;

		if (n > end - first)
			n = end - first;
		bits = bits >> first % 64 & UINT64_MAX >> (64 - n);
		count += __builtin_popcountll(bits);
		first += n;
	}
	return count;
}

uint64_t domain_count_populated(const struct domain *d, struct gfn base, uint64_t npages)
{
	const struct ram_range *range = range_of(&d->reservation, base.v, npages);
	uint64_t first;

	if (!range)
		return 0;
	first = base.v - range->first;
	return npages - count_bits(range->gone, first, first + npages);
}

/*
 * Pages side by side, of which the machinery is told at once: one at a time would cost more than
 * all the rest. Balloon drivers name them upwards or downwards.
 */
struct run {
	struct domain *d;
	void (*tell)(struct domain *d, uint64_t first, uint64_t npages);
	uint64_t first, end;
};

static void run_end(struct run *run)
{
	if (run->end > run->first)
		run->tell(run->d, run->first, run->end - run->first);
	run->first = run->end = 0;
}

static void run_add(struct run *run, uint64_t page)
{
	if (run->end > run->first && page == run->end) {
		run->end++;
	} else if (run->end > run->first && page + 1 == run->first) {
		run->first--;
	} else {
		run_end(run);
		run->first = page;
		run->end = page + 1;
	}
}

/* The pages' contents go, and their memory with them. */
static void discard(struct domain *d, uint64_t first, uint64_t npages)
{
	const struct memslot_set *slots;

	d->ops->ram_discard(d, gfn(first), npages);
	slots = memslots_enter(&d->memslots);
	memslots_written(slots, gfn_to_gpa(gfn(first)), npages << GUEST_PAGE_SHIFT);
	memslots_leave();
}

static void take_back(struct domain *d, uint64_t first, uint64_t npages)
{
	if (d->ops->ram_populated)
		d->ops->ram_populated(d, gfn(first), npages);
}

static bool remove_page(struct reservation *r, uint64_t page, struct run *discards)
{
	const struct ram_range *range = range_of(r, page, 1);

	if (!range || is_gone(range, page))
		return false;
	set_gone(r, range, page);
	run_add(discards, page);
	return true;
}

static bool remove_extent(struct reservation *r, uint64_t first, unsigned order,
			  struct run *discards)
{
	for (uint64_t i = 0; i < 1ull << order; i++) {
		if (!remove_page(r, first + i, discards))
			return false;
		r->pages--;
	}
	return true;
}

unsigned reservation_remove(struct domain *d, const uint64_t *frames, unsigned n, unsigned order)
{
	struct run discards = {.d = d, .tell = discard};
	struct reservation *r = &d->reservation;
	unsigned i = 0;

	pthread_mutex_lock(&r->lock);
	while (i < n && remove_extent(r, frames[i], order, &discards))
		i++;
	run_end(&discards);
	pthread_mutex_unlock(&r->lock);
	return i;
}

static bool has_room(const struct reservation *r, uint64_t npages)
{
	return r->pages <= r->max && npages <= r->max - r->pages;
}

static bool populate_extent(struct reservation *r, uint64_t first, unsigned order,
			    struct run *discards, struct run *populated)
{
	uint64_t npages = 1ull << order;
	const struct ram_range *range = range_of(r, first, npages);

	if (!range || !has_room(r, npages))
		return false;
	for (uint64_t page = first; page < first + npages; page++) {
		if (is_gone(range, page)) {
			run_add(populated, page);
			set_there(range, page);
		} else {
			run_add(discards, page);
		}
	}
	r->pages += npages;
	return true;
}

unsigned reservation_populate(struct domain *d, const uint64_t *frames, unsigned n, unsigned order)
{
	struct run discards = {.d = d, .tell = discard};
	struct run populated = {.d = d, .tell = take_back};
	struct reservation *r = &d->reservation;
	unsigned i = 0;

	pthread_mutex_lock(&r->lock);
	while (i < n && populate_extent(r, frames[i], order, &discards, &populated))
		i++;
	run_end(&discards);
	run_end(&populated);
	pthread_mutex_unlock(&r->lock);
	return i;
}

int domain_withhold_ram(struct domain *d, struct gfn base, uint64_t npages)
{
	struct reservation *r = &d->reservation;
	const struct ram_range *range = range_of(r, base.v, npages);

	if (!range || domain_count_populated(d, base, npages) != npages)
		return -EINVAL;
	for (uint64_t i = 0; i < npages; i++)
		set_gone(r, range, base.v + i);
	r->pages -= npages;
	return 0;
}

/* The first page from `page` on that is not there; or the end of the range, or beyond. */
static uint64_t next_gone(const struct ram_range *range, uint64_t page)
{
	uint64_t offset = page - range->first, word;

	for (; offset < range->npages; offset = (offset | 63) + 1) {
		word = __atomic_load_n(&range->gone[offset / 64], __ATOMIC_RELAXED) >> offset % 64;
		if (word)
			return range->first + offset + __builtin_ctzll(word);
	}
	return range->first + offset;
}

/* The first extent of so many pages, a power of two, of which none is there. */
static bool find_gone(const struct ram_range *range, uint64_t from, uint64_t end, uint64_t size,
		      uint64_t *first)
{
	uint64_t page = from > range->first ? from : range->first;

	end = min_of(end, range->first + range->npages);
	while (page < end && (page = next_gone(range, page)) < end) {
		page = (page + size - 1) & ~(size - 1);
		if (page >= end || size > end - page)
			return false;
		if (count_bits(range->gone, page - range->first, page - range->first + size) ==
		    size) {
			*first = page;
			return true;
		}
		page += size;
	}
	return false;
}

/* What the domain has is counted elsewhere. */
static bool take_extent(struct reservation *r, uint64_t size, uint64_t end, uint64_t *first)
{
	for (unsigned i = 0; i < r->nr_ranges; i++) {
		if (!find_gone(&r->range[i], r->first_gone, end, size, first))
			continue;
		for (uint64_t page = 0; page < size; page++)
			set_there(&r->range[i], *first + page);
		if (size == 1)
			r->first_gone = *first + 1;
		return true;
	}
	return false;
}

static void tell_taken(struct domain *d, const uint64_t *first, unsigned n, uint64_t size)
{
	struct run populated = {.d = d, .tell = take_back};

	for (unsigned i = 0; i < n; i++)
		for (uint64_t page = 0; page < size; page++)
			run_add(&populated, first[i] + page);
	run_end(&populated);
}

unsigned reservation_take(struct domain *d, unsigned order, uint64_t end, unsigned n,
			  uint64_t *first)
{
	struct reservation *r = &d->reservation;
	const uint64_t size = 1ull << order;
	unsigned i = 0;

	pthread_mutex_lock(&r->lock);
	while (i < n && has_room(r, size) && take_extent(r, size, end, &first[i])) {
		r->pages += size;
		i++;
	}
	tell_taken(d, first, i, size);
	pthread_mutex_unlock(&r->lock);
	return i;
}

/* How many of these could be given up: all, unless one is not there or comes twice. */
static unsigned give_up(struct reservation *r, const uint64_t *pages, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		const struct ram_range *range = range_of(r, pages[i], 1);

		if (!range || is_gone(range, pages[i]))
			break;
		set_gone(r, range, pages[i]);
	}
	return i;
}

static void put_extents(struct reservation *r, const uint64_t *first, unsigned n, uint64_t size)
{
	for (unsigned i = 0; i < n; i++)
		for (uint64_t page = 0; page < size; page++)
			set_gone(r, range_of(r, first[i], size), first[i] + page);
}

static void discard_pages(struct domain *d, const uint64_t *pages, unsigned n)
{
	struct run discards = {.d = d, .tell = discard};

	for (unsigned i = 0; i < n; i++)
		run_add(&discards, pages[i]);
	run_end(&discards);
}

/* Under the lock. What was given up may be taken at once. */
static int exchange(struct domain *d, const uint64_t *pages, unsigned n, uint64_t size,
		    uint64_t end, uint64_t *first)
{
	struct reservation *r = &d->reservation;
	unsigned gone = give_up(r, pages, n), taken = 0;

	while (gone == n && taken < n / size && take_extent(r, size, end, &first[taken]))
		taken++;
	if (gone == n && taken == n / size) {
		discard_pages(d, pages, n);
		tell_taken(d, first, taken, size);
		return 0;
	}
	put_extents(r, first, taken, size);
	for (unsigned i = 0; i < gone; i++)
		set_there(range_of(r, pages[i], 1), pages[i]);
	return gone == n ? -XEN_ENOMEM : -XEN_EINVAL;
}

int reservation_exchange(struct domain *d, const uint64_t *pages, unsigned n, unsigned order,
			 uint64_t end, uint64_t *first)
{
	int rc;

	pthread_mutex_lock(&d->reservation.lock);
	rc = exchange(d, pages, n, 1ull << order, end, first);
	pthread_mutex_unlock(&d->reservation.lock);
	return rc;
}

bool reservation_increase(struct domain *d, unsigned order)
{
	struct reservation *r = &d->reservation;
	bool room;

	pthread_mutex_lock(&r->lock);
	room = has_room(r, 1ull << order);
	if (room)
		r->pages += 1ull << order;
	pthread_mutex_unlock(&r->lock);
	return room;
}

int reservation_unmap(struct domain *d, struct gfn page)
{
	struct run discards = {.d = d, .tell = discard};
	struct reservation *r = &d->reservation;
	bool there;

	pthread_mutex_lock(&r->lock);
	there = remove_page(r, page.v, &discards);
	run_end(&discards);
	pthread_mutex_unlock(&r->lock);
	return there ? 0 : -XEN_ENOENT;
}

/* In a read section: false if one of the two is not there, now. */
static bool copy_page(const struct memslot_set *slots, struct gpa from, struct gpa to)
{
	struct memslot_hint source = {0}, target = {0};
	const void *page = memslots_hva(slots, &source, from, GUEST_PAGE_SIZE, false);
	void *at = memslots_hva(slots, &target, to, GUEST_PAGE_SIZE, true);

	if (!page || !at)
		return false;
	memcpy(at, page, GUEST_PAGE_SIZE);
	memslots_written(slots, to, GUEST_PAGE_SIZE);
	return true;
}

static bool copy_page_waiting(struct domain *d, struct gfn from, struct gfn to)
{
	uint64_t generation;
	bool copied;

	do {
		const struct memslot_set *slots = memslots_enter(&d->memslots);

		generation = slots->generation;
		copied = copy_page(slots, gfn_to_gpa(from), gfn_to_gpa(to));
		memslots_leave();
	} while (!copied && memslots_retry(&d->memslots, generation));
	return copied;
}

/* Between two pages of RAM, the first of them populated. Under the lock. */
static int move_page(struct domain *d, struct gfn from, struct gfn to)
{
	struct reservation *r = &d->reservation;
	const struct ram_range *target = range_of(r, to.v, 1);

	if (!copy_page_waiting(d, from, to)) /* slots of RAM do not go */
		return -XEN_EINVAL;
	if (is_gone(target, to.v)) {
		set_there(target, to.v);
		take_back(d, to.v, 1);
	} else {
		r->pages--;
	}
	set_gone(r, range_of(r, from.v, 1), from.v);
	discard(d, from.v, 1);
	return 0;
}

int reservation_move(struct domain *d, struct gfn from, struct gfn to)
{
	struct reservation *r = &d->reservation;
	const struct ram_range *source = range_of(r, from.v, 1);
	int rc;

	if (overlay_at(&d->memslots, from) >= 0 || overlay_at(&d->memslots, to) >= 0)
		return -XEN_EBUSY;
	pthread_mutex_lock(&r->lock);
	if (!source || is_gone(source, from.v))
		rc = -XEN_EINVAL;
	else if (!range_of(r, to.v, 1))
		rc = -XEN_ENOMEM;
	else
		rc = from.v == to.v ? 0 : move_page(d, from, to);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* What was never written stays without memory. Has anything been gone? */
static bool clear_bitmap(const struct ram_range *range)
{
	bool gone = false;

	for (size_t i = 0; i < bitmap_words(range->npages); i++) {
		if (!__atomic_load_n(&range->gone[i], __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&range->gone[i], 0, __ATOMIC_RELEASE);
		gone = true;
	}
	return gone;
}

void reservation_reset(struct domain *d)
{
	struct reservation *r = &d->reservation;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->nr_ranges; i++)
		if (clear_bitmap(&r->range[i]))
			take_back(d, r->range[i].first, r->range[i].npages);
	__atomic_store_n(&r->some_gone, false, __ATOMIC_RELEASE);
	r->pages = all_ram(r);
	pthread_mutex_unlock(&r->lock);
}

uint64_t reservation_ram_end(const struct domain *d)
{
	const struct reservation *r = &d->reservation;
	uint64_t end = 0;

	for (unsigned i = 0; i < r->nr_ranges; i++)
		if (r->range[i].first + r->range[i].npages > end)
			end = r->range[i].first + r->range[i].npages;
	return end;
}
