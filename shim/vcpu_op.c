// SPDX-License-Identifier: BSD-2-Clause
/*
 * VCPUOP_* (public header vcpu.h): a vCPU's coming and going, where it keeps its vcpu_info and its
 * copy of the time. Runstate is in runstate_op.c, timers are in timer_op.c.
 */
#include <string.h>

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/guest_area.h"
#include "shim/shared_info.h"
#include "shim/vcpu_run.h"

struct vcpu *vcpuop_target(const struct vcpu *v, const struct hypercall *h)
{
	return domain_vcpu(v->domain, (uint32_t)h->args[1]);
}

/* Move what the guest sees so far into the registered place; under the domain's lock. */
static void take_over_vcpu_info(struct vcpu *v)
{
	guest_vcpu_info *old = vcpu_info_lock(v), *new;
	struct vcpu_info content = {.evtchn_upcall_mask = 1};

	if (old) {
		memcpy(&content, old, sizeof(content));
		vcpu_info_unlock(v);
	}
	new = gpc_lock(&v->vcpu_info);
	if (new) {
		memcpy(new, &content, sizeof(content));
		gpc_written(&v->vcpu_info, new, sizeof(content));
		gpc_unlock(&v->vcpu_info);
	}
	__atomic_store_n(&v->vcpu_info_registered, true, __ATOMIC_RELEASE);
	v->set_up_anew = false;
}

/* Within a page, and aligned to the longest word that shared_info's layout has in there. */
static bool fits_page(const struct domain *d, uint32_t offset)
{
	uint32_t align = d->long_mode ? sizeof(uint64_t) : sizeof(uint32_t);

	return offset <= GUEST_PAGE_SIZE - sizeof(struct vcpu_info) && offset % align == 0;
}

/*
 * Xen's rules (map_vcpu_info), in its order: a place inside a page; once only; for oneself or for
 * one that is not up; in guest RAM. Under the domain's lock.
 *
 * After a soft reset Xen refuses this to a vCPU that an old kernel has left halted, and kernels of
 * today panic then: it takes the guest down. Here the next kernel sets it up, as one that is down.
 */
static long register_vcpu_info(const struct vcpu *caller, struct vcpu *v,
			       const struct vcpu_register_vcpu_info *info)
{
	struct gpa addr = gpa((info->mfn << GUEST_PAGE_SHIFT) + info->offset);

	if (!fits_page(v->domain, info->offset))
		return -XEN_ENXIO;
	if (v->vcpu_info_registered)
		return -XEN_EINVAL;
	if (v != caller && !vcpu_is_down(v) && !v->set_up_anew)
		return -XEN_EINVAL;
	if (info->mfn > UINT64_MAX >> GUEST_PAGE_SHIFT ||
	    !guest_has_memory(v->domain, addr, sizeof(struct vcpu_info)))
		return -XEN_EINVAL;

	if (!pv_frame_get_writable(v->domain, info->mfn))
		return -XEN_EINVAL;
	if (gpc_activate(&v->vcpu_info, addr, sizeof(struct vcpu_info))) {
		pv_frame_put_writable(v->domain, info->mfn);
		return -XEN_EINVAL;
	}
	take_over_vcpu_info(v);
	return 0;
}

