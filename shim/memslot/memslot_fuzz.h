/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of memslot_fuzz: the real thing, the model, and what stands below and beside
 * them.
 */
#ifndef SHIM_MEMSLOT_FUZZ_H
#define SHIM_MEMSLOT_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "shim/memslot/memslot_fuzz_model.h"

#define CACHES     3
#define HOST_PAGES (MODEL_PAGES + MODEL_OWN)

/* Frames that most requests are about: on both sides of 2 MiB. */
#define FIRST_FRAME 0x1c0ull
#define FRAMES      128u

#define must(truth, ...)                                                           \
	do {                                                                       \
		if (!(truth)) {                                                    \
			fprintf(stderr, "step %u: not so: %s: ", f->step, #truth); \
			fprintf(stderr, __VA_ARGS__);                              \
			fputc('\n', stderr);                                       \
			abort();                                                   \
		}                                                                  \
	} while (0)

struct fuzz {
	struct memslots slots;
	struct model m;
	const uint8_t *next;
	size_t left;
	unsigned step;
	uint64_t generation, highest; /* as of the last step; ever */

	/* After `skip` calls the ops fail; `failure` is what one has said then, or 0. */
	bool fail;
	unsigned skip, fail_alloc;
	int failure, veto;
	uint8_t *mapped; /* what page_map has given last */
	bool own_used[MODEL_OWN];
	uint8_t cover[HOST_PAGES];

	struct tracker tracker;
	struct model_event event[MODEL_EVENTS];
	unsigned nr_events;
	uint64_t written;

	struct memslot_hint by_gpa, by_hva; /* of all steps */
	struct gpc cache[CACHES];
	struct model_cache model_cache[CACHES];
};

/* Host memory, and the same as it should be. The mappings for overlays come last. */
extern uint8_t host_memory[HOST_PAGES][GUEST_PAGE_SIZE], shadow_memory[HOST_PAGES][GUEST_PAGE_SIZE];

/* The next byte of the input; one in 0 ... n - 1. */
uint8_t take(struct fuzz *f);
unsigned pick(struct fuzz *f, unsigned n);

/* The steps are equal so far. `changed`: memory, or what is known of a slot, is another. */
void compare(struct fuzz *f, bool changed);
void compare_slots(struct fuzz *f);

/* Something may fail in the call that follows, */
void arm(struct fuzz *f);
/*
 * which has said rc, and should have said `expected` if nothing has failed below it. True if it has
 * happened.
 */
bool disarm(struct fuzz *f, int rc, int expected);

/* memslot_fuzz_steps.c */
extern void (*const fuzz_steps[])(struct fuzz *f);
extern const unsigned fuzz_nr_steps;

#endif
