// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/gmem_fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HVA(gfn) (0x100000000000ull + ((gfn) << GUEST_PAGE_SHIFT))

/* cmocka's own way out would leave the lock held. */
#define must(condition, ...)                          \
	do {                                          \
		if (!(condition)) {                   \
			fprintf(stderr, __VA_ARGS__); \
			abort();                      \
		}                                     \
	} while (0)

/* Each call comes with the lock held, out of read sections. */
static int call(struct gmem_fake_domain *d, enum gmem_fake_op op, uint64_t first, uint64_t npages)
{
	must(pthread_mutex_trylock(&d->slots.lock) == EBUSY, "called without the lock\n");
	must(!rcu_inside(), "called in a read section\n");
	d->calls[op]++;
	d->last[op].first = first;
	d->last[op].npages = npages;
	return d->fail_at[op] && !--d->fail_at[op] ? d->fail_with : 0;
}

static void assert_in_file(const struct gmem_fake *f, uint64_t first, uint64_t npages)
{
	must(npages && npages <= f->npages && first <= f->npages - npages,
	     "%lu pages from %lu are not in the file\n", npages, first);
}

static int fake_allocate(void *host, uint64_t first, uint64_t npages)
{
	struct gmem_fake *f = host;
	int rc = call(f->domain, FAKE_ALLOCATE, first, npages);

	assert_in_file(f, first, npages);
	for (uint64_t i = first; !rc && i < first + npages; i++)
		f->memory[i] = true;
	return rc;
}

/* The host gets its memory back: it must not be the guest's any more. */
static int fake_punch(void *host, uint64_t first, uint64_t npages)
{
	struct gmem_fake *f = host;
	int rc = call(f->domain, FAKE_PUNCH, first, npages);

	assert_in_file(f, first, npages);
	for (uint64_t i = first; i < first + npages; i++)
		must(!f->prepared[i], "page %lu is punched while it is prepared\n", i);
	if (!rc)
		memset(f->memory + first, 0, npages);
	return rc;
}

static uint8_t level_of(uint64_t first, uint64_t npages)
{
	for (enum page_level level = PAGE_4K; level < PAGE_LEVELS; level++)
		if (npages == 1ull << page_level_shift(level) && !(first & (npages - 1)))
			return level + 1;
	must(false, "%lu pages from %lu are no unit\n", npages, first);
}

static int fake_prepare(void *host, uint64_t first, uint64_t npages)
{
	struct gmem_fake *f = host;
	int rc = call(f->domain, FAKE_PREPARE, first, npages);

	assert_in_file(f, first, npages);
	for (uint64_t i = first; i < first + npages; i++)
		must(f->memory[i] && !f->prepared[i],
		     "page %lu is prepared twice, or without memory\n", i);
	if (!rc)
		memset(f->prepared + first, level_of(first, npages), npages);
	return rc;
}

static void fake_undo(void *host, uint64_t first, uint64_t npages)
{
	struct gmem_fake *f = host;

	call(f->domain, FAKE_UNDO, first, npages);
	assert_in_file(f, first, npages);
	for (uint64_t i = first; i < first + npages; i++)
		must(f->prepared[i] == level_of(first, npages),
		     "page %lu is undone and was not prepared so\n", i);
	memset(f->prepared + first, 0, npages);
}

static int fake_set_private(void *host, struct gfn base, uint64_t npages, bool is_private)
{
	struct gmem_fake *f = host;
	int rc = call(f->domain, FAKE_SET_PRIVATE, base.v, npages);

	for (uint64_t i = base.v; !rc && i < base.v + npages && i < FAKE_FRAMES; i++)
		f->domain->private_frame[i] = is_private;
	return rc;
}

static void free_fake(struct gmem_fake *f)
{
	free(f->memory);
	free(f->prepared);
	free(f);
}

static void fake_destroy(void *host)
{
	struct gmem_fake *f = host;

	call(f->domain, FAKE_DESTROY, 0, 0);
	for (uint64_t i = 0; i < f->npages; i++)
		must(!f->memory[i] && !f->prepared[i], "page %lu is left over\n", i);
	free_fake(f);
}

