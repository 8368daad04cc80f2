// SPDX-License-Identifier: BSD-2-Clause
#include "shim/physdev_op.h"

#include "shim/domain.h"
#include "shim/guest_access.h"

/* Inputs of the I/O APIC of a host that has few. */
#define GSIS 24

/* Who may not: first its argument is read. */
static long refuse(struct vcpu *v, const struct hypercall *h, size_t size, long rc)
{
	union {
		struct physdev_apic apic;
		struct physdev_irq irq;
		struct physdev_manage_pci manage;
		struct physdev_manage_pci_ext manage_ext;
		struct physdev_pci_device_add add;
		struct physdev_pci_device device;
		struct physdev_restore_msi restore;
	} arg;

	return guest_read(v, &arg, gva(h->args[1]), size) ? -XEN_EFAULT : rc;
}

static long physdevop_apic(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_apic), -XEN_EPERM);
}

static long physdevop_alloc_irq_vector(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_irq), -XEN_EPERM);
}

static long physdevop_manage_pci(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_manage_pci), -XEN_EPERM);
}

static long physdevop_pci_device_add(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_pci_device_add), -XEN_EPERM);
}

static long physdevop_pci_device(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_pci_device), -XEN_EPERM);
}

/* Of a device that there is not. */
static long physdevop_restore_msi(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_restore_msi), -XEN_ENODEV);
}

static long physdevop_restore_msi_ext(struct vcpu *v, const struct hypercall *h)
{
	return refuse(v, h, sizeof(struct physdev_pci_device), -XEN_ENODEV);
}

static long physdevop_manage_pci_add_ext(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_manage_pci_ext op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	return op.is_extfn > 1 || op.is_virtfn > 1 ? -XEN_EINVAL : -XEN_EPERM;
}

static long physdevop_setup_gsi(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_setup_gsi op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	return op.gsi < 0 || op.gsi >= GSIS ? -XEN_EINVAL : -XEN_EPERM;
}

/* Nobody else's argument is looked at. */
static long physdevop_of_the_hardware_domain(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return -XEN_EPERM;
}

/* There is none that it could have bound. */
static long physdevop_eoi(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_eoi op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	return rc ? rc : -XEN_EINVAL;
}

static long physdevop_irq_status_query(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_irq_status_query op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	if (op.irq >= EVENT_PIRQS)
		return -XEN_EINVAL;
	op.flags = XENIRQSTAT_needs_eoi;
	return guest_write(v, gva(h->args[1]), &op, sizeof(op));
}

static long physdevop_map_pirq(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_map_pirq op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	if (op.type == MAP_PIRQ_TYPE_MULTI_MSI && op.table_base)
		return -XEN_EINVAL;
	return domain_check_self(v->domain, op.domid) == -XEN_ESRCH ? -XEN_ESRCH : -XEN_EPERM;
}

static long physdevop_unmap_pirq(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_unmap_pirq op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	return domain_check_self(v->domain, op.domid) == -XEN_ESRCH ? -XEN_ESRCH : -XEN_EPERM;
}

/* Once. Nothing is ever written there, but it is data from then on. */
static long set_eoi_page(struct domain *d, uint64_t mfn)
{
	if (!pv_frame_may_be_written(d, mfn) || !domain_page_populated(d, gfn(mfn)))
		return -XEN_EINVAL;
	if (d->pv.has_eoi_page)
		return -XEN_EBUSY;
	if (!pv_frame_get_writable(d, mfn))
		return -XEN_EINVAL;
	d->pv.has_eoi_page = true;
	return 0;
}

static long physdevop_pirq_eoi_gmfn(struct vcpu *v, const struct hypercall *h)
{
	struct physdev_pirq_eoi_gmfn op;
	struct domain *d = v->domain;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	pthread_mutex_lock(&d->lock);
	rc = set_eoi_page(d, op.gmfn);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

const struct suboperation physdev_ops[] = {
	SUBOP_PV(PHYSDEVOP_irq_status_query, physdevop_irq_status_query),
	SUBOP_ENOSYS(PHYSDEVOP_set_iopl),
	SUBOP_ENOSYS(PHYSDEVOP_set_iobitmap),
	SUBOP_PV(PHYSDEVOP_apic_read, physdevop_apic),
	SUBOP_PV(PHYSDEVOP_apic_write, physdevop_apic),
	SUBOP_PV(PHYSDEVOP_alloc_irq_vector, physdevop_alloc_irq_vector),
	SUBOP_ENOSYS(PHYSDEVOP_free_irq_vector),
	SUBOP_PV(PHYSDEVOP_eoi, physdevop_eoi),
	SUBOP_PV(PHYSDEVOP_map_pirq, physdevop_map_pirq),
	SUBOP_PV(PHYSDEVOP_unmap_pirq, physdevop_unmap_pirq),
	SUBOP_PV(PHYSDEVOP_manage_pci_add, physdevop_manage_pci),
	SUBOP_PV(PHYSDEVOP_manage_pci_remove, physdevop_manage_pci),
	SUBOP_PV(PHYSDEVOP_pirq_eoi_gmfn_v1, physdevop_pirq_eoi_gmfn),
	SUBOP_PV(PHYSDEVOP_restore_msi, physdevop_restore_msi),
	SUBOP_PV(PHYSDEVOP_manage_pci_add_ext, physdevop_manage_pci_add_ext),
	SUBOP_PV(PHYSDEVOP_setup_gsi, physdevop_setup_gsi),
	SUBOP_ENOSYS(PHYSDEVOP_get_free_pirq),
	SUBOP_PV(PHYSDEVOP_pci_mmcfg_reserved, physdevop_of_the_hardware_domain),
	SUBOP_PV(PHYSDEVOP_pci_device_add, physdevop_pci_device_add),
	SUBOP_PV(PHYSDEVOP_pci_device_remove, physdevop_pci_device),
	SUBOP_PV(PHYSDEVOP_restore_msi_ext, physdevop_restore_msi_ext),
	SUBOP_PV(PHYSDEVOP_pirq_eoi_gmfn_v2, physdevop_pirq_eoi_gmfn),
	SUBOP_PV(PHYSDEVOP_dbgp_op, physdevop_of_the_hardware_domain),
	SUBOP_PV(PHYSDEVOP_prepare_msix, physdevop_pci_device),
	SUBOP_PV(PHYSDEVOP_release_msix, physdevop_pci_device),
};
const unsigned physdev_ops_count = ARRAY_SIZE(physdev_ops);
