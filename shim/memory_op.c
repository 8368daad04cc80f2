// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_op.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

/* Where a long operation goes on, when it is continued: Xen keeps that in the command. */
static uint64_t start_extent(const struct hypercall *h)
{
	return h->args[0] >> MEMOP_EXTENT_SHIFT;
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

/* Who may map what: pages of other domains need XENMEM_add_to_physmap_batch, MMIO the hardware's.
 */
static int check_space(const struct domain *d, const struct xen_add_to_physmap *xatp)
{
	int rc;

	if (xatp->space == XENMAPSPACE_gmfn_foreign)
		return -XEN_ENOSYS;
	rc = domain_check_self(d, xatp->domid);
	if (xatp->space == XENMAPSPACE_dev_mmio && rc != -XEN_ESRCH)
		return -XEN_EACCES;
	return rc;
}

static long xenmem_add_to_physmap(struct vcpu *v, const struct hypercall *h)
{
	struct xen_add_to_physmap xatp;
	long rc;

	/* Only ranges go on, and their sizes have 16 bits. */
	if (start_extent(h) > UINT16_MAX)
		return -XEN_EDOM;
	rc = read_add_to_physmap(v, h, &xatp);
	if (!rc)
		rc = check_space(v->domain, &xatp);
	if (rc)
		return rc;
	if (xatp.gpfn > UINT64_MAX >> GUEST_PAGE_SHIFT)
		return -XEN_EINVAL;
	switch (xatp.space) {
	case XENMAPSPACE_shared_info:
		return xatp.idx ? -XEN_EINVAL : shared_info_map(v->domain, gfn(xatp.gpfn));
	case XENMAPSPACE_grant_table:
		return grants_show_frame(v->domain, xatp.idx, gfn(xatp.gpfn));
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return -XEN_ENOSYS;
	default:
		return -XEN_EINVAL;
	}
}

/* The e820-style entry of this call is 20 bytes: u64 addr, u64 size, u32 type, packed. */
struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

/* Longer maps are cut: Xen's own have had no more for long (E820MAX), ours are far from it. */
#define MEMORY_MAP_MAX 128

/* In one piece, so that it is written whole or not at all. */
static int write_memory_map(struct vcpu *v, struct gva buffer, unsigned count)
{
	struct e820_entry e[MEMORY_MAP_MAX];

	for (unsigned i = 0; i < count; i++) {
		const struct hvm_memmap_table_entry *m = &v->domain->memmap[i];

		e[i] = (struct e820_entry){m->addr, m->size, m->type};
	}
	return guest_write(v, buffer, e, count * sizeof(e[0]));
}

/* nr_entries: in, the buffer's capacity in entries; out, how many were written. */
static long xenmem_memory_map(struct vcpu *v, const struct hypercall *h)
{
	struct xen_memory_map_x86_32 compat;
	struct gva arg = gva(h->args[1]);
	uint64_t native[2] = {0}; /* { u32 nr_entries; pad; u64 buffer } */
	uint32_t capacity, count = v->domain->memmap_entries;
	struct gva buffer;
	int rc;

	if (start_extent(h))
		return -XEN_ENOSYS;
	if (h->long_mode) {
		rc = guest_read_inout(v, native, arg, sizeof(native));
		capacity = native[0];
		buffer = gva(native[1]);
	} else {
		rc = guest_read_inout(v, &compat, arg, sizeof(compat));
		capacity = compat.nr_entries;
		buffer = gva(compat.buffer);
	}
	if (rc)
		return rc;
	if (!count)
		return -XEN_ENOSYS;
	if (count > capacity)
		count = capacity;
	if (count > MEMORY_MAP_MAX)
		count = MEMORY_MAP_MAX;
	rc = write_memory_map(v, buffer, count);
	/* nr_entries is the first field in both word sizes. */
	return rc ? rc : guest_write(v, arg, &count, sizeof(count));
}

/* Pages of RAM that the domain has, and may have. Results are the return value, in pages. */
static long reservation(struct vcpu *v, const struct hypercall *h)
{
	domid_t domid;
	long rc;

	if (start_extent(h))
		return -XEN_EINVAL;
	rc = guest_read(v, &domid, gva(h->args[1]), sizeof(domid));
	if (!rc)
		rc = domain_check_self(v->domain, domid);
	return rc ? rc : (long)v->domain->max_pages;
}

const struct suboperation memory_ops[] = {
	SUBOP_ENOSYS(XENMEM_increase_reservation),
	SUBOP_ENOSYS(XENMEM_decrease_reservation),
	SUBOP_ENOSYS(XENMEM_maximum_ram_page),
	SUBOP(XENMEM_current_reservation, reservation),
	SUBOP(XENMEM_maximum_reservation, reservation),
	SUBOP_ENOSYS(XENMEM_machphys_mfn_list),
	SUBOP_ENOSYS(XENMEM_populate_physmap),
	SUBOP(XENMEM_add_to_physmap, xenmem_add_to_physmap),
	SUBOP(XENMEM_memory_map, xenmem_memory_map),
	SUBOP_ENOSYS(XENMEM_machine_memory_map),
	SUBOP_ENOSYS(XENMEM_exchange),
	SUBOP_ENOSYS(XENMEM_machphys_mapping),
	SUBOP_ENOSYS(XENMEM_set_memory_map),
	SUBOP_ENOSYS(XENMEM_maximum_gpfn),
	SUBOP_ENOSYS(XENMEM_remove_from_physmap),
	SUBOP_ENOSYS(XENMEM_add_to_physmap_batch),
	SUBOP_ENOSYS(XENMEM_get_vnumainfo),
};
const unsigned memory_ops_count = ARRAY_SIZE(memory_ops);
