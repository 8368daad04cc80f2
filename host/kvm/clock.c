// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time: KVM's own pvclock keeps vcpu_info.time current (its layout is Xen's), whatever we do is in
 * that same clock. Timers are timerfds of the event loop.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/kvm/kvm_xen.h"
#include "host/kvm/kvm_xen_events.h"
#include "host/kvm/pv.h"
#include "shim/shared_info.h"

/* KVM's own paravirtual clock, set from this side; the guest is not told of it. */
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01
#define KVM_SYSTEM_TIME_ENABLE  1

#define NS_PER_S 1000000000ull

static uint64_t kvm_clock(const struct vm *vm)
{
	struct kvm_clock_data data = {0};

	ioctl(vm->fd, KVM_GET_CLOCK, &data);
	return data.clock;
}

uint64_t vm_system_time(struct vcpu *v)
{
	return kvm_clock(v->domain->host);
}

uint64_t vm_wallclock_base(struct domain *d)
{
	struct timespec real;
	uint64_t now = kvm_clock(d->host);

	clock_gettime(CLOCK_REALTIME, &real);
	return timespec_ns(&real) - now;
}

/*
 * KVM_XEN interrupts any vCPU whose vcpu_info it knows by the domain's callback vector, if there is
 * one; Xen does not one with a vector of its own. Of such a vCPU the kernel is told no more than
 * where its time is.
 */
static void apply_to_kvm_xen(struct vm_vcpu *vv, bool visible, struct gpa info)
{
	const struct vcpu *v = vv->vcpu;
	bool hidden = v->upcall_vector && v->domain->callback.type == CALLBACK_VECTOR;

	kvm_xen_set_time_info(vv, hidden && visible ? info.v + offsetof(struct vcpu_info, time)
						    : KVM_XEN_INVALID_GPA);
	if (hidden)
		kvm_xen_set_vcpu_info(vv, KVM_XEN_INVALID_GPA);
	else if (vv->vm->events && !v->vcpu_info_registered && v->id < XEN_LEGACY_MAX_VCPUS)
		kvm_xen_events_apply_vcpu_info(vv);
	else
		kvm_xen_set_vcpu_info(vv, visible ? info.v : KVM_XEN_INVALID_GPA);
}

/* With KVM_XEN the kernel knows vcpu_info and keeps its time; else its pvclock is pointed there. */
void vcpu_apply_time_area(struct vm_vcpu *vv)
{
	struct gpa info = {0};
	bool visible = vcpu_info_gpa(vv->vcpu, &info);

	if (vv->vm->kvm_xen)
		apply_to_kvm_xen(vv, visible, info);
	else
		vcpu_set_msr(vv, MSR_KVM_SYSTEM_TIME_NEW,
			     visible ? (info.v + offsetof(struct vcpu_info, time)) |
					       KVM_SYSTEM_TIME_ENABLE
				     : 0);
}

bool vcpu_time_area_lost(struct vm_vcpu *vv)
{
	uint64_t now;
	struct gpa info;

	return !vv->vm->kvm_xen && vcpu_info_gpa(vv->vcpu, &info) &&
	       !vcpu_get_msr(vv, MSR_KVM_SYSTEM_TIME_NEW, &now) && !now;
}

void vm_time_area_moved(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;

	pv_vcpu_info_moved(vv);
	if (vcpu_is_current(vv))
		vcpu_apply_time_area(vv);
	else
		vcpu_post(vv, VCPU_REQ_TIME_AREA);
}

static void arm_for(struct vm_vcpu *vv, uint64_t deadline, uint64_t now)
{
	/* Beyond this a guest means "never", and timerfd would overflow. */
	const uint64_t longest = 365 * 86400 * NS_PER_S;
	uint64_t ns = deadline > now ? deadline - now : 1;

	loop_timer_set(&vv->timer, ns < longest ? ns : longest);
}

void vm_set_timer(struct vcpu *v, uint64_t deadline)
{
	struct vm_vcpu *vv = v->host;

	if (deadline)
		arm_for(vv, deadline, vm_system_time(v));
	else
		loop_timer_set(&vv->timer, 0);
}

/* The host's clock and the guest's may drift apart: if it comes early, the shim sets it again. */
static void timer_ready(void *opaque, uint32_t events)
{
	struct vm_vcpu *vv = opaque;

	(void)events;
	if (loop_timer_fired(&vv->timer))
		vcpu_timer_expired(vv->vcpu);
}

int vcpu_timer_create(struct vm_vcpu *vv, struct problem *p)
{
	int rc = loop_timer_open(vv->vm->loop, &vv->timer, timer_ready, vv);

	return rc ? problem(p, "cannot create a timer: %s", strerror(-rc)) : 0;
}

void vcpu_timer_destroy(struct vm_vcpu *vv)
{
	if (vv->timer.fd >= 0)
		close(vv->timer.fd);
}
