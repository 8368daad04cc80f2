/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ring of the disk protocol (public headers io/ring.h, io/blkif.h), from the backend's side: in
 * pages of the guest's that need not be next to each other, in the layout of either word size.
 *
 * The guest may write anything anywhere in it at any time. Our own indexes are kept apart; what is
 * read from the ring is read once. One thread at a time.
 */
#ifndef HOST_BACKEND_BLOCK_RING_H
#define HOST_BACKEND_BLOCK_RING_H

#include <stdbool.h>

#include "shim/domain.h"
#include "shim/grant_map.h"
#include "xen-abi/blkif.h"

#define BLOCK_RING_MAX_ORDER 4u
#define BLOCK_RING_MAX_PAGES (1u << BLOCK_RING_MAX_ORDER)

enum block_abi {
	BLOCK_ABI_32,
	BLOCK_ABI_64,
};

struct block_ring {
	struct domain *domain;
	enum block_abi abi;
	unsigned nr_pages;
	unsigned entries; /* a power of 2 */
	RING_IDX req_cons, rsp_prod;
	RING_IDX published; /* responses that the guest has been shown */
	struct grant_mapping pages[BLOCK_RING_MAX_PAGES];
};

/* A request, copied out of the ring. */
struct block_request {
	uint8_t operation; /* of an indirect one, what it carries */
	bool indirect;
	uint8_t flag;         /* BLKIF_DISCARD_* */
	unsigned nr_segments; /* as the guest says */
	uint64_t id, sector, nr_sectors;
	const struct blkif_request_segment *seg; /* BLKIF_MAX_SEGMENTS_PER_REQUEST of them */
	const grant_ref_t *indirect_grefs;       /* BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST */
	union {
		union blkif_entry_x86_32 x86_32;
		union blkif_entry_x86_64 x86_64;
	} entry;
};

/*
 * Map its pages. 0; -1: the guest has not granted them to us, or the indexes in it make no sense.
 * A ring that has been in use before goes on after the last response.
 */
int block_ring_map(struct block_ring *ring, struct domain *d, enum block_abi abi,
		   const grant_ref_t *refs, unsigned nr_pages);
void block_ring_unmap(struct block_ring *ring);

/* Requests that wait, or -1: more than the ring holds. */
int block_ring_waiting(const struct block_ring *ring);
/* The next of them. */
void block_ring_take(struct block_ring *ring, struct block_request *r);
/* Is there room for it: as many responses as there have been requests. */
void block_ring_respond(struct block_ring *ring, uint64_t id, uint8_t operation, int16_t status);
/* Show the guest all responses so far. Does it want an event? */
bool block_ring_publish(struct block_ring *ring);
/* Ask for an event with the next request. Have some come meanwhile? */
bool block_ring_before_sleep(struct block_ring *ring);

#endif
