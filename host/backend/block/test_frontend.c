// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/test_frontend.h"

#include <stdlib.h>
#include <string.h>

#include "shim/fake_events.h"

static uint64_t ring_frame(const struct front *f, unsigned page)
{
	return FRONT_RING + 2 * (f->which * BLOCK_RING_MAX_PAGES + page);
}

uint8_t *front_ring_at(struct front *f, unsigned offset)
{
	return f->fake->ram + ring_frame(f, offset / GUEST_PAGE_SIZE) * GUEST_PAGE_SIZE +
	       offset % GUEST_PAGE_SIZE;
}

struct blkif_ring_indexes *front_indexes(struct front *f)
{
	return (struct blkif_ring_indexes *)(uintptr_t)front_ring_at(f, 0);
}

uint8_t *front_data(struct front *f, unsigned page)
{
	return f->fake->ram + (uint64_t)(FRONT_DATA + page) * GUEST_PAGE_SIZE;
}

static size_t entry_size(const struct front *f)
{
	/* The public header's own, where there is one of that width. */
	return f->abi == BLOCK_ABI_64 ? sizeof(union blkif_sring_entry)
				      : sizeof(union blkif_entry_x86_32);
}

static unsigned ring_size(const struct front *f)
{
	size_t room = (f->nr_pages * GUEST_PAGE_SIZE - BLKIF_RING_HEADER) / entry_size(f);

	return f->abi == BLOCK_ABI_64 ? (unsigned)__RD32((f->nr_pages * GUEST_PAGE_SIZE -
							  offsetof(struct blkif_sring, ring)) /
							 sizeof(union blkif_sring_entry))
				      : (unsigned)__RD32(room);
}

static void grant_page(struct front *f, grant_ref_t ref, uint64_t frame)
{
	fake_grant(f->fake, ref, GTF_permit_access, 0, frame);
}

static void init(struct front *f, struct fake *fake, enum block_abi abi, unsigned nr_pages,
		 unsigned which)
{
	long port = fake_alloc_unbound(fake, DOMID_SELF, 0);

	*f = (struct front){.fake = fake, .abi = abi, .nr_pages = nr_pages, .which = which};
	f->entries = ring_size(f);
	f->port = port > 0 ? (evtchn_port_t)port : 0;
	for (unsigned i = 0; i < nr_pages; i++) {
		f->ring_refs[i] = FRONT_RING_REF + which * BLOCK_RING_MAX_PAGES + i;
		memset(front_ring_at(f, i * GUEST_PAGE_SIZE), 0, GUEST_PAGE_SIZE);
		grant_page(f, f->ring_refs[i], ring_frame(f, i));
	}
	front_indexes(f)->req_event = front_indexes(f)->rsp_event = 1;
}

void front_init(struct front *f, struct fake *fake, enum block_abi abi, unsigned nr_pages)
{
	init(f, fake, abi, nr_pages, 0);
	for (unsigned i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++)
		grant_page(f, FRONT_INDIRECT_REF + i, FRONT_INDIRECT + i);
	for (unsigned i = 0; i < FRONT_DATA_PAGES; i++)
		grant_page(f, FRONT_DATA_REF + i, FRONT_DATA + i);
}

void front_init_second(struct front *f, struct fake *fake, enum block_abi abi, unsigned nr_pages)
{
	init(f, fake, abi, nr_pages, 1);
}

struct front_request *front_request(uint8_t operation, uint64_t id)
{
	static struct front_request r;

	memset(&r, 0, sizeof(r));
	r.operation = operation;
	r.id = id;
	return &r;
}

struct front_request *front_move(uint8_t operation, uint64_t id, uint64_t sector, unsigned page,
				 unsigned n)
{
	struct front_request *r = front_request(operation, id);

	r->indirect = n > BLKIF_MAX_SEGMENTS_PER_REQUEST;
	r->sector = sector;
	r->nr_segments = (uint16_t)n;
	for (unsigned i = 0; i < n; i++)
		r->seg[i] = (struct blkif_request_segment){
			FRONT_DATA_REF + (page + i) % FRONT_DATA_PAGES, 0, 7};
	return r;
}

