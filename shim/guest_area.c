// SPDX-License-Identifier: BSD-2-Clause
#include "shim/guest_area.h"

#include "shim/domain.h"
#include "shim/guest_access.h"

int guest_area_find(struct vcpu *v, struct gva addr, uint32_t len,
		    struct gpc_part parts[GUEST_AREA_PARTS])
{
	int nr = 0;

	while (len) {
		uint32_t room = GUEST_PAGE_SIZE - (addr.v & (GUEST_PAGE_SIZE - 1));
		struct gpc_part *part = &parts[nr++];

		part->len = len < room ? len : room;
		if (guest_translate(v, addr, true, &part->at))
			return -XEN_EFAULT;
		addr.v += part->len;
		len -= part->len;
	}
	return nr;
}

long guest_area_argument(struct vcpu *v, const struct hypercall *h, struct gva *addr)
{
	*addr = gva(0);
	return guest_read(v, &addr->v, gva(h->args[2]), h->long_mode ? 8 : 4);
}

long guest_area_register(struct gpc *area, struct vcpu *v, const struct hypercall *h, uint32_t len)
{
	struct gpc_part parts[GUEST_AREA_PARTS];
	struct gva addr;
	long rc = guest_area_argument(v, h, &addr);
	int nr;

	if (rc)
		return rc;
	if (!addr.v) {
		gpc_deactivate(area);
		return 0;
	}
	nr = guest_area_find(v, addr, len, parts);
	/* An area of two parts needs no memory of ours; what is left is an address that wraps. */
	return nr < 0 || gpc_activate_parts(area, parts, nr) ? -XEN_EFAULT : 0;
}

/* Xen's rules (map_guest_area), in its order. */
long guest_area_phys_argument(struct vcpu *v, const struct hypercall *h, uint32_t len,
			      struct gpa *addr)
{
	uint32_t align = domain_long_mode(v->domain) ? sizeof(uint64_t) : sizeof(uint32_t);
	long rc = guest_read(v, &addr->v, gva(h->args[2]), sizeof(addr->v));

	if (rc)
		return rc;
	if (addr->v == UINT64_MAX)
		return GUEST_AREA_NONE;
	if (gpa_offset(*addr) + len > GUEST_PAGE_SIZE || addr->v % align)
		return -XEN_ENXIO;
	return guest_has_memory(v->domain, *addr, len) ? 0 : -XEN_EINVAL;
}
