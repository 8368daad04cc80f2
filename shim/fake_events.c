// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_events.h"

#include <string.h>

static long evtchn_op(struct fake *f, unsigned cmd, void *op, size_t len)
{
	return fake_op(f, __HYPERVISOR_event_channel_op, cmd, op, len);
}

long fake_alloc_unbound(struct fake *f, domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound op = {.dom = dom, .remote_dom = remote};
	long rc = evtchn_op(f, EVTCHNOP_alloc_unbound, &op, sizeof(op));

	return rc ? rc : (long)op.port;
}

long fake_bind_interdomain(struct fake *f, domid_t remote, evtchn_port_t remote_port)
{
	struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = remote_port};
	long rc = evtchn_op(f, EVTCHNOP_bind_interdomain, &op, sizeof(op));

	return rc ? rc : (long)op.local_port;
}

long fake_bind_virq(struct fake *f, uint32_t virq, uint32_t vcpu)
{
	struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
	long rc = evtchn_op(f, EVTCHNOP_bind_virq, &op, sizeof(op));

	return rc ? rc : (long)op.port;
}

long fake_bind_ipi(struct fake *f, uint32_t vcpu)
{
	struct evtchn_bind_ipi op = {.vcpu = vcpu};
	long rc = evtchn_op(f, EVTCHNOP_bind_ipi, &op, sizeof(op));

	return rc ? rc : (long)op.port;
}

long fake_bind_pirq(struct fake *f, uint32_t pirq)
{
	struct evtchn_bind_pirq op = {.pirq = pirq};
	long rc = evtchn_op(f, EVTCHNOP_bind_pirq, &op, sizeof(op));

	return rc ? rc : (long)op.port;
}

long fake_close(struct fake *f, evtchn_port_t port)
{
	struct evtchn_close op = {.port = port};

	return evtchn_op(f, EVTCHNOP_close, &op, sizeof(op));
}

long fake_send(struct fake *f, evtchn_port_t port)
{
	struct evtchn_send op = {.port = port};

	return evtchn_op(f, EVTCHNOP_send, &op, sizeof(op));
}

long fake_unmask(struct fake *f, evtchn_port_t port)
{
	struct evtchn_unmask op = {.port = port};

	return evtchn_op(f, EVTCHNOP_unmask, &op, sizeof(op));
}

long fake_bind_vcpu(struct fake *f, evtchn_port_t port, uint32_t vcpu)
{
	struct evtchn_bind_vcpu op = {.port = port, .vcpu = vcpu};

	return evtchn_op(f, EVTCHNOP_bind_vcpu, &op, sizeof(op));
}

long fake_status(struct fake *f, domid_t dom, evtchn_port_t port, struct evtchn_status *out)
{
	*out = (struct evtchn_status){.dom = dom, .port = port};
	return evtchn_op(f, EVTCHNOP_status, out, sizeof(*out));
}

long fake_reset(struct fake *f, domid_t dom)
{
	struct evtchn_reset op = {.dom = dom};

	return evtchn_op(f, EVTCHNOP_reset, &op, sizeof(op));
}

#define EVTCHNOP_RESET_CONT 14 /* which the public header tells to Xen itself only */

long fake_reset_cont(struct fake *f, domid_t dom)
{
	struct evtchn_reset op = {.dom = dom};

	return evtchn_op(f, EVTCHNOP_RESET_CONT, &op, sizeof(op));
}

long fake_set_priority(struct fake *f, evtchn_port_t port, uint32_t priority)
{
	struct evtchn_set_priority op = {.port = port, .priority = priority};

	return evtchn_op(f, EVTCHNOP_set_priority, &op, sizeof(op));
}

/* Little-endian: a bit's byte is the same whatever the words. */
static uint8_t *byte_of(struct fake *f, evtchn_port_t port, unsigned wide, unsigned narrow)
{
	return (uint8_t *)f->shared_info + (f->domain.long_mode ? wide : narrow) + port / 8;
}

static uint8_t *pending_byte(struct fake *f, evtchn_port_t port)
{
	return byte_of(f, port, offsetof(struct shared_info, evtchn_pending),
		       offsetof(struct shared_info_x86_32, evtchn_pending));
}

static uint8_t *mask_byte(struct fake *f, evtchn_port_t port)
{
	return byte_of(f, port, offsetof(struct shared_info, evtchn_mask),
		       offsetof(struct shared_info_x86_32, evtchn_mask));
}

bool fake_pending(struct fake *f, evtchn_port_t port)
{
	return *pending_byte(f, port) >> port % 8 & 1;
}

void fake_clear_pending(struct fake *f, evtchn_port_t port)
{
	*pending_byte(f, port) &= ~(1u << port % 8);
}

bool fake_masked(struct fake *f, evtchn_port_t port)
{
	return *mask_byte(f, port) >> port % 8 & 1;
}

void fake_set_mask(struct fake *f, evtchn_port_t port, bool masked)
{
	*mask_byte(f, port) &= ~(1u << port % 8);
	*mask_byte(f, port) |= (unsigned)masked << port % 8;
}

/* The vCPU's vcpu_info, wherever it is. */
static void *info_of(struct fake *f, unsigned vcpu)
{
	struct vcpu *v = f->domain.vcpus[vcpu];
	struct gpa at;

	if (v->vcpu_info_registered && gpc_gpa(&v->vcpu_info, &at))
		return fake_at(f, at.v);
	return (uint8_t *)f->shared_info + vcpu * sizeof(struct vcpu_info);
}

/* Where the selector is: it may be at any multiple of 4. */
static uint8_t *selector_of(struct fake *f, unsigned vcpu)
{
	return (uint8_t *)info_of(f, vcpu) + (f->domain.long_mode ? 8 : 4);
}

uint64_t fake_selector(struct fake *f, unsigned vcpu)
{
	uint64_t selector = 0;

	memcpy(&selector, selector_of(f, vcpu), f->domain.long_mode ? 8 : 4);
	return selector;
}

bool fake_upcall_pending(struct fake *f, unsigned vcpu)
{
	return *(uint8_t *)info_of(f, vcpu);
}

void fake_take_upcall(struct fake *f, unsigned vcpu)
{
	*(uint8_t *)info_of(f, vcpu) = 0;
	memset(selector_of(f, vcpu), 0, f->domain.long_mode ? 8 : 4);
	f->vcpu[vcpu].upcalls = 0;
}
