// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each errno of each event-channel operation, and which comes first where two things are wrong.
 *
 * The test "evtchn" shows that the operations work; this one goes through the branches of Xen's
 * common/event_channel.c and event_fifo.c, with 2-level events first and FIFO ones afterwards.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "every errno of every event-channel operation, and their order";

#define NO_DOMAIN  0x1234
#define NO_PORT    0x100000U
#define NO_VCPU    77
#define NO_FRAME   0xfffffffU
#define RESET_CONT 14 /* EVTCHNOP_reset_cont, which the public header does not tell to guests */

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;
static uint8_t array[PAGE_SIZE] PAGE_ALIGNED;

static evtchn_port_t ipi, unbound, virq, closed;

#define OP(cmd, type, ...)                             \
	({                                             \
		struct type op_ = {__VA_ARGS__};       \
		hypercall_event_channel_op(cmd, &op_); \
	})

#define ALLOC_UNBOUND(d, r) \
	OP(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, .dom = d, .remote_dom = r)
#define INTERDOMAIN(d, p) \
	OP(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, .remote_dom = d, .remote_port = p)
#define VIRQ(q, v)      OP(EVTCHNOP_bind_virq, evtchn_bind_virq, .virq = q, .vcpu = v)
#define IPI(v)          OP(EVTCHNOP_bind_ipi, evtchn_bind_ipi, .vcpu = v)
#define PIRQ(q)         OP(EVTCHNOP_bind_pirq, evtchn_bind_pirq, .pirq = q)
#define CLOSE(p)        OP(EVTCHNOP_close, evtchn_close, .port = p)
#define SEND(p)         OP(EVTCHNOP_send, evtchn_send, .port = p)
#define STATUS(d, p)    OP(EVTCHNOP_status, evtchn_status, .dom = d, .port = p)
#define BIND_VCPU(p, v) OP(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, .port = p, .vcpu = v)
#define UNMASK(p)       OP(EVTCHNOP_unmask, evtchn_unmask, .port = p)
#define RESET(d)        OP(EVTCHNOP_reset, evtchn_reset, .dom = d)
#define CONTINUE(d)     OP(RESET_CONT, evtchn_reset, .dom = d)
#define INIT(g, o, v) \
	OP(EVTCHNOP_init_control, evtchn_init_control, .control_gfn = g, .offset = o, .vcpu = v)
#define EXPAND(g)      OP(EVTCHNOP_expand_array, evtchn_expand_array, .array_gfn = g)
#define PRIORITY(p, q) OP(EVTCHNOP_set_priority, evtchn_set_priority, .port = p, .priority = q)

static void make_ports(void)
{
	ipi = (evtchn_port_t)evtchn_bind_ipi(0);
	unbound = (evtchn_port_t)evtchn_alloc_unbound(DOMID_SELF, NO_DOMAIN);
	virq = (evtchn_port_t)evtchn_bind_virq(VIRQ_TIMER, 0);
	closed = (evtchn_port_t)evtchn_bind_ipi(0);
	CHECK_EQ(evtchn_close(closed), 0);
}

