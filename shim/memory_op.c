// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_op.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_balloon.h"
#include "shim/memory_map.h"
#include "shim/physmap_op.h"
#include "shim/pv_memory.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

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

/* Who may map what: pages of other domains need XENMEM_add_to_physmap_batch, MMIO the hardware's.
 */
static int check_space(const struct domain *d, const struct xen_add_to_physmap *xatp)
{
	int rc;

	if (xatp->space == XENMAPSPACE_gmfn_foreign)
		return -XEN_ENOSYS;
	rc = domain_check_translated(d, xatp->domid);
	if (xatp->space == XENMAPSPACE_dev_mmio && rc != -XEN_ESRCH)
		return -XEN_EACCES;
	return rc;
}

/* A range may end there: what is wrong with it is said when it is reached. */
static bool is_beyond_addresses(const struct xen_add_to_physmap *xatp)
{
	uint64_t last = UINT64_MAX >> GUEST_PAGE_SHIFT;

	return xatp->space == XENMAPSPACE_gmfn_range ? xatp->gpfn == UINT64_MAX : xatp->gpfn > last;
}

/* Pages from idx on move to gpfn and on, until one cannot. */
static int move_range(struct vcpu *v, const struct xen_add_to_physmap *xatp, uint64_t start)
{
	struct domain *d = v->domain;
	int rc = 0;

	if (xatp->size < start)
		return -XEN_EILSEQ;
	if (xatp->gpfn + xatp->size < xatp->gpfn || xatp->idx + xatp->size < xatp->idx)
		return -XEN_EOVERFLOW;
	for (uint64_t i = start; i < xatp->size && !rc && !d->ops->must_stop(v); i++)
		rc = reservation_move(d, gfn(xatp->idx + i), gfn(xatp->gpfn + i));
	return rc;
}

static long xenmem_add_to_physmap(struct vcpu *v, const struct hypercall *h)
{
	struct xen_add_to_physmap xatp;
	long rc;

	/* Only ranges go on, and their sizes have 16 bits. */
	if (memop_start_extent(h) > UINT16_MAX)
		return -XEN_EDOM;
	rc = read_add_to_physmap(v, h, &xatp);
	if (!rc)
		rc = check_space(v->domain, &xatp);
	if (rc)
		return rc;
	if (is_beyond_addresses(&xatp))
		return -XEN_EINVAL;
	switch (xatp.space) {
	case XENMAPSPACE_shared_info:
		return xatp.idx ? -XEN_EINVAL : shared_info_map(v->domain, gfn(xatp.gpfn));
	case XENMAPSPACE_grant_table:
		return grants_show_frame(v->domain, xatp.idx, gfn(xatp.gpfn));
	case XENMAPSPACE_gmfn:
		return reservation_move(v->domain, gfn(xatp.idx), gfn(xatp.gpfn));
	case XENMAPSPACE_gmfn_range:
		return move_range(v, &xatp, memop_start_extent(h));
	default:
		return -XEN_EINVAL;
	}
}

/* Our guests have no virtual NUMA nodes. */
static long xenmem_get_vnumainfo(struct vcpu *v, const struct hypercall *h)
{
	struct xen_vnuma_topology_info info;
	int rc;

	if (memop_start_extent(h))
		return -XEN_EINVAL;
	rc = guest_read(v, &info, gva(h->args[1]), sizeof(info));
	if (rc)
		return rc;
	if (info.pad)
		return -XEN_EINVAL;
	rc = domain_check_self(v->domain, info.domid);
	return rc ? rc : -XEN_EOPNOTSUPP;
}

const struct suboperation memory_ops[] = {
	SUBOP_EACH(XENMEM_increase_reservation, xenmem_increase_reservation,
		   pv_increase_reservation),
	SUBOP_EACH(XENMEM_decrease_reservation, xenmem_decrease_reservation,
		   pv_decrease_reservation),
	SUBOP(XENMEM_maximum_ram_page, xenmem_maximum_ram_page),
	SUBOP_EACH(XENMEM_current_reservation, xenmem_current_reservation, pv_current_reservation),
	SUBOP(XENMEM_maximum_reservation, xenmem_maximum_reservation),
	SUBOP_PV(XENMEM_machphys_mfn_list, pv_machphys_mfn_list),
	SUBOP_EACH(XENMEM_populate_physmap, xenmem_populate_physmap, pv_populate_physmap),
	SUBOP(XENMEM_add_to_physmap, xenmem_add_to_physmap),
	SUBOP(XENMEM_memory_map, xenmem_memory_map),
	SUBOP_ENOSYS(XENMEM_machine_memory_map),
	SUBOP_EACH(XENMEM_exchange, xenmem_exchange, pv_exchange),
	SUBOP_PV(XENMEM_machphys_mapping, pv_machphys_mapping),
	SUBOP(XENMEM_set_memory_map, xenmem_set_memory_map),
	SUBOP_EACH(XENMEM_maximum_gpfn, xenmem_maximum_gpfn, pv_maximum_gpfn),
	SUBOP(XENMEM_remove_from_physmap, xenmem_remove_from_physmap),
	SUBOP(XENMEM_add_to_physmap_batch, xenmem_add_to_physmap_batch),
	SUBOP(XENMEM_get_vnumainfo, xenmem_get_vnumainfo),
};
const unsigned memory_ops_count = ARRAY_SIZE(memory_ops);
