// SPDX-License-Identifier: BSD-2-Clause
#include "shim/physmap_op.h"

#include "shim/domain.h"
#include "shim/grant_table.h"
#include "shim/guest_access.h"
#include "shim/memory_op.h"
#include "shim/physmap.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

/* The last frame that has an address. */
#define LAST_GFN (UINT64_MAX >> GUEST_PAGE_SHIFT)

/* Whose frames, and which space: MMIO is for domains that have the hardware. */
static int check_domain(const struct domain *d, domid_t domid, unsigned space)
{
	int rc = domain_check_translated(d, domid);

	return space == XENMAPSPACE_dev_mmio && rc != -XEN_ESRCH ? -XEN_EACCES : rc;
}

static int add_page(struct domain *d, unsigned space, uint64_t idx, uint64_t gpfn)
{
	if (gpfn > LAST_GFN)
		return -XEN_EINVAL;
	switch (space) {
	case XENMAPSPACE_shared_info:
		return idx ? -XEN_EINVAL : shared_info_map(d, gfn(gpfn));
	case XENMAPSPACE_grant_table:
		return grants_show_frame(d, idx, gfn(gpfn));
	case XENMAPSPACE_gmfn:
		return reservation_move(d, gfn(idx), gfn(gpfn));
	default:
		return -XEN_EINVAL;
	}
}

static int read_add_to_physmap(struct vcpu *v, const struct hypercall *h,
			       struct xen_add_to_physmap *xatp)
{
	struct xen_add_to_physmap_x86_32 compat;
	int rc;

	if (h->long_mode)
		return guest_read(v, xatp, gva(h->args[1]), sizeof(*xatp));
	rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
	if (!rc)
		*xatp = (struct xen_add_to_physmap){.domid = compat.domid,
						    .size = compat.size,
						    .space = compat.space,
						    .idx = compat.idx,
						    .gpfn = compat.gpfn};
	return rc;
}

/*
 * Pages from idx on move to gpfn and on, until one cannot. A range may end beyond all addresses:
 * what is wrong with it is said when it is reached.
 */
static int move_range(struct vcpu *v, const struct xen_add_to_physmap *xatp, uint64_t start)
{
	struct domain *d = v->domain;
	int rc = 0;

	if (xatp->gpfn == UINT64_MAX)
		return -XEN_EINVAL;
	if (xatp->size < start)
		return -XEN_EILSEQ;
	if (xatp->gpfn + xatp->size < xatp->gpfn || xatp->idx + xatp->size < xatp->idx)
		return -XEN_EOVERFLOW;
	for (uint64_t i = start; i < xatp->size && !rc && !d->ops->must_stop(v); i++)
		rc = reservation_move(d, gfn(xatp->idx + i), gfn(xatp->gpfn + i));
	return rc;
}

long xenmem_add_to_physmap(struct vcpu *v, const struct hypercall *h)
{
	struct xen_add_to_physmap xatp;
	long rc;

	/* Only ranges go on, and their sizes have 16 bits. */
	if (memop_start_extent(h) > UINT16_MAX)
		return -XEN_EDOM;
	rc = read_add_to_physmap(v, h, &xatp);
	if (rc)
		return rc;
	/* Pages of other domains need XENMEM_add_to_physmap_batch. */
	if (xatp.space == XENMAPSPACE_gmfn_foreign)
		return -XEN_ENOSYS;
	rc = check_domain(v->domain, xatp.domid, xatp.space);
	if (rc)
		return rc;
	return xatp.space == XENMAPSPACE_gmfn_range
		       ? move_range(v, &xatp, memop_start_extent(h))
		       : add_page(v->domain, xatp.space, xatp.idx, xatp.gpfn);
}

struct batch {
	domid_t domid;
	uint16_t space, size;
	struct gva idxs, gpfns, errs;
	size_t word; /* bytes of an index or frame */
};

