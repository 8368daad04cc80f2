// SPDX-License-Identifier: BSD-2-Clause
#include "shim/hvm_op.h"

#include "shim/callback.h"
#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/shared_info.h"

/* Vectors below 16 cannot be sent through a local APIC. */
#define FIRST_VECTOR 0x10

/* What a guest may do with an HVM parameter (Xen, hvm_allow_set_param and hvm_allow_get_param). */
static int check_set(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
	case HVM_PARAM_VM_GENERATION_ID_ADDR:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_X87_FIP_WIDTH:
		return 0;
	default:
		return -XEN_EPERM;
	}
}

static int check_get(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_ALTP2M:
		return 0;
	default:
		return check_set(index);
	}
}

static bool deprecated(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_PAE_ENABLED:
	case HVM_PARAM_DM_DOMAIN:
	case HVM_PARAM_MEMORY_EVENT_CR0:
	case HVM_PARAM_MEMORY_EVENT_CR3:
	case HVM_PARAM_MEMORY_EVENT_CR4:
	case HVM_PARAM_MEMORY_EVENT_INT3:
	case HVM_PARAM_NESTEDHVM:
	case HVM_PARAM_MEMORY_EVENT_SINGLE_STEP:
	case HVM_PARAM_BUFIOREQ_EVTCHN:
	case HVM_PARAM_MEMORY_EVENT_MSR:
		return true;
	default:
		return false;
	}
}

static int check_param(const struct domain *d, const struct xen_hvm_param *p,
		       int (*check)(uint32_t index))
{
	int rc;

	if (p->index >= HVM_NR_PARAMS)
		return -XEN_EINVAL;
	rc = domain_check_self(d, p->domid);
	if (rc)
		return rc;
	return deprecated(p->index) ? -XEN_EINVAL : check(p->index);
}

/* Bytes of a 32-bit TSS, and of one with both of its bitmaps and the byte behind them. */
#define TSS_SIZE     104
#define TSS_SIZE_MAX (TSS_SIZE + 256 / 8 + 65536 / 8 + 1)

/* A guest that cannot go on. */
static int crash(struct domain *d)
{
	domain_shutdown(d, SHUTDOWN_crash);
	return -XEN_EINVAL;
}

/*
 * HVM_PARAM_VM86_TSS is an address below 4 GiB, VM86_TSS_SIZED has the size above it. The first is
 * an older name for the second with a fixed size.
 */
static int set_vm86_tss(struct domain *d, uint64_t value)
{
	if (value >> 32)
		return crash(d);
	d->hvm_params[HVM_PARAM_VM86_TSS_SIZED] = value ? value | 128ull << 32 : 0;
	return 0;
}

static int set_vm86_tss_sized(struct domain *d, uint64_t value)
{
	uint64_t size = value >> 32;

	if (size < TSS_SIZE)
		return crash(d);
	if (size > TSS_SIZE_MAX)
		size = TSS_SIZE_MAX;
	d->hvm_params[HVM_PARAM_VM86_TSS_SIZED] = size << 32 | (uint32_t)value;
	return 0;
}

/* Parameters with a meaning of their own; under the domain's lock. */
static int set_param(struct domain *d, uint32_t index, uint64_t value)
{
	switch (index) {
	case HVM_PARAM_VM86_TSS:
		return set_vm86_tss(d, value);
	case HVM_PARAM_VM86_TSS_SIZED:
		return set_vm86_tss_sized(d, value);
	case HVM_PARAM_ACPI_IOPORTS_LOCATION: /* of the PM timer, which there is none */
		return -XEN_ENODEV;
	case HVM_PARAM_X87_FIP_WIDTH:
		if (value != 0 && value != 4 && value != 8)
			return -XEN_EINVAL;
		break;
	}
	d->hvm_params[index] = value;
	return 0;
}

