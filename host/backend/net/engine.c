// SPDX-License-Identifier: BSD-2-Clause
/* The beginning and the end of a connection. */
#include "host/backend/net/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/event.h"
#include "shim/domain.h"

static void tell_owner(const struct net_engine *e)
{
	event_raise(e->report_fd);
}

enum net_step net_engine_fail(struct net_engine *e, const char *fmt, ...)
{
	va_list args;

	if (e->failed)
		return NET_FAILED;
	va_start(args, fmt);
	vsnprintf(e->failure, sizeof(e->failure), fmt, args);
	va_end(args);
	__atomic_store_n(&e->failed, true, __ATOMIC_RELEASE);
	tell_owner(e);
	return NET_FAILED;
}

void net_engine_link_ended(struct net_engine *e)
{
	__atomic_store_n(&e->link_ended, true, __ATOMIC_RELEASE);
	tell_owner(e);
}

/* The guest has sent: on a vCPU's thread, in a read section. */
static void guest_notified(void *opaque)
{
	struct net_engine *e = opaque;

	__atomic_fetch_add(&e->stats->events_in, 1, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&e->kicked, true, __ATOMIC_SEQ_CST))
		return;
	event_raise(e->kick_fd);
}

static int map_ring(struct net_engine *e, grant_ref_t ref, uint32_t entry_size, const char *what,
		    struct net_ring *ring, struct grant_mapping *page, struct problem *p)
{
	int rc = grant_map(e->domain, ref, true, page);

	if (rc != GNTST_okay)
		return problem(p, "the %s ring's grant %u cannot be mapped (%d)", what, ref, rc);
	if (!net_ring_attach(ring, page->hva, entry_size))
		return problem(p, "the %s ring's indexes make no sense", what);
	return 0;
}

static int bind_channel(struct net_engine *e, struct net_channel *c, evtchn_port_t port,
			struct problem *p)
{
	c->backend = (struct port_backend){guest_notified, e};
	c->port = port;
	if (!event_channel_connect_backend(e->domain, port, &c->backend))
		return 0;
	c->backend.notify = NULL;
	return problem(p, "event channel %u is not one for domain 0", port);
}

static int attach_queue(struct net_engine *e, unsigned nr, struct problem *p)
{
	const struct net_guest_queue *guest = &e->guest.queues[nr];
	struct net_queue *q = &e->queues[nr];

	if (map_ring(e, guest->tx_ref, sizeof(union netif_tx_sring_entry), "tx", &q->tx,
		     &q->tx_page, p) ||
	    map_ring(e, guest->rx_ref, sizeof(union netif_rx_sring_entry), "rx", &q->rx,
		     &q->rx_page, p) ||
	    bind_channel(e, &q->tx_channel, guest->tx_port, p))
		return -1;
	q->rx_channel = &q->tx_channel;
	if (guest->rx_port == guest->tx_port)
		return 0;
	q->rx_channel = &q->own_rx_channel;
	return bind_channel(e, q->rx_channel, guest->rx_port, p);
}

static int attach_ctrl(struct net_engine *e, struct problem *p)
{
	if (!e->guest.has_ctrl)
		return 0;
	if (map_ring(e, e->guest.ctrl_ref, sizeof(union xen_netif_ctrl_sring_entry), "control",
		     &e->ctrl, &e->ctrl_page, p))
		return -1;
	return bind_channel(e, &e->ctrl_channel, e->guest.ctrl_port, p);
}

static int watch(struct net_engine *e, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events | EPOLLET, .data.fd = fd};

	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_events(struct net_engine *e, struct problem *p)
{
	e->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->kick_fd < 0 || e->epoll_fd < 0 || watch(e, e->kick_fd, EPOLLIN) ||
	    (e->link->fd >= 0 && watch(e, e->link->fd, EPOLLIN | EPOLLOUT)))
		return problem(p, "no event descriptors for a network interface: %s",
			       strerror(errno));
	return 0;
}

static int attach(struct net_engine *e, struct problem *p)
{
	e->link->readable = true;
	if (open_events(e, p))
		return -1;
	for (unsigned i = 0; i < e->guest.nr_queues; i++)
		if (attach_queue(e, i, p))
			return -1;
	if (attach_ctrl(e, p))
		return -1;
	/* A large segment does not fit into one page. */
	if (!e->guest.sg)
		e->guest.can &= ~(NET_CAN_GSO4 | NET_CAN_GSO6);
	if (e->link->ops->receiver)
		e->link->ops->receiver(e->link, e->guest.can);
	return 0;
}

struct net_engine *net_engine_attach(struct domain *d, struct net_link *link,
				     const struct net_guest *guest, uint64_t credit_bytes,
				     uint32_t credit_us, struct net_stats *stats, int report_fd,
				     struct problem *p)
{
	struct net_engine *e = calloc(1, sizeof(*e));

	if (!e) {
		problem(p, "no memory for a network interface");
		return NULL;
	}
	e->domain = d;
	e->link = link;
	e->guest = *guest;
	e->stats = stats;
	e->report_fd = report_fd;
	e->kick_fd = e->epoll_fd = -1;
	e->mcast_control = guest->mcast_control;
	net_credit_init(&e->credit, credit_bytes, credit_us, 0);
	if (!attach(e, p))
		return e;
	net_engine_detach(e);
	return NULL;
}

static void unbind_channel(struct net_engine *e, struct net_channel *c)
{
	if (c->backend.notify)
		event_channel_unbind_backend(e->domain, &c->backend);
	c->backend.notify = NULL;
}

static void unmap(struct net_engine *e, struct grant_mapping *page)
{
	if (page->hva)
		grant_unmap(e->domain, page, true);
}

void net_engine_detach(struct net_engine *e)
{
	for (unsigned i = 0; i < e->guest.nr_queues; i++) {
		struct net_queue *q = &e->queues[i];

		unbind_channel(e, &q->tx_channel);
		unbind_channel(e, &q->own_rx_channel);
		unmap(e, &q->tx_page);
		unmap(e, &q->rx_page);
	}
	unbind_channel(e, &e->ctrl_channel);
	unmap(e, &e->ctrl_page);
	if (e->kick_fd >= 0)
		close(e->kick_fd);
	if (e->epoll_fd >= 0)
		close(e->epoll_fd);
	free(e);
}

struct net_engine *net_engine_start(struct domain *d, struct net_link *link,
				    const struct net_guest *guest, uint64_t credit_bytes,
				    uint32_t credit_us, struct net_stats *stats, int report_fd,
				    struct problem *p)
{
	struct net_engine *e =
		net_engine_attach(d, link, guest, credit_bytes, credit_us, stats, report_fd, p);

	if (e && net_engine_run(e, p)) {
		net_engine_detach(e);
		return NULL;
	}
	return e;
}

void net_engine_stop(struct net_engine *e)
{
	net_engine_halt(e);
	net_engine_detach(e);
}
