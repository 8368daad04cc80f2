// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_op.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_balloon.h"
#include "shim/memory_map.h"
#include "shim/physmap_op.h"
#include "shim/pv_memory.h"

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
