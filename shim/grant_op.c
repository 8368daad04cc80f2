// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guest asks about its grant table. Each operation has an argument, or an array of them, at
 * args[1], and their number in args[2]; most failures are told in the argument's own status.
 */
#include "shim/grant_op.h"

#include "shim/domain.h"
#include "shim/grant_array.h"
#include "shim/guest_access.h"
#include "xen-abi/x86_32.h"

static uint32_t count_of(const struct hypercall *h)
{
	return h->args[2];
}

/* These have one argument. */
static long check_count(const struct hypercall *h)
{
	return count_of(h) == 1 ? 0 : -XEN_EINVAL;
}

/* What a domid is to operations on a whole table. */
static int16_t status_of_domain(const struct domain *d, domid_t domid)
{
	switch (domain_check_self(d, domid)) {
	case 0:
		return GNTST_okay;
	case -XEN_EPERM:
		return GNTST_permission_denied;
	default:
		return GNTST_bad_domain;
	}
}

struct setup {
	domid_t dom;
	uint32_t nr_frames;
	struct gva list, status;
};

static int read_setup(struct vcpu *v, const struct hypercall *h, struct setup *s)
{
	struct gva arg = gva(h->args[1]);
	struct gnttab_setup_table_x86_32 compat;
	struct gnttab_setup_table native;
	int rc;

	s->status = gva(arg.v + offsetof(struct gnttab_setup_table, status));
	if (h->long_mode) {
		rc = guest_read(v, &native, arg, sizeof(native));
		s->dom = native.dom;
		s->nr_frames = native.nr_frames;
		s->list = gva((uintptr_t)native.frame_list.p);
	} else {
		rc = guest_read(v, &compat, arg, sizeof(compat));
		s->dom = compat.dom;
		s->nr_frames = compat.nr_frames;
		s->list = gva(compat.frame_list);
	}
	return rc;
}
_Static_assert(offsetof(struct gnttab_setup_table, status) ==
		       offsetof(struct gnttab_setup_table_x86_32, status),
	       "the status is at the same place in both word sizes");

static uint64_t status_mfn(struct domain *d, unsigned i)
{
	(void)d;
	return pv_overlay_mfn(OVERLAY_GRANT_STATUS + i);
}

/* Where each is, in the guest's own words. A list that cannot be written to is told to 64-bit
 * guests only: so it is on Xen, which has written the status of the others by then. */
static int16_t write_frames(struct vcpu *v, const struct setup *s, bool long_mode,
			    uint64_t (*place)(struct domain *d, unsigned i))
{
	size_t size = long_mode ? 8 : 4;
	int16_t status = GNTST_okay;

	for (uint32_t i = 0; i < s->nr_frames; i++) {
		uint64_t at = place(v->domain, i);

		if (guest_write(v, gva(s->list.v + i * size), &at, size) && long_mode)
			status = GNTST_bad_virt_addr;
	}
	return status;
}

static int16_t setup_table(struct vcpu *v, const struct setup *s, bool long_mode)
{
	struct domain *d = v->domain;
	int16_t status = status_of_domain(d, s->dom);
	int rc;

	if (status != GNTST_okay)
		return status;
	pthread_mutex_lock(&d->lock);
	rc = grants_grow(d, s->nr_frames);
	pthread_mutex_unlock(&d->lock);
	return rc ? GNTST_general_error : write_frames(v, s, long_mode, grants_frame_gfn);
}

static long gnttabop_setup_table(struct vcpu *v, const struct hypercall *h)
{
	struct setup s;
	int16_t status;
	long rc;

	/* In 32 bits Xen does nothing for none. */
	if (!h->long_mode && !count_of(h))
		return 0;
	rc = check_count(h);
	if (!rc)
		rc = read_setup(v, h, &s);
	if (rc)
		return rc;
	status = setup_table(v, &s, h->long_mode);
	return guest_write(v, s.status, &status, sizeof(status));
}

/* Here a list is of 64-bit words. There are as many as frames of the table make: none is added. */
static int16_t get_statuses(struct vcpu *v, const struct setup *s)
{
	struct domain *d = v->domain;
	int16_t status = status_of_domain(d, s->dom);
	unsigned count;

	if (status != GNTST_okay)
		return status;
	pthread_mutex_lock(&d->lock);
	count = d->grants.nr_statuses;
	pthread_mutex_unlock(&d->lock);
	return s->nr_frames > count ? GNTST_general_error : write_frames(v, s, true, status_mfn);
}

