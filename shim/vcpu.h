/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU as its guest sees it. Its registers belong to the machinery (host/); here is what
 * hypercalls have made of it.
 */
#ifndef SHIM_VCPU_H
#define SHIM_VCPU_H

#include "shim/event_channel.h"
#include "shim/gpc/gpc.h"
#include "shim/hypercall.h"
#include "xen-abi/xen.h"

struct domain;

struct vcpu {
	struct domain *domain;
	unsigned id;

	/*
	 * vcpu_info: where VCPUOP_register_vcpu_info has put it (once only), until then the slot of
	 * this vCPU in shared_info.
	 */
	struct gpc vcpu_info;
	bool vcpu_info_registered;

	/* Vector of HVMOP_set_evtchn_upcall_vector; 0: the domain's callback serves. */
	uint8_t upcall_vector;

	evtchn_port_t virq_port[NR_VIRQS]; /* 0: not bound. Under the domain's event lock. */

	struct gpc time_area;       /* second copy of vcpu_info.time */
	uint32_t time_area_version; /* of what is there, odd: nothing; atomic */
	struct gpc runstate_area;
	struct vcpu_runstate_info runstate; /* under the domain's lock */

	/* Where its page tables and its arguments were last; its own thread's. */
	struct memslot_hint table_hint, data_hint;

	struct hypercall_counts counts; /* written by the vCPU's own thread only */

	void *host; /* the machinery's own */
};

/* VCPUOP_*, the runstate and time areas, the singleshot timer (vcpu_op.c, runstate.c, timer.c). */
extern const struct suboperation vcpu_ops[];
extern const unsigned vcpu_ops_count;

/* The vCPU that args[1] names, an unsigned int in Xen; NULL: -XEN_ENOENT, before anything else. */
struct vcpu *vcpuop_target(const struct vcpu *v, const struct hypercall *h);

/*
 * The vCPU has begun to run for the first time, at system time `now` (ns). Until then it is down:
 * other vCPUs may register its vcpu_info, as kernels do before they start it, and afterwards only
 * it may. Takes the domain's lock.
 */
void runstate_start(struct vcpu *v, uint64_t now);

long vcpuop_register_runstate_memory_area(struct vcpu *v, const struct hypercall *h);
long vcpuop_get_runstate_info(struct vcpu *v, const struct hypercall *h);
long vcpuop_set_singleshot_timer(struct vcpu *v, const struct hypercall *h);
long vcpuop_stop_singleshot_timer(struct vcpu *v, const struct hypercall *h);
long do_set_timer_op(struct vcpu *v, const struct hypercall *h);

/* The deadline that platform_ops.set_timer was given has come. Any thread. */
void vcpu_timer_expired(struct vcpu *v);

/* The vCPU's copy of the time has been rewritten at vcpu_info: bring time_area level. */
void vcpu_time_area_update(struct vcpu *v);

#endif
