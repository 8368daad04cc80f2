/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of gpc.h share: one cache, and slots made of an arena whose pages are all mapped.
 */
#ifndef SHIM_GPC_TEST_H
#define SHIM_GPC_TEST_H

#include "shim/gpc/gpc.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim/memslot/dirty_log.h"
#include "shim/memslot/test_memory.h"

#define WORLD_PAGES 64

struct world {
	struct test_memory memory;
	struct memslots slots;
	struct gpc gpc;
};

static inline int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	test_memory_init(&w->memory, WORLD_PAGES);
	test_memory_map(&w->memory, 0, WORLD_PAGES, 0);
	if (memslots_init(&w->slots, &test_memory_ops, &w->memory, 0))
		return -1;
	gpc_init(&w->gpc, &w->slots);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	gpc_destroy(&w->gpc);
	memslots_destroy(&w->slots);
	test_memory_destroy(&w->memory);
	free(w);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* A page of the arena. */
static inline uint8_t *at_page(const struct world *w, unsigned page)
{
	return w->memory.arena + page * GUEST_PAGE_SIZE;
}

/* Slot `id` shall be npages at frame `base`, with the arena's memory from `page` on. */
static inline int request(struct world *w, uint32_t id, uint64_t base, uint64_t npages,
			  unsigned page, uint32_t flags)
{
	const struct memslot_request r = {
		.slot = id,
		.flags = flags,
		.gpa = base << GUEST_PAGE_SHIFT,
		.size = npages << GUEST_PAGE_SHIFT,
		.hva = (uintptr_t)at_page(w, page),
	};

	return memslots_set_slot(&w->slots, &r);
}

static inline void create(struct world *w, uint32_t id, uint64_t base, uint64_t npages,
			  unsigned page, uint32_t flags)
{
	assert_int_equal(request(w, id, base, npages, page, flags), 0);
}

static inline int delete (struct world *w, uint32_t id)
{
	return request(w, id, 0, 0, 0, 0);
}

/* What the cache points to now. */
static inline void *target(struct world *w)
{
	void *hva = gpc_lock(&w->gpc);

	if (hva)
		gpc_unlock(&w->gpc);
	return hva;
}

/* The dirty pages of a slot of at most 64, which are clean then. */
static inline uint64_t dirty(struct world *w, uint32_t id)
{
	uint64_t bits = UINT64_MAX;

	assert_int_equal(dirty_log_get(&w->slots, id, &bits), 0);
	return bits;
}

#endif
