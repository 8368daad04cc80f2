// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_balloon.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_op.h"
#include "shim/memslot/overlay.h"
#include "shim/physmap.h"
#include "xen-abi/x86_32.h"

/* Xen's limit for guests without devices of the host's: 2 MiB. */
#define MAX_ORDER 9

/* More extents than this Xen could not count in a command, when it goes on with it. */
#define EXTENTS_MAX (UINT32_MAX >> MEMOP_EXTENT_SHIFT)

/*
 * Extents that are read, and done, in one piece, with the reservation locked: not so many that
 * others wait, and enough that neighbours go together. Linux names 512 single pages at a time.
 */
#define PIECE       512u
#define PIECE_PAGES 32768u

/* A struct xen_memory_reservation in either word size. */
struct extents {
	struct gva list;
	bool wide; /* its entries have 64 bits */
	uint64_t count;
	unsigned order;
	uint32_t flags; /* XENMEMF_* */
	domid_t domid;
};

static struct extents extents_64(const struct xen_memory_reservation *r)
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

static struct extents extents_32(const struct xen_memory_reservation_x86_32 *r)
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

/* A guest may name a node of the host's, and is not heard; it may not insist. */
static bool node_is_right(uint32_t flags)
{
	return XENMEMF_get_node(flags) == NO_NODE || !(flags & XENMEMF_exact_node_request);
}

/* Xen rejects widths of machine addresses within a page; wider ones concern machine frames only. */
static bool flags_are_right(uint32_t flags)
{
	unsigned bits = XENMEMF_get_address_bits(flags);

	if (bits && bits <= GUEST_PAGE_SHIFT)
		return false;
	return flags & XENMEMF_vnode || node_is_right(flags);
}