static const struct gmem_ops gmem_ops = {
	.allocate = fake_allocate,
	.punch = fake_punch,
	.prepare = fake_prepare,
	.undo = fake_undo,
	.set_private = fake_set_private,
	.destroy = fake_destroy,
};

static const struct gmem_ops plain_gmem_ops = {
	.allocate = fake_allocate,
	.punch = fake_punch,
	.set_private = fake_set_private,
	.destroy = fake_destroy,
};

static struct gmem_fake *create(struct gmem_fake_domain *d, uint64_t npages,
				const struct gmem_ops *ops)
{
	struct gmem_fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->domain = d;
	f->npages = npages;
	f->memory = calloc(npages, sizeof(f->memory[0]));
	f->prepared = calloc(npages, sizeof(f->prepared[0]));
	assert_non_null(f->memory);
	assert_non_null(f->prepared);
	f->g = gmem_create(&d->slots, npages, ops, f);
	if (f->g)
		return f;
	free_fake(f);
	return NULL;
}

struct gmem_fake *gmem_fake_create(struct gmem_fake_domain *d, uint64_t npages)
{
	return create(d, npages, &gmem_ops);
}

struct gmem_fake *gmem_fake_create_plain(struct gmem_fake_domain *d, uint64_t npages)
{
	return create(d, npages, &plain_gmem_ops);
}

static int fake_set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	const struct memslot *slot = new ? new : old;

	return call(host, FAKE_SET_SLOT, gpa_to_gfn(slot->start).v, slot->npages);
}

static const struct memslot_ops slot_ops = {.set_slot = fake_set_slot};

struct gmem_fake_domain *gmem_fake_domain_create(void)
{
	struct gmem_fake_domain *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->private_frame = calloc(FAKE_FRAMES, sizeof(d->private_frame[0]));
	assert_non_null(d->private_frame);
	assert_int_equal(memslots_init(&d->slots, &slot_ops, d, MEMSLOTS_CAN_PRIVATE), 0);
	return d;
}

void gmem_fake_domain_destroy(struct gmem_fake_domain *d)
{
	memslots_destroy(&d->slots);
	free(d->private_frame);
	free(d);
}

int gmem_fake_setup(void **state)
{
	*state = gmem_fake_domain_create();
	return 0;
}

int gmem_fake_teardown(void **state)
{
	gmem_fake_domain_destroy(*state);
	return 0;
}

int gmem_fake_add_slot(struct gmem_fake_domain *d, uint32_t id, struct gmem *g, uint64_t gfn,
		       uint64_t npages, uint64_t file_page)
{
	const struct memslot_request request = {
		.slot = id,
		.flags = MEMSLOT_PRIVATE,
		.gpa = gfn << GUEST_PAGE_SHIFT,
		.size = npages << GUEST_PAGE_SHIFT,
		.hva = HVA(gfn),
		.gmem = g,
		.gmem_offset = file_page << GUEST_PAGE_SHIFT,
	};

	return memslots_set_slot(&d->slots, &request);
}

int gmem_fake_delete_slot(struct gmem_fake_domain *d, uint32_t id)
{
	return memslots_set_slot(&d->slots, &(struct memslot_request){.slot = id});
}

void gmem_fake_forget_calls(struct gmem_fake_domain *d)
{
	memset(d->calls, 0, sizeof(d->calls));
}

static const struct memslot *slot_at(const struct memslot_set *set, uint64_t frame)
{
	struct memslot_hint hint = {0};
	const struct memslot_hint *found = memslots_find(set, &hint, gfn_to_gpa(gfn(frame)));

	assert_non_null(found);
	return found->slot;
}

enum page_level gmem_fake_level(struct gmem_fake_domain *d, uint64_t frame)
{
	const struct memslot_set *set = memslots_enter(&d->slots);
	enum page_level level = gmem_max_level(slot_at(set, frame), gfn(frame));

	memslots_leave();
	return level;
}

bool gmem_fake_is_private(struct gmem_fake_domain *d, uint64_t frame)
{
	const struct memslot_set *set = memslots_enter(&d->slots);
	bool is_private = gmem_is_private(slot_at(set, frame), gfn(frame));

	memslots_leave();
	return is_private;
}
