// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_extents.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_op.h"

/* More extents than this Xen could not count in a command, when it goes on with it. */
#define EXTENTS_MAX (UINT32_MAX >> MEMOP_EXTENT_SHIFT)

struct extents extents_64(const struct xen_memory_reservation *r)
{
	return (struct extents){
		.list = gva((uintptr_t)r->extent_start.p),
		.wide = true,
		.count = r->nr_extents,
		.order = r->extent_order,
		.flags = r->mem_flags,
		.domid = r->domid,
	};
}

struct extents extents_32(const struct xen_memory_reservation_x86_32 *r)
{
	return (struct extents){
		.list = gva(r->extent_start),
		.count = r->nr_extents,
		.order = r->extent_order,
		.flags = r->mem_flags,
		.domid = r->domid,
	};
}

static int read_extents(struct vcpu *v, const struct hypercall *h, struct extents *e)
{
	struct xen_memory_reservation_x86_32 compat;
	struct xen_memory_reservation native;
	int rc;

	if (h->long_mode) {
		rc = guest_read(v, &native, gva(h->args[1]), sizeof(native));
		if (!rc)
			*e = extents_64(&native);
		return rc;
	}
	rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
	if (!rc)
		*e = extents_32(&compat);
	return rc;
}

/* What XENMEMF_get_node() says where no node is named. */
#define NO_NODE 0xffu

bool extents_node_is_right(uint32_t flags)
{
	return XENMEMF_get_node(flags) == NO_NODE || !(flags & XENMEMF_exact_node_request);
}

/* Xen rejects widths of machine addresses within a page; wider ones concern machine frames only. */
static bool flags_are_right(uint32_t flags)
{
	unsigned bits = XENMEMF_get_address_bits(flags);

	if (bits && bits <= GUEST_PAGE_SHIFT)
		return false;
	return flags & XENMEMF_vnode || extents_node_is_right(flags);
}

int extents_read(struct vcpu *v, const struct extents *e, uint64_t first, unsigned n,
		 uint64_t *frames)
{
	uint32_t narrow[PIECE];
	int rc;

	if (e->wide)
		return guest_read(v, frames, gva(e->list.v + first * sizeof(frames[0])),
				  n * sizeof(frames[0]));
	rc = guest_read(v, narrow, gva(e->list.v + first * sizeof(narrow[0])),
			n * sizeof(narrow[0]));
	for (unsigned i = 0; !rc && i < n; i++)
		frames[i] = narrow[i];
	return rc;
}

unsigned extents_piece(const struct extents *e, uint64_t first)
{
	return min_of(e->count - first, min_of(PIECE, PIECE_PAGES >> e->order));
}

unsigned extents_next(struct vcpu *v, const struct extents *e, uint64_t first, uint64_t *frames)
{
	unsigned n = extents_piece(e, first);

	if (!extents_read(v, e, first, n, frames))
		return n;
	return extents_read(v, e, first, 1, frames) ? 0 : 1;
}

bool extents_may_adjust(struct vcpu *v, const struct hypercall *h, struct extents *e)
{
	return !read_extents(v, h, e) && e->count <= EXTENTS_MAX &&
	       memop_start_extent(h) < e->count && e->order <= EXTENT_ORDER_MAX &&
	       flags_are_right(e->flags) && !domain_check_self(v->domain, e->domid);
}

int extents_write(struct vcpu *v, const struct extents *e, uint64_t at, uint64_t frame)
{
	uint32_t narrow = frame;

	if (e->wide)
		return guest_write(v, gva(e->list.v + at * sizeof(frame)), &frame, sizeof(frame));
	return guest_write(v, gva(e->list.v + at * sizeof(narrow)), &narrow, sizeof(narrow));
}

/* A width of addresses: so narrow a one that only the first two frames are left gets none. */
uint64_t extents_end(const struct extents *e)
{
	unsigned bits = XENMEMF_get_address_bits(e->flags);

	if (!bits || bits >= 64)
		return UINT64_MAX >> GUEST_PAGE_SHIFT;
	return bits <= GUEST_PAGE_SHIFT + 1 ? 0 : 1ull << (bits - GUEST_PAGE_SHIFT);
}
