/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machinery below the memslots (struct memslot_ops) made of plain memory, for unit tests: a
 * kernel that keeps its own table of slots and their dirty logs, and ends the program with a
 * message when it is called in a way that the real one would suffer from: not as memslot.h says,
 * out of step with what it was told before, or when readers could be hurt.
 */
#ifndef SHIM_FAKE_MEMORY_H
#define SHIM_FAKE_MEMORY_H

#include "shim/memslot/memslot.h"

#define FAKE_RAM_PAGES     256 /* of host memory that really exists */
#define FAKE_OVERLAY_PAGES 8   /* page numbers of the hypervisor's */
#define FAKE_COVERS        16
#define FAKE_MAPPINGS      16

enum fake_memory_op {
	FAKE_OP_SET_SLOT,
	FAKE_OP_LOG_GET,
	FAKE_OP_LOG_CLEAR,
	FAKE_OP_COVER,
	FAKE_OP_UNCOVER,
	FAKE_OP_PAGE_MAP,
	FAKE_OP_LEND,
	FAKE_OP_TAKE_BACK,
	FAKE_MEMORY_OPS, /* that can fail */
};

/* A slot as the kernel knows it. */
struct fake_kernel_slot {
	uint64_t start, npages; /* bytes, pages; no pages: there is none */
	uint32_t flags;
	const uint8_t *hva;
	uint64_t *dirty; /* atomic; NULL: not logged */
};

struct fake_memory {
	struct memslots slots;
	uint8_t *ram;   /* FAKE_RAM_PAGES, page n full of bytes n */
	uint8_t *pages; /* the hypervisor's, page n full of bytes 0xf0 + n */

	/* The kernel's books: by number, and the numbers in the order of their addresses. */
	struct fake_kernel_slot *kernel[MEMSLOT_ADDRESS_SPACES];
	uint16_t *order[MEMSLOT_ADDRESS_SPACES];
	unsigned nr[MEMSLOT_ADDRESS_SPACES];

	struct fake_cover {
		uint8_t *hva; /* NULL: free */
		void *aside;
		unsigned page;
	} cover[FAKE_COVERS];
	struct fake_mapping {
		uint8_t *hva; /* NULL: free */
		unsigned page;
	} mapping[FAKE_MAPPINGS]; /* what page_map has given */

	unsigned calls[FAKE_MEMORY_OPS]; /* failed ones, too */
	unsigned fail_in[FAKE_MEMORY_OPS];
	int fail_with[FAKE_MEMORY_OPS];
};

/* With an empty address space of these features. NULL: no memory. */
struct fake_memory *fake_memory_create(uint32_t features);
void fake_memory_destroy(struct fake_memory *m);

/* The nth call of the op from now on (1: the next) fails with -error; n = 0: none does. */
void fake_memory_fail(struct fake_memory *m, enum fake_memory_op op, unsigned n, int error);
unsigned fake_memory_calls(const struct fake_memory *m); /* of all ops together */

/*
 * memslots_set_slot(): pages [base, base + npages) become slot `id`, at `hva`. npages 0: delete it.
 * Host addresses outside m->ram are good as long as nobody reads there.
 */
int fake_memory_set(struct fake_memory *m, uint32_t id, uint32_t flags, struct gfn base,
		    uint64_t npages, const uint8_t *hva);
int fake_memory_delete(struct fake_memory *m, uint32_t id);

/* Slot 0: all of m->ram from guest-physical 0 on. */
int fake_memory_set_ram(struct fake_memory *m, uint32_t flags);

/* memslots_by_id(), memslots_current()->generation, for a test with one thread. */
const struct memslot *fake_memory_slot(struct fake_memory *m, uint32_t id);
uint64_t fake_memory_generation(struct fake_memory *m);

/* The guest writes to a page of the slot: the kernel logs it, if it logs and the page is no ROM. */
void fake_memory_guest_writes(struct fake_memory *m, uint32_t id, uint64_t page);

/*
 * Everything that can be seen of the slots, as text: sets, look-ups, books, counts of watched
 * pages, largest pages, dirty logs (with MEMSLOTS_MANUAL_PROTECT: else asking would clear them),
 * overlays, the kernel's books and the RAM. To be freed. No op may be about to fail.
 */
char *fake_memory_tell(struct fake_memory *m);

#endif
