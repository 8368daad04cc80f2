// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a guest has its runstate record kept (VCPUOP_register_runstate_*_area, public header
 * vcpu.h), and the record read at once.
 *
 * A 32-bit record is shorter, and a guest may turn 64-bit with its area registered. So the rest of
 * the longer one is an area of its own, which need not be there: a 32-bit guest does not know of
 * it.
 */
#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/guest_area.h"

/* Without a tail, 64-bit records are not written. So it goes first, and comes last. */
static void forget(struct vcpu *t)
{
	gpc_deactivate(&t->runstate_tail);
	gpc_deactivate(&t->runstate_area);
}

static void set_layout(struct vcpu *t, enum runstate_layout layout)
{
	pthread_mutex_lock(&t->runstate_lock);
	t->runstate_layout = layout;
	pthread_mutex_unlock(&t->runstate_lock);
}

/* At guest-virtual addr. 0 or -XEN_EFAULT, and then nothing has changed. */
static long place(struct vcpu *t, struct vcpu *v, struct gva addr, bool long_mode)
{
	struct gva rest = gva(addr.v + RUNSTATE_BODY);
	struct gpc_part body[GUEST_AREA_PARTS], tail[GUEST_AREA_PARTS];
	int nr_body = guest_area_find(v, addr, RUNSTATE_BODY, body);
	int nr_tail = guest_area_find(v, rest, RUNSTATE_TAIL, tail);

	if (nr_body < 0 || (nr_tail < 0 && long_mode))
		return -XEN_EFAULT;
	forget(t);
	set_layout(t, RUNSTATE_LATCHED);
	/* Two parts need no memory of ours; what is left is an address that wraps. */
	if (gpc_activate_parts(&t->runstate_area, body, nr_body))
		return -XEN_EFAULT;
	if (nr_tail > 0)
		gpc_activate_parts(&t->runstate_tail, tail, nr_tail);
	return 0;
}

long vcpuop_register_runstate_memory_area(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct gva addr;
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_area_argument(v, h, &addr);
	if (rc)
		return rc;
	if (!addr.v) {
		forget(t);
		return 0;
	}
	rc = place(t, v, addr, h->long_mode);
	if (!rc)
		runstate_show(t, h->long_mode);
	return rc;
}

/* The layout is that of who has registered it, and stays so. */
long vcpuop_register_runstate_phys_area(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	uint32_t len = RUNSTATE_BODY + (h->long_mode ? RUNSTATE_TAIL : 0);
	struct gpa addr;
	long rc;

	if (!t)
		return -XEN_ENOENT;
	rc = guest_area_phys_argument(v, h, len, &addr);
	if (rc < 0)
		return rc;
	forget(t);
	if (rc == GUEST_AREA_NONE)
		return 0;
	set_layout(t, h->long_mode ? RUNSTATE_64 : RUNSTATE_32);
	gpc_activate(&t->runstate_area, addr, RUNSTATE_BODY);
	if (h->long_mode)
		gpc_activate(&t->runstate_tail, gpa(addr.v + RUNSTATE_BODY), RUNSTATE_TAIL);
	runstate_show(t, h->long_mode);
	return 0;
}

/* A reading of now: the time since entry counts for the present state. */
long vcpuop_get_runstate_info(struct vcpu *v, const struct hypercall *h)
{
	struct vcpu *t = vcpuop_target(v, h);
	struct vcpu_runstate_info now;
	union runstate_record record;

	if (!t)
		return -XEN_ENOENT;
	runstate_read(t, &now);
	runstate_record(&now, h->long_mode, &record);
	return guest_write(v, gva(h->args[2]), &record,
			   h->long_mode ? sizeof(record.native) : sizeof(record.compat));
}