static long pv_get_status_frames(struct vcpu *v, const struct hypercall *h)
{
	struct gva arg = gva(h->args[1]);
	struct gnttab_get_status_frames op;
	int16_t status;
	long rc = check_count(h);

	if (!rc)
		rc = guest_read(v, &op, arg, sizeof(op));
	if (rc)
		return rc;
	status = get_statuses(v, &(struct setup){.dom = op.dom,
						 .nr_frames = op.nr_frames,
						 .list = gva((uintptr_t)op.frame_list.p)});
	return guest_write(v, gva(arg.v + offsetof(struct gnttab_get_status_frames, status)),
			   &status, sizeof(status));
}

static long gnttabop_query_size(struct vcpu *v, const struct hypercall *h)
{
	struct gnttab_query_size op;
	struct domain *d = v->domain;
	long rc = check_count(h);

	if (!rc)
		rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));
	if (rc)
		return rc;
	op.status = status_of_domain(d, op.dom);
	if (op.status == GNTST_okay) {
		pthread_mutex_lock(&d->lock);
		op.nr_frames = d->grants.nr_frames;
		op.max_nr_frames = d->grants.max_frames;
		pthread_mutex_unlock(&d->lock);
	}
	return guest_write(v, gva(h->args[1]), &op, sizeof(op));
}

static uint32_t current_version(struct domain *d)
{
	uint32_t version;

	pthread_mutex_lock(&d->lock);
	version = d->grants.version;
	pthread_mutex_unlock(&d->lock);
	return version;
}

/* Tells the version in any case. */
static long gnttabop_set_version(struct vcpu *v, const struct hypercall *h)
{
	struct gnttab_set_version op;
	long rc, fault;

	if ((int32_t)count_of(h) < 0)
		return -XEN_EINVAL;
	rc = guest_read_inout(v, &op, gva(h->args[1]), sizeof(op));
	if (rc)
		return rc;
	rc = op.version == 1 || op.version == 2 ? grants_set_version(v->domain, op.version)
						: -XEN_EINVAL;
	op.version = current_version(v->domain);
	fault = guest_write(v, gva(h->args[1]), &op, sizeof(op));
	return fault ? fault : rc;
}

static long gnttabop_get_version(struct vcpu *v, const struct hypercall *h)
{
	struct gnttab_get_version op;
	long rc;

	if ((int32_t)count_of(h) < 0)
		return -XEN_EINVAL;
	rc = guest_read(v, &op, gva(h->args[1]), sizeof(op));
	if (!rc)
		rc = domain_check_self(v->domain, op.dom);
	if (rc)
		return rc;
	op.version = current_version(v->domain);
	return guest_write(v, gva(h->args[1] + offsetof(struct gnttab_get_version, version)),
			   &op.version, sizeof(op.version));
}

const struct suboperation grant_table_ops[] = {
	SUBOP_EACH(GNTTABOP_map_grant_ref, gnttabop_map_grant_ref, pv_grant_step),
	SUBOP_EACH(GNTTABOP_unmap_grant_ref, gnttabop_unmap_grant_ref, pv_grant_step),
	SUBOP(GNTTABOP_setup_table, gnttabop_setup_table),
	SUBOP_ENOSYS(GNTTABOP_dump_table),
	SUBOP_ENOSYS(GNTTABOP_transfer),
	SUBOP(GNTTABOP_copy, gnttabop_copy),
	SUBOP(GNTTABOP_query_size, gnttabop_query_size),
	SUBOP_PV(GNTTABOP_unmap_and_replace, pv_grant_step),
	SUBOP(GNTTABOP_set_version, gnttabop_set_version),
	SUBOP_PV(GNTTABOP_get_status_frames, pv_get_status_frames),
	SUBOP(GNTTABOP_get_version, gnttabop_get_version),
	SUBOP(GNTTABOP_swap_grant_ref, gnttabop_swap_grant_ref),
	SUBOP_ENOSYS(GNTTABOP_cache_flush),
};
const unsigned grant_table_ops_count = ARRAY_SIZE(grant_table_ops);
