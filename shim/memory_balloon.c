// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_balloon.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_extents.h"
#include "shim/memory_op.h"
#include "shim/memslot/overlay.h"
#include "shim/physmap.h"
#include "shim/pv_memory.h"

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
		unsigned n = extents_next(v, e, done, frames);
		unsigned did = n ? step(d, frames, n, e->order) : 0;

		if (!did)
			break;
		done += did;
	}
	return done;
}

/* Its guests have no use for machine frames, so the list is not looked at. */
long xenmem_increase_reservation(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	uint64_t done = memop_start_extent(h);
	struct extents e;

	if (!extents_may_adjust(v, h, &e))
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

	return extents_may_adjust(v, h, &e) ? each_extent(v, &e, start, remove_extents) : start;
}

/* A guest must not leave pages of its own to be populated on demand. */
long xenmem_populate_physmap(struct vcpu *v, const struct hypercall *h)
{
	uint64_t start = memop_start_extent(h);
	struct extents e;

	if (!extents_may_adjust(v, h, &e) || e.flags & XENMEMF_populate_on_demand)
		return start;
	return each_extent(v, &e, start, reservation_populate);
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

long pv_current_reservation(struct vcpu *v, const struct hypercall *h)
{
	pv_reap_frames(v->domain);
	return xenmem_current_reservation(v, h);
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

/* What the guest itself says, for tools that look at its memory. */
long pv_maximum_gpfn(struct vcpu *v, const struct hypercall *h)
{
	struct shared_info *si = v->domain->shared_info;
	long rc = check_query(v, h);
	uint64_t max_pfn;

	if (rc)
		return rc;
	max_pfn = __atomic_load_n(&si->arch.max_pfn, __ATOMIC_RELAXED);
	return max_pfn ? max_pfn - 1 : 0;
}

/* Of the host, on Xen. To a guest here its own RAM is the machine. */
long xenmem_maximum_ram_page(struct vcpu *v, const struct hypercall *h)
{
	return memop_start_extent(h) ? -XEN_EINVAL : (long)reservation_ram_end(v->domain);
}