static long hvmop_set_param(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct xen_hvm_param p;
	long rc = guest_read(v, &p, gva(h->args[1]), sizeof(p));

	if (!rc)
		rc = check_param(d, &p, check_set);
	if (rc)
		return rc;
	if (p.index == HVM_PARAM_CALLBACK_IRQ) {
		/* One of the two moments at which Xen latches the word size of shared_info. */
		domain_latch_word_size(d, h->long_mode);
		callback_set(d, p.value);
	}
	pthread_mutex_lock(&d->lock);
	rc = set_param(d, p.index, p.value);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

static long hvmop_get_param(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct gva arg = gva(h->args[1]);
	struct xen_hvm_param p;
	long rc = guest_read(v, &p, arg, sizeof(p));

	if (!rc)
		rc = check_param(d, &p, check_get);
	if (rc)
		return rc;
	pthread_mutex_lock(&d->lock);
	if (p.index == HVM_PARAM_VM86_TSS)
		p.value = (uint32_t)d->hvm_params[HVM_PARAM_VM86_TSS_SIZED];
	else
		p.value = d->hvm_params[p.index];
	pthread_mutex_unlock(&d->lock);
	return guest_write(v, arg, &p, sizeof(p));
}

static long hvmop_set_evtchn_upcall_vector(struct vcpu *v, const struct hypercall *h)
{
	struct xen_hvm_evtchn_upcall_vector op;
	struct vcpu *t;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (rc)
		return rc;
	if (op.vector < FIRST_VECTOR)
		return -XEN_EINVAL;
	t = domain_vcpu(v->domain, op.vcpu);
	if (!t)
		return -XEN_ENOENT;
	pthread_mutex_lock(&v->domain->lock);
	t->upcall_vector = op.vector;
	v->domain->ops->upcall_method_changed(v->domain);
	pthread_mutex_unlock(&v->domain->lock);
	event_channels_recheck_upcall(t);
	return 0;
}

void hvm_params_reset(struct domain *d)
{
	for (unsigned i = 0; i < HVM_NR_PARAMS; i++)
		if (!check_set(i))
			d->hvm_params[i] = 0;
}

/* What is at a frame: Xen's names for what we have. */
static uint16_t mem_type(struct domain *d, uint64_t pfn)
{
	struct gpa at = gfn_to_gpa(gfn(pfn));

	if (pfn > UINT64_MAX >> GUEST_PAGE_SHIFT || !guest_may_read(d, at, 1))
		return HVMMEM_mmio_dm;
	return guest_has_memory(d, at, 1) ? HVMMEM_ram_rw : HVMMEM_ram_ro;
}

static long hvmop_get_mem_type(struct vcpu *v, const struct hypercall *h)
{
	struct gva arg = gva(h->args[1]);
	struct xen_hvm_get_mem_type op;
	long rc = guest_read(v, &op, arg, sizeof(op));

	if (!rc)
		rc = domain_check_self(v->domain, op.domid);
	if (rc)
		return rc;
	op.mem_type = mem_type(v->domain, op.pfn);
	return guest_write(v, arg, &op, sizeof(op));
}

/*
 * A PV guest has none of this. Xen tells it so where it would look at the domain, after what comes
 * before that.
 */
static long pv_param(struct vcpu *v, const struct hypercall *h)
{
	struct xen_hvm_param p;
	long rc = guest_read(v, &p, gva(h->args[1]), sizeof(p));

	if (rc)
		return rc;
	if (p.index < HVM_NR_PARAMS && domain_check_self(v->domain, p.domid) == -XEN_ESRCH)
		return -XEN_ESRCH;
	return -XEN_EINVAL;
}

static long pv_get_mem_type(struct vcpu *v, const struct hypercall *h)
{
	struct xen_hvm_get_mem_type op;
	long rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));

	if (!rc)
		rc = domain_check_self(v->domain, op.domid);
	return rc ? rc : -XEN_EINVAL;
}

static long pv_einval(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return -XEN_EINVAL;
}

const struct suboperation hvm_ops[] = {
	SUBOP_EACH(HVMOP_set_param, hvmop_set_param, pv_param),
	SUBOP_EACH(HVMOP_get_param, hvmop_get_param, pv_param),
	SUBOP_PV(HVMOP_flush_tlbs, pv_einval),
	SUBOP_ENOSYS(HVMOP_pagetable_dying),
	SUBOP_ENOSYS(HVMOP_get_time),
	SUBOP_ENOSYS(HVMOP_xentrace),
	SUBOP_EACH(HVMOP_get_mem_type, hvmop_get_mem_type, pv_get_mem_type),
	SUBOP_EACH(HVMOP_set_evtchn_upcall_vector, hvmop_set_evtchn_upcall_vector, pv_einval),
	SUBOP_ENOSYS(HVMOP_guest_request_vm_event),
	SUBOP_ENOSYS(HVMOP_altp2m),
};
const unsigned hvm_ops_count = ARRAY_SIZE(hvm_ops);
