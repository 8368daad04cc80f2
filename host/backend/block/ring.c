// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/ring.h"

#include <string.h>

/* Rings are counted in frames of this size, whatever the page size of either side. */
#define RING_PAGE GUEST_PAGE_SIZE

static struct blkif_ring_indexes *indexes(const struct block_ring *ring)
{
	return (struct blkif_ring_indexes *)(uintptr_t)ring->pages[0].hva;
}

static unsigned entry_size(const struct block_ring *ring)
{
	return ring->abi == BLOCK_ABI_32 ? sizeof(union blkif_entry_x86_32)
					 : sizeof(union blkif_entry_x86_64);
}

static unsigned entry_offset(const struct block_ring *ring, RING_IDX i)
{
	return BLKIF_RING_HEADER + (i & (ring->entries - 1)) * entry_size(ring);
}

/* As the public header counts them: the largest power of 2 that fits. */
static unsigned count_entries(const struct block_ring *ring)
{
	unsigned room = (ring->nr_pages * RING_PAGE - BLKIF_RING_HEADER) / entry_size(ring);

	return 1u << (31 - __builtin_clz(room));
}

/* The part of [offset, offset + len) that lies in the page of offset. */
static unsigned within_page(unsigned offset, unsigned len)
{
	unsigned left = RING_PAGE - offset % RING_PAGE;

	return len < left ? len : left;
}

static uint8_t *at(const struct block_ring *ring, unsigned offset)
{
	return ring->pages[offset / RING_PAGE].hva + offset % RING_PAGE;
}

static void copy_out(const struct block_ring *ring, unsigned offset, void *to, unsigned len)
{
	unsigned n = within_page(offset, len);

	memcpy(to, at(ring, offset), n);
	if (n < len)
		memcpy((char *)to + n, at(ring, offset + n), len - n);
	/* What has been copied is what counts: nothing is read again. */
	__asm__ volatile("" ::: "memory");
}

static void copy_in(const struct block_ring *ring, unsigned offset, const void *from, unsigned len)
{
	unsigned n = within_page(offset, len);

	memcpy(at(ring, offset), from, n);
	if (n < len)
		memcpy(at(ring, offset + n), (const char *)from + n, len - n);
}

/* Begin behind the last response: a frontend may have used it before. */
static int attach(struct block_ring *ring)
{
	ring->rsp_prod = __atomic_load_n(&indexes(ring)->rsp_prod, __ATOMIC_ACQUIRE);
	ring->req_cons = ring->published = ring->rsp_prod;
	return block_ring_waiting(ring) < 0 ? -1 : 0;
}

int block_ring_map(struct block_ring *ring, struct domain *d, enum block_abi abi,
		   const grant_ref_t *refs, unsigned nr_pages)
{
	*ring = (struct block_ring){.domain = d, .abi = abi, .nr_pages = nr_pages};
	ring->entries = count_entries(ring);
	if (grant_map_all(d, refs, nr_pages, true, ring->pages, NULL) != GNTST_okay)
		return -1;
	if (!attach(ring))
		return 0;
	block_ring_unmap(ring);
	return -1;
}

void block_ring_unmap(struct block_ring *ring)
{
	grant_unmap_all(ring->domain, ring->pages, ring->nr_pages, true);
}

int block_ring_waiting(const struct block_ring *ring)
{
	RING_IDX prod = __atomic_load_n(&indexes(ring)->req_prod, __ATOMIC_ACQUIRE);

	/* What is in work has its place in the ring until it is answered. */
	if (prod - ring->rsp_prod > ring->entries || prod - ring->req_cons > ring->entries)
		return -1;
	return (int)(prod - ring->req_cons);
}

static void decode_32(struct block_request *r)
{
	const union blkif_entry_x86_32 *e = &r->entry.x86_32;

	r->seg = e->rw.seg;
	r->indirect_grefs = e->indirect.indirect_grefs;
	r->id = r->indirect ? e->indirect.id : e->rw.id;
	r->sector = r->indirect ? e->indirect.sector_number : e->rw.sector_number;
	r->nr_sectors = e->discard.nr_sectors;
}

static void decode_64(struct block_request *r)
{
	const union blkif_entry_x86_64 *e = &r->entry.x86_64;

	r->seg = e->rw.seg;
	r->indirect_grefs = e->indirect.indirect_grefs;
	r->id = r->indirect ? e->indirect.id : e->rw.id;
	r->sector = r->indirect ? e->indirect.sector_number : e->rw.sector_number;
	r->nr_sectors = e->discard.nr_sectors;
}

void block_ring_take(struct block_ring *ring, struct block_request *r)
{
	/* The first four bytes are the same in both. */
	const struct blkif_request_x86_32 *rw = &r->entry.x86_32.rw;

	copy_out(ring, entry_offset(ring, ring->req_cons), &r->entry, entry_size(ring));
	ring->req_cons++;
	r->indirect = rw->operation == BLKIF_OP_INDIRECT;
	r->operation = r->indirect ? r->entry.x86_32.indirect.indirect_op : rw->operation;
	r->flag = r->entry.x86_32.discard.flag;
	r->nr_segments = r->indirect ? r->entry.x86_32.indirect.nr_segments : rw->nr_segments;
	if (ring->abi == BLOCK_ABI_32)
		decode_32(r);
	else
		decode_64(r);
}

void block_ring_respond(struct block_ring *ring, uint64_t id, uint8_t operation, int16_t status)
{
	unsigned offset = entry_offset(ring, ring->rsp_prod);

	if (ring->abi == BLOCK_ABI_32) {
		struct blkif_response_x86_32 response = {0};

		response.id = id;
		response.operation = operation;
		response.status = status;
		copy_in(ring, offset, &response, sizeof(response));
	} else {
		struct blkif_response_x86_64 response = {0};

		response.id = id;
		response.operation = operation;
		response.status = status;
		copy_in(ring, offset, &response, sizeof(response));
	}
	ring->rsp_prod++;
}

/* Our writes are the guest's memory changing: to the dirty log, if anybody keeps one. */
static void tell_written(const struct block_ring *ring)
{
	const struct memslot_set *set = memslots_enter(&ring->domain->memslots);

	for (unsigned i = 0; i < ring->nr_pages; i++)
		memslots_written_hva(set, ring->pages[i].hva, RING_PAGE);
	memslots_leave();
}

bool block_ring_publish(struct block_ring *ring)
{
	RING_IDX before = ring->published, event;

	if (before == ring->rsp_prod)
		return false;
	__atomic_store_n(&indexes(ring)->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
	/* It sees the responses before we see what it asks for. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = __atomic_load_n(&indexes(ring)->rsp_event, __ATOMIC_RELAXED);
	ring->published = ring->rsp_prod;
	tell_written(ring);
	return ring->rsp_prod - event < ring->rsp_prod - before;
}

bool block_ring_before_sleep(struct block_ring *ring)
{
	__atomic_store_n(&indexes(ring)->req_event, ring->req_cons + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return block_ring_waiting(ring) != 0;
}