/* The same with either ABI. */
static void binding(void)
{
	CHECK_EQ(ALLOC_UNBOUND(NO_DOMAIN, DOMID_SELF), -XEN_ESRCH);
	CHECK_EQ(ALLOC_UNBOUND(DOMID_INVALID, DOMID_SELF), -XEN_ESRCH);
	CHECK_EQ(ALLOC_UNBOUND(0, DOMID_SELF), -XEN_EPERM);
	CHECK_EQ(INTERDOMAIN(NO_DOMAIN, NO_PORT), -XEN_ESRCH);
	CHECK_EQ(INTERDOMAIN(DOMID_SELF, NO_PORT), -XEN_EINVAL);
	CHECK_EQ(INTERDOMAIN(DOMID_SELF, 0), -XEN_EINVAL);
	CHECK_EQ(INTERDOMAIN(DOMID_SELF, ipi), -XEN_EINVAL);
	CHECK_EQ(INTERDOMAIN(DOMID_SELF, unbound), -XEN_EINVAL); /* for somebody else */
	CHECK_EQ(INTERDOMAIN(0, NO_PORT), -XEN_EINVAL);
	CHECK_EQ(VIRQ(NR_VIRQS, NO_VCPU), -XEN_EINVAL);
	CHECK_EQ(VIRQ(~0U, 0), -XEN_EINVAL);
	CHECK_EQ(VIRQ(VIRQ_DOM_EXC, NO_VCPU), -XEN_EINVAL);
	CHECK_EQ(VIRQ(VIRQ_TIMER, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(VIRQ(VIRQ_TIMER, ~0U), -XEN_ENOENT);
	CHECK_EQ(VIRQ(VIRQ_TIMER, 0), -XEN_EEXIST);
	CHECK_EQ(IPI(NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(IPI(~0U), -XEN_ENOENT);
	CHECK_EQ(PIRQ(~0U), -XEN_EINVAL);
	CHECK_EQ(PIRQ(0x10000), -XEN_EINVAL);
	CHECK_EQ(CLOSE(0), -XEN_EINVAL);
	CHECK_EQ(CLOSE(closed), -XEN_EINVAL);
	CHECK_EQ(CLOSE(NO_PORT), -XEN_EINVAL);
}

static void using(void)
{
	CHECK_EQ(SEND(0), -XEN_EINVAL);
	CHECK_EQ(SEND(closed), -XEN_EINVAL);
	CHECK_EQ(SEND(virq), -XEN_EINVAL);
	CHECK_EQ(SEND(NO_PORT), -XEN_EINVAL);
	CHECK_EQ(SEND(unbound), 0);
	CHECK_EQ(STATUS(NO_DOMAIN, NO_PORT), -XEN_ESRCH);
	CHECK_EQ(STATUS(DOMID_SELF, NO_PORT), -XEN_EINVAL);
	CHECK_EQ(STATUS(DOMID_SELF, 0), 0);
	CHECK_EQ(STATUS(DOMID_SELF, closed), 0);
	CHECK_EQ(BIND_VCPU(NO_PORT, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(BIND_VCPU(NO_PORT, 0), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(0, 0), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(closed, 0), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(ipi, 0), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(virq, 0), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(unbound, 0), 0);
	CHECK_EQ(UNMASK(NO_PORT), -XEN_EINVAL);
	CHECK_EQ(UNMASK(closed), 0);
	CHECK_EQ(UNMASK(0), 0);
	CHECK_EQ(RESET(NO_DOMAIN), -XEN_ESRCH);
	CHECK_EQ(RESET(0), -XEN_EPERM);
	CHECK_EQ(CONTINUE(NO_DOMAIN), -XEN_ESRCH);
	CHECK_EQ(CONTINUE(0), -XEN_EPERM);
	CHECK_EQ(CONTINUE(DOMID_SELF), -XEN_EBUSY);
	CHECK_EQ(hypercall_event_channel_op(15, page), -XEN_ENOSYS);
}

#ifdef PV
/* None is this guest's. */
static void pirqs(void)
{
	CHECK_EQ(PIRQ(9), -XEN_EPERM);
}
#else
/* A guest may name a physical interrupt that it will never get. */
static void pirqs(void)
{
	struct evtchn_bind_pirq op = {.pirq = 9};
	struct evtchn_status s;

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_pirq, &op), 0);
	CHECK_EQ(evtchn_status(DOMID_SELF, op.port, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_pirq);
	CHECK_EQ(s.u.pirq, 9);
	CHECK_EQ(PIRQ(9), -XEN_EEXIST);
	CHECK_EQ(SEND(op.port), -XEN_EINVAL);
	CHECK_EQ(BIND_VCPU(op.port, 0), 0);
	CHECK_EQ(CLOSE(op.port), 0);
}
#endif

static void before_fifo(void)
{
	CHECK_EQ(EXPAND(frame_of(array)), -XEN_EOPNOTSUPP);
	CHECK_EQ(PRIORITY(NO_PORT, 16), -XEN_EINVAL);
	CHECK_EQ(PRIORITY(closed, 16), -XEN_ENOSYS);
	CHECK_EQ(PRIORITY(ipi, 0), -XEN_ENOSYS);
	CHECK_EQ(INIT(NO_FRAME, 1, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(INIT(frame_of(page), 1, 0), -XEN_EINVAL);
	CHECK_EQ(INIT(frame_of(page), 4, 0), -XEN_EINVAL);
	CHECK_EQ(INIT(frame_of(page), PAGE_SIZE - 64, 0), -XEN_EINVAL);
	CHECK_EQ(INIT(frame_of(page), ~0U, 0), -XEN_EINVAL);
	CHECK_EQ(INIT(NO_FRAME, 0, 0), -XEN_EINVAL);
	CHECK_EQ(EXPAND(frame_of(array)), -XEN_EOPNOTSUPP);
}

static void with_fifo(void)
{
	CHECK_EQ(INIT(frame_of(page), 0, 0), 0);
	CHECK_EQ(INIT(frame_of(page), 0, 0), -XEN_EINVAL);
	CHECK_EQ(INIT(frame_of(page), 4, NO_VCPU), -XEN_ENOENT);
	CHECK_EQ(EXPAND(NO_FRAME), -XEN_EINVAL);
	CHECK_EQ(EXPAND(frame_of(array)), 0);
	CHECK_EQ(PRIORITY(NO_PORT, 16), -XEN_EINVAL);
	CHECK_EQ(PRIORITY(closed, 16), -XEN_EACCES);
	CHECK_EQ(PRIORITY(0, 0), -XEN_EACCES);
	CHECK_EQ(PRIORITY(ipi, 16), -XEN_EINVAL);
	CHECK_EQ(PRIORITY(ipi, ~0U), -XEN_EINVAL);
	CHECK_EQ(PRIORITY(ipi, 15), 0);
	/* As many pages as there can be ports, the same one is as good as any. */
	for (unsigned int i = 1; i < EVTCHN_FIFO_NR_CHANNELS / (PAGE_SIZE / 4); i++)
		if (EXPAND(frame_of(array)))
			CHECK(false, "page %u of the array is refused", i);
	CHECK_EQ(EXPAND(frame_of(array)), -XEN_ENOSPC);
	CHECK_EQ(EXPAND(NO_FRAME), -XEN_ENOSPC);
}

static void bad_arguments(void)
{
	/* A pointer to nothing is told before anything else. */
	static const int ops[] = {EVTCHNOP_bind_interdomain,
				  EVTCHNOP_bind_virq,
				  EVTCHNOP_bind_pirq,
				  EVTCHNOP_close,
				  EVTCHNOP_send,
				  EVTCHNOP_status,
				  EVTCHNOP_alloc_unbound,
				  EVTCHNOP_bind_ipi,
				  EVTCHNOP_bind_vcpu,
				  EVTCHNOP_unmask,
				  EVTCHNOP_reset,
				  EVTCHNOP_init_control,
				  EVTCHNOP_expand_array,
				  EVTCHNOP_set_priority,
				  RESET_CONT};
	const void *nothing = (const void *)0xf0000000UL;

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		long rc = hypercall_event_channel_op(ops[i], nothing);

		CHECK(rc == -XEN_EFAULT, "operation %d: %ld", ops[i], rc);
	}
}

void test_main(void)
{
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	make_ports();
	bad_arguments();
	binding();
	using();
	pirqs();
	before_fifo();
	with_fifo();
	binding();
	using();
	pirqs();
	CHECK_EQ(RESET(DOMID_SELF), 0);
	test_success();
}
