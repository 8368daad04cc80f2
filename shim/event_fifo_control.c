// SPDX-License-Identifier: BSD-2-Clause
/* The memory of the FIFO ABI: control blocks, the pages of the event array, and back. */
#include <stdlib.h>

#include "shim/event_2level.h"
#include "shim/event_fifo.h"
#include "shim/event_port.h"
#include "shim/event_route.h"
#include "shim/guest_access.h"

static struct fifo *make(struct domain *d)
{
	struct fifo *f = calloc(1, sizeof(*f) + d->nr_vcpus * sizeof(f->vcpus[0]));

	if (!f)
		return NULL;
	f->nr_vcpus = d->nr_vcpus;
	for (unsigned i = 0; i < FIFO_PAGES; i++)
		gpc_init(&f->pages[i], &d->memslots);
	for (unsigned i = 0; i < f->nr_vcpus; i++)
		gpc_init(&f->vcpus[i].control, &d->memslots);
	return f;
}

void event_fifo_destroy(struct event_channels *e)
{
	struct fifo *f = e->fifo;

	if (!f)
		return;
	for (unsigned i = 0; i < FIFO_PAGES; i++)
		gpc_destroy(&f->pages[i]);
	for (unsigned i = 0; i < f->nr_vcpus; i++)
		gpc_destroy(&f->vcpus[i].control);
	free(f);
	e->fifo = NULL;
}

static bool in_use(const struct event_channels *e)
{
	return e->abi == &event_fifo;
}

static void switch_to(struct event_channels *e, const struct event_abi *abi)
{
	__atomic_store_n(&e->abi, abi, __ATOMIC_RELEASE);
	rcu_synchronize(); /* nobody is at the other one any more */
}

/* A page of the guest's RAM, as Xen asks for; it may go later. */
static bool is_ram(struct domain *d, uint64_t frame)
{
	return frame <= UINT64_MAX >> GUEST_PAGE_SHIFT &&
	       guest_has_memory(d, gfn_to_gpa(gfn(frame)), GUEST_PAGE_SIZE);
}

/* An area in a page of the guest's, which a PV guest has for data as long as it is used. */
static long take_area(struct domain *d, struct gpc *area, uint64_t frame, uint32_t offset,
		      uint32_t len)
{
	if (!is_ram(d, frame) || !pv_frame_get_writable(d, frame))
		return -XEN_EINVAL;
	if (!gpc_activate(area, gpa((frame << GUEST_PAGE_SHIFT) + offset), len))
		return 0;
	pv_frame_put_writable(d, frame);
	return -XEN_EINVAL;
}

static void leave_area(struct domain *d, struct gpc *area)
{
	struct gpa at;
	bool known = gpc_gpa(area, &at);

	gpc_deactivate(area);
	if (known)
		pv_frame_put_writable(d, at.v >> GUEST_PAGE_SHIFT);
}

static long set_control(struct domain *d, const struct evtchn_init_control *op)
{
	struct fifo *f = d->events.fifo;
	struct gpc *control;

	if (op->vcpu >= f->nr_vcpus) /* made since */
		return -XEN_ENOENT;
	control = &f->vcpus[op->vcpu].control;
	if (gpc_is_active(control))
		return -XEN_EINVAL;
	return take_area(d, control, op->control_gfn, op->offset,
			 sizeof(struct evtchn_fifo_control_block));
}

/*
 * From 2-level bits to FIFO words, which are nowhere yet: all ports get the default priority, and
 * what is pending is kept until its page comes. Who finds the new ABI keeps it there by himself;
 * so bits are read when nobody sets them any more.
 */
static void take_over_ports(struct domain *d)
{
	struct event_channels *e = &d->events;

	for (evtchn_port_t port = 1; port < e->valid; port++)
		event_fifo.bound(d, port_lookup(e, port));
	event_routes_withdraw(d);
	switch_to(e, &event_fifo);
	event_routes_restore(d); /* which has none in this ABI */
	for (evtchn_port_t port = 1; port < e->valid; port++)
		if (event_2level_is_pending(d, port))
			__atomic_store_n(&port_lookup(e, port)->saved_pending, true,
					 __ATOMIC_SEQ_CST);
}

static long start(struct domain *d, const struct evtchn_init_control *op)
{
	struct event_channels *e = &d->events;
	long rc;

	if (!e->fifo) {
		struct fifo *f = make(d);

		if (!f)
			return -XEN_ENOMEM;
		__atomic_store_n(&e->fifo, f, __ATOMIC_RELEASE);
	}
	rc = set_control(d, op);
	if (!rc)
		take_over_ports(d);
	return rc;
}

long event_fifo_init_control(struct domain *d, struct evtchn_init_control *op)
{
	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	if (!domain_vcpu(d, op->vcpu))
		return -XEN_ENOENT;
	if (op->offset > GUEST_PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))
		return -XEN_EINVAL;
	if (op->offset % 8)
		return -XEN_EINVAL;
	return in_use(&d->events) ? set_control(d, op) : start(d, op);
}

/* Events that came before the page are told now. A port without an owner has none. */
static void raise_saved(struct domain *d, evtchn_port_t first)
{
	struct event_channels *e = &d->events;

	for (evtchn_port_t port = first; port < first + FIFO_WORDS_PER_PAGE; port++) {
		struct port *p = port_lookup(e, port);

		if (!p)
			break;
		if (__atomic_exchange_n(&p->saved_pending, false, __ATOMIC_SEQ_CST))
			event_raise(d, port);
	}
}

long event_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op)
{
	struct fifo *f = d->events.fifo;
	unsigned nr;
	long rc;

	if (!in_use(&d->events))
		return -XEN_EOPNOTSUPP;
	nr = f->nr_pages;
	if (nr == FIFO_PAGES)
		return -XEN_ENOSPC;
	rc = take_area(d, &f->pages[nr], op->array_gfn, 0, GUEST_PAGE_SIZE);
	if (rc)
		return rc;
	__atomic_store_n(&f->nr_pages, nr + 1, __ATOMIC_SEQ_CST);
	raise_saved(d, nr * FIFO_WORDS_PER_PAGE);
	return 0;
}

static void forget_vcpu(struct domain *d, struct fifo_vcpu *v)
{
	if (gpc_is_active(&v->control))
		leave_area(d, &v->control);
	for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
		v->queue[q].tail = 0;
}

void event_fifo_stop(struct domain *d)
{
	struct event_channels *e = &d->events;
	struct fifo *f = e->fifo;
	unsigned nr;

	if (!in_use(e))
		return;
	switch_to(e, &event_2level);
	nr = f->nr_pages;
	__atomic_store_n(&f->nr_pages, 0, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < nr; i++)
		leave_area(d, &f->pages[i]);
	for (unsigned i = 0; i < f->nr_vcpus; i++)
		forget_vcpu(d, &f->vcpus[i]);
}
