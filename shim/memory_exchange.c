// SPDX-License-Identifier: BSD-2-Clause
/* XENMEM_exchange. */
#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_balloon.h"
#include "shim/memory_extents.h"
#include "shim/memory_op.h"
#include "shim/pv_memory.h"

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
	if (x->in.order > EXTENT_ORDER_MAX || x->out.order > EXTENT_ORDER_MAX)
		return -XEN_EPERM;
	if (!sizes_match(x) || x->in.domid != x->out.domid)
		return -XEN_EINVAL;
	if (x->exchanged == x->in.count)
		return 0;
	if (!extents_node_is_right(x->out.flags))
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
	rc = extents_read(v, &x->in, x->exchanged, 1, &frame);
	if (rc)
		return rc;
	if (frame > UINT64_MAX >> GUEST_PAGE_SHIFT ||
	    !domain_page_populated(v->domain, gfn(frame)) ||
	    !guest_may_read(v->domain, gfn_to_gpa(gfn(frame)), GUEST_PAGE_SIZE))
		return -XEN_EINVAL;
	return -XEN_EOPNOTSUPP;
}

/* In machine frames: pages of one chunk, and then which they have become. */
struct chunk {
	uint64_t pages[1u << EXTENT_ORDER_MAX];
	unsigned nr_pages;
	uint64_t first[1u << EXTENT_ORDER_MAX]; /* of each extent */
	unsigned nr_extents;
};

static bool add_extent(struct domain *d, struct chunk *c, uint64_t mfn, unsigned order)
{
	for (uint64_t i = 0; i < 1ull << order; i++) {
		if (pv_frame_hold(d, mfn + i) != PV_HOLD_ALLOCATION)
			return false;
		c->pages[c->nr_pages++] = mfn + i;
	}
	return true;
}

/* Nobody may use a page that goes but as its owner. */
static int read_chunk(struct vcpu *v, const struct exchange *x, struct chunk *c)
{
	uint64_t count = 1ull << chunk_order(x);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t mfn;

		if (extents_read(v, &x->in, x->exchanged + i, 1, &mfn))
			return -XEN_EFAULT;
		if (!add_extent(v->domain, c, mfn, x->in.order))
			return -XEN_EINVAL;
	}
	c->nr_extents = c->nr_pages >> x->out.order;
	return 0;
}

/* The guest says which pseudo-physical frames they are to be, and is told which they are. */
static int tell_chunk(struct vcpu *v, const struct exchange *x, const struct chunk *c)
{
	uint64_t pages = x->exchanged << x->in.order, pfn;
	int rc = 0;

	for (unsigned i = 0; i < c->nr_extents; i++) {
		uint64_t entry = (pages >> x->out.order) + i;

		if (extents_read(v, &x->out, entry, 1, &pfn)) {
			rc = -XEN_EFAULT;
			continue;
		}
		pv_set_m2p(v->domain, c->first[i], pfn, 1ull << x->out.order);
		if (extents_write(v, &x->out, entry, c->first[i]))
			rc = -XEN_EFAULT;
	}
	return rc;
}

static int pv_exchange_chunk(struct vcpu *v, const struct exchange *x)
{
	struct domain *d = v->domain;
	struct chunk c = {.nr_pages = 0};
	int rc = read_chunk(v, x, &c);

	if (!rc)
		rc = reservation_exchange(d, c.pages, c.nr_pages, x->out.order,
					  extents_end(&x->out), c.first);
	if (rc)
		return rc;
	for (unsigned i = 0; i < c.nr_pages; i++)
		pv_frame_free(d, c.pages[i]);
	for (unsigned i = 0; i < c.nr_extents; i++)
		for (uint64_t page = 0; page < 1ull << x->out.order; page++)
			pv_frame_allocate(d, c.first[i] + page);
	return tell_chunk(v, x, &c);
}

/* The first that fails is the last: those before it are told of. */
static long pv_exchange_chunks(struct vcpu *v, struct exchange *x)
{
	unsigned chunk = chunk_order(x);
	long rc = 0;

	x->exchanged = x->exchanged >> chunk << chunk;
	while (x->exchanged < x->in.count && !rc && !v->domain->ops->must_stop(v)) {
		rc = pv_exchange_chunk(v, x);
		if (!rc)
			x->exchanged += 1ull << chunk;
	}
	return rc;
}

static long exchange(struct vcpu *v, const struct hypercall *h,
		     long (*chunks)(struct vcpu *v, struct exchange *x))
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
	rc = chunks(v, &x);
	written = guest_write(v, x.exchanged_at, &x.exchanged, x.in.wide ? 8 : 4);
	return written ? written : rc;
}

long xenmem_exchange(struct vcpu *v, const struct hypercall *h)
{
	return exchange(v, h, exchange_chunks);
}

long pv_exchange(struct vcpu *v, const struct hypercall *h)
{
	pv_reap_frames(v->domain);
	return exchange(v, h, pv_exchange_chunks);
}