static int read_frames(struct vcpu *v, const struct extents *e, uint64_t first, unsigned n,
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

/* The next piece of the list; those before an entry that cannot be read are to be done. */
static unsigned next_frames(struct vcpu *v, const struct extents *e, uint64_t first,
			    uint64_t *frames)
{
	unsigned most = min_of(PIECE, PIECE_PAGES >> e->order);
	unsigned n = min_of(e->count - first, most);

	if (!read_frames(v, e, first, n, frames))
		return n;
	return read_frames(v, e, first, 1, frames) ? 0 : 1;
}

/* How many it has done: fewer than `n` if one cannot be done, or before one that needs care. */
typedef unsigned (*reservation_step)(struct domain *d, const uint64_t *frames, unsigned n,
				     unsigned order);

/* How many of the extents have been done, those before `done` included. */
static uint64_t each_extent(struct vcpu *v, const struct extents *e, uint64_t done,
			    reservation_step step)
{
	struct domain *d = v->domain;

	while (done < e->count && !d->ops->must_stop(v)) {
		uint64_t frames[PIECE];
		unsigned n = next_frames(v, e, done, frames);
		unsigned did = n ? step(d, frames, n, e->order) : 0;

		if (!did)
			break;
		done += did;
	}
	return done;
}

/* Xen tells nothing but how far it has come, whatever was wrong. False: no further than `start`. */
static bool may_adjust(struct vcpu *v, const struct hypercall *h, struct extents *e)
{
	return !read_extents(v, h, e) && e->count <= EXTENTS_MAX &&
	       memop_start_extent(h) < e->count && e->order <= MAX_ORDER &&
	       flags_are_right(e->flags) && !domain_check_self(v->domain, e->domid);
}

/* Its guests have no use for machine frames, so the list is not looked at. */
long xenmem_increase_reservation(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	uint64_t done = memop_start_extent(h);
	struct extents e;

	if (!may_adjust(v, h, &e))
		return done;
	while (done < e.count && !d->ops->must_stop(v) && reservation_increase(d, e.order))
		done++;
	return done;
}

/* A page of the hypervisor's that is seen there goes, with the RAM below, if there is any. */
static bool remove_covered(struct domain *d, uint64_t first, unsigned order)
{
	for (uint64_t i = 0; i < 1ull << order; i++) {
		const uint64_t page = first + i;
		int hidden;

		pthread_mutex_lock(&d->lock);
		hidden = physmap_hide(d, gfn(page));
		pthread_mutex_unlock(&d->lock);
		if (!reservation_remove(d, &page, 1, 0) && hidden)
			return false;
	}
	return true;
}

static unsigned remove_extents(struct domain *d, const uint64_t *frames, unsigned n, unsigned order)
{
	unsigned done, clear = 0;

	while (clear < n && !overlay_in_range(&d->memslots, gfn(frames[clear]), 1ull << order))
		clear++;
	done = reservation_remove(d, frames, clear, order);
	if (done < clear || done == n)
		return done;
	return done + remove_covered(d, frames[done], order);
}

long xenmem_decrease_reservation(struct vcpu *v, const struct hypercall *h)
{
	uint64_t start = memop_start_extent(h);
	struct extents e;

	return may_adjust(v, h, &e) ? each_extent(v, &e, start, remove_extents) : start;
}

/* A guest must not leave pages of its own to be populated on demand. */
long xenmem_populate_physmap(struct vcpu *v, const struct hypercall *h)
{
	uint64_t start = memop_start_extent(h);
	struct extents e;

	if (!may_adjust(v, h, &e) || e.flags & XENMEMF_populate_on_demand)
		return start;
	return each_extent(v, &e, start, reservation_populate);
}

/* A struct xen_memory_exchange. */
struct exchange {
	struct extents in, out;
	uint64_t exchanged;
	struct gva exchanged_at;
};

static int read_exchange(struct vcpu *v, const struct hypercall *h, struct exchange *x)
{
	struct xen_memory_exchange_x86_32 compat;
	struct xen_memory_exchange native;
	struct gva arg = gva(h->args[1]);
	int rc;

	if (h->long_mode) {
		rc = guest_read_inout(v, &native, arg, sizeof(native));
		if (!rc)
			*x = (struct exchange){
				extents_64(&native.in), extents_64(&native.out),
				native.nr_exchanged,
				gva(arg.v + offsetof(struct xen_memory_exchange, nr_exchanged))};
		return rc;
	}
	rc = guest_read_inout(v, &compat, arg, sizeof(compat));
	if (!rc)
		*x = (struct exchange){
			extents_32(&compat.in), extents_32(&compat.out), compat.nr_exchanged,
			gva(arg.v + offsetof(struct xen_memory_exchange_x86_32, nr_exchanged))};
	return rc;
}

/* How many extents of `in` make one of `out`, if that is the larger one; as a power of two. */
static unsigned chunk_order(const struct exchange *x)
{
	return x->out.order > x->in.order ? x->out.order - x->in.order : 0;
}

/* Both lists are of as many pages, and their number fits a word of the caller's. */
static bool sizes_match(const struct exchange *x)
{
	uint64_t most = x->in.wide ? UINT64_MAX : UINT32_MAX;

	return x->exchanged <= x->in.count && x->in.count <= most >> x->in.order &&
	       x->out.count <= most >> x->out.order &&
	       x->in.count << x->in.order == x->out.count << x->out.order;
}

static bool is_whole_chunks(const struct exchange *x)
{
	return !(x->exchanged & ((1ull << chunk_order(x)) - 1));
}

/* In Xen's order, which is another for 32-bit callers. */
static long check_exchange(struct vcpu *v, const struct exchange *x)
{
	bool shiftable = x->in.order < 32 && x->out.order < 32;

	if (!x->in.wide && shiftable && (!sizes_match(x) || !is_whole_chunks(x)))
		return -XEN_EINVAL;
	if (x->in.order > MAX_ORDER || x->out.order > MAX_ORDER)
		return -XEN_EPERM;
	if (!sizes_match(x) || x->in.domid != x->out.domid)
		return -XEN_EINVAL;
	if (x->exchanged == x->in.count)
		return 0;
	if (!node_is_right(x->out.flags))
		return -XEN_EINVAL;
	return domain_check_self(v->domain, x->in.domid);
}

/*
 * Pages are exchanged as chunks of the larger order. Xen takes none from a guest that does not know
 * machine frames: it looks at the first, and gives up.
 */
static long exchange_chunks(struct vcpu *v, struct exchange *x)
{
	unsigned chunk = chunk_order(x);
	uint64_t next = x->exchanged >> chunk, frame;
	int rc;

	if (next >= x->in.count >> chunk) {
		x->exchanged = x->in.count;
		return 0;
	}
	x->exchanged = next << chunk;
	rc = read_frames(v, &x->in, x->exchanged, 1, &frame);
	if (rc)
		return rc;
	if (frame > UINT64_MAX >> GUEST_PAGE_SHIFT ||
	    !domain_page_populated(v->domain, gfn(frame)) ||
	    !guest_may_read(v->domain, gfn_to_gpa(gfn(frame)), GUEST_PAGE_SIZE))
		return -XEN_EINVAL;
	return -XEN_EOPNOTSUPP;
}

long xenmem_exchange(struct vcpu *v, const struct hypercall *h)
{
	struct exchange x;
	long rc, written;

	if (memop_start_extent(h))
		return -XEN_EINVAL;
	rc = read_exchange(v, h, &x);
	if (rc)
		return rc;
	rc = check_exchange(v, &x);
	if (rc || x.exchanged == x.in.count)
		return rc;
	rc = exchange_chunks(v, &x);
	written = guest_write(v, x.exchanged_at, &x.exchanged, x.in.wide ? 8 : 4);
	return written ? written : rc;
}

/* The argument of those that only ask: a domid. */
static long check_query(struct vcpu *v, const struct hypercall *h)
{
	domid_t domid;
	long rc;

	if (memop_start_extent(h))
		return -XEN_EINVAL;
	rc = guest_read(v, &domid, gva(h->args[1]), sizeof(domid));
	return rc ? rc : domain_check_self(v->domain, domid);
}

static long query_memory(struct vcpu *v, const struct hypercall *h, struct domain_memory *m)
{
	long rc = check_query(v, h);

	if (!rc)
		domain_memory(v->domain, m);
	return rc;
}

long xenmem_current_reservation(struct vcpu *v, const struct hypercall *h)
{
	struct domain_memory m;
	long rc = query_memory(v, h, &m);

	return rc ? rc : (long)m.pages;
}

long xenmem_maximum_reservation(struct vcpu *v, const struct hypercall *h)
{
	struct domain_memory m;
	long rc = query_memory(v, h, &m);

	return rc ? rc : (long)m.max;
}

static bool remember_end(const struct range *r, void *opaque)
{
	uint64_t *end = opaque;

	if (r->end > *end)
		*end = r->end;
	return false;
}

/* The highest frame where there is memory of any kind. */
long xenmem_maximum_gpfn(struct vcpu *v, const struct hypercall *h)
{
	const struct memslot_set *slots;
	uint64_t end = GUEST_PAGE_SIZE;
	long rc = check_query(v, h);

	if (rc)
		return rc;
	slots = memslots_enter(&v->domain->memslots);
	range_index_visit((slots->whole ? slots->whole : slots)->by_gpa[0], 0, UINT64_MAX,
			  remember_end, &end);
	memslots_leave();
	return (end >> GUEST_PAGE_SHIFT) - 1;
}

/* Of the host, on Xen. To a guest here its own RAM is the machine. */
long xenmem_maximum_ram_page(struct vcpu *v, const struct hypercall *h)
{
	return memop_start_extent(h) ? -XEN_EINVAL : (long)reservation_ram_end(v->domain);
}