static int read_batch(struct vcpu *v, const struct hypercall *h, struct batch *b)
{
	struct xen_add_to_physmap_batch_x86_32 compat;
	struct xen_add_to_physmap_batch native;
	int rc;

	if (h->long_mode) {
		rc = guest_read(v, &native, gva(h->args[1]), sizeof(native));
		*b = (struct batch){native.domid,
				    native.space,
				    native.size,
				    gva((uintptr_t)native.idxs.p),
				    gva((uintptr_t)native.gpfns.p),
				    gva((uintptr_t)native.errs.p),
				    8};
	} else {
		rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
		*b = (struct batch){compat.domid,
				    compat.space,
				    compat.size,
				    gva(compat.idxs),
				    gva(compat.gpfns),
				    gva(compat.errs),
				    4};
	}
	return rc;
}

static int add_extent(struct vcpu *v, const struct batch *b, uint64_t i)
{
	uint64_t idx = 0, gpfn = 0;
	int32_t err;

	if (guest_read(v, &idx, gva(b->idxs.v + i * b->word), b->word) ||
	    guest_read(v, &gpfn, gva(b->gpfns.v + i * b->word), b->word))
		return -XEN_EFAULT;
	if (gpfn == UINT64_MAX)
		return -XEN_EINVAL;
	/* Pages of other domains are for the toolstack's domain alone. */
	err = b->space == XENMAPSPACE_gmfn_foreign ? -XEN_EPERM
						   : add_page(v->domain, b->space, idx, gpfn);
	return guest_write(v, gva(b->errs.v + i * sizeof(err)), &err, sizeof(err));
}

static long add_extents(struct vcpu *v, const struct batch *b, uint64_t start)
{
	long rc = 0;

	if (b->size < start || (b->size == start && start))
		return -XEN_EILSEQ;
	for (uint64_t i = start; i < b->size && !rc && !v->domain->ops->must_stop(v); i++)
		rc = add_extent(v, b, i);
	return rc;
}

long xenmem_add_to_physmap_batch(struct vcpu *v, const struct hypercall *h)
{
	struct batch b;
	long rc;

	if (memop_start_extent(h) > UINT16_MAX)
		return -XEN_EDOM;
	rc = read_batch(v, h, &b);
	if (rc)
		return rc;
	if (b.space == XENMAPSPACE_gmfn_range)
		return -XEN_EOPNOTSUPP;
	rc = check_domain(v->domain, b.domid, b.space);
	return rc ? rc : add_extents(v, &b, memop_start_extent(h));
}

struct removal {
	domid_t domid;
	uint64_t gpfn;
};

static int read_removal(struct vcpu *v, const struct hypercall *h, struct removal *r)
{
	struct xen_remove_from_physmap_x86_32 compat;
	struct xen_remove_from_physmap native;
	int rc;

	if (h->long_mode) {
		rc = guest_read(v, &native, gva(h->args[1]), sizeof(native));
		*r = (struct removal){native.domid, native.gpfn};
	} else {
		rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
		*r = (struct removal){compat.domid, compat.gpfn};
	}
	return rc;
}

/* One of the hypervisor's pages is seen no longer, or one of RAM. */
static long remove_page(struct domain *d, struct gfn at)
{
	long rc;

	pthread_mutex_lock(&d->lock);
	rc = physmap_hide(d, at);
	pthread_mutex_unlock(&d->lock);
	return rc == -XEN_ENOENT ? reservation_unmap(d, at) : rc;
}

long xenmem_remove_from_physmap(struct vcpu *v, const struct hypercall *h)
{
	struct removal r;
	long rc;

	if (memop_start_extent(h))
		return -XEN_EINVAL;
	rc = read_removal(v, h, &r);
	if (!rc)
		rc = domain_check_translated(v->domain, r.domid);
	if (rc)
		return rc;
	return r.gpfn > LAST_GFN ? -XEN_ENOENT : remove_page(v->domain, gfn(r.gpfn));
}
