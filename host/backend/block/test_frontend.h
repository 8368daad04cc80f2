/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frontend on the fake platform, for tests: its ring lies in frames that are not next to each
 * other, in either layout, and every grant is one of the guest's own table.
 */
#ifndef HOST_BACKEND_BLOCK_TEST_FRONTEND_H
#define HOST_BACKEND_BLOCK_TEST_FRONTEND_H

#include "host/backend/block/ring.h"
#include "shim/fake_grants.h"

/* Frames and references; data page i is frame FRONT_DATA + i, granted as FRONT_DATA_REF + i. */
#define FRONT_RING         0x40u /* and every second one from there */
#define FRONT_RING_REF     8u
#define FRONT_INDIRECT     0x70u
#define FRONT_INDIRECT_REF 32u
#define FRONT_DATA         0x80u
#define FRONT_DATA_REF     48u
#define FRONT_DATA_PAGES   256u

#define FRONT_BAD_REF 400u /* never granted */

struct front {
	struct fake *fake;
	enum block_abi abi;
	unsigned nr_pages, entries;
	unsigned which; /* of two */
	RING_IDX req_prod, rsp_cons;
	grant_ref_t ring_refs[BLOCK_RING_MAX_PAGES];
	evtchn_port_t port;
};

/* What to ask; segments of an indirect request go to its pages. */
struct front_request {
	uint8_t operation;
	bool indirect;
	uint8_t flag;
	uint16_t nr_segments;
	uint64_t id, sector, nr_sectors;
	struct blkif_request_segment seg[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST * 512];
};

struct front_response {
	uint64_t id;
	uint8_t operation;
	int16_t status;
};

/* An empty ring of so many pages, its grants, those of all data pages, and a port for domain 0. */
void front_init(struct front *f, struct fake *fake, enum block_abi abi, unsigned nr_pages);
/* A second one beside it, of up to 8 pages. */
void front_init_second(struct front *f, struct fake *fake, enum block_abi abi, unsigned nr_pages);

/* Byte `offset` of the ring. */
uint8_t *front_ring_at(struct front *f, unsigned offset);
struct blkif_ring_indexes *front_indexes(struct front *f);
uint8_t *front_data(struct front *f, unsigned page);

/* A request of nothing; one that moves whole data pages [page, page + n). */
struct front_request *front_request(uint8_t operation, uint64_t id);
struct front_request *front_move(uint8_t operation, uint64_t id, uint64_t sector, unsigned page,
				 unsigned n);

/* Put it into the ring (`front_request()` may make the next then), and show the backend all that is
 * there. */
void front_put(struct front *f, const struct front_request *r);
/* Should the backend hear of it? */
bool front_show(struct front *f);
/* Both, and the event if it is asked for. */
void front_ask(struct front *f, const struct front_request *r);

/* The next response; false: there is none. */
bool front_answered(struct front *f, struct front_response *out);
/* Ask for an event with the next response, as a frontend does that has none left. */
void front_want_event(struct front *f);

#endif
