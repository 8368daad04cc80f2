// SPDX-License-Identifier: BSD-2-Clause
#include "shim/xen_version.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "xen-abi/x86_32.h"

/* Where Xen's reserved hole of virtual addresses starts, for PV guests; /sys/hypervisor shows it.
 * 64-bit callers hear of it in any case, of 32-bit ones only those that are PV. */
#define XEN_VIRT_START_64 0xffff800000000000ull
#define XEN_VIRT_START_32 0xffffffffu

static long put(struct vcpu *v, const struct hypercall *h, const void *from, size_t len)
{
	return guest_write(v, gva(h->args[1]), from, len);
}

static long xenver_version(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return XEN_SHIM_VERSION;
}

static long xenver_extraversion(struct vcpu *v, const struct hypercall *h)
{
	static const xen_extraversion_t extraversion = XEN_SHIM_EXTRAVERSION;

	return put(v, h, extraversion, sizeof(extraversion));
}

static long xenver_compile_info(struct vcpu *v, const struct hypercall *h)
{
	static const struct xen_compile_info info = {
		.compiler = "gcc " __VERSION__,
		.compile_by = "xenolith",
		.compile_domain = "",
		.compile_date = "",
	};

	return put(v, h, &info, sizeof(info));
}

static long xenver_capabilities(struct vcpu *v, const struct hypercall *h)
{
	static const xen_capabilities_info_t pvh = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";
	static const xen_capabilities_info_t pv =
		"xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

	return put(v, h, v->domain->type == DOMAIN_PV ? pv : pvh, sizeof(pvh));
}

static long xenver_changeset(struct vcpu *v, const struct hypercall *h)
{
	static const xen_changeset_info_t changeset = "unavailable";

	return put(v, h, changeset, sizeof(changeset));
}

static long xenver_platform_parameters(struct vcpu *v, const struct hypercall *h)
{
	const struct xen_platform_parameters native = {.virt_start = XEN_VIRT_START_64};
	const struct xen_platform_parameters_x86_32 compat = {.virt_start = XEN_VIRT_START_32};

	return h->long_mode ? put(v, h, &native, sizeof(native))
			    : put(v, h, &compat, sizeof(compat));
}

#define FEATURE(name) (1u << XENFEAT_##name)

/* Submap 0 as Xen gives it (never XENFEAT_dom0). */
static uint32_t features(const struct domain *d)
{
	uint32_t pv = FEATURE(memory_op_vnode_supported) | FEATURE(mmu_pt_update_preserve_ad) |
		      FEATURE(highmem_assist) | FEATURE(gnttab_map_avail_bits) |
		      FEATURE(direct_mapped);

	if (d->type == DOMAIN_PV)
		return domain_assists(d, VMASST_TYPE_pae_extended_cr3)
			       ? pv | FEATURE(pae_pgdir_above_4gb)
			       : pv;
	return FEATURE(writable_page_tables) | FEATURE(auto_translated_physmap) |
	       FEATURE(hvm_callback_vector) | FEATURE(hvm_safe_pvclock) |
	       FEATURE(memory_op_vnode_supported) | FEATURE(not_direct_mapped);
}

static long xenver_get_features(struct vcpu *v, const struct hypercall *h)
{
	struct xen_feature_info info;
	long rc = guest_read(v, &info, gva(h->args[1]), sizeof(info));

	if (rc)
		return rc;
	/* Submaps from XENFEAT_NR_SUBMAPS up are an error only beyond what the ABI ever defines. */
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -XEN_EINVAL;
	info.submap = features(v->domain);
	return put(v, h, &info, sizeof(info));
}

static long xenver_pagesize(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	/* The answer is the result itself: who brings a buffer for it is mistaken. */
	return h->args[1] ? -XEN_EINVAL : (long)GUEST_PAGE_SIZE;
}

static long xenver_guest_handle(struct vcpu *v, const struct hypercall *h)
{
	return put(v, h, v->domain->uuid, sizeof(v->domain->uuid));
}

/* The hypervisor's command line: a privileged caller's business, others are told so. Xen writes no
 * more than that word, not the whole xen_commandline_t. */
static long xenver_commandline(struct vcpu *v, const struct hypercall *h)
{
	static const char denied[] = "<denied>";

	return put(v, h, denied, sizeof(denied));
}

/* Also privileged: Xen answers -EPERM to a guest. */
static long xenver_build_id(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return -XEN_EPERM;
}

const struct suboperation xen_version_ops[] = {
	SUBOP_PVH(XENVER_version, xenver_version),
	SUBOP(XENVER_extraversion, xenver_extraversion),
	SUBOP(XENVER_compile_info, xenver_compile_info),
	SUBOP(XENVER_capabilities, xenver_capabilities),
	SUBOP(XENVER_changeset, xenver_changeset),
	SUBOP(XENVER_platform_parameters, xenver_platform_parameters),
	SUBOP(XENVER_get_features, xenver_get_features),
	SUBOP(XENVER_pagesize, xenver_pagesize),
	SUBOP(XENVER_guest_handle, xenver_guest_handle),
	SUBOP(XENVER_commandline, xenver_commandline),
	SUBOP(XENVER_build_id, xenver_build_id),
};
const unsigned xen_version_ops_count = ARRAY_SIZE(xen_version_ops);