/* Both layouts of one field. */
#define SET(e, abi, kind, field, value)                   \
	do {                                              \
		if ((abi) == BLOCK_ABI_64)                \
			(e)->x86_64.kind.field = (value); \
		else                                      \
			(e)->x86_32.kind.field = (value); \
	} while (0)

union entry {
	union blkif_entry_x86_32 x86_32;
	union blkif_entry_x86_64 x86_64;
};

static void encode_indirect(struct front *f, const struct front_request *r, union entry *e)
{
	SET(e, f->abi, indirect, operation, BLKIF_OP_INDIRECT);
	SET(e, f->abi, indirect, indirect_op, r->operation);
	SET(e, f->abi, indirect, nr_segments, r->nr_segments);
	SET(e, f->abi, indirect, id, r->id);
	SET(e, f->abi, indirect, sector_number, r->sector);
	for (unsigned i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++) {
		SET(e, f->abi, indirect, indirect_grefs[i], FRONT_INDIRECT_REF + i);
		memcpy(f->fake->ram + (uint64_t)(FRONT_INDIRECT + i) * GUEST_PAGE_SIZE,
		       r->seg + (size_t)i * 512, GUEST_PAGE_SIZE);
	}
}

static void encode(struct front *f, const struct front_request *r, union entry *e)
{
	memset(e, 0xee, sizeof(*e)); /* padding is not to be read */
	if (r->indirect) {
		encode_indirect(f, r, e);
		return;
	}
	SET(e, f->abi, rw, operation, r->operation);
	SET(e, f->abi, rw, nr_segments, (uint8_t)r->nr_segments);
	SET(e, f->abi, rw, id, r->id);
	SET(e, f->abi, rw, sector_number, r->sector);
	if (r->operation == BLKIF_OP_DISCARD) {
		SET(e, f->abi, discard, flag, r->flag);
		SET(e, f->abi, discard, nr_sectors, r->nr_sectors);
		return;
	}
	for (unsigned i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
		SET(e, f->abi, rw, seg[i], r->seg[i]);
}

static unsigned slot(const struct front *f, RING_IDX i)
{
	return (unsigned)(BLKIF_RING_HEADER + i % f->entries * entry_size(f));
}

void front_put(struct front *f, const struct front_request *r)
{
	unsigned offset = slot(f, f->req_prod++);
	union entry e;

	encode(f, r, &e);
	for (unsigned i = 0; i < entry_size(f); i++)
		*front_ring_at(f, offset + i) = ((const uint8_t *)&e)[i];
}

bool front_show(struct front *f)
{
	struct blkif_ring_indexes *s = front_indexes(f);
	RING_IDX before = s->req_prod;

	__atomic_store_n(&s->req_prod, f->req_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return f->req_prod - __atomic_load_n(&s->req_event, __ATOMIC_RELAXED) <
	       f->req_prod - before;
}

void front_ask(struct front *f, const struct front_request *r)
{
	front_put(f, r);
	if (front_show(f))
		fake_send(f->fake, f->port);
}

bool front_answered(struct front *f, struct front_response *out)
{
	RING_IDX prod = __atomic_load_n(&front_indexes(f)->rsp_prod, __ATOMIC_ACQUIRE);
	unsigned offset = slot(f, f->rsp_cons);
	union entry e;

	if (prod == f->rsp_cons)
		return false;
	for (unsigned i = 0; i < sizeof(e.x86_64.response); i++)
		((uint8_t *)&e)[i] = *front_ring_at(f, offset + i);
	f->rsp_cons++;
	if (f->abi == BLOCK_ABI_64)
		*out = (struct front_response){e.x86_64.response.id, e.x86_64.response.operation,
					       e.x86_64.response.status};
	else
		*out = (struct front_response){e.x86_32.response.id, e.x86_32.response.operation,
					       e.x86_32.response.status};
	return true;
}

void front_want_event(struct front *f)
{
	__atomic_store_n(&front_indexes(f)->rsp_event, f->rsp_cons + 1, __ATOMIC_SEQ_CST);
}