static long vcpuop_register_vcpu_info(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct vcpu_register_vcpu_info info;
	struct vcpu *t = vcpuop_target(v, h);
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_read(v, &info, gva(h->args[2]), sizeof(info));
	if (rc)
		return rc;

	pthread_mutex_lock(&d->lock);
	rc = register_vcpu_info(v, t, &info);
	if (!rc) {
		d->ops->time_area_moved(t);
		/* Events that came while it moved may have gone to the old place. */
		event_channels_mark_all(t);
	}
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* No version of a time that may be read. */
#define NO_VERSION 1

/* In a place that has never been written. */
static void show_time(struct vcpu *v)
{
	__atomic_store_n(&v->time_area_version, NO_VERSION, __ATOMIC_RELAXED);
	vcpu_time_area_update(v);
}

static long vcpuop_register_vcpu_time_memory_area(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_area_register(&t->time_area, v, h, sizeof(struct vcpu_time_info));
	if (rc)
		return rc;
	show_time(t);
	return 0;
}

static long vcpuop_register_vcpu_time_phys_area(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct gpa addr;
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_area_phys_argument(v, h, sizeof(struct vcpu_time_info), &addr);
	if (rc < 0)
		return rc;
	if (rc == GUEST_AREA_NONE) {
		gpc_deactivate(&t->time_area);
		return 0;
	}
	gpc_activate(&t->time_area, addr, sizeof(struct vcpu_time_info));
	show_time(t);
	return 0;
}

static uint32_t time_version(const guest_vcpu_info *info)
{
	return __atomic_load_n(&info->time.version, __ATOMIC_ACQUIRE);
}

/*
 * A consistent reading of the time, whose version is odd while its fields change. False: there was
 * none in many attempts; the guest may write there too, and shall not hold us up.
 */
static bool read_time(struct vcpu_time_info *to, const guest_vcpu_info *info)
{
	for (unsigned attempt = 0; attempt < 100; attempt++) {
		uint32_t version = time_version(info);

		*to = info->time;
		to->version = version;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!(version & 1) && version == time_version(info))
			return true;
	}
	return false;
}

/* The way a reader expects it: an odd version while the fields change. */
static void write_time(struct gpc *area, struct vcpu_time_info *t)
{
	const uint32_t changing = t->version - 1, version = t->version;

	_Static_assert(offsetof(struct vcpu_time_info, version) == 0, "it comes first");
	t->version = changing;
	gpc_write(area, 0, &changing, sizeof(changing));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	gpc_write(area, 0, t, sizeof(*t));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	gpc_write(area, 0, &version, sizeof(version));
}

void vcpu_time_area_update(struct vcpu *v)
{
	struct vcpu_time_info now;
	guest_vcpu_info *info;
	uint32_t version;
	bool good;

	if (!gpc_is_active(&v->time_area))
		return;
	info = vcpu_info_lock(v);
	if (!info)
		return;
	good = read_time(&now, info);
	vcpu_info_unlock(v);
	version = now.version;
	if (good && version != __atomic_load_n(&v->time_area_version, __ATOMIC_RELAXED)) {
		write_time(&v->time_area, &now);
		__atomic_store_n(&v->time_area_version, version, __ATOMIC_RELAXED);
	}
}

/* Has it a vcpu_info, as those beyond the first have not before they register one? */
static bool has_vcpu_info(const struct vcpu *v)
{
	return v->vcpu_info_registered || v->id < XEN_LEGACY_MAX_VCPUS;
}

/* Under the domain's lock. */
static long initialise(struct vcpu *t, const struct vcpu_hvm_context *guest)
{
	struct vcpu_context context;
	long rc;

	if (t->initialised)
		return -XEN_EEXIST;
	rc = vcpu_context_check(t->domain, guest, &context);
	if (rc)
		return rc;
	t->context = context;
	t->context_waits = true;
	t->initialised = true;
	return 0;
}

static long vcpuop_initialise(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct vcpu_hvm_context guest;
	long rc;

	if (!t)
		return -XEN_ENOENT;
	if (!has_vcpu_info(t))
		return -XEN_EINVAL;
	rc = guest_read(v, &guest, gva(h->args[2]), sizeof(guest));
	if (rc)
		return rc;
	pthread_mutex_lock(&v->domain->lock);
	rc = initialise(t, &guest);
	pthread_mutex_unlock(&v->domain->lock);
	return rc;
}

/*
 * Of a PV guest the monitor has the context: it looks at it before it comes here, and when it hears
 * 0 the vCPU begins with it. And with a tick, unless that has been stopped before.
 */
