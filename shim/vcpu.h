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
#include "shim/timer.h"
#include "shim/vcpu_context.h"
#include "xen-abi/x86_32.h"
#include "xen-abi/xen.h"

struct domain;

/* The word size of a record in the guest's memory. */
enum runstate_layout {
	RUNSTATE_LATCHED, /* the domain's, at each moment: an area named by virtual address */
	RUNSTATE_32,      /* the registering caller's: one named by physical address */
	RUNSTATE_64,
};

struct vcpu {
	struct domain *domain;
	unsigned id;

	/*
	 * vcpu_info: where VCPUOP_register_vcpu_info has put it (once only), until then the slot of
	 * this vCPU in shared_info.
	 */
	struct gpc vcpu_info;
	bool vcpu_info_registered;
	/* There was a soft reset since it was: others may register it, as if it were down. */
	bool set_up_anew;

	/* Vector of HVMOP_set_evtchn_upcall_vector; 0: the domain's callback serves. */
	uint8_t upcall_vector;

	evtchn_port_t virq_port[NR_VIRQS]; /* 0: not bound. Under the domain's event lock. */

	struct gpc time_area;       /* second copy of vcpu_info.time */
	uint32_t time_area_version; /* of what is there, odd: nothing; atomic */

	uint32_t hold;     /* HOLD_* (vcpu_run.h): why it does not run; atomic */
	int64_t poll_port; /* SCHEDOP_poll waits for this one; 0: for none, -1: for any. Atomic */

	/* It has had its first registers. Under the domain's lock, as they are while it is down. */
	bool initialised;
	bool context_waits; /* to be set before it runs */
	struct vcpu_context context;

	/*
	 * The runstate record, and where the guest sees it: all that a 32-bit one has, and the rest
	 * of a 64-bit one. Under runstate_lock; only the vCPU's own thread changes the state.
	 */
	pthread_mutex_t runstate_lock;
	struct vcpu_runstate_info runstate;
	uint64_t run_delay; /* of platform_ops.run_delay, as much as is accounted for */
	struct gpc runstate_area, runstate_tail;
	enum runstate_layout runstate_layout;

	struct timers timers;

	/* Its own thread's: the multicall at hand. */
	bool in_multicall;

	/* Where its page tables and its arguments were last; its own thread's. */
	struct memslot_hint table_hint, data_hint;

	struct hypercall_counts counts; /* written by the vCPU's own thread only */

	void *host; /* the machinery's own */
};

/* VCPUOP_*: also in runstate_op.c and timer_op.c. */
extern const struct suboperation vcpu_ops[];
extern const unsigned vcpu_ops_count;

/* The vCPU that args[1] names, an unsigned int in Xen; NULL: -XEN_ENOENT, before anything else. */
struct vcpu *vcpuop_target(const struct vcpu *v, const struct hypercall *h);

/*
 * The state of v's own thread is this from now on, and the guest's area says so. Its own thread
 * only. maysleep: the area may be waited for; else it is left for the next time, if need be.
 */
void runstate_set(struct vcpu *v, int state, bool maysleep);

/* The same state, but account for what the host has stolen since. Its own thread. */
void runstate_update(struct vcpu *v);

/* The record as it would be if the state changed now, but with the entry time as it is. */
void runstate_read(struct vcpu *v, struct vcpu_runstate_info *out);

/* Write the record to the area, which has just been named, in the given word size. Any thread. */
void runstate_show(struct vcpu *v, bool long_mode);

/* The length of a record in a 32-bit guest, which is also where the tail begins. */
#define RUNSTATE_BODY 44u
#define RUNSTATE_TAIL 4u

/* As the guest sees it: of the given word size, padding zeroed. */
union runstate_record {
	struct vcpu_runstate_info native;
	struct vcpu_runstate_info_x86_32 compat;
	uint8_t bytes[RUNSTATE_BODY + RUNSTATE_TAIL];
};
void runstate_record(const struct vcpu_runstate_info *r, bool long_mode,
		     union runstate_record *out);

/* runstate_op.c and timer_op.c. */
long vcpuop_register_runstate_memory_area(struct vcpu *v, const struct hypercall *h);
long vcpuop_register_runstate_phys_area(struct vcpu *v, const struct hypercall *h);
long vcpuop_get_runstate_info(struct vcpu *v, const struct hypercall *h);
long vcpuop_set_periodic_timer(struct vcpu *v, const struct hypercall *h);
long vcpuop_stop_periodic_timer(struct vcpu *v, const struct hypercall *h);
long vcpuop_set_singleshot_timer(struct vcpu *v, const struct hypercall *h);
long vcpuop_stop_singleshot_timer(struct vcpu *v, const struct hypercall *h);
long do_set_timer_op(struct vcpu *v, const struct hypercall *h);

/* The vCPU's copy of the time has been rewritten at vcpu_info: bring time_area level. */
void vcpu_time_area_update(struct vcpu *v);

#endif
