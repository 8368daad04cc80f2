// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events on their way: who finds a port that shall become pending, in a read section and without a
 * lock, and what follows when the section has been left.
 */
#include "shim/event_port.h"
#include "shim/gpc/gpc.h"

/*
 * Each attempt but the first follows a change of slots that happened meanwhile. More than this in a
 * row is nobody's but the guest's own doing.
 */
#define TRIES 64

/* Where an event goes; v == NULL: nowhere. */
struct target {
	struct vcpu *v;
	evtchn_port_t port;
	struct port *p;
};

/* In a read section: what `arg` names. 0 or -XEN_EINVAL. */
typedef long find_target(struct domain *d, const void *arg, struct target *t);

static inline void aim(struct domain *d, evtchn_port_t port, struct port *p, struct port_binding b,
		       struct target *t)
{
	*t = (struct target){d->vcpus[b.vcpu], port, p};
}

static void bring_up_to_date(struct event_try *try)
{
	try->gone = gpc_refresh_maysleep(try->missing) ? try->missing : NULL;
	try->missing = NULL;
}

static inline void tell(struct domain *d, const struct event_abi *abi, const struct target *t,
			unsigned done)
{
	if (done & EVENT_NOTIFY)
		abi->notify(t->v, t->port, done);
	if (done & EVENT_NEW && __atomic_load_n(&d->events.pollers, __ATOMIC_SEQ_CST))
		d->events.poll_wake(d, t->port);
}

enum change { SET_PENDING, UNMASK };

static inline __attribute__((always_inline)) long attempt(struct domain *d, enum change what,
							  find_target *find, const void *arg,
							  struct event_try *try)
{
	const struct event_abi *abi;
	struct target t = {0};
	unsigned done = 0;
	long rc;

	rcu_enter();
	abi = __atomic_load_n(&d->events.abi, __ATOMIC_ACQUIRE);
	rc = find(d, arg, &t);
	if (t.v)
		done = what == UNMASK ? abi->unmask(t.v, t.port, t.p, try)
				      : abi->set_pending(t.v, t.port, t.p, try);
	rcu_leave();
	if (done)
		tell(d, abi, &t, done);
	return rc;
}

static __attribute__((noinline)) long attempt_again(struct domain *d, enum change what,
						    find_target *find, const void *arg,
						    struct event_try *try)
{
	long rc = 0;

	for (unsigned i = 1; i < TRIES && try->missing; i++) {
		bring_up_to_date(try);
		rc = attempt(d, what, find, arg, try);
	}
	return rc;
}

/* Inline, so that each caller has its own, without indirect calls. */
static inline __attribute__((always_inline)) long change(struct domain *d, enum change what,
							 find_target *find, const void *arg)
{
	struct event_try try = {0};
	long rc = attempt(d, what, find, arg, &try);

	if (__builtin_expect(try.missing != NULL, 0))
		return attempt_again(d, what, find, arg, &try);
	return rc;
}

static inline long find_in_use(struct domain *d, const void *arg, struct target *t)
{
	evtchn_port_t port = *(const evtchn_port_t *)arg;
	struct port *p = port_lookup(&d->events, port);
	struct port_binding b;

	if (!p)
		return -XEN_EINVAL;
	b = port_binding(p);
	if (port_in_use(b))
		aim(d, port, p, b, t);
	return 0;
}

void event_raise(struct domain *d, evtchn_port_t port)
{
	change(d, SET_PENDING, find_in_use, &port);
}

/* A port that nobody has can be unmasked, without effect. */
long event_unmask(struct domain *d, evtchn_port_t port)
{
	return change(d, UNMASK, find_in_use, &port);
}

static void notify_backend(struct domain *d, uint32_t far_end)
{
	const struct port_backend *b =
		__atomic_load_n(&d->events.far_ends[far_end].backend, __ATOMIC_ACQUIRE);

	b->notify(b->opaque);
}

static inline long find_receiver(struct domain *d, const void *arg, struct target *t)
{
	evtchn_port_t port = *(const evtchn_port_t *)arg;
	struct port *p = port_lookup(&d->events, port);
	struct port_binding b;

	if (!p)
		return -XEN_EINVAL;
	b = port_binding(p);
	if (__builtin_expect(b.state == PORT_IPI, 1)) {
		aim(d, port, p, b, t);
		return 0;
	}
	switch (b.state) {
	case PORT_INTERDOMAIN:
		p = port_lookup(&d->events, b.value);
		aim(d, b.value, p, port_binding(p), t);
		return 0;
	case PORT_BACKEND:
		notify_backend(d, b.value);
		return 0;
	case PORT_UNBOUND: /* nobody listens: dropped */
		return 0;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_CLOSING:
	case PORT_VIRQ:
	case PORT_IPI:
	case PORT_PIRQ:
		break;
	}
	return -XEN_EINVAL;
}

long event_send(struct domain *d, evtchn_port_t port)
{
	return change(d, SET_PENDING, find_receiver, &port);
}

struct virq {
	struct vcpu *v;
	unsigned virq;
};

static inline long find_virq(struct domain *d, const void *arg, struct target *t)
{
	const struct virq *v = arg;
	evtchn_port_t port = __atomic_load_n(&v->v->virq_port[v->virq], __ATOMIC_ACQUIRE);
	struct port *p = port_lookup(&d->events, port);
	struct port_binding b = port_binding(p);

	if (b.state == PORT_VIRQ) /* port 0 is none */
		aim(d, port, p, b, t);
	return 0;
}

void event_channel_raise_virq(struct vcpu *v, unsigned virq)
{
	const struct virq arg = {v, virq};

	change(v->domain, SET_PENDING, find_virq, &arg);
}

/*
 * Backends.
 */

struct notification {
	evtchn_port_t port;
	const struct port_backend *backend;
};

static bool belongs_to(const struct event_channels *e, const struct port *p,
		       const struct port_backend *backend)
{
	struct port_binding b = port_binding(p);

	return b.state == PORT_BACKEND &&
	       __atomic_load_n(&e->far_ends[b.value].backend, __ATOMIC_ACQUIRE) == backend;
}

/* The guest has closed the port, and may have connected another one. */
static evtchn_port_t port_of(const struct event_channels *e, const struct port_backend *backend)
{
	unsigned nr = __atomic_load_n(&e->nr_far_ends, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < nr; i++)
		if (__atomic_load_n(&e->far_ends[i].backend, __ATOMIC_ACQUIRE) == backend)
			return __atomic_load_n(&e->far_ends[i].port, __ATOMIC_ACQUIRE);
	return 0;
}

static long find_guest_end(struct domain *d, const void *arg, struct target *t)
{
	const struct notification *n = arg;
	evtchn_port_t port = n->port;
	struct port *p = port_lookup(&d->events, port);

	if (!p || !belongs_to(&d->events, p, n->backend)) {
		port = port_of(&d->events, n->backend);
		p = port_lookup(&d->events, port);
	}
	if (belongs_to(&d->events, p, n->backend))
		aim(d, port, p, port_binding(p), t);
	return 0;
}

void event_channel_notify_guest(struct domain *d, evtchn_port_t port,
				const struct port_backend *backend)
{
	const struct notification arg = {port, backend};

	change(d, SET_PENDING, find_guest_end, &arg);
}

int event_channel_poll(struct domain *d, evtchn_port_t port)
{
	const struct event_abi *abi = __atomic_load_n(&d->events.abi, __ATOMIC_ACQUIRE);
	const struct port *p = port_lookup(&d->events, port);

	if (!p || !port_in_use(port_binding(p)))
		return -XEN_EINVAL;
	return abi->is_pending(d, port);
}