static long pv_initialise(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	long rc = 0;

	if (!t)
		return -XEN_ENOENT;
	if (!has_vcpu_info(t))
		return -XEN_EINVAL;
	pthread_mutex_lock(&v->domain->lock);
	if (t->initialised)
		rc = -XEN_EEXIST;
	t->initialised = true;
	pthread_mutex_unlock(&v->domain->lock);
	if (!rc)
		timer_begin_ticks(t);
	return rc;
}

static long vcpuop_up(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	long rc = 0;

	if (!t)
		return -XEN_ENOENT;
	pthread_mutex_lock(&v->domain->lock);
	if (t->initialised)
		vcpu_let_up(t);
	else
		rc = -XEN_EINVAL;
	pthread_mutex_unlock(&v->domain->lock);
	return rc;
}

static bool others_are_down(const struct vcpu *v)
{
	const struct domain *d = v->domain;

	for (unsigned i = 0; i < d->nr_vcpus; i++)
		if (d->vcpus[i] != v && !vcpu_is_down(d->vcpus[i]))
			return false;
	return true;
}

/* Whoever it is; a guest that goes down with its last vCPU is switched off. */
static long vcpuop_down(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);

	if (!t)
		return -XEN_ENOENT;
	if (others_are_down(t))
		domain_shutdown(v->domain, SHUTDOWN_poweroff);
	else
		vcpu_hold_down(t);
	return 0;
}

static long vcpuop_is_up(struct vcpu *v, const struct hypercall *h)
{
	const struct vcpu *t = vcpuop_target(v, h);

	return t ? !vcpu_is_down(t) : -XEN_ENOENT;
}

static long vcpuop_send_nmi(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);

	if (!t)
		return -XEN_ENOENT;
	if (h->args[2])
		return -XEN_EINVAL;
	v->domain->ops->nmi(t);
	vcpu_unblock(t);
	return 0;
}

/* For the hardware domain's pinned vCPUs; nobody else's argument is looked at. */
static long vcpuop_get_physid(struct vcpu *v, const struct hypercall *h)
{
	return vcpuop_target(v, h) ? -XEN_EINVAL : -XEN_ENOENT;
}

const struct suboperation vcpu_ops[] = {
	SUBOP_EACH(VCPUOP_initialise, vcpuop_initialise, pv_initialise),
	SUBOP(VCPUOP_up, vcpuop_up),
	SUBOP(VCPUOP_down, vcpuop_down),
	SUBOP(VCPUOP_is_up, vcpuop_is_up),
	SUBOP(VCPUOP_get_runstate_info, vcpuop_get_runstate_info),
	SUBOP(VCPUOP_register_runstate_memory_area, vcpuop_register_runstate_memory_area),
	SUBOP(VCPUOP_set_periodic_timer, vcpuop_set_periodic_timer),
	SUBOP(VCPUOP_stop_periodic_timer, vcpuop_stop_periodic_timer),
	SUBOP(VCPUOP_set_singleshot_timer, vcpuop_set_singleshot_timer),
	SUBOP(VCPUOP_stop_singleshot_timer, vcpuop_stop_singleshot_timer),
	SUBOP(VCPUOP_register_vcpu_info, vcpuop_register_vcpu_info),
	SUBOP(VCPUOP_send_nmi, vcpuop_send_nmi),
	SUBOP(VCPUOP_get_physid, vcpuop_get_physid),
	SUBOP(VCPUOP_register_vcpu_time_memory_area, vcpuop_register_vcpu_time_memory_area),
	SUBOP(VCPUOP_register_runstate_phys_area, vcpuop_register_runstate_phys_area),
	SUBOP(VCPUOP_register_vcpu_time_phys_area, vcpuop_register_vcpu_time_phys_area),
};
const unsigned vcpu_ops_count = ARRAY_SIZE(vcpu_ops);
