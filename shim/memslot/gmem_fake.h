/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of gmem.h: a guest_memfd of plain memory, which checks at every call that it comes
 * when it may, counts it, and fails on order; and a domain's slots around it.
 */
#ifndef SHIM_GMEM_FAKE_H
#define SHIM_GMEM_FAKE_H

#include "shim/memslot/gmem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Pages in a large page. */
#define M2 512ull
#define G1 (512 * M2)

enum gmem_fake_op {
	FAKE_ALLOCATE,
	FAKE_PUNCH,
	FAKE_PREPARE,
	FAKE_UNDO,
	FAKE_SET_PRIVATE,
	FAKE_DESTROY,
	FAKE_SET_SLOT, /* of the domain's slots */
	FAKE_OPS,
};

#define FAKE_FRAMES (1u << 20) /* frames whose attribute is kept: below 4 GiB */

/* Counts are of one domain, whichever file. */
struct gmem_fake_domain {
	struct memslots slots;
	unsigned calls[FAKE_OPS];
	struct {
		uint64_t first, npages;
	} last[FAKE_OPS];
	/* The call with that number from now on (1: the next one) fails so. 0: none. */
	unsigned fail_at[FAKE_OPS];
	int fail_with;
	bool *private_frame; /* what the processor would say of each */
};

struct gmem_fake {
	struct gmem_fake_domain *domain;
	struct gmem *g;
	uint64_t npages;
	bool *memory;      /* of each page of the file */
	uint8_t *prepared; /* ... in pages of which level, + 1 */
};

struct gmem_fake_domain *gmem_fake_domain_create(void);
void gmem_fake_domain_destroy(struct gmem_fake_domain *d);

/* The same for cmocka: *state is the domain. By the end each test has put its files. */
int gmem_fake_setup(void **state);
int gmem_fake_teardown(void **state);

/* NULL: gmem_create() has failed. The fake goes with its gmem. */
struct gmem_fake *gmem_fake_create(struct gmem_fake_domain *d, uint64_t npages);
/* A file of a machine that has nothing to prepare. */
struct gmem_fake *gmem_fake_create_plain(struct gmem_fake_domain *d, uint64_t npages);

/* Host addresses are congruent with guest-physical ones up to 1 GiB. */
int gmem_fake_add_slot(struct gmem_fake_domain *d, uint32_t id, struct gmem *g, uint64_t gfn,
		       uint64_t npages, uint64_t file_page);
int gmem_fake_delete_slot(struct gmem_fake_domain *d, uint32_t id);

void gmem_fake_forget_calls(struct gmem_fake_domain *d);

/* Exactly so many calls of prepare and undo, since they were forgotten. */
#define assert_prepared(d, prepares, undos)                           \
	do {                                                          \
		assert_int_equal((d)->calls[FAKE_PREPARE], prepares); \
		assert_int_equal((d)->calls[FAKE_UNDO], undos);       \
	} while (0)

#define assert_last(d, op, page, n)                          \
	do {                                                 \
		assert_int_equal((d)->last[op].first, page); \
		assert_int_equal((d)->last[op].npages, n);   \
	} while (0)

/* What a reader is told of a frame. */
enum page_level gmem_fake_level(struct gmem_fake_domain *d, uint64_t gfn);
bool gmem_fake_is_private(struct gmem_fake_domain *d, uint64_t gfn);

#endif
